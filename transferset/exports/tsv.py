"""Tab-separated text as GLUE has it: a header, no quoting, one file a split."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from transferset.errors import SetError, UsageError, sentence
from transferset.exported import REMEDY, ExportRecord
from transferset.exports import texts
from transferset.exports.joining import output_of, part_path
from transferset.exports.json_text import floats, holds, lines
from transferset.exports.protocol import Context, Draft, Format, Options, Part, Written
from transferset.exports.rows import Rows
from transferset.exports.tables import stated_schema
from transferset.files import HashingFile
from transferset.manifest import FileEntry, Json
from transferset.schema import FIXED_WIDTH
from transferset.shards import ShardSet
from transferset.stage import Done

_ENDING: Final = ".tsv"

#: Signs that would end a field or a row.
_ENDS: Final = "[\t\n\r]"

#: With --escape; the escape sign first, and back in the other order.
_ESCAPES: Final = (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r"))

#: Stands for an escaped escape sign meanwhile, so that `\\\\t` is no tab; no byte of UTF-8.
_KEPT: Final = b"\xff"

_SINGLE: Final = {"text": "sentence"}
_PAIR: Final = {"text": "sentence1", "text_pair": "sentence2"}

_BLOCK: Final = 4 << 20


def plan(sets: Sequence[ShardSet], parts: Sequence[Part], options: Options) -> Draft:
    """See `Format.plan`."""
    for name in options.columns or ():
        if name not in (*texts.USUAL, *FIXED_WIDTH):
            do = "export --to jsonl"
            raise UsageError(sentence("columns of one text or number with --to tsv", name, do=do))
    found = texts.draft(sets, parts, options, "tsv")
    for part, one in zip(parts, sets, strict=True):
        if "label" in found.columns[part.split] and "" in one.manifest.names.get("label", ()):
            do = "export --to jsonl"
            raise UsageError(sentence("classes with names", "an empty one", str(one.root), do=do))
    return found


def header(columns: Sequence[str]) -> list[str]:
    """Names of columns as GLUE has them."""
    known = _PAIR if "text_pair" in columns else _SINGLE
    return [known.get(name, name) for name in columns]


def write(root: Path, context: Context, task: Json) -> Done:
    """See `Format.write`: a part of a file, without the header."""
    part = context.parts[task["split"]]
    names = ShardSet.open(part.root).manifest.names
    escape = bool(context.options.escape)
    rows = Rows(context, task)
    with HashingFile(part_path(root, task, _ENDING)) as sink:
        for batch in rows:
            cells: list[pa.Array | str] = []
            for field, column in zip(batch.schema, batch.columns, strict=True):
                found = _texts(column, field, names)
                if not escape:
                    _require_plain(found, f"{field.name} of {part.root}", rows.first)
                # a row without a label has an empty one
                cells += ["\t", (_escaped(found) if escape else found).fill_null("")]
            if len(batch.schema) == 1:
                _require_visible(cells[1], f"{batch.schema.names[0]} of {part.root}", rows.first)
            sink.write(lines([*cells[1:], "\n"]))
        output = output_of(root, sink)
    return Done([output], rows.result())


def _texts(column: pa.Array, field: pa.Field, names: Mapping[str, Sequence[str]]) -> pa.Array:
    if texts.has_names(field, names):
        column = texts.named(column, names["label"])
    if pa.types.is_floating(column.type):
        return floats(column, field.name)
    return column.cast(pa.large_string())


def _require_plain(found: pa.Array, column: str, first: int) -> None:
    if holds(found, _ENDS):
        wrong = pc.match_substring_regex(found, _ENDS).fill_null(False)
        row = first + pc.index(wrong, True).as_py()
        do = "say --escape to write them as \\t, \\n and \\r, or export --to jsonl"
        where = f"{column}, row {row}"
        raise UsageError(sentence("texts without tabs and line ends", "one with", where, do))


def _require_visible(found: pa.Array, column: str, first: int) -> None:
    """Refuse what would be a blank line: readers skip it, and the rows behind it move up."""
    wrong = pc.match_substring_regex(found, "^ *$")
    if pc.any(wrong).as_py():
        row = first + pc.index(wrong, True).as_py()
        do = "export --to jsonl, or a second column"
        where = f"{column}, row {row}"
        raise UsageError(sentence("a text in each row of one column", "a blank one", where, do))


def _escaped(found: pa.Array) -> pa.Array:
    for sign, other in _ESCAPES:
        found = pc.replace_substring(found, sign, other)
    return found


def _unescaped(found: pa.Array) -> pa.Array:
    raw = pc.replace_substring(found.cast(pa.large_binary()), b"\\\\", _KEPT)
    for sign, other in _ESCAPES[1:]:
        raw = pc.replace_substring(raw, other.encode(), sign.encode())
    return pc.replace_substring(raw, _KEPT, b"\\").cast(pa.large_string())


def finish(written: Written) -> list[FileEntry]:
    """See `Format.finish`."""
    heads = {
        split: ("\t".join(header(columns)) + "\n").encode()
        for split, columns in written.context.columns.items()
    }
    return texts.joined(written, _ENDING, heads)


def read(root: Path, record: ExportRecord, split: str) -> Iterator[pa.RecordBatch]:
    """See `Format.read`."""
    path = root / f"{split}{_ENDING}"
    expected = stated_schema(root, record, split)
    names = record.part(split)["names"]
    escaped = bool(record.params.get("escape"))
    try:
        for batch in _open(path, header(expected.names)):
            columns = [
                _column(column, field, names, escaped)
                for column, field in zip(batch.columns, expected, strict=True)
            ]
            yield pa.RecordBatch.from_arrays(columns, schema=expected)
    except (pa.ArrowException, ValueError) as error:
        told = str(error).splitlines()[0]
        raise SetError(sentence("rows of tab-separated text", told, str(path), REMEDY)) from error


def _open(path: Path, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
    from pyarrow import csv

    parsing = csv.ParseOptions(
        delimiter="\t", quote_char=False, escape_char=False, ignore_empty_lines=False
    )
    types = dict.fromkeys(names, pa.string())
    converting = csv.ConvertOptions(column_types=types, strings_can_be_null=False)
    head = ("\t".join(names) + "\n").encode()
    with path.open("rb") as file:
        if (found := file.read(len(head))) != head:
            told = found.decode("utf-8", "replace")
            raise SetError(sentence(f"a header {', '.join(names)}", told, str(path), REMEDY))
        for block in texts.blocks(file):
            reading = csv.ReadOptions(
                use_threads=False, block_size=len(block) + 1, column_names=list(names)
            )
            yield from csv.read_csv(
                pa.BufferReader(block), reading, parsing, converting
            ).to_batches()


def _column(
    column: pa.Array, field: pa.Field, names: Mapping[str, Sequence[str]], escaped: bool
) -> pa.Array:
    found = _unescaped(column) if escaped else column
    if pa.types.is_string(field.type):
        return found.cast(pa.string())
    found = pc.if_else(pc.equal(found, ""), None, found)
    if texts.has_names(field, names):
        return texts.coded(found.cast(pa.string()), names["label"])
    return found.cast(field.type)


def reader() -> str:
    """See `Format.reader`."""
    return "pyarrow.csv"


FORMAT = Format(
    "tsv",
    1,
    "tab-separated texts and labels as GLUE has them, a file a split",
    takes=("columns", "escape"),
    plan=plan,
    write=write,
    finish=finish,
    read=read,
    reader=reader,
    share=0.6,
    ids=False,
)
