"""What the formats of text share: columns, labels by name, one file a split."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import BinaryIO, Final

import pyarrow as pa
import pyarrow.compute as pc

from transferset.errors import UsageError, sentence
from transferset.exports.cutting import columns_of, left_out, pieces
from transferset.exports.joining import join, part_path
from transferset.exports.protocol import Draft, Options, Part, Written
from transferset.manifest import FileEntry, Json
from transferset.shards import ShardSet

#: Bytes that are read at once, up to the end of a line.
_BLOCK: Final = 16 << 20

#: What is exported unless columns are named.
USUAL: Final = ("text", "text_pair", "label")


def draft(sets: Sequence[ShardSet], parts: Sequence[Part], options: Options, name: str) -> Draft:
    """A plan of one file a split, joined of parts.

    Args:
        sets: By split.
        parts: As many.
        options: Columns.
        name: Of the format.

    Raises:
        UsageError: A set has neither texts nor ids and a tokenizer.
    """
    held: dict[str, Sequence[str]] = {}
    told: list[str] = []
    for part, found in zip(parts, sets, strict=True):
        columns = columns_of(found, options, USUAL)
        if options.columns is None and "text" not in columns:
            columns = [*decoded(found, part), *columns]
            told.append(
                f"text: {found.label} has none, so it is decoded from ids; case, spaces and "
                "unknown words are as the tokenizer left them"
            )
        held[part.split] = columns
        told += left_out(found, columns, name)
    tasks: list[Json] = [
        {"split": split, "start": start, "stop": stop, "rows": stop - start}
        for split, found in enumerate(sets)
        for start, stop in pieces(found)
    ]
    return Draft(held, tasks, len(parts), told)


def decoded(found: ShardSet, part: Part) -> list[str]:
    """The columns of text that are had of ids.

    Raises:
        UsageError: There are none, or no tokenizer to decode them.
    """
    if "input_ids" not in found.manifest.schema or found.manifest.tokenizer is None:
        have = ", ".join(found.manifest.schema)
        expected = "texts, or ids with their tokenizer"
        raise UsageError(sentence(expected, have, str(found.root)))
    return ["text", "text_pair"] if part.pair else ["text"]


def joined(written: Written, ending: str, heads: Mapping[str, bytes]) -> list[FileEntry]:
    """One file of each split.

    Args:
        written: What tasks left.
        ending: Of the files.
        heads: What stands before the rows, by split.
    """
    return [
        join(
            written.root,
            f"{part.split}{ending}",
            [part_path(written.root, task, ending) for task, _ in written.of(split)],
            written.copied,
            head=heads.get(part.split, b""),
        )
        for split, part in enumerate(written.context.parts)
    ]


def has_names(field: pa.Field, names: Mapping[str, Sequence[str]]) -> bool:
    """Whether a column's codes are written as names: those of the label, if they have some."""
    return field.name == "label" and pa.types.is_integer(field.type) and bool(names.get("label"))


def named(column: pa.Array, names: Sequence[str]) -> pa.Array:
    """Codes as their names; null stays null."""
    return pa.array(names, pa.string()).take(column)


def coded(column: pa.Array, names: Sequence[str]) -> pa.Array:
    """Names as their codes; null, and what is no name, is null."""
    return pc.index_in(column, pa.array(names, pa.string()), skip_nulls=True).cast(pa.int64())


def blocks(file: BinaryIO) -> Iterator[bytes]:
    """Whole lines of a file, some megabytes at a time."""
    while block := file.read(_BLOCK):
        yield block + file.readline()
