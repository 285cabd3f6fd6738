"""Columns of a set in mapped memory: any row in a microsecond, none of them in ours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transferset.shards import ShardSet, damage_named
from transferset.students.rows import Rows

Int64 = npt.NDArray[np.int64]
Array = npt.NDArray[Any]


class MappedRows:
    """Lists of ids in parts, each of them flat values and offsets."""

    def __init__(self, parts: Sequence[tuple[Array, Array]]) -> None:
        """Take parts, which may be mapped.

        Args:
            parts: Values, and offsets [rows + 1] of the rows in them; checked before.
        """
        self._parts = parts
        self._firsts = np.append(0, np.cumsum([len(offsets) - 1 for _, offsets in parts]))

    def __len__(self) -> int:
        return int(self._firsts[-1])

    def lengths(self) -> npt.NDArray[np.int32]:
        """Ids of each row, int32[rows]."""
        found = [np.diff(offsets).astype(np.int32) for _, offsets in self._parts]
        return np.concatenate([np.empty(0, np.int32), *found])

    def take(self, rows: Int64) -> Rows:
        """Some rows, in the order asked for."""
        found = []
        for part, row in _places(self._firsts, rows):
            values, offsets = self._parts[part]
            found.append(values[offsets[row] : offsets[row + 1]])
        bounds = np.zeros(len(found) + 1, np.int64)
        np.cumsum([len(one) for one in found], out=bounds[1:])
        ids = np.concatenate(found) if found else np.empty(0)
        return Rows(ids.astype(np.int64), bounds)


class MappedMatrix:
    """A row of numbers for each row of a set."""

    def __init__(self, parts: Sequence[Array], columns: Int64) -> None:
        """Take parts, which may be mapped.

        Args:
            parts: float[rows, C] each.
            columns: int64[C], which of theirs are given, in that order.
        """
        self._parts, self._columns = parts, columns
        self._firsts = np.append(0, np.cumsum([len(part) for part in parts]))

    def take(self, rows: Int64) -> npt.NDArray[np.float32]:
        """Some rows, in the order asked for, float32[n, C]."""
        found = np.empty((len(rows), len(self._columns)), np.float32)
        for i, (part, row) in enumerate(_places(self._firsts, rows)):
            found[i] = self._parts[part][row]
        return found[:, self._columns]


def _places(firsts: Int64, rows: Int64) -> Iterator[tuple[int, int]]:
    parts = np.searchsorted(firsts, rows, "right") - 1
    return zip(parts.tolist(), (rows - firsts[parts]).tolist(), strict=True)


def mapped_ids(found: ShardSet) -> MappedRows:
    """The column `input_ids` of a set that was read through, and so checked, before."""
    return MappedRows([_flat(batch.column("input_ids")) for batch in _batches(found)])


def mapped_logits(found: ShardSet, columns: Int64) -> MappedMatrix:
    """The column `logits` of a set that was read through, and so checked, before.

    Args:
        found: The set.
        columns: int64[C], which of its logits are given, in that order.
    """
    return MappedMatrix([matrix(batch.column("logits")) for batch in _batches(found)], columns)


def matrix(column: pa.FixedSizeListArray) -> Array:
    """A column of lists of one length without a copy, float[rows, C]."""
    width = column.type.list_size
    inner = column.values.slice(column.offset * width, len(column) * width)
    return np.asarray(inner.to_numpy(zero_copy_only=True)).reshape(len(column), width)


def _flat(column: pa.ListArray) -> tuple[Array, Array]:
    return column.values.to_numpy(zero_copy_only=True), column.offsets.to_numpy()


def _batches(found: ShardSet) -> Iterator[pa.RecordBatch]:
    """Batches as they are stored; unlike `ShardSet.batches` it touches no row."""
    for entry in found.manifest.shards:
        path: Path = found.root / entry.file
        with damage_named(path), pa.memory_map(str(path)) as source:
            yield from pa.ipc.open_stream(source)
