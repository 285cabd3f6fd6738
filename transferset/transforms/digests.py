"""Fingerprints of rows, looked up bucket by bucket; marks of the rows that go."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from numba import uint64

from transferset.compiled import kernel
from transferset.transforms.buckets import Buckets
from transferset.transforms.marks import make_marks
from transferset.transforms.protocol import Surveyed

#: A row as it is set down: both halves of its digest, and its address.
SEEN: Final = ("high", "low", "row", "copy")

#: Rows, on average, whose digests are compared at once.
ROWS: Final = 1 << 18

#: Most files of digests: with more rows each is larger.
MOST_FILES: Final = 1 << 14

Numbers = npt.NDArray[np.uint64]


class Known:
    """The different digests of a bucket, in a table with open addressing.

    A bucket has `ROWS` of them, give or take, however many rows repeat them.
    """

    def __init__(self) -> None:
        self._used = 0
        self._digests = np.empty((0, 2), np.uint64)
        self._table = np.empty(0, np.uint32)

    def add(self, records: Numbers) -> npt.NDArray[np.bool_]:
        """Add digests; tell which of them were there, or came before in `records`."""
        self._make_room(self._used + len(records))
        repeated = np.zeros(len(records), np.bool_)
        self._used = _insert(records, self._used, self._digests, self._table, repeated)
        return repeated

    def _make_room(self, most: int) -> None:
        if most <= len(self._digests):
            return
        old, used = self._digests[: self._used], self._used
        self._digests = np.empty((most, 2), np.uint64)
        self._table = np.zeros(1 << (2 * most).bit_length(), np.uint32)
        _insert(old, 0, self._digests, self._table, np.zeros(used, np.bool_))


@kernel
def _insert(records: Any, used: int, digests: Any, table: Any, repeated: Any) -> int:
    """Look digests up, put new ones in; `table` holds their numbers from 1."""
    last = uint64(len(table) - 1)
    for i in range(len(records)):
        high, low = records[i, 0], records[i, 1]
        slot = low & last  # of the lower half: the upper one chose the bucket
        while table[slot] != 0:
            known = table[slot] - 1
            if digests[known, 1] == low and digests[known, 0] == high:
                repeated[i] = True
                break
            slot = (slot + uint64(1)) & last
        if not repeated[i]:
            digests[used, 0], digests[used, 1] = high, low
            used += 1
            table[slot] = used
    return used


def sorted_marks(
    folder: Path,
    count: int,
    found: Surveyed,
    gone: Iterable[tuple[Numbers, npt.NDArray[np.uint32]]],
) -> Iterator[npt.NDArray[Any]]:
    """Marks of rows in order of their addresses.

    Args:
        folder: Where they are sorted.
        count: Of the buckets that they are sorted in.
        found: The surveys, which say how far addresses go.
        gone: Addresses of rows, uint64[n, 2], and a number to be marked with.
    """
    last = max(int(found.bounds[-1]), 1)
    buckets = Buckets(folder, "dropped", count, np.uint64, 3)
    for places, why in gone:
        records = np.column_stack([places, why.astype(np.uint64)])
        buckets.add(places[:, 0] // np.uint64(-(-last // count)), records)
    for _, pieces in buckets.read():
        rows, copies, times = np.concatenate([np.empty((0, 3), np.uint64), *pieces]).T
        order = np.lexsort((copies, rows))
        marked = (rows[order], copies[order].astype(np.uint32), times[order].astype(np.uint32))
        yield make_marks(*marked)
