"""The loops of `augment`: what becomes of each word of each attempt.

An attempt's random words are those of its own address, (row, copy of the attempt). Block 0 is the
row's: its first half is the key by which attempts beyond a target are left out (see `keys`), so
nothing else is decided by it; its third word chooses the sides of a pair. Each side has blocks of
its own from `side << 30` on: one word for each word of the text, then, far away, one block for
each word that is replaced, and the last one for what is done to the side as a whole.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import uint32, uint64

from transferset.compiled import inlined, kernel
from transferset.transforms.draws import bounded
from transferset.transforms.philox import block
from transferset.transforms.unigram import draw_token
from transferset.transforms.wording import MASKED

#: What `pairs` means to a kernel; a row of one side is changed in any case.
SINGLE: Final = -1
CYCLE: Final = 0
RANDOM: Final = 1
BOTH: Final = 2

#: Longest n-gram that is taken (Tang et al. 2019, § 3.2).
LONGEST: Final = np.uint64(5)

#: Shapes of words that others can be given; see `word_shapes`.
SHAPES: Final = 3

_REPLACING = uint64(1 << 29)
_WHOLE = uint64((1 << 30) - 1)
#: Words, not blocks, where repeated draws find others.
_SPARE = uint64(4 << 31)
_SPARE_SIDE = uint64(4 << 29)

_32_ONES = uint64(1) << uint64(32)
_1, _2, _3, _4, _30, _32 = uint64(1), uint64(2), uint64(3), uint64(4), uint64(30), uint64(32)


class Way(NamedTuple):
    """What is done to words, as 32-bit limits; see `choice.threshold`.

    Attributes:
        mask: A word whose draw is below it is masked,
        pos: below this one replaced,
        delete: below this one deleted,
        swap: below this one swapped.
        window: A side whose draw is below it is cut to an n-gram.
        match_case: Words that are drawn take the shape of those they replace.
    """

    mask: np.uint64
    pos: np.uint64
    delete: np.uint64
    swap: np.uint64
    window: np.uint64
    match_case: bool


class Tables(NamedTuple):
    """What replacements are drawn from, and their shapes.

    Attributes:
        columns: uint64, columns of the alias tables of all tags, one tag's after the other's.
        starts: int64[tags + 1], where each tag's begin.
        bits: uint64[tags], of each table; 0 where nothing has been counted.
        codes: int32, the words of all tags, in the order in which they were counted.
        first: int64[tags], where each tag's begin.
        shape: uint8[words], the shape of each word of the table; `SHAPES` is another one.
        shaped: int32[words, SHAPES], the code of each word in each shape, −1 where unknown.
    """

    columns: npt.NDArray[np.uint64]
    starts: npt.NDArray[np.int64]
    bits: npt.NDArray[np.uint64]
    codes: npt.NDArray[np.int32]
    first: npt.NDArray[np.int64]
    shape: npt.NDArray[np.uint8]
    shaped: npt.NDArray[np.int32]


@inlined
def side_changes(pairs: Any, side: Any, k: Any, where: Any) -> Any:
    """Whether an attempt changes a side.

    Args:
        pairs: `SINGLE`, `CYCLE`, `RANDOM` or `BOTH`.
        side: 0 or 1.
        k: Number of the attempt, from 1.
        where: uint64 row, uint32 copy of the attempt, and both uint32 of the key.
    """
    if pairs == CYCLE:
        changes = k % 3 == 0 or k % 3 == side + 1
    elif pairs == RANDOM:
        _, _, word, _ = block(where[0], where[1], uint32(0), where[2], where[3])
        chosen, _ = bounded(word, _3, _SPARE + _2 * _SPARE_SIDE, where)
        changes = chosen == _2 or chosen == uint64(side)
    else:
        changes = True
    return changes


@kernel
def vary_side(
    words: Any,
    tags: Any,
    rows: Any,
    copies: Any,
    attempts: Any,
    side: Any,
    pairs: Any,
    key: Any,
    way: Any,
    tables: Any,
    codes: Any,
    space: Any,
    offsets: Any,
) -> Any:
    """Make one side of all attempts on some rows.

    Args:
        words: `wording.Words`, the side as it is.
        tags: uint8[words], their tags.
        rows: uint64[rows].
        copies: uint32[rows], those of the originals.
        attempts: First attempt, the one after the last, and by how much copies are multiplied.
        side: 0 or 1.
        pairs: See `side_changes`.
        key: Two uint32.
        way: See `Way`.
        tables: See `Tables`.
        codes: int32, is written; room for all words of all attempts.
        space: uint8, is written, as long.
        offsets: int64[rows · attempts + 1], is written; row by row, attempt by attempt.

    Returns:
        How many words were written.
    """
    first, stop, stride = attempts
    longest = 0
    for r in range(len(rows)):
        longest = max(longest, words.offsets[r + 1] - words.offsets[r])
    room = (stop - first) * ((longest + 3) // 4 * 4)
    drawn, fresh = np.empty(room, np.uint32), np.empty(room, np.int32)
    at = 0
    offsets[0] = 0
    for r in range(len(rows)):
        bounds = words.offsets[r], words.offsets[r + 1]
        address = rows[r], copies[r], key
        _draw(drawn, bounds[1] - bounds[0], side, address, attempts)
        if way.pos > way.mask:
            _replace(words.codes, tags, bounds, side, address, attempts, way, tables, drawn, fresh)
        row = offsets[r * (stop - first) :]
        sources = bounds, drawn, fresh
        at = _change(words, sources, side, pairs, address, attempts, way, codes, space, row)
    return at


@kernel
def _draw(drawn: Any, count: Any, side: Any, address: Any, attempts: Any) -> None:
    """One word for each word of a side, for all attempts on a row.

    Each block's counter is written where its words will be, then all are enciphered in place: a
    loop over equal blocks, without a branch, runs in vector registers.
    """
    row, copy, key = address
    k0, k1 = key
    at = uint64(0)
    base = (uint64(side) << _30) + _1
    for k in range(attempts[0], attempts[1]):
        third = uint64(copy) * uint64(attempts[2]) + uint64(k)
        for b in range(uint64(count + 3) >> _2):
            drawn[at] = row
            drawn[at + _1] = row >> _32
            drawn[at + _2] = third
            drawn[at + _3] = base + b
            at += _4
    for number in range(at >> _2):
        place = number << _2
        low = uint64(drawn[place]) | uint64(drawn[place + _1]) << _32
        w0, w1, w2, w3 = block(low, drawn[place + _2], drawn[place + _3], k0, k1)
        drawn[place] = w0
        drawn[place + _1] = w1
        drawn[place + _2] = w2
        drawn[place + _3] = w3


@kernel
def _replace(
    old: Any, tags: Any, bounds: Any, side: Any, address: Any, attempts: Any, way: Any,
    tables: Any, drawn: Any, fresh: Any
) -> None:
    """Draw a word for each that is replaced; the word itself if none of its tag was counted."""
    columns, starts, bits, words, first, shape, shaped = tables
    row, copy, key = address
    k0, k1 = key
    low, high, match = way.mask, way.pos, way.match_case
    start, count = uint64(bounds[0]), uint64(bounds[1] - bounds[0])
    base, here = (uint64(side) << _30) + _REPLACING, uint64(0)
    for k in range(attempts[0], attempts[1]):
        third = uint64(copy) * uint64(attempts[2]) + uint64(k)
        for j in range(count):
            if low <= uint64(drawn[here + j]) < high:
                code, tag = old[start + j], uint64(tags[start + j])
                if bits[tag] > 0:
                    w0, w1, _, _ = block(row, uint32(third), base + j, k0, k1)
                    place = draw_token(w0, w1, columns[starts[tag] :], bits[tag])
                    like = code
                    code = words[uint64(first[tag]) + uint64(place)]
                    if match and shape[like] < SHAPES and shaped[code, shape[like]] >= 0:
                        code = shaped[code, shape[like]]
                fresh[here + j] = code
        here += (count + _3) >> _2 << _2


@kernel
def _change(
    words: Any, sources: Any, side: Any, pairs: Any, address: Any, attempts: Any, way: Any,
    codes: Any, space: Any, offsets: Any
) -> Any:
    """Make all attempts on a row; gives the place after the last word that is written."""
    bounds, drawn, fresh = sources
    row, copy, key = address
    k0, k1 = key
    old, gaps = words.codes, words.space
    mask, pos, delete, swap, window = way.mask, way.pos, way.delete, way.swap, way.window
    start, count = uint64(bounds[0]), uint64(bounds[1] - bounds[0])
    here, at, i = uint64(0), uint64(offsets[0]), 0
    for k in range(attempts[0], attempts[1]):
        where = row, uint32(uint64(copy) * uint64(attempts[2]) + uint64(k)), k0, k1
        begin = at
        changes = side_changes(pairs, side, k, where)
        j = uint64(0)
        while j < count:
            word = uint64(drawn[here + j]) if changes else _32_ONES
            code = old[start + j] if word >= pos else (MASKED if word < mask else fresh[here + j])
            codes[at], space[at] = code, gaps[start + j]
            at += _1
            if pos <= word < swap:
                if word < delete:
                    at -= _1
                    if at > begin:
                        space[at - _1] |= gaps[start + j]
                elif j + _1 < count and uint64(drawn[here + j + _1]) >= swap:
                    codes[at], space[at] = code, gaps[start + j + _1]
                    codes[at - _1] = old[start + j + _1]
                    at += _1
                    j += _1
            j += _1
        if changes and count > 0 and (at == begin or window > 0):
            at = _finish(words, bounds, side, where, way, codes, space, begin, at)
        here += (count + _3) >> _2 << _2
        i += 1
        offsets[i] = at
    return np.int64(at)


@kernel
def _finish(
    words: Any,
    bounds: Any,
    side: Any,
    where: Any,
    way: Any,
    codes: Any,
    space: Any,
    begin: Any,
    at: Any,
) -> Any:
    """Give a side back one word if all are gone, and take an n-gram of it."""
    number = (uint64(side) << _30) + _WHOLE
    w0, w1, w2, w3 = block(where[0], where[1], number, where[2], where[3])
    spare = _SPARE + uint64(side) * _SPARE_SIDE
    if at == begin:
        kept, spare = bounded(w3, uint64(bounds[1] - bounds[0]), spare, where)
        codes[at] = words.codes[uint64(bounds[0]) + kept]
        space[at] = words.space[uint64(bounds[0]) + kept]
        at += _1
    if uint64(w0) < way.window:
        size, spare = bounded(w1, min(LONGEST, at - begin), spare, where)
        size += _1
        start, spare = bounded(w2, at - begin - size + _1, spare, where)
        for j in range(size):
            codes[begin + j] = codes[begin + start + j]
            space[begin + j] = space[begin + start + j]
        at = begin + size
    return at
