"""The attempts that are left out, written down for those who make the rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from transferset.philox import as_words
from transferset.transforms.attempt_kernels import SURPLUS
from transferset.transforms.attempts import Round, accepted_file, dropped_file
from transferset.transforms.buckets import Buckets
from transferset.transforms.keys import row_keys
from transferset.transforms.marks import MARK, make_marks, write_marks
from transferset.transforms.protocol import Position
from transferset.transforms.threshold import Columns, edges

#: Attempts that are read at once.
_READ: Final = 1 << 18

#: Marks, on average, that are sorted at once.
_MARKS: Final = 1 << 18

_32, _LOW = np.uint64(32), np.uint64(0xFFFFFFFF)

Marks = npt.NDArray[Any]


class Surplus:
    """The attempts of the last number beyond those that are wanted, by the smallest keys."""

    def __init__(self, folder: Path, of: Round, k: int, wanted: int, at: Position) -> None:
        """Find them.

        Args:
            folder: Where the round has its files.
            of: The last round.
            k: The last number.
            wanted: How many are kept.
            at: Seed and step, for the keys.
        """
        self._path, self._stride, self._k = accepted_file(folder, of.number), of.stride, k
        self._key = as_words(at.key)
        (edge,) = edges(self._entries, [wanted])
        left = wanted - edge.entries
        self.count, self.ids = 0, 0
        # all are wanted if the total never passes the number
        self._limit = edge.columns[0][left] if len(edge.columns[0]) else None
        self._ties = (
            left - int((edge.columns[0] < self._limit).sum()) if self._limit is not None else 0
        )

    def _entries(self) -> Iterator[Columns]:
        """Keys, ones, rows, copies and ids of the accepted attempts of the last number."""
        size = self._path.stat().st_size // 16
        for start in range(0, size, _READ):
            found = np.fromfile(self._path, np.uint64, 2 * _READ, offset=16 * start).reshape(-1, 2)
            copies = found[:, 1] >> _32
            mine = copies % np.uint64(self._stride) == np.uint64(self._k)
            rows, copies32 = found[mine, 0], copies[mine].astype(np.uint32)
            keys = row_keys(rows, copies32, *self._key)
            ids = (found[mine, 1] & _LOW).astype(np.int64)
            yield keys, np.ones(len(keys), np.int64), rows, copies32, ids

    def marks(self) -> Iterator[Marks]:
        """Their marks; adds them up in `count` and `ids`."""
        if self._limit is None:
            return
        ties = self._ties
        for keys, _, rows, copies, ids in self._entries():
            equal = keys == self._limit
            before = np.cumsum(equal) - equal  # equal keys: the first that are set down stay
            beyond = (keys > self._limit) | (equal & (before >= ties))
            ties -= min(ties, int(equal.sum()))
            self.count += int(beyond.sum())
            self.ids += int(ids[beyond].sum())
            yield make_marks(rows[beyond], copies[beyond], SURPLUS)


def write_left_out(folder: Path, of: Round, k: int, last_row: int, surplus: Surplus | None) -> None:
    """Write the marks of all rounds in order of their addresses.

    Args:
        folder: Where the rounds have their files, which go.
        of: The last round.
        k: The last number of attempts; those of higher numbers are not made.
        last_row: No row has a higher address.
        surplus: What is left out beside, if a target is passed.
    """
    paths = [dropped_file(folder, i) for i in range(1, of.number + 1)]
    size = sum(path.stat().st_size for path in paths) // MARK.itemsize
    count = max(1, -(-size // _MARKS))
    buckets = Buckets(folder, "left-out", count, MARK)
    each = np.uint64(-(-(last_row + 1) // count))
    for marks in chain(_read(paths, of.stride, k), surplus.marks() if surplus else ()):
        buckets.add(marks["row"] // each, marks)
    write_marks(folder, _sorted(buckets))
    for path in (*paths, *folder.glob("accepted-*"), *folder.glob("known-*")):
        path.unlink()


def _read(paths: Iterable[Path], stride: int, k: int) -> Iterator[Marks]:
    for path in paths:
        size = path.stat().st_size
        for start in range(0, size, _READ * MARK.itemsize):
            marks = np.fromfile(path, MARK, _READ, offset=start)
            yield marks[marks["copy"] % stride <= k]


def _sorted(buckets: Buckets) -> Iterator[Marks]:
    for _, pieces in buckets.read():
        marks = np.concatenate([np.empty(0, MARK), *pieces])
        yield marks[np.lexsort((marks["copy"], marks["row"]))]
