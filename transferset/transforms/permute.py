"""Permutations of the ids within each segment of a row.

A segment is a run of ids between [CLS], [SEP] and [PAD], which stay: nothing crosses the middle
[SEP] of a pair. The number of a random word is the place of an id in its row: of the token, or of
the first piece of the word, that is moved.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import uint64

from transferset.compiled import inlined, kernel
from transferset.transforms.draws import address, bounded
from transferset.transforms.pieces import begins_word, is_fixed

_1, _32 = uint64(1), uint64(32)


@kernel
def permute_tokens(ids: Any, offsets: Any, draws: Any, specials: Any, out: Any) -> None:
    """Permute the tokens of each segment, every order equally likely.

    Fisher–Yates in the inside-out form of Durstenfeld's algorithm (Knuth, TAOCP 2, § 3.4.2,
    algorithm P): the k-th token goes to a place drawn among the first k, and the one that was there
    goes to the k-th.

    Args:
        ids: uint16 or int32, shape [tokens].
        offsets: int32, shape [rows + 1].
        draws: One word an id, see `draws.Draws`.
        specials: See `pieces.Specials`.
        out: As `ids`, where the rows of `draws` are written.
    """
    words = draws.words
    for r in range(uint64(draws.first), uint64(draws.stop)):
        start, stop = uint64(offsets[r]), uint64(offsets[r + _1])
        shift, spare = draws.starts[r - uint64(draws.first)] - start, stop - start
        where = address(draws, r)
        begin = start
        for i in range(start, stop):
            token = ids[i]
            if is_fixed(token, specials):
                out[i] = token
                begin = i + _1
            else:
                j, spare = bounded(words[shift + i], i - begin + _1, spare, where)
                out[i] = out[begin + j]
                out[begin + j] = token


@kernel
def permute_units(
    ids: Any, offsets: Any, draws: Any, specials: Any, table: Any, window: Any, out: Any
) -> None:
    """Permute the words of each segment with all their pieces, or what is near.

    Args:
        ids: uint16 or int32, shape [tokens].
        offsets: int32, shape [rows + 1].
        draws: One word an id, see `draws.Draws`.
        specials: See `pieces.Specials`.
        table: Where words begin, see `pieces.word_table`; empty moves tokens.
        window: Farthest that a unit may move, in units; 0 is anywhere.
        out: As `ids`, where the rows of `draws` are written.
    """
    room = _longest(offsets, draws)
    heads, order = np.empty(room + 1, np.uint64), np.empty(room, np.uint64)
    keys, scratch = np.empty(room, np.uint64), np.empty(room + 1, np.uint64)
    words = draws.words
    for r in range(uint64(draws.first), uint64(draws.stop)):
        start, stop = uint64(offsets[r]), uint64(offsets[r + _1])
        shift, spare = draws.starts[r - uint64(draws.first)] - start, stop - start
        where = address(draws, r)
        begin = start
        while begin < stop:
            end = _segment_end(ids, begin, stop, specials)
            units = _heads(ids, begin, end, table, heads)
            if window:
                _near(words, shift, heads, units, uint64(window), keys, scratch, order)
            else:
                spare = _anywhere(words, shift, heads, units, spare, where, order)
            _copy(ids, heads, units, order, out)
            if end < stop:
                out[end] = ids[end]
            begin = end + _1


@inlined
def _segment_end(ids: Any, begin: Any, stop: Any, specials: Any) -> Any:
    end = begin
    while end < stop and not is_fixed(ids[end], specials):
        end += _1
    return end


@kernel
def _longest(offsets: Any, draws: Any) -> Any:
    longest = 0
    for r in range(draws.first, draws.stop):
        longest = max(longest, offsets[r + 1] - offsets[r])
    return longest


@kernel
def _heads(ids: Any, begin: Any, end: Any, table: Any, heads: Any) -> Any:
    """Write where the units of a segment begin, and its end; gives their number."""
    units = uint64(0)
    for i in range(begin, end):
        if i == begin or begins_word(ids[i], table):
            heads[units] = i
            units += _1
    heads[units] = end
    return units


@kernel
def _anywhere(
    words: Any, first: Any, heads: Any, units: Any, spare: Any, where: Any, order: Any
) -> Any:
    """Put the units in an order drawn as in `permute_tokens`; gives the next spare word."""
    for k in range(units):
        j, spare = bounded(words[first + heads[k]], k + _1, spare, where)
        order[k] = order[j]
        order[j] = k
    return spare


@kernel
def _near(
    words: Any, first: Any, heads: Any, units: Any, window: Any, keys: Any, ends: Any, order: Any
) -> None:
    """Sort unit i by i + U(0, window + 1), in units of 2**-32; equal ones keep their order.

    First into at most as many buckets as there are units, so that whatever the window is few stand
    in the wrong place, then by insertion.
    """
    shift = _32
    while (units + window) >> (shift - _32) >= units > 0:
        shift += _1
    ends[: units + _1] = 0
    for k in range(units):
        keys[k] = (k << _32) + uint64(words[first + heads[k]]) * (window + _1)
        ends[(keys[k] >> shift) + _1] += _1
    for k in range(units):
        ends[k + _1] += ends[k]
    for k in range(units):
        bucket = keys[k] >> shift
        order[ends[bucket]] = k
        ends[bucket] += _1
    for k in range(units):
        unit, place = order[k], uint64(k)
        while place > 0 and keys[order[place - _1]] > keys[unit]:
            order[place] = order[place - _1]
            place -= _1
        order[place] = unit


@kernel
def _copy(ids: Any, heads: Any, units: Any, order: Any, out: Any) -> None:
    at = heads[0]
    for k in range(units):
        for i in range(heads[order[k]], heads[order[k] + _1]):
            out[at] = ids[i]
            at += _1
