"""Columns of a set in mapped memory: rows are gathered where they stand, and none is kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transferset.distillation.examples.mapped_lists import Int64, MappedLists
from transferset.shards import ShardSet, damage_named
from transferset.students.rows import Rows, take

Array = npt.NDArray[Any]


class IdRows(Protocol):
    """Rows of ids, whole, wherever they stand."""

    def lengths(self) -> npt.NDArray[np.int32]:
        """Ids of each row, int32[rows]."""
        ...

    def take(self, rows: Int64) -> Rows:
        """Some rows, in the order asked for."""
        ...


class MappedIds:
    """The column `input_ids` of a set that was read through, and so checked, before."""

    def __init__(self, found: ShardSet) -> None:
        """Map it."""
        self._lists = MappedLists(found, "input_ids")

    def lengths(self) -> npt.NDArray[np.int32]:
        """See `IdRows.lengths`."""
        return self._lists.lengths()

    def take(self, rows: Int64) -> Rows:
        """See `IdRows.take`."""
        if not len(rows):
            return Rows(np.empty(0, np.int64), np.zeros(1, np.int64))
        ids, offsets = self._lists.take(rows)
        return Rows(ids.astype(np.int64), offsets)


class FlatIds:
    """Rows one after another in one array, which may be mapped."""

    def __init__(self, ids: Array, offsets: Int64) -> None:
        """Take ids of any integer type, and offsets [rows + 1]."""
        self._rows = Rows(ids, offsets)

    def lengths(self) -> npt.NDArray[np.int32]:
        """See `IdRows.lengths`."""
        return self._rows.lengths.astype(np.int32)

    def take(self, rows: Int64) -> Rows:
        """See `IdRows.take`."""
        found = take(self._rows, rows)
        return Rows(found.ids.astype(np.int64), found.offsets)


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
        part_of = np.searchsorted(self._firsts, rows, "right") - 1
        for part in np.unique(part_of).tolist():
            here = part_of == part
            found[here] = self._parts[part][rows[here] - self._firsts[part]]
        return found[:, self._columns]


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


def _batches(found: ShardSet) -> Iterator[pa.RecordBatch]:
    """Batches as they are stored; unlike `ShardSet.batches` it touches no row."""
    for entry in found.manifest.shards:
        path: Path = found.shard_path(entry)
        with damage_named(path), pa.memory_map(str(path)) as source:
            yield from pa.ipc.open_stream(source)
