"""Some rows of a set, written down in order of their addresses, of which a range can be read.

A file of 16 bytes a marked row, and a small one with every 1024th row: a range is found in memory
and read in one piece, so that nothing of a large file stays mapped.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from transferset.compiled import kernel

#: A marked row: its address, and how many times it is meant.
MARK: Final = np.dtype([("row", "<u8"), ("copy", "<u4"), ("times", "<u4")])

_STRIDE: Final = 1024

Rows = npt.NDArray[np.uint64]
Copies = npt.NDArray[np.uint32]
Times = npt.NDArray[np.uint32]


def make_marks(rows: Rows, copies: Copies, times: Times | int) -> npt.NDArray[Any]:
    """Marks from columns."""
    marks = np.empty(len(rows), MARK)
    marks["row"], marks["copy"], marks["times"] = rows, copies, times
    return marks


def write_marks(folder: Path, pieces: Iterable[npt.NDArray[Any]]) -> int:
    """Write marked rows.

    Args:
        folder: Where; there is one such list in a folder.
        pieces: Marks, ascending by address over all pieces.

    Returns:
        Their number.
    """
    total, index = 0, [np.zeros(0, np.uint64)]
    with _marks(folder).open("wb") as file:
        for piece in pieces:
            index.append(piece["row"][-total % _STRIDE :: _STRIDE].copy())  # not the whole piece
            file.write(piece.tobytes())
            total += len(piece)
    np.save(_index(folder), np.concatenate(index), allow_pickle=False)
    return total


class Marks:
    """Marked rows, read where they are needed."""

    def __init__(self, folder: Path) -> None:
        """Open what `write_marks` wrote."""
        self._path = _marks(folder)
        self._index = np.load(_index(folder), allow_pickle=False)

    def of(self, rows: Rows, copies: Copies) -> tuple[Times, int]:
        """How many times rows are meant.

        Args:
            rows: uint64[n], ascending with `copies`.
            copies: uint32[n].

        Returns:
            uint32[n], 0 for a row that is not marked; and the sum over the copies of the first
            row's `parent_row` that come before it.
        """
        if not len(rows):
            return np.zeros(0, np.uint32), 0
        marks = self._between(rows[0], rows[-1])
        marked = [np.ascontiguousarray(marks[name]) for name in ("row", "copy", "times")]
        before = (marked[0] == rows[0]) & (marked[1] < copies[0])
        times: Times = _look_up(rows, copies, *marked)
        return times, int(marked[2][before].sum())

    def _between(self, first: Any, last: Any) -> npt.NDArray[Any]:
        """Marks with first ≤ row ≤ last."""
        low = max(int(np.searchsorted(self._index, first, "left")) - 1, 0) * _STRIDE
        high = int(np.searchsorted(self._index, last, "right")) * _STRIDE
        found = np.fromfile(self._path, MARK, high - low, offset=low * MARK.itemsize)
        inside: npt.NDArray[Any] = found[(found["row"] >= first) & (found["row"] <= last)]
        return inside


@kernel
def _look_up(rows: Any, copies: Any, row: Any, copy: Any, times: Any) -> Any:
    found = np.zeros(len(rows), np.uint32)
    j = 0
    for i in range(len(rows)):
        while j < len(row) and (row[j] < rows[i] or (row[j] == rows[i] and copy[j] < copies[i])):
            j += 1
        if j < len(row) and row[j] == rows[i] and copy[j] == copies[i]:
            found[i] = times[j]
    return found


def _marks(folder: Path) -> Path:
    return folder / "marked-rows"


def _index(folder: Path) -> Path:
    return folder / "marked-rows-index.npy"
