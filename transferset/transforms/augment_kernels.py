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
from transferset.transforms.augment_moves import SPARE, SPARE_SIDE, rearranged, whole_side
from transferset.transforms.draws import bounded
from transferset.transforms.philox import block
from transferset.transforms.unigram import draw_token
from transferset.transforms.wording import MASKED

#: What `pairs` means to a kernel; a row of one side is changed in any case.
SINGLE: Final = -1
CYCLE: Final = 0
RANDOM: Final = 1
BOTH: Final = 2

#: Shapes of words that others can be given; see `word_shapes`.
SHAPES: Final = 3

_REPLACING = uint64(1 << 29)
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
        chosen, _ = bounded(word, _3, SPARE + _2 * SPARE_SIDE, where)
        changes = chosen == _2 or chosen == uint64(side)
    else:
        changes = True
    return changes


class Attempted(NamedTuple):
    """Which attempts are made, and where their random words come from.

    Attributes:
        first: First attempt,
        stop: and the one after the last.
        stride: Attempt k on the row (row, copy) has the address (row, copy · stride + k).
        side: 0 or 1.
        pairs: See `side_changes`.
        k0: uint32, key.
        k1: uint32, key.
    """

    first: int
    stop: int
    stride: int
    side: int
    pairs: int
    k0: np.uint32
    k1: np.uint32


@kernel
def vary_side(
    words: Any,
    tags: Any,
    rows: Any,
    copies: Any,
    of: Any,
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
        of: See `Attempted`.
        way: See `Way`.
        tables: See `Tables`.
        codes: int32, is written; room for all words of all attempts.
        space: uint8, is written, as long.
        offsets: int64[rows · attempts + 1], is written; row by row, attempt by attempt.

    Returns:
        How many words were written.
    """
    longest = uint64(0)
    for r in range(len(rows)):
        longest = max(longest, uint64(words.offsets[r + 1] - words.offsets[r]))
    each = of.stop - of.first
    room = each * ((longest + _3) >> _2 << _2)
    drawn, chosen = np.empty(room, np.uint32), np.empty(room, np.uint32)
    moves = way.swap > way.pos or way.window > 0
    offsets[0] = 0
    for r in range(len(rows)):
        start, address = uint64(words.offsets[r]), (rows[r], copies[r])
        count, at = uint64(words.offsets[r + 1]) - start, uint64(offsets[r * each])
        _draw(count, address, of, drawn)
        found = _mask(words, start, count, address, of, way, drawn, chosen, codes, space, at)
        _replace(tags[start:], count, address, of, tables, way, chosen[:found], codes, at)
        made = offsets[r * each + 1 : (r + 1) * each + 1]
        if moves:
            _move(words, start, count, address, of, way, drawn, codes, space, at, made)
        else:
            for i in range(len(made)):
                made[i] = at + uint64(i + 1) * count
    return offsets[-1]


@inlined
def _place_of(address: Any, of: Any, k: Any) -> Any:
    """What `bounded` is told of an attempt: its address and the key."""
    return address[0], uint32(uint64(address[1]) * uint64(of.stride) + uint64(k)), of.k0, of.k1


@kernel
def _draw(count: Any, address: Any, of: Any, drawn: Any) -> None:
    """One random word for each word of a side, for all attempts on a row.

    Each block's counter is written where its words will be, then all are enciphered in place: a
    loop over equal blocks, without a branch, runs in vector registers.
    """
    base, at = (uint64(of.side) << _30) + _1, uint64(0)
    for k in range(of.first, of.stop):
        row, copy, _, _ = _place_of(address, of, k)
        for b in range((count + _3) >> _2):
            drawn[at] = row
            drawn[at + _1] = row >> _32
            drawn[at + _2] = copy
            drawn[at + _3] = base + b
            at += _4
    for b in range(at >> _2):
        at = b << _2
        row = uint64(drawn[at]) | uint64(drawn[at + _1]) << _32
        w0, w1, w2, w3 = block(row, drawn[at + _2], drawn[at + _3], of.k0, of.k1)
        drawn[at] = w0
        drawn[at + _1] = w1
        drawn[at + _2] = w2
        drawn[at + _3] = w3


@kernel
def _mask(
    words: Any,
    start: Any,
    count: Any,
    address: Any,
    of: Any,
    way: Any,
    drawn: Any,
    chosen: Any,
    codes: Any,
    space: Any,
    at: Any,
) -> Any:
    """Write all attempts on a row, with masks; note which words are to be replaced, and how many.

    Without a branch that depends on a draw: processors cannot foresee those.
    """
    old, gaps, mask, pos = words.codes, words.space, way.mask, way.pos
    here, found = uint64(0), uint64(0)
    for k in range(of.first, of.stop):
        if side_changes(of.pairs, of.side, k, _place_of(address, of, k)):
            for j in range(count):
                word = uint64(drawn[here + j])
                codes[at + j] = MASKED if word < mask else old[start + j]
                space[at + j] = gaps[start + j]
                chosen[found] = uint64(k - of.first) * count + j
                found += uint64(mask <= word) & uint64(word < pos)
        else:
            for j in range(count):
                codes[at + j], space[at + j] = old[start + j], gaps[start + j]
        here += (count + _3) >> _2 << _2
        at += count
    return found


@kernel
def _replace(
    tags: Any,
    count: Any,
    address: Any,
    of: Any,
    tables: Any,
    way: Any,
    chosen: Any,
    codes: Any,
    at: Any,
) -> None:
    """Draw words in the place of those that are chosen, unless none of their tag was counted."""
    columns, starts, bits, words, first, shape, shaped = tables
    base = (uint64(of.side) << _30) + _REPLACING
    for i in range(len(chosen)):
        attempt, j = uint64(chosen[i]) // count, uint64(chosen[i]) % count
        tag, code = uint64(tags[j]), codes[at + uint64(chosen[i])]
        if bits[tag] == 0:
            continue
        row, copy, k0, k1 = _place_of(address, of, uint64(of.first) + attempt)
        w0, w1, _, _ = block(row, copy, base + j, k0, k1)
        place = draw_token(w0, w1, columns[starts[tag] : starts[tag + _1]], bits[tag])
        drawn = words[uint64(first[tag]) + uint64(place)]
        if way.match_case and shape[code] < SHAPES and shaped[drawn, shape[code]] >= 0:
            drawn = shaped[drawn, shape[code]]
        codes[at + uint64(chosen[i])] = drawn


@kernel
def _move(
    words: Any,
    start: Any,
    count: Any,
    address: Any,
    of: Any,
    way: Any,
    drawn: Any,
    codes: Any,
    space: Any,
    at: Any,
    made: Any,
) -> None:
    """Delete and swap words of all attempts on a row, in place, and take n-grams."""
    end, here = at, uint64(0)
    for k in range(of.first, of.stop):
        begin, where = end, _place_of(address, of, k)
        if side_changes(of.pairs, of.side, k, where) and count > 0:
            end = rearranged(drawn[here:], count, way, codes, space, at, end)
            if end == begin or way.window > 0:
                end = whole_side(words, start, count, of, where, way, codes, space, begin, end)
        else:
            for j in range(count):
                codes[end], space[end] = codes[at + j], space[at + j]
                end += _1
        here += (count + _3) >> _2 << _2
        at += count
        made[k - of.first] = end
