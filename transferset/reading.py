"""Reading ranges of a set as a parent: every byte is checked against the manifest as it is read.

Shards are digested in pieces of a mebibyte, so a range of rows is checked by the pieces that it
lies in and nothing is read twice.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import pyarrow as pa
from blake3 import blake3

from transferset.errors import SetError, sentence
from transferset.manifest import PIECE_BYTES, ShardEntry
from transferset.schema import BATCH_ROWS
from transferset.shards import REMEDY, ShardSet, damage_named


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
        SetError: The bytes are not those that the manifest names.
    """
    first = 0
    for entry in found.manifest.shards:
        low, high = max(start - first, 0), min(stop - first, entry.rows)
        if low < high:
            for row, batch in _shard_rows(found.root / entry.file, entry, low, high):
                yield first + row, batch if columns is None else batch.select(list(columns))
        first += entry.rows


def _shard_rows(
    path: Path, entry: ShardEntry, low: int, high: int
) -> Iterator[tuple[int, pa.RecordBatch]]:
    bounds = _batch_bounds(path, entry.blake3)
    with _Pieces(path, entry) as pieces, damage_named(path):
        schema = pa.ipc.read_schema(pa.py_buffer(pieces.read(0, bounds[0])))
        for number in range(low // BATCH_ROWS, (high - 1) // BATCH_ROWS + 1):
            row = number * BATCH_ROWS
            if number + 1 >= len(bounds):
                raise ValueError(f"the end of the stream before row {row}")
            raw = pa.py_buffer(pieces.read(bounds[number], bounds[number + 1]))
            batch = pa.ipc.read_record_batch(pa.ipc.read_message(raw), schema)
            batch.validate(full=True)
            if batch.num_rows != min(BATCH_ROWS, entry.rows - row):
                raise ValueError(f"{batch.num_rows} rows in the batch of row {row}")
            begin, end = max(low - row, 0), min(high - row, batch.num_rows)
            yield row + begin, batch.slice(begin, end - begin)


@lru_cache(maxsize=64)
def _batch_bounds(path: Path, digest: str) -> list[int]:
    """Where record batches begin and the last ends, in bytes; only their headers are touched."""
    bounds = []
    with damage_named(path), pa.memory_map(str(path)) as source:
        reader = pa.ipc.MessageReader.open_stream(source)
        try:
            while True:
                reader.read_next_message()
                bounds.append(source.tell())
        except StopIteration:
            return bounds or [0]


@dataclass(slots=True)
class _Pieces:
    """The bytes of a shard, each piece checked when it is first read."""

    path: Path
    entry: ShardEntry

    _handle: int = -1
    _held: tuple[int, bytes] = (-1, b"")

    def __enter__(self) -> _Pieces:
        with damage_named(self.path):
            self._handle = os.open(self.path, os.O_RDONLY)
        return self

    def __exit__(self, *error: object) -> None:
        os.close(self._handle)

    def read(self, start: int, stop: int) -> bytes:
        """Bytes `start` to `stop`."""
        parts = []
        for number in range(start // PIECE_BYTES, -(-stop // PIECE_BYTES)):
            piece = self._piece(number)
            origin = number * PIECE_BYTES
            parts.append(memoryview(piece)[max(0, start - origin) : stop - origin])
        return b"".join(parts)

    def _piece(self, number: int) -> bytes:
        if self._held[0] != number:
            raw = os.pread(self._handle, PIECE_BYTES, number * PIECE_BYTES)
            known = number < len(self.entry.pieces)
            if not known or blake3(raw).hexdigest()[:16] != self.entry.pieces[number]:
                origin = number * PIECE_BYTES
                where = f"{self.path}, bytes {origin}–{origin + max(len(raw), 1) - 1}"
                raise SetError(sentence("bytes as written", "others", where, REMEDY))
            self._held = (number, raw)
        return self._held[1]
