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
LONGEST: Final = 5

#: Shapes of words that others can be given; see `word_shapes`.
SHAPES: Final = 3

_REPLACING = uint64(1 << 29)
_WHOLE = uint64((1 << 30) - 1)
#: Words, not blocks, where repeated draws find others.
_SPARE = uint64(4 << 31)
_SPARE_SIDE = uint64(4 << 29)

_1, _2, _3, _30 = uint64(1), uint64(2), uint64(3), uint64(30)


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
    drawn = np.empty(longest + 4, np.uint32)
    at, i = 0, 0
    offsets[0] = 0
    for r in range(len(rows)):
        bounds = words.offsets[r], words.offsets[r + 1]
        for k in range(first, stop):
            where = rows[r], uint32(uint64(copies[r]) * uint64(stride) + uint64(k)), key[0], key[1]
            if side_changes(pairs, side, k, where):
                begin = at
                _draw(drawn, bounds[1] - bounds[0], side, where)
                at = _change(words, tags, bounds, side, where, way, tables, drawn, codes, space, at)
                at = _finish(words, bounds, side, where, way, codes, space, begin, at)
            else:
                at = _copy(words, bounds, codes, space, at)
            i += 1
            offsets[i] = at
    return at


@inlined
def _copy(words: Any, bounds: Any, codes: Any, space: Any, at: Any) -> Any:
    for j in range(bounds[0], bounds[1]):
        codes[at], space[at] = words.codes[j], words.space[j]
        at += 1
    return at


@inlined
def _draw(drawn: Any, count: Any, side: Any, where: Any) -> None:
    """One word for each word of a side."""
    base = (uint64(side) << _30) + _1
    for b in range((count + 3) // 4):
        w0, w1, w2, w3 = block(where[0], where[1], base + uint64(b), where[2], where[3])
        drawn[4 * b] = w0
        drawn[4 * b + 1] = w1
        drawn[4 * b + 2] = w2
        drawn[4 * b + 3] = w3


@inlined
def _change(
    words: Any,
    tags: Any,
    bounds: Any,
    side: Any,
    where: Any,
    way: Any,
    tables: Any,
    drawn: Any,
    codes: Any,
    space: Any,
    at: Any,
) -> Any:
    """Word by word; gives the place after the last that is written."""
    begin, start, count = at, bounds[0], bounds[1] - bounds[0]
    j = 0
    while j < count:
        word = uint64(drawn[j])
        codes[at], space[at] = words.codes[start + j], words.space[start + j]
        at += 1
        if word < way.mask:
            codes[at - 1] = MASKED
        elif word < way.pos:
            code, tag = codes[at - 1], tags[start + j]
            codes[at - 1] = _replacement(code, tag, j, side, where, way.match_case, tables)
        elif word < way.delete:
            at -= 1
            if at > begin:
                space[at - 1] |= words.space[start + j]
        elif word < way.swap and j + 1 < count and uint64(drawn[j + 1]) >= way.swap:
            codes[at], space[at] = codes[at - 1], words.space[start + j + 1]
            codes[at - 1] = words.codes[start + j + 1]
            at += 1
            j += 1
        j += 1
    return at


@kernel
def _replacement(
    code: Any, tag: Any, j: Any, side: Any, where: Any, match_case: Any, tables: Any
) -> Any:
    """A word drawn among those of a tag; the word itself if none was counted."""
    drawn = code
    if tables.bits[tag] > 0:
        number = (uint64(side) << _30) + _REPLACING + uint64(j)
        w0, w1, _, _ = block(where[0], where[1], number, where[2], where[3])
        columns = tables.columns[tables.starts[tag] : tables.starts[tag + 1]]
        place = draw_token(w0, w1, columns, tables.bits[tag])
        drawn = tables.codes[tables.first[tag] + np.int64(place)]
        if match_case and tables.shape[code] < SHAPES:
            like = tables.shaped[drawn, tables.shape[code]]
            drawn = like if like >= 0 else drawn
    return drawn


@inlined
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
    if bounds[1] > bounds[0] and (at == begin or way.window > 0):
        number = (uint64(side) << _30) + _WHOLE
        w0, w1, w2, w3 = block(where[0], where[1], number, where[2], where[3])
        spare = _SPARE + uint64(side) * _SPARE_SIDE
        if at == begin:
            kept, spare = bounded(w3, uint64(bounds[1] - bounds[0]), spare, where)
            codes[at] = words.codes[bounds[0] + np.int64(kept)]
            space[at] = words.space[bounds[0] + np.int64(kept)]
            at += 1
        if uint64(w0) < way.window:
            size, spare = bounded(w1, uint64(min(LONGEST, at - begin)), spare, where)
            size += _1
            start, spare = bounded(w2, uint64(at - begin) - size + _1, spare, where)
            for j in range(np.int64(size)):
                codes[begin + j] = codes[begin + np.int64(start) + j]
                space[begin + j] = space[begin + np.int64(start) + j]
            at = begin + np.int64(size)
    return at
