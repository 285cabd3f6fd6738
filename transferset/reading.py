"""Reading ranges of a set as a parent: every byte is checked against the manifest as it is read.

Shards are digested in pieces of a mebibyte, so a range of rows is checked by the pieces that it
lies in and nothing is read twice.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
from blake3 import blake3

from transferset.errors import SetError, sentence
from transferset.manifest import PIECE_BYTES, ShardEntry
from transferset.schema import BATCH_ROWS, NULLABLE, holds_lists
from transferset.shards import REMEDY, ShardSet, damage_named, stated_schema

#: Pieces that are read at a time.
_TOGETHER: Final = 8

#: What an encapsulated Arrow message begins with.
_CONTINUES: Final = 0xFFFFFFFF

#: Field of the flatbuffers table `Message`.
_BODY_LENGTH: Final = 3

#: More metadata than any batch of ours has.
_MOST_METADATA: Final = 1 << 16


def read_rows(
    found: ShardSet, start: int, stop: int, columns: Sequence[str] | None = None
) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Rows `start` to `stop` of a set, batch by batch as they are stored.

    Args:
        found: An open set.
        start: First row.
        stop: The row after the last, start ≤ stop ≤ len(found).
        columns: Columns to give; None is all.

    Yields:
        The number of the batch's first row, and the batch.

    Raises:
        SetError: The bytes are not those that the manifest names, or the columns, or an id is
            outside the vocabulary.
    """
    first = 0
    expected = _Expected.of(found)
    for entry in found.manifest.shards:
        low, high = max(start - first, 0), min(stop - first, entry.rows)
        if low < high:
            for row, batch in _shard_rows(found.shard_path(entry), entry, low, high, expected):
                yield first + row, batch if columns is None else batch.select(list(columns))
        first += entry.rows


@dataclass(frozen=True, slots=True)
class _Expected:
    """What the manifest says of all rows: who wrote it may have written rows that are otherwise.

    Attributes:
        schema: Of every shard.
        vocab_size: Ids are below it; None if there are no ids, or no tokenizer.
    """

    schema: pa.Schema
    vocab_size: int | None

    @classmethod
    def of(cls, found: ShardSet) -> _Expected:
        """What a set's manifest says."""
        tokenizer = found.manifest.tokenizer
        known = tokenizer is not None and "input_ids" in found.manifest.schema
        return cls(stated_schema(found), tokenizer["vocab_size"] if tokenizer and known else None)

    def check(self, batch: pa.RecordBatch, path: Path, first_row: int) -> None:
        """Refuse nulls, and ids that are none."""
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            if name in NULLABLE:
                continue
            inner = column.values if holds_lists(column.type) else None
            if column.null_count or (inner is not None and inner.null_count):
                where = f"{path}, row {first_row} or later"
                raise SetError(sentence(f"{name} in every row", "null", where, REMEDY))
        if self.vocab_size is not None:
            _check_ids(batch.column("input_ids"), self.vocab_size, path, first_row)


def _check_ids(column: pa.ListArray, size: int, path: Path, first_row: int) -> None:
    offsets = column.offsets
    start, stop = offsets[0].as_py(), offsets[-1].as_py()
    ids = column.values.slice(start, stop - start).to_numpy()
    if ids.dtype == np.int32:
        ids = ids.view(np.uint32)  # so that below 0 is too large
    if not len(ids) or ids.max() < size:
        return
    place = int(np.argmax(ids >= size))
    row = first_row + int(np.searchsorted(offsets.to_numpy(), start + place, "right")) - 1
    found = str(column.values[start + place].as_py())
    raise SetError(sentence(f"ids from 0 to {size - 1}", found, f"{path}, row {row}", REMEDY))


