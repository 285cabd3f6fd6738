"""The codes within a bzip2 block, undone by compiled loops: Huffman, run lengths, move-to-front.

Canonical codes are looked up ten bits at a time. Input is hostile: every index is bounded before
it is used, every read stays within the padding. See `bzip2_kernel` for what follows.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import int64, uint64

from transferset.compiled import inlined, kernel

Array = np.ndarray[Any, Any]

#: The most symbols that a block may have.
BLOCK_SYMBOLS = 900_000
#: Words after the data, which the longest run of unchecked reads may touch.
PAD_WORDS = 64

_LOOK = 10  # bits of a code that are looked up at once


@inlined
def _peek(words: Array, bit: int, count: int) -> Any:
    both = (uint64(words[bit >> 5]) << uint64(32)) | uint64(words[(bit >> 5) + 1])
    return int64((both << uint64(bit & 31)) >> uint64(64 - count))


@kernel
def _read_used(words: Array, bit: int, used: Array) -> tuple[int, int]:
    """Read which bytes occur; gives their number and the next bit."""
    groups = _peek(words, bit, 16)
    bit += 16
    count = 0
    for group in range(16):
        if groups >> (15 - group) & 1:
            row = _peek(words, bit, 16)
            bit += 16
            for place in range(16):
                if row >> (15 - place) & 1:
                    used[count] = group * 16 + place
                    count += 1
    return count, bit


@kernel
def _read_selectors(words: Array, bit: int, stop: int, tables: int, selectors: Array) -> int:
    """Read which table each 50 symbols use; gives the next bit, -1 for damage."""
    order = np.arange(6)
    for at in range(selectors.size):
        rank = 0
        while _peek(words, bit, 1):
            rank += 1
            bit += 1
            if rank >= tables:
                return -1
        bit += 1
        if bit > stop:
            return -1
        table = order[rank]
        for place in range(rank, 0, -1):
            order[place] = order[place - 1]
        order[0] = table
        selectors[at] = table
    return bit


@kernel
def _read_lengths(words: Array, bit: int, stop: int, lengths: Array) -> int:
    """Read the code lengths of one table; gives the next bit, -1 for damage."""
    length = _peek(words, bit, 5)
    bit += 5
    for symbol in range(lengths.size):
        while True:
            if length < 1 or length > 20 or bit > stop:
                return -1
            if not _peek(words, bit, 1):
                bit += 1
                break
            length += 1 - 2 * _peek(words, bit + 1, 1)
            bit += 2
        lengths[symbol] = length
    return bit


@kernel
def _make_table(lengths: Array, look: Array, limits: Array, bases: Array, symbols: Array) -> bool:
    """Make the canonical code of `lengths`; False if it has more codes than fit.

    A code of up to `_LOOK` bits is found in `look` as symbol << 5 | length. A longer one of n bits
    is the first that is below `limits[n]`; its symbol is `symbols[code + bases[n]]`.
    """
    code = place = 0
    for length in range(1, 21):
        bases[length] = place - code
        for symbol in range(lengths.size):
            if lengths[symbol] != length:
                continue
            if code >= 1 << length:
                return False
            symbols[place] = symbol
            if length <= _LOOK:
                spare = _LOOK - length
                look[code << spare : (code + 1) << spare] = symbol << 5 | length
            code += 1
            place += 1
        limits[length] = code
        code <<= 1
    return True


@kernel
def read_symbols(words: Array, bit: int, stop: int, last: Array, counts: Array) -> tuple[int, int]:
    """Undo the codes of a block.

    Args:
        words: The block's data as big-endian words, then `PAD_WORDS` more; uint32.
        bit: First bit after the block's magic and CRC.
        stop: First bit after the block.
        last: Takes the last column of the transform, [BLOCK_SYMBOLS] uint8.
        counts: Takes how often each byte occurs in it, [256] int64, zero before.

    Returns:
        The column's size and the place of the original row; size -1 where libbz2 should decide.
    """
    if _peek(words, bit, 1):  # randomised: an obsolete form
        return -1, 0
    origin = _peek(words, bit + 1, 24)
    front = np.zeros(256, np.uint8)
    used, bit = _read_used(words, bit + 25, front)
    tables = _peek(words, bit, 3)
    selectors = np.zeros(_peek(words, bit + 3, 15), np.uint8)
    if used == 0 or tables < 2 or tables > 6:
        return -1, 0
    bit = _read_selectors(words, bit + 18, stop, tables, selectors)
    look = np.zeros((6, 1 << _LOOK), np.uint16)
    limits, bases = np.zeros((6, 21), np.int64), np.zeros((6, 21), np.int64)
    symbols, lengths = np.zeros((6, 258), np.uint16), np.zeros(used + 2, np.uint8)
    for table in range(tables):
        if bit >= 0:
            bit = _read_lengths(words, bit, stop, lengths)
        if bit < 0 or not _make_table(
            lengths, look[table], limits[table], bases[table], symbols[table]
        ):
            return -1, 0
    size = _undo(
        words, bit, stop, selectors, look, limits, bases, symbols, front, used + 1, last, counts
    )
    return (size, origin) if origin < size else (-1, 0)


@kernel
def _undo(  # noqa: C901 - one loop, a symbol a turn; calls would cost a third
    words: Array,
    bit: int,
    stop: int,
    selectors: Array,
    look: Array,
    limits: Array,
    bases: Array,
    symbols: Array,
    front: Array,
    end: int,
    last: Array,
    counts: Array,
) -> int:
    """Read symbols up to `end`; gives how many bytes they make, -1 for damage."""
    one, eight, full, recent = uint64(1), uint64(8), uint64(255), uint64(0)
    for place in range(8):  # the eight bytes in front are kept in one word
        recent |= uint64(front[place]) << uint64(8 * place)
    size, run, weight = 0, 0, 1
    for at in range(selectors.size):
        table = int64(selectors[at])
        codes = look[table]
        if bit > stop:  # 50 symbols of 20 bits stay within the padding
            return -1
        for _ in range(50):
            both = (uint64(words[bit >> 5]) << uint64(32)) | uint64(words[(bit >> 5) + 1])
            both <<= uint64(bit & 31)
            entry = codes[both >> uint64(64 - _LOOK)]
            if entry:
                bit += entry & 31
                symbol = int64(entry >> 5)
            else:
                length = _LOOK + 1
                while length <= 20 and int64(both >> uint64(64 - length)) >= limits[table, length]:
                    length += 1
                if length > 20:
                    return -1
                code = int64(both >> uint64(64 - length))
                symbol = int64(symbols[table, code + bases[table, length]])
                bit += length
            if symbol <= 1:  # digits of a run's length, in bijective base 2
                run += weight << symbol
                weight <<= 1
                if run > BLOCK_SYMBOLS:
                    return -1
                continue
            if run:
                if size + run > BLOCK_SYMBOLS:
                    return -1
                counts[recent & full] += run
                last[size : size + run] = recent & full
                size += run
                run, weight = 0, 1
            if symbol == end:
                return size if bit == stop else -1
            if size >= BLOCK_SYMBOLS:
                return -1
            rank = symbol - 1
            if rank < 8:  # most are: shift the bytes before it within one word, without a loop
                low = (one << uint64(8 * rank)) - one
                byte = (recent >> uint64(8 * rank)) & full
                recent = (recent & ~(low << eight | full)) | (recent & low) << eight | byte
            else:
                byte = uint64(front[rank])
                for place in range(rank, 8, -1):
                    front[place] = front[place - 1]
                front[8] = recent >> uint64(56)
                recent = recent << eight | byte
            last[size] = byte
            counts[byte] += 1
            size += 1
    return -1
