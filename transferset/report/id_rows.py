"""The ids of a set, batch by batch, as the flat buffers that compiled loops work on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transferset.errors import SetError, UsageError, sentence
from transferset.manifest import MANIFEST
from transferset.shards import REMEDY, ShardSet, damage_named, stated_schema

#: Told how many rows more were read.
Rows = Callable[[int], None]
Bools = npt.NDArray[np.bool_]
Counts = npt.NDArray[np.int64]

#: Bits that hold an id wherever several are packed into one number.
ID_BITS: Final = 21

_SPECIAL: Final = ("cls", "sep", "pad", "mask")


@dataclass(frozen=True, slots=True)
class Pieces:
    """What the ids of a set stand for.

    Attributes:
        content: bool[vocabulary], false for [CLS] [SEP] [PAD] [MASK].
        separator: Id of [SEP].
        unknown: Id of [UNK], which is content.
    """

    content: Bools
    separator: int
    unknown: int

    @classmethod
    def of(cls, found: ShardSet) -> Pieces:
        """The pieces of a set's tokenizer.

        Raises:
            UsageError: The set has no ids, or names no tokenizer of at most 2**21 pieces.
            SetError: A special id lies outside the vocabulary.
        """
        manifest, at = found.manifest, str(found.root)
        if "input_ids" not in manifest.schema:
            columns = f"only {', '.join(manifest.schema)}"
            raise UsageError(sentence("a set with input_ids", columns, at, "name a tokenized set"))
        tokenizer = manifest.tokenizer
        if tokenizer is None:
            raise UsageError(sentence("a set that names its tokenizer", "one without", at))
        size, special = tokenizer["vocab_size"], tokenizer["special_ids"]
        if size > 1 << ID_BITS:
            raise UsageError(sentence(f"at most {1 << ID_BITS:,} pieces", f"{size:,}", at))
        if wrong := [name for name, number in special.items() if number >= size]:
            where = str(found.root / MANIFEST)
            raise SetError(sentence(f"special ids below {size}", f"[{wrong[0].upper()}]", where))
        content = np.ones(size, np.bool_)
        content[[special[name] for name in _SPECIAL]] = False
        return cls(content, special["sep"], special["unk"])


@dataclass(frozen=True, slots=True)
class IdBatch:
    """Up to 10,000 consecutive rows.

    Attributes:
        ids: uint16 or uint32, all below the size of the vocabulary.
        offsets: int32[rows + 1], ascending; row i is `ids[offsets[i]:offsets[i + 1]]`.
        columns: All columns of these rows.
    """

    ids: npt.NDArray[Any]
    offsets: npt.NDArray[np.int32]
    columns: pa.RecordBatch

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(self.offsets) - 1

    @property
    def tokens(self) -> int:
        """Number of ids, specials included."""
        return int(self.offsets[-1] - self.offsets[0])

    def part(self, start: int, stop: int) -> IdBatch:
        """Rows `start` to `stop`, without a copy."""
        columns = self.columns.slice(start, stop - start)
        return IdBatch(self.ids, self.offsets[start : stop + 1], columns)

    def parts(self, tokens: int) -> Iterator[IdBatch]:
        """All rows, in parts of at most so many ids, or of one row."""
        start = 0
        while start < self.rows:
            room = int(self.offsets[start]) + tokens
            stop = int(np.searchsorted(self.offsets, room, "right")) - 1
            stop = min(max(stop, start + 1), self.rows)
            yield self.part(start, stop)
            start = stop


def rows_of(found: ShardSet) -> int:
    """Rows of all shards, which `id_batches` holds them to."""
    return sum(entry.rows for entry in found.manifest.shards)


def id_batches(
    found: ShardSet, progress: Rows | None = None, *, every_column: bool = False
) -> Iterator[IdBatch]:
    """Read a set once, in order.

    Shards are read, not mapped: pages of a mapped file count as memory of the process until the
    whole shard was passed, and a file cut meanwhile would end it.

    Args:
        found: A set for which `Pieces.of` gives pieces.
        progress: Told of the rows of each batch once it was used.
        every_column: Check the values of all columns, which takes time where there are texts;
            otherwise only `input_ids` may be followed.

    Yields:
        Its batches, whose offsets and ids are within bounds.

    Raises:
        SetError: A shard is damaged.
    """
    size = found.manifest.tokenizer["vocab_size"] if found.manifest.tokenizer else 0
    expected = stated_schema(found)
    for entry in found.manifest.shards:
        path, row = found.shard_path(entry), 0
        with damage_named(path), pa.OSFile(str(path)) as source:
            reader = pa.ipc.open_stream(source)
            if not reader.schema.equals(expected):
                columns = ", ".join(reader.schema.names)
                raise SetError(sentence("the manifest's columns", columns, str(path), REMEDY))
            for batch in reader:
                if not batch.num_rows:
                    continue
                batch.validate(full=every_column)
                yield _checked(batch, size, path, row)
                row += batch.num_rows
                if progress is not None:
                    progress(batch.num_rows)
        if row != entry.rows:
            where = f"{path}, row {row}"
            raise SetError(sentence(f"{entry.rows} rows", f"{row}", where, REMEDY))


def _checked(batch: pa.RecordBatch, size: int, path: Path, first_row: int) -> IdBatch:
    column = batch.column("input_ids")
    column.validate(full=True)
    values = column.values
    if column.null_count or values.null_count:
        where = f"{path}, row {first_row} or later"
        raise SetError(sentence("ids in every row", "null", where, REMEDY))
    ids, offsets = values.to_numpy(), column.offsets.to_numpy()
    ids = ids.view(np.uint32) if ids.dtype == np.int32 else ids  # so that below 0 is too large
    used = ids[offsets[0] : offsets[-1]]
    if len(used) and used.max() >= size:
        position = int(offsets[0]) + int(np.argmax(used >= size))
        row = first_row + int(np.searchsorted(offsets, position, "right")) - 1
        found = str(values[position].as_py())
        raise SetError(sentence(f"ids below {size}", found, f"{path}, row {row}", REMEDY))
    return IdBatch(ids, offsets, batch)
