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
from transferset.philox import block
from transferset.transforms.augment_moves import SPARE, SPARE_SIDE, rearranged, whole_side
from transferset.transforms.augment_words import Chosen, part_new, part_replaced, replace_words
from transferset.transforms.draws import bounded
from transferset.transforms.wording import MASKED

#: What `pairs` means to a kernel; a row of one side is changed in any case.
SINGLE: Final = -1
CYCLE: Final = 0
RANDOM: Final = 1
BOTH: Final = 2

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


class _Drawn(NamedTuple):
    """Random words for one side of all attempts on one row.

    Attributes:
        copy: uint32[blocks], copy of each block's attempt,
        number: uint32[blocks], and its number.
        words: uint32[4 · blocks].
        hits: uint32[4 · blocks], room for numbers of words.
    """

    copy: npt.NDArray[np.uint32]
    number: npt.NDArray[np.uint32]
    words: npt.NDArray[np.uint32]
    hits: npt.NDArray[np.uint32]


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
    alnum: Any,
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
        alnum: See `Alnum`.
        codes: int32, is written; room for all words of all attempts.
        space: uint8, is written, as long.
        offsets: int64[rows · attempts + 1], is written; row by row, attempt by attempt.

    Returns:
        How many words were written.
    """
    each, longest = uint64(of.stop - of.first), uint64(0)
    for r in range(len(rows)):
        longest = max(longest, uint64(words.offsets[r + 1] - words.offsets[r]))
    drawn, chosen = _make_room(each * ((longest + _3) >> _2))
    rearranges = way.swap > way.pos
    offsets[0] = 0
    for r in range(len(rows)):
        start, address = uint64(words.offsets[r]), (rows[r], copies[r])
        count, at = uint64(words.offsets[r + 1]) - start, uint64(offsets[uint64(r) * each])
        blocks = _draw(count, address, of, drawn)
        _repeat(words.codes[start:], count, each, codes[at:])
        _repeat(words.space[start:], count, each, space[at:])
        found = _mask(count, address, of, way, drawn, blocks, chosen, codes[at:])
        replace_words(tags[start:], rows[r], of, tables, way, chosen, found, codes[at:])
        made = offsets[uint64(r) * each + _1 : uint64(r + 1) * each + _1]
        if not rearranges:
            before = words.codes[start:]
            part_replaced(before, count, alnum, chosen, found, codes[at:], space[at:])
        if rearranges or way.window > 0:
            _move(words, start, count, address, of, way, drawn, alnum, codes, space, at, made)
        else:
            for i in range(len(made)):
                made[i] = at + uint64(i + 1) * count
    return offsets[-1]


@kernel
def _make_room(blocks: Any) -> Any:
    """For what is drawn for a row: so many blocks, and as many words as they have."""
    found, two = np.empty(4 * blocks, np.uint32), np.empty((2, blocks), np.uint32)
    drawn = _Drawn(two[0], two[1], np.empty(4 * blocks, np.uint32), found)
    five = np.empty((5, 4 * blocks), np.uint32)
    return drawn, Chosen(five[0], five[1], five[2], five[3], five[4])


@inlined
def _place_of(address: Any, of: Any, k: Any) -> Any:
    """What `bounded` is told of an attempt: its address and the key."""
    return address[0], uint32(uint64(address[1]) * uint64(of.stride) + uint64(k)), of.k0, of.k1


@kernel
def _draw(count: Any, address: Any, of: Any, drawn: Any) -> Any:
    """One random word for each word of a side, for all attempts on a row that change it.

    First the blocks' counters, then all are enciphered: a loop over equal blocks, without a branch,
    runs in vector registers. Gives the number of blocks.
    """
    copies, numbers, words, _ = drawn
    base, n = (uint64(of.side) << _30) + _1, uint64(0)
    for k in range(of.first, of.stop):
        _, copy, _, _ = where = _place_of(address, of, k)
        if side_changes(of.pairs, of.side, k, where):
            for b in range((count + _3) >> _2):
                copies[n] = copy
                numbers[n] = base + b
                n += _1
    for i in range(n):
        w0, w1, w2, w3 = block(address[0], copies[i], numbers[i], of.k0, of.k1)
        at = uint64(i) << _2
        words[at] = w0
        words[at + _1] = w1
        words[at + _2] = w2
        words[at + _3] = w3
    return n


@kernel
def _repeat(source: Any, count: Any, times: Any, target: Any) -> None:
    """Write the first `count` values so many times: once, then doubled and doubled."""
    for i in range(count):
        target[i] = source[i]
    done, total = count, count * times
    while done < total:
        size = min(done, total - done)
        for i in range(size):
            target[done + i] = target[i]
        done += size


@kernel
def _mask(
    count: Any,
    address: Any,
    of: Any,
    way: Any,
    drawn: Any,
    blocks: Any,
    chosen: Any,
    codes: Any,
) -> Any:
    """Mask words of all attempts on a row; note which are to be replaced, and how many.

    Without a branch that depends on a draw: processors cannot foresee those.
    """
    copies, numbers, words, hits = drawn
    places, of_copy, of_word, _, _ = chosen
    size, found = uint64(0), uint64(0)
    for i in range(blocks << _2):
        hits[size] = i
        size += uint64(uint64(words[i]) < way.pos)
    base, (_, first, _, _) = (uint64(of.side) << _30) + _1, _place_of(address, of, of.first)
    for i in range(size):
        hit = uint64(hits[i])
        copy, word = copies[hit >> _2], uint64(words[hit])
        j = ((numbers[hit >> _2] - base) << _2) + (hit & _3)
        if j < count:  # blocks have words beyond the last
            place = (uint64(copy) - uint64(first)) * count + j
            codes[place] = MASKED if word < way.mask else codes[place]
            places[found] = place
            of_copy[found] = copy
            of_word[found] = j
            found += uint64(way.mask <= word)
    return found


@kernel
def _move(
    words: Any,
    start: Any,
    count: Any,
    address: Any,
    of: Any,
    way: Any,
    drawn: Any,
    alnum: Any,
    codes: Any,
    space: Any,
    at: Any,
    made: Any,
) -> None:
    """Delete and swap words of all attempts on a row, in place, and take n-grams."""
    end, here, before, came = at, uint64(0), words.codes[start:], drawn.hits
    for k in range(of.first, of.stop):
        begin, where = end, _place_of(address, of, k)
        if side_changes(of.pairs, of.side, k, where) and count > 0:
            some = drawn.words[here:]
            end = rearranged(some, count, way, codes, space, came, at, end)
            if way.swap > way.pos:
                part_new(before, came, alnum, codes, space, begin, end)
            here += (count + _3) >> _2 << _2
            if end == begin or way.window > 0:
                end = whole_side(words, start, count, of, where, way, codes, space, begin, end)
        else:
            for j in range(count):
                codes[end], space[end] = codes[at + j], space[at + j]
                end += _1
        at += count
        made[k - of.first] = end
