"""Lists of a set's column by row, read where they stand in mapped files.

Of each record batch only two places are kept: where its offsets begin in the file, and where its
values do. So any rows are gathered without a loop over them, and without memory for each row.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transferset.errors import SetError, sentence
from transferset.schema import BATCH_ROWS
from transferset.shards import REMEDY, ShardSet, damage_named

Int64 = npt.NDArray[np.int64]

_OFFSET_BYTES: Final = 4


class _Shard(NamedTuple):
    """A column of a shard.

    Attributes:
        offsets: int32, the whole file.
        values: The whole file as numbers of the column's type.
        first_offset: int64[batches], places in `offsets`.
        first_value: int64[batches], places in `values`.
    """

    offsets: npt.NDArray[np.int32]
    values: npt.NDArray[Any]
    first_offset: Int64
    first_value: Int64


class MappedLists:
    """A column of lists; check the set with `reading.read_rows` before, for this does not."""

    def __init__(self, found: ShardSet, column: str) -> None:
        """Map a column.

        Args:
            found: An open set.
            column: Of lists of numbers, without nulls.

        Raises:
            SetError: A file is damaged.
        """
        entries = found.manifest.shards
        self._shards = [_mapped(found.shard_path(entry), column) for entry in entries]
        self._bounds = np.cumsum([0] + [entry.rows for entry in entries])

    def lengths(self) -> npt.NDArray[np.int32]:
        """Of all rows, int32[rows]."""
        made = np.empty(int(self._bounds[-1]), np.int32)
        for shard, first, last in zip(
            self._shards, self._bounds[:-1], self._bounds[1:], strict=True
        ):
            for number, place in enumerate(shard.first_offset):
                start = int(first) + number * BATCH_ROWS
                count = min(BATCH_ROWS, int(last) - start)
                made[start : start + count] = np.diff(shard.offsets[place : place + count + 1])
        return made

    def take(self, rows: Int64) -> tuple[npt.NDArray[Any], Int64]:
        """Some rows, in the order asked for.

        Args:
            rows: int64[m], at least one.

        Returns:
            Their values one after another, of the column's type; int64[m + 1], where each begins.
        """
        shard_of = np.searchsorted(self._bounds, rows, "right") - 1
        present = np.unique(shard_of)
        if len(present) == 1:
            return self._taken(int(present[0]), rows)
        parts = [(which, *self._taken(int(s), rows[which])) for s, which in _grouped(shard_of)]
        lengths = np.empty(len(rows), np.int64)
        for which, _, offsets in parts:
            lengths[which] = np.diff(offsets)
        offsets = np.append(0, np.cumsum(lengths))
        values = np.empty(offsets[-1], parts[0][1].dtype)
        for which, own, bounds in parts:
            values[_places(offsets[which], bounds)] = own
        return values, offsets

    def _taken(self, number: int, rows: Int64) -> tuple[npt.NDArray[Any], Int64]:
        shard = self._shards[number]
        batch, row = np.divmod(rows - self._bounds[number], BATCH_ROWS)
        place = shard.first_offset[batch] + row
        starts = shard.offsets[place].astype(np.int64)
        offsets = np.append(0, np.cumsum(shard.offsets[place + 1] - starts))
        return shard.values[_places(shard.first_value[batch] + starts, offsets)], offsets


def _grouped(shard_of: Int64) -> list[tuple[int, Int64]]:
    return [(int(shard), np.flatnonzero(shard_of == shard)) for shard in np.unique(shard_of)]


def _places(starts: Int64, offsets: Int64) -> Int64:
    """Consecutive places from each start on, as many as the offsets say."""
    found: Int64 = np.repeat(starts - offsets[:-1], np.diff(offsets)) + np.arange(offsets[-1])
    return found


def _mapped(path: Path, column: str) -> _Shard:
    with damage_named(path):
        with pa.memory_map(str(path)) as source:
            whole = source.read_buffer(source.size())
        with pa.ipc.open_stream(pa.BufferReader(whole)) as stream:
            kind = stream.schema.field(column).type.value_type.to_pandas_dtype()
            found = [_starts(batch.column(column), whole.address) for batch in stream]
    size = np.dtype(kind).itemsize
    places = np.array(found, np.int64).reshape(-1, 2)
    if (places % (_OFFSET_BYTES, size)).any():
        raise SetError(sentence("aligned buffers", "others", str(path), REMEDY))
    return _Shard(
        np.frombuffer(whole, np.int32, whole.size // _OFFSET_BYTES),
        np.frombuffer(whole, kind, whole.size // size),
        places[:, 0] // _OFFSET_BYTES,
        places[:, 1] // size,
    )


def _starts(column: pa.ListArray, base: int) -> tuple[int, int]:
    """Bytes in the file before the offsets of a batch, and before its values."""
    _, offsets, *_, values = column.buffers()
    # a batch without any value may have no buffer, or one elsewhere
    empty = values is None or not values.size
    return offsets.address - base, 0 if empty else values.address - base
