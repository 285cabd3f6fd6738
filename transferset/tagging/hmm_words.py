"""How the lexicon tagger sees a word: UTF-8 bytes, folded, found in a table by open addressing."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from transferset.compiled import inlined, kernel

#: Of a longer word only the last bytes count; the lexicon holds shorter words only.
LONGEST: Final = 64

#: How a word is written: small, with a capital first, in capitals.
SMALL, CAPITAL, CAPITALS = 0, 1, 2

_FNV: Final = np.uint64(0xCBF29CE484222325)
_PRIME: Final = np.uint64(0x100000001B3)
_FOLD: Final = np.uint64(32)
_DIGIT_0, _DIGIT_9 = 48, 57


class Table(NamedTuple):
    """Words by hash.

    Attributes:
        slots: Place + 1 of a word, 0 where there is none; a power of two, at most half full.
        text: The words' bytes, one after the other.
        starts: Where each begins, and the end of the last.
    """

    slots: NDArray[np.int32]
    text: NDArray[np.uint8]
    starts: NDArray[np.int32]


@inlined
def taken(text: NDArray[np.uint8], start: int, stop: int, word: NDArray[np.uint8]) -> int:
    """Copy a word's last bytes, every digit as 0: numbers are known by their shape."""
    start = max(start, stop - LONGEST)
    for place in range(start, stop):
        byte = text[place]
        word[place - start] = np.uint8(_DIGIT_0) if _DIGIT_0 <= byte <= _DIGIT_9 else byte
    return stop - start


@kernel
def case_of(word: NDArray[np.uint8], size: int) -> int:
    """Tell how a word is written; beyond ASCII only by its first letter."""
    if not _is_capital(word, size):
        return SMALL
    capitals = 0
    for place in range(size):
        if 97 <= word[place] <= 122 or word[place] > 127:
            return CAPITAL
        capitals += 65 <= word[place] <= 90
    return CAPITALS if capitals > 1 else CAPITAL


@inlined
def _is_capital(word: NDArray[np.uint8], size: int) -> bool:
    first = word[0]
    if first < 128:
        return bool(65 <= first <= 90)
    if size < 2 or not 0xC3 <= first <= 0xDF:  # no letter of two bytes
        return False
    code = (np.int64(first) & 31) << 6 | (np.int64(word[1]) & 63)
    if first == 0xC3:
        return bool(0xC0 <= code <= 0xDE and code != 0xD7)
    if first == 0xC4 or first == 0xC5:  # Latin Extended-A goes by pairs
        return bool(code % 2 == (1 if 0x139 <= code <= 0x148 or code >= 0x179 else 0))
    return bool(0x391 <= code <= 0x3A9 or 0x400 <= code <= 0x42F)


@kernel
def lowered(word: NDArray[np.uint8], size: int, small: NDArray[np.uint8]) -> int:
    """Write a word small (ASCII letters), with a straight apostrophe; returns its size."""
    size_small = place = 0
    while place < size:
        byte = word[place]
        if (
            byte == 0xE2
            and place + 2 < size
            and word[place + 1] == 0x80
            and word[place + 2] == 0x99
        ):
            byte, place = 39, place + 2
        small[size_small] = byte + 32 if 65 <= byte <= 90 else byte
        size_small, place = size_small + 1, place + 1
    return size_small


@inlined
def find(table: Table, word: NDArray[np.uint8], size: int) -> int:
    """Return a word's place, or −1."""
    mask = table.slots.size - 1
    slot = np.int64(_digest(word, size) & np.uint64(mask))
    while table.slots[slot] != 0:
        place = table.slots[slot] - 1
        start = table.starts[place]
        if table.starts[place + 1] - start == size:
            at = 0
            while at < size and table.text[start + at] == word[at]:
                at += 1
            if at == size:
                return int(place)
        slot = (slot + 1) & mask
    return -1


@inlined
def _digest(word: NDArray[np.uint8], size: int) -> np.uint64:
    """FNV-1a, its halves folded."""
    digest = _FNV
    for place in range(size):
        digest = (digest ^ np.uint64(word[place])) * _PRIME
    return digest ^ (digest >> _FOLD)


@kernel
def fill(table: Table) -> None:
    """Put every word into the slots, which are 0 before."""
    mask = table.slots.size - 1
    for place in range(table.starts.size - 1):
        start, stop = table.starts[place], table.starts[place + 1]
        slot = np.int64(_digest(table.text[start:stop], stop - start) & np.uint64(mask))
        while table.slots[slot] != 0:
            slot = (slot + 1) & mask
        table.slots[slot] = place + 1


def table_of(text: NDArray[np.uint8], starts: NDArray[np.int32]) -> Table:
    """Make the table of different words.

    Args:
        text: Their bytes.
        starts: Where each begins, and the end of the last.
    """
    slots = np.zeros(1 << int(2 * starts.size).bit_length(), np.int32)
    table = Table(slots, text, starts)
    fill(table)
    return table


@kernel
def variant(
    table: Table, word: NDArray[np.uint8], size: int, small: NDArray[np.uint8], small_size: int
) -> int:
    """Find the word in its other case: small, or else with a capital first; −1 if unknown."""
    changed = size != small_size
    for place in range(small_size):
        changed = changed or word[place] != small[place]
    if changed:
        return find(table, small, small_size)
    if not 97 <= word[0] <= 122:
        return -1
    word[0] -= 32
    place = find(table, word, size)
    word[0] += 32
    return place