def _shard_rows(
    path: Path, entry: ShardEntry, low: int, high: int, expected: _Expected
) -> Iterator[tuple[int, pa.RecordBatch]]:
    bounds = _batch_bounds(path, entry.blake3)
    with _Pieces(path, entry) as pieces, damage_named(path):
        schema = pa.ipc.read_schema(pa.py_buffer(pieces.read(0, bounds[0])))
        if not schema.equals(expected.schema):
            columns = " ".join(str(schema.remove_metadata()).split())
            raise SetError(sentence("the manifest's columns", columns, f"{path}, byte 0", REMEDY))
        for number in range(low // BATCH_ROWS, (high - 1) // BATCH_ROWS + 1):
            row = number * BATCH_ROWS
            if number + 1 >= len(bounds):
                raise ValueError(f"the end of the stream before row {row}")
            raw = pa.py_buffer(pieces.read(bounds[number], bounds[number + 1]))
            batch = pa.ipc.read_record_batch(pa.ipc.read_message(raw), schema)
            batch.validate(full=True)
            if batch.num_rows != min(BATCH_ROWS, entry.rows - row):
                raise ValueError(f"{batch.num_rows} rows in the batch of row {row}")
            expected.check(batch, path, row)
            begin, end = max(low - row, 0), min(high - row, batch.num_rows)
            yield row + begin, batch.slice(begin, end - begin)


@lru_cache(maxsize=64)
def _batch_bounds(path: Path, digest: str) -> list[int]:
    """Where record batches begin and the last ends, in bytes; only their headers are read.

    The file is not mapped: pages that the kernel maps around a header would count as ours.
    """
    bounds = []
    with damage_named(path), path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        position = 0
        while (body := _message(file.fileno(), position, size)) > position:
            position = body
            bounds.append(position)
    return bounds or [0]


def _message(handle: int, position: int, size: int) -> int:
    """Where the message at `position` ends; `position` itself at the end of the stream.

    Arrow columnar format, "Encapsulated message format": a mark, the length of the metadata (a
    flatbuffer, table `Message`), the metadata, the body. The body's length is the table's field 3.
    """
    mark: int
    length: int
    mark, length = struct.unpack("<II", _exactly(handle, 8, position))
    if mark != _CONTINUES:
        raise ValueError(f"no Arrow message at byte {position}")
    if length == 0:
        return position
    meta = _exactly(handle, min(length, _MOST_METADATA), position + 8)
    try:
        body = _body_length(meta)
    except struct.error:
        raise ValueError(f"a broken message at byte {position}") from None
    end = position + 8 + length + body
    if body < 0 or end > size:
        raise ValueError(f"a message at byte {position} that ends at byte {end} of {size}")
    return end


def _body_length(meta: bytes) -> int:
    table: int = struct.unpack_from("<I", meta, 0)[0]
    fields: int = table - struct.unpack_from("<i", meta, table)[0]
    place = 4 + 2 * _BODY_LENGTH
    known: int = struct.unpack_from("<H", meta, fields)[0]
    field: int = struct.unpack_from("<H", meta, fields + place)[0] if place < known else 0
    return int(struct.unpack_from("<q", meta, table + field)[0]) if field else 0


def _exactly(handle: int, count: int, position: int) -> bytes:
    raw = os.pread(handle, count, position)
    if len(raw) < count:
        raise ValueError(f"the end of the file at byte {position + len(raw)}")
    return raw


@dataclass(slots=True)
class _Pieces:
    """The bytes of a shard, each piece checked when it is read, some pieces at a time."""

    path: Path
    entry: ShardEntry

    _handle: int = -1
    _start: int = 0
    _held: bytes = b""

    def __enter__(self) -> _Pieces:
        with damage_named(self.path):
            self._handle = os.open(self.path, os.O_RDONLY)
        return self

    def __exit__(self, *error: object) -> None:
        os.close(self._handle)

    def read(self, start: int, stop: int) -> memoryview:
        """Bytes `start` to `stop`; what was read before stays valid."""
        if not self._start <= start <= stop <= self._start + len(self._held):
            first = start // PIECE_BYTES
            last = max(-(-stop // PIECE_BYTES), first + _TOGETHER)
            self._hold(first, min(last, len(self.entry.pieces)))
        return memoryview(self._held)[start - self._start : stop - self._start]

    def _hold(self, first: int, last: int) -> None:
        self._start = first * PIECE_BYTES
        self._held = os.pread(self._handle, (last - first) * PIECE_BYTES, self._start)
        whole = memoryview(self._held)
        for number in range(first, last):
            at = (number - first) * PIECE_BYTES
            piece = whole[at : at + PIECE_BYTES]
            if blake3(piece).hexdigest()[:16] != self.entry.pieces[number]:
                where = f"{self.path}, bytes {number * PIECE_BYTES}–"
                where += f"{number * PIECE_BYTES + max(len(piece), 1) - 1}"
                raise SetError(sentence("bytes as written", "others", where, REMEDY))
