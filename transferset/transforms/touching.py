"""Runs of words that touch and must be spelled together: `did` `n't`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from numba import uint64

from transferset.compiled import inlined, kernel
from transferset.transforms.protocol import Spelling
from transferset.transforms.spell_kernels import SPELLED
from transferset.transforms.word_table import OPEN_AFTER, OPEN_BEFORE, WordTable
from transferset.transforms.wording import Words

#: Runs that are remembered from batch to batch, some 40 bytes each.
MOST_RUNS: Final = 1 << 17

#: Multipliers of MurmurHash3's 64-bit finaliser (Appleby 2011).
_M1: Final = uint64(0xFF51AFD7ED558CCD)
_M2: Final = uint64(0xC4CEB9FE1A85EC53)
_33: Final = uint64(33)


class Runs:
    """The different runs that were met, and their pieces.

    Attributes:
        pieces: int32, ids of all runs (and room for more).
        piece_at: int64, offsets: run r has `pieces[piece_at[r]:piece_at[r + 1]]`.
    """

    def __init__(
        self,
        table: WordTable,
        spelling: Spelling,
        texts: Callable[[Words], pa.StringArray],
        most: int = MOST_RUNS,
    ) -> None:
        """Begin with none.

        Args:
            table: The words.
            spelling: How runs are spelled.
            texts: Texts of rows of words.
            most: Runs that are remembered.
        """
        self._table, self._spelling, self._texts, self._most = table, spelling, texts, most
        self._forget()

    def __len__(self) -> int:
        """Runs."""
        return self._count

    def _forget(self) -> None:
        self._count = 0
        self._codes = np.zeros(0, np.int32)
        self._at = np.zeros(1, np.int64)
        self._slots = np.full(16, -1, np.int32)
        self.pieces = np.zeros(0, np.int32)
        self.piece_at = np.zeros(1, np.int64)

    def tidy(self) -> None:
        """Forget all if they are many; codes of runs mean nothing any more."""
        if self._count > self._most:
            self._forget()

    def joined(self, words: Words) -> Words:
        """The same rows with each run as one word.

        Args:
            words: Rows.

        Returns:
            Rows in which the first word of a run has the code of the run, len(table) and its
            number, and the others `SPELLED`.
        """
        most = len(words.space) - int(np.count_nonzero(words.space))
        starts, stops = _touching(words, self._table.edges, most)
        if not len(starts):
            return words
        self._make_room(len(starts), int((stops - starts).sum()))
        before, numbers = self._count, np.empty(len(starts), np.int32)
        self._count = _number(
            words.codes, starts, stops, self._codes, self._at, self._slots, before, numbers
        )
        if self._count > before:
            self._spell(before)
        codes = words.codes.copy()
        _replace(codes, starts, stops, numbers, np.int32(len(self._table)))
        return words._replace(codes=codes)

    def _make_room(self, runs: int, words: int) -> None:
        self._at = _grown(self._at, self._count + runs + 1)
        self._codes = _grown(self._codes, int(self._at[self._count]) + words)
        self.piece_at = _grown(self.piece_at, self._count + runs + 1)
        if len(self._slots) < (needed := 2 * (self._count + runs)):  # half of them stay free
            self._slots = np.full(1 << (needed - 1).bit_length(), -1, np.int32)
            _settle(self._codes, self._at, self._slots, self._count)

    def _spell(self, first: int) -> None:
        """Spell the runs from `first` on."""
        at = self._at[first : self._count + 1]
        codes = self._codes[at[0] : at[-1]]
        new = Words(codes, np.zeros(len(codes), np.uint8), at - at[0])
        ids, offsets = self._spelling.spell(self._texts(new).to_pylist())
        begin = int(self.piece_at[first])
        self.pieces = _grown(self.pieces, begin + len(ids))
        self.pieces[begin : begin + len(ids)] = ids
        self.piece_at[first : self._count + 1] = begin + offsets


def _grown(array: npt.NDArray[Any], size: int) -> npt.NDArray[Any]:
    """An array with room for `size`: twice as much as is needed, so that it seldom grows."""
    if len(array) >= size:
        return array
    return np.concatenate([array, np.zeros(2 * size - len(array), array.dtype)])


@kernel
def _touching(words: Any, edges: Any, most: Any) -> Any:
    """Where runs of words begin and end; of them, no more than `most`."""
    starts, stops = np.empty(most, np.int64), np.empty(most, np.int64)
    count = 0
    for i in range(len(words.offsets) - 1):
        j, last = words.offsets[i], words.offsets[i + 1] - 1
        while j < last:
            start = j
            while j < last and _joins(words, uint64(j), edges):
                j += 1
            if j > start:
                starts[count], stops[count] = start, j + 1
                count += 1
            j += 1
    return starts[:count].copy(), stops[:count].copy()


@inlined
def _joins(words: Any, j: Any, edges: Any) -> Any:
    """Whether word j must be spelled with the next one."""
    if words.space[j] != 0:
        return False
    left, right = words.codes[j], words.codes[j + uint64(1)]
    if left < 0 or right < 0:
        return False
    return (edges[left] & OPEN_AFTER) != 0 and (edges[right] & OPEN_BEFORE) != 0


@inlined
def _hash(codes: Any, start: Any, stop: Any) -> Any:
    mixed = uint64(stop - start)
    for j in range(start, stop):
        mixed = (mixed ^ uint64(codes[j])) * _M1
        mixed = (mixed ^ (mixed >> _33)) * _M2
        mixed ^= mixed >> _33
    return mixed


@kernel
def _number(
    codes: Any, starts: Any, stops: Any, known: Any, at: Any, slots: Any, count: Any, numbers: Any
) -> Any:
    """Number each run; runs that are equal, word by word, have one number.

    Args:
        codes: Of all words.
        starts: Of the runs.
        stops: Of the runs.
        known: Words of the runs that have a number, with room for all.
        at: Their offsets, likewise.
        slots: The number of the run whose place it is, −1 if it is free; a power of two.
        count: Runs that have a number.
        numbers: int32[runs], is written.

    Returns:
        The new count.
    """
    last = uint64(len(slots) - 1)
    for i in range(len(starts)):
        size = stops[i] - starts[i]
        slot = _hash(codes, starts[i], stops[i]) & last
        while slots[slot] >= 0 and not _same(codes, starts[i], size, known, at, slots[slot]):
            slot = (slot + uint64(1)) & last
        if slots[slot] < 0:
            slots[slot] = count
            at[count + 1] = at[count] + size
            for j in range(size):
                known[at[count] + j] = codes[starts[i] + j]
            count += 1
        numbers[i] = slots[slot]
    return count


@inlined
def _same(codes: Any, start: Any, size: Any, known: Any, at: Any, number: Any) -> Any:
    same = at[number + 1] - at[number] == size
    if same:
        for j in range(size):
            same = same and codes[start + j] == known[at[number] + j]
    return same


@kernel
def _settle(known: Any, at: Any, slots: Any, count: Any) -> None:
    """Give each run a place in empty slots."""
    last = uint64(len(slots) - 1)
    for i in range(count):
        slot = _hash(known, at[i], at[i + 1]) & last
        while slots[slot] >= 0:
            slot = (slot + uint64(1)) & last
        slots[slot] = i


@kernel
def _replace(codes: Any, starts: Any, stops: Any, numbers: Any, first: Any) -> None:
    for i in range(len(starts)):
        codes[starts[i]] = first + numbers[i]
        for j in range(starts[i] + 1, stops[i]):
            codes[j] = SPELLED
