"""N-grams of any length as numbers of 63 bits, and sets of such numbers.

The numbers are others in each process, so that no text can be made whose n-grams crowd a set. Two
different n-grams have the same number with a chance of 2⁻⁶³: among the 40 million of the largest
sets that are looked at, once in ten thousand such sets. What is counted is exact otherwise.
"""

from __future__ import annotations

import secrets
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from numba import int64, uint64

from transferset.compiled import inlined, kernel
from transferset.report.id_rows import Counts

Keys = npt.NDArray[np.uint64]
Ids = npt.NDArray[np.uint32]

#: Stands between runs of content tokens, and after each row.
BREAK: Final = np.uint32(0xFFFFFFFF)

#: What numbers of n-grams begin with.
_SALT: Final = np.uint64(secrets.randbits(64))

#: The lowest bit of a slot is a mark; numbers of n-grams leave it free.
_MARK: Final = 1


@inlined
def _mixed(key: Any) -> Any:
    """A bijection of 64 bits under which each bit depends on all (MurmurHash3's finaliser)."""
    key ^= key >> uint64(33)
    key *= uint64(0xFF51AFD7ED558CCD)
    key ^= key >> uint64(33)
    key *= uint64(0xC4CEB9FE1A85EC53)
    return key ^ (key >> uint64(33))


@inlined
def _key(hashed: Any) -> Any:
    """A number that is not 0, which marks an empty slot, and whose lowest bit is free."""
    even = hashed & ~uint64(_MARK)
    return even if even != uint64(0) else uint64(2)


@kernel
def _ngram_keys(ids: Any, offsets: Any, order: int, salt: Any, keys: Any, ends: Any) -> Any:
    count = 0
    for row in range(len(offsets) - 1):
        run = 0
        for place in range(offsets[row], offsets[row + 1]):
            run = 0 if ids[place] == BREAK else run + 1
            if run >= order:
                hashed = salt
                for i in range(place - order + 1, place + 1):
                    hashed = _mixed(hashed + uint64(ids[i]) + uint64(1))
                keys[count] = _key(hashed)
                count += 1
        ends[row] = count
    return count


def ngram_keys(ids: Ids, offsets: Counts, order: int) -> tuple[Keys, Counts]:
    """The n-grams of some rows: runs of content tokens, none of which reaches over a break.

    Args:
        ids: uint32, content tokens and breaks.
        offsets: int64[rows + 1].
        order: Length of the n-grams, ≥ 1.

    Returns:
        uint64, a number for each n-gram, row by row; and int64[rows + 1], where each row's begin.
    """
    keys = np.empty(int(offsets[-1] - offsets[0]), np.uint64)
    starts: Counts = np.zeros(len(offsets), np.int64)
    count = int(_ngram_keys(ids, offsets, order, _SALT, keys, starts[1:]))
    return keys[:count], starts


@kernel
def _row_keys(ids: Any, offsets: Any, salt: Any, keys: Any) -> None:
    for row in range(len(offsets) - 1):
        hashed = salt
        for place in range(offsets[row], offsets[row + 1]):
            hashed = _mixed(hashed + uint64(ids[place]) + uint64(1))
        keys[row] = _key(hashed)


def row_keys(ids: Ids, offsets: Counts) -> Keys:
    """A number for each row, the same for rows of the same ids and breaks."""
    keys = np.empty(len(offsets) - 1, np.uint64)
    _row_keys(ids, offsets, _SALT, keys)
    return keys


@kernel
def _once(keys: Any, starts: Any, seen: Any, seen_in: Any, kept: Any) -> Any:
    """Keep each row's first n-gram of a kind, in place; tell how many are left."""
    mask = len(seen) - 1
    count = 0
    for row in range(len(starts) - 1):
        for i in range(starts[row], starts[row + 1]):
            slot = int64(keys[i] >> uint64(1)) & mask
            while seen_in[slot] == row and seen[slot] != keys[i]:
                slot = (slot + 1) & mask
            if seen_in[slot] != row:  # what an earlier row left counts as empty
                seen[slot], seen_in[slot] = keys[i], row
                keys[count] = keys[i]
                count += 1
        kept[row] = count
    return count


def once_a_row(keys: Keys, starts: Counts) -> tuple[Keys, Counts]:
    """Each row's different n-grams.

    Args:
        keys: uint64, from `ngram_keys`; overwritten.
        starts: int64[rows + 1].

    Returns:
        As `ngram_keys` does, without what stands earlier in the same row.
    """
    longest = int(np.diff(starts).max(initial=1))
    room = 1 << (2 * longest).bit_length()  # at most half full
    seen, seen_in = np.zeros(room, np.uint64), np.full(room, -1, np.int64)
    kept: Counts = np.zeros(len(starts), np.int64)
    count = int(_once(keys, starts, seen, seen_in, kept[1:]))
    return keys[:count], kept


@inlined
def _slot(slots: Any, key: Any) -> Any:
    """Where a number stands, or the empty slot where it would."""
    mask = len(slots) - 1
    slot = int64(key >> uint64(1)) & mask
    while slots[slot] != uint64(0) and (slots[slot] & ~uint64(_MARK)) != key:
        slot = (slot + 1) & mask
    return slot


@kernel
def _add(slots: Any, keys: Any) -> Any:
    new = 0
    for key in keys:
        slot = _slot(slots, key)
        if slots[slot] == uint64(0):
            slots[slot] = key
            new += 1
        else:
            slots[slot] |= uint64(_MARK)
    return new


@kernel
def _mark(slots: Any, keys: Any) -> None:
    for key in keys:
        slot = _slot(slots, key)
        if slots[slot] != uint64(0):
            slots[slot] |= uint64(_MARK)


@kernel
def _forget(slots: Any) -> None:
    for slot in range(len(slots)):
        slots[slot] &= ~uint64(_MARK)


@kernel
def _marked(slots: Any, keys: Any, marked: Any) -> None:
    for i in range(len(keys)):
        slot = _slot(slots, keys[i])
        marked[i] = (slots[slot] & uint64(_MARK)) != uint64(0)


class KeySet:
    """A set of numbers, each of which may be marked."""

    def __init__(self, most: int) -> None:
        """Make an empty set.

        Args:
            most: So many different numbers may be added; the memory is 12 to 24 bytes for each.
        """
        # at most two thirds full; what is never touched is never resident
        self._slots = np.zeros(1 << max(4, (3 * most // 2).bit_length()), np.uint64)
        self.different = 0

    def add(self, keys: Keys) -> None:
        """Put numbers in; those that were there already are marked."""
        self.different += int(_add(self._slots, keys))

    def forget_marks(self) -> None:
        """Take all marks away."""
        _forget(self._slots)

    def mark(self, keys: Keys) -> None:
        """Mark those of some numbers that are in the set."""
        _mark(self._slots, keys)

    def marked(self, keys: Keys) -> npt.NDArray[np.bool_]:
        """Which of some numbers are in the set and marked."""
        found = np.empty(len(keys), np.bool_)
        _marked(self._slots, keys, found)
        return found
