"""Candidates of words, in files that are read range by range of the rows.

A row is found by its address; its words, and their candidates (codes of a `WordTable`), by offsets:
20 bytes for each row (28 for a pair), 8 for each word and 4 for each candidate.
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from transferset.errors import SetError, sentence
from transferset.files import HashingFile
from transferset.shards import REMEDY

Array = npt.NDArray[Any]

#: Files of the rows, and for each side those of its words.
_ROW: Final = ("row", "<u8")
_COPY: Final = ("copy", "<u4")
_WORD_AT: Final = ("word-at", "<i8")
_CODE_AT: Final = ("code-at", "<i8")
_CODES: Final = ("codes", "<i4")


class SideCandidates(NamedTuple):
    """Candidates of the words of one side of some rows; kernels take it as it is.

    Attributes:
        codes: int32.
        offsets: int64[words + 1], from 0: those of word i are codes[offsets[i]:offsets[i + 1]].
    """

    codes: npt.NDArray[np.int32]
    offsets: npt.NDArray[np.int64]


class CandidateWriter:
    """Writes candidates of all rows, in ascending order of their addresses."""

    def __init__(self, folder: Path, sides: int) -> None:
        """Begin.

        Args:
            folder: Where; there is one such list in a folder.
            sides: Of a row.
        """
        self._folder, self._sides = folder, sides
        self._stack = ExitStack()
        self._files: dict[str, HashingFile] = {}
        self._ends = np.zeros((sides, 2), np.int64)

    def __enter__(self) -> CandidateWriter:
        for path in _paths(self._folder, self._sides):
            self._files[path.name] = self._stack.enter_context(HashingFile(path))
        for side in range(self._sides):
            for kind in (_WORD_AT, _CODE_AT):
                self._append(kind, np.zeros(1, np.int64), side)
        return self

    def __exit__(self, *error: Any) -> None:
        if error[0] is None:
            for file in self._files.values():
                file.commit()
        self._stack.__exit__(*error)

    def add(self, row: Array, copy: Array) -> None:
        """Append rows; their sides come by `add_side`.

        Args:
            row: uint64[rows].
            copy: uint32[rows].
        """
        self._append(_ROW, row)
        self._append(_COPY, copy)

    def add_side(self, side: int, words: Array, counts: Array, codes: Array) -> None:
        """Append a side of rows.

        Args:
            side: 0 or 1.
            words: Numbers of words, [rows].
            counts: Numbers of candidates, [words of all the rows].
            codes: The candidates, int32.
        """
        for i, (kind, numbers) in enumerate(((_WORD_AT, words), (_CODE_AT, counts))):
            ends = self._ends[side, i] + np.cumsum(numbers, dtype=np.int64)
            self._append(kind, ends, side)
            self._ends[side, i] = ends[-1] if len(ends) else self._ends[side, i]
        self._append(_CODES, codes, side)

    def _append(self, kind: tuple[str, str], values: Array, side: int | None = None) -> None:
        data = np.ascontiguousarray(values, kind[1])
        self._files[_path(self._folder, kind, side).name].write(data.data)


class CandidateFiles:
    """Candidates, read where they are needed: nothing of the files stays in memory."""

    def __init__(self, folder: Path) -> None:
        """Open what a `CandidateWriter` wrote."""
        self._folder = folder
        self._rows = _path(folder, _ROW, None).stat().st_size // 8

    def of(self, row: Array, copy: Array, words: list[Array]) -> list[SideCandidates]:
        """The candidates of rows that follow each other.

        Args:
            row: uint64[rows], ascending with `copy`.
            copy: uint32[rows].
            words: For each side the rows' numbers of words, [rows].

        Raises:
            SetError: These rows, with so many words, are not in the files.
        """
        start = self._find(row, copy)
        known = self._read(_ROW, start, len(row)), self._read(_COPY, start, len(row))
        if not (np.array_equal(known[0], row) and np.array_equal(known[1], copy)):
            raise self._damaged()
        return [self._side(side, start, numbers) for side, numbers in enumerate(words)]

    def _find(self, row: Array, copy: Array) -> int:
        if not len(row) or not self._rows:
            return 0
        rows = np.memmap(_path(self._folder, _ROW, None), _ROW[1], "r", shape=(self._rows,))
        first, last = (int(np.searchsorted(rows, row[0], side)) for side in ("left", "right"))
        return first + int(np.searchsorted(self._read(_COPY, first, last - first), copy[0]))

    def _side(self, side: int, start: int, words: Array) -> SideCandidates:
        word_at = self._read(_WORD_AT, start, len(words) + 1, side)
        if not np.array_equal(np.diff(word_at), words):
            raise self._damaged()
        offsets = self._read(_CODE_AT, int(word_at[0]), int(word_at[-1] - word_at[0]) + 1, side)
        codes = self._read(_CODES, int(offsets[0]), int(offsets[-1] - offsets[0]), side)
        if len(offsets) != words.sum() + 1 or (np.diff(offsets) < 0).any():
            raise self._damaged()
        if len(codes) != offsets[-1] - offsets[0]:
            raise self._damaged()
        return SideCandidates(codes, offsets - offsets[0])

    def _read(
        self, kind: tuple[str, str], start: int, count: int, side: int | None = None
    ) -> Array:
        path, number = _path(self._folder, kind, side), np.dtype(kind[1])
        return np.fromfile(path, number, count, offset=start * number.itemsize)

    def _damaged(self) -> SetError:
        return SetError(sentence("candidates of these rows", "others", str(self._folder), REMEDY))


def _path(folder: Path, kind: tuple[str, str], side: int | None) -> Path:
    return folder / f"candidates-{kind[0]}{'' if side is None else f'-{side}'}"


def _paths(folder: Path, sides: int) -> list[Path]:
    by_side = [_path(folder, k, s) for s in range(sides) for k in (_WORD_AT, _CODE_AT, _CODES)]
    return [_path(folder, _ROW, None), _path(folder, _COPY, None), *by_side]
