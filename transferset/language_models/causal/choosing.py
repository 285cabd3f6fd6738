"""Choosing the next piece of each row from the scores of the vocabulary, one row at a time.

A piece is found by inverting the cumulative distribution at the row's own random number. Sums of
blocks of pieces are made first, and only the block in which the number falls is walked through.
With top-k or top-p the pieces that are kept are gathered first, so that what follows costs as many
steps as there are such pieces; nothing is drawn from a vocabulary of which most is masked.

What is kept is what `transformers` keeps (`TemperatureLogitsWarper`, `TopKLogitsWarper`,
`TopPLogitsWarper`, in that order): scores are divided by the temperature in float32; then every
piece whose score is at least the k-th highest, so also all that are equal to it; then the pieces
that have less than `top_p` of the probability ahead of them (Holtzman et al. 2020, "The curious
case of neural text degeneration", § 3.1). Ahead are pieces of higher scores, and of equal scores
those of smaller ids; `transformers` leaves that last order to its sort.

All loops run over one row, with the same operations in the same order wherever it stands.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import uint64

from transferset.compiled import inlined, kernel
from transferset.language_models.causal.weighing import (
    BLOCK,
    TOP,
    highest,
    highest_of_all,
    summed,
    weigh,
)
from transferset.philox import block

#: Scores that are looked at side by side,
_WIDE: Final = 512
#: and weights that are made at once: they stay in the nearest cache.
_SPAN: Final = 32 * BLOCK

#: Top-p looks for its last piece among levels of weights: so many to each power of two, by the
#: first bits of their float32.
_LEVEL_BITS: Final = 18
_LEVELS: Final = 128 << 23 >> _LEVEL_BITS
_ONE_AS_BITS: Final = np.int32(127 << 23)

_5, _6, _26 = uint64(5), uint64(6), uint64(26)
_UNIT: Final = 2.0**-53


class Way(NamedTuple):
    """How pieces are chosen; kernels take it as it is.

    Attributes:
        temperature: Scores are divided by it.
        top_k: So many of the highest scores are kept; 0 keeps all.
        top_p: Pieces are kept until they have this much of the probability.
        k0: uint32, key of the random numbers.
        k1: uint32.
    """

    temperature: np.float32
    top_k: int
    top_p: float
    k0: np.uint32
    k1: np.uint32


class Room(NamedTuple):
    """Buffers of the kernels, for one row at a time.

    Attributes:
        high: float32[_WIDE], highest scores,
        odd: float32[_WIDE], and whether all are numbers.
        half: float32[BLOCK / 2], on the way to the sum or the maximum of a block.
        span: float32[_SPAN], weights.
        block: float32[blocks], sums or maxima of blocks.
        ids: int32[vocabulary], the pieces that are kept,
        weights: float32[vocabulary], and theirs.
        levels: float64[_LEVELS], weight on each.
    """

    high: npt.NDArray[np.float32]
    odd: npt.NDArray[np.float32]
    half: npt.NDArray[np.float32]
    span: npt.NDArray[np.float32]
    block: npt.NDArray[np.float32]
    ids: npt.NDArray[np.int32]
    weights: npt.NDArray[np.float32]
    levels: npt.NDArray[np.float64]


def make_room(vocabulary: int) -> Room:
    """Buffers for a vocabulary of so many pieces."""
    sizes = _WIDE, _WIDE, BLOCK // 2, _SPAN, -(-vocabulary // BLOCK)
    high, odd, half, span, blocks = (np.zeros(size, np.float32) for size in sizes)
    ids, weights = np.zeros(vocabulary, np.int32), np.zeros(vocabulary, np.float32)
    return Room(high, odd, half, span, blocks, ids, weights, np.zeros(_LEVELS, np.float64))


@inlined
def uniform(row: Any, piece: Any, k0: Any, k1: Any) -> Any:
    """The random number of a piece of a row: float64 in [0, 1), of 53 bits.

    Args:
        row: uint64.
        piece: Its number in the row, from 0.
        k0: uint32, key.
        k1: uint32, key.
    """
    w0, w1, _, _ = block(row, uint64(0), uint64(piece), k0, k1)
    return ((uint64(w0) >> _5 << _26) | (uint64(w1) >> _6)) * _UNIT


@kernel
def choose(
    scores: Any, places: Any, rows: Any, pieces: Any, way: Any, room: Any, chosen: Any
) -> Any:
    """Choose a piece for each of some places.

    Args:
        scores: float32[places, vocabulary]; they are overwritten. A piece of −∞ never comes.
        places: int64, numbers of those that are to choose.
        rows: uint64[places], address of the row in each.
        pieces: int64[places], number of the piece that comes next in each.
        way: See `Way`.
        room: See `Room`.
        chosen: int32[places], is written.

    Returns:
        The first place with a score that is no number or +∞, or with none above −∞; or −1.
    """
    for place in places:
        some = scores[place]
        if way.temperature != 1:
            for i in range(len(some)):
                some[i] = np.divide(some[i], way.temperature)
        number = uniform(rows[place], pieces[place], way.k0, way.k1)
        found = -1
        if way.top_k <= 0 and way.top_p >= 1:
            # one look less if the first scores tell how high they are, as they nearly always do
            found = _among_all(some, some[:BLOCK].max(), number, room)
        if found < 0:
            high = highest_of_all(some, room.high, room.odd)
            if not np.isfinite(high):
                return place
            if way.top_k > 0 or way.top_p < 1:
                found = _among_kept(some, high, number, way, room)
            else:
                found = _among_all(some, high, number, room)
        chosen[place] = found
    return -1


@kernel
def _among_all(scores: Any, base: Any, number: Any, room: Any) -> Any:
    """The first piece at which the sum of weights passes `number` of the whole.

    −1 if scores are too far above `base`, or not all are numbers.
    """
    for at in range(0, len(scores), _SPAN):
        some = scores[at : at + _SPAN]
        weights = room.span[: len(some)]
        weigh(some, base, weights)
        for b in range(-(-len(some) // BLOCK)):
            part = weights[b * BLOCK : (b + 1) * BLOCK]
            room.block[at // BLOCK + b] = summed(part, room.half)
    total = 0.0
    for b in range(len(room.block)):
        total += room.block[b]
    if not total < TOP:
        return -1
    rest, last = number * total, len(room.block) - 1
    for b in range(len(room.block)):
        if rest < room.block[b]:
            last = b
            break
        rest -= room.block[b]
    some = scores[last * BLOCK : (last + 1) * BLOCK]
    weigh(some, base, some)
    return last * BLOCK + _walked(some, rest)


@kernel
def _walked(weights: Any, rest: Any) -> Any:
    """The first place at which the sum passes `rest`; where rounding lets none, the last."""
    for i in range(len(weights)):
        rest -= weights[i]
        if rest < 0:
            return i
    return len(weights) - 1


@kernel
def _among_kept(scores: Any, high: Any, number: Any, way: Any, room: Any) -> Any:
    """The same among the pieces that top-k and top-p keep."""
    count = len(scores)
    if 0 < way.top_k < count:
        count = _gather_highest(scores, way.top_k, room)
        weigh(room.weights[:count], high, room.weights[:count])
    else:
        for i in range(count):
            room.ids[i] = i
        weigh(scores, high, room.weights)
    if way.top_p < 1:
        count = _keep_nucleus(room.ids[:count], room.weights[:count], way.top_p, room.levels)
    total = 0.0
    for i in range(count):
        total += room.weights[i]
    return room.ids[_walked(room.weights[:count], number * total)]


@kernel
def _gather_highest(scores: Any, k: Any, room: Any) -> Any:
    """Gather the pieces whose scores are at least the k-th highest, in order; give how many.

    So many blocks as k have a highest score of at least the k-th of those highest: no piece below
    it is among the k, and few blocks have others.
    """
    blocks, count = room.block, 0
    for b in range(len(blocks)):
        blocks[b] = highest(scores[b * BLOCK : (b + 1) * BLOCK], room.half)
    least = _kth(blocks, k) if k <= len(blocks) else scores.min()
    for b in range(len(blocks)):
        if blocks[b] >= least:
            for i in range(b * BLOCK, min((b + 1) * BLOCK, len(scores))):
                if scores[i] >= least:
                    room.ids[count], room.weights[count] = i, scores[i]
                    count += 1
    least = _kth(room.weights[:count], k)
    return _keep(room.ids[:count], room.weights[:count], least, count)


@kernel
def _kth(values: Any, k: Any) -> Any:
    """The k-th highest (Hoare 1961, "Algorithm 65: Find")."""
    rest, low, high = values.copy(), 0, len(values) - 1
    while low < high:
        pivot, i, j = rest[(low + high) // 2], low, high
        while i <= j:
            while rest[i] > pivot:
                i += 1
            while rest[j] < pivot:
                j -= 1
            if i <= j:
                rest[i], rest[j] = rest[j], rest[i]
                i, j = i + 1, j - 1
        low, high = (i if k - 1 > j else low), (j if k - 1 < i else high)
    return rest[k - 1]


@kernel
def _keep(ids: Any, weights: Any, least: Any, last: Any) -> Any:
    """Keep, in place, pieces of more than a weight, and of just this weight those up to `last`."""
    count = 0
    for i in range(len(ids)):
        # without a branch: which are kept, processors cannot foresee
        weight = weights[i]
        ids[count], weights[count] = ids[i], weight
        count += int(weight > least) | (int(weight == least) & int(i <= last))
    return count


@kernel
def _keep_nucleus(ids: Any, weights: Any, top_p: Any, levels: Any) -> Any:
    """Keep, in place, the pieces with less than `top_p` of the weight ahead of them.

    Weights are at most 1. Levels of them are added up from the highest until what is wanted is
    reached; only the pieces of that last level are put in order.
    """
    bits = weights.view(np.int32)
    levels[:] = 0
    for i in range(len(weights)):
        levels[(_ONE_AS_BITS - bits[i]) >> _LEVEL_BITS] += weights[i]
    wanted, ahead, cut = top_p * levels.sum(), 0.0, 0
    while cut < len(levels) - 1 and ahead + levels[cut] < wanted:
        ahead += levels[cut]
        cut += 1
    some, count = np.empty(len(weights), np.float32), 0
    for i in range(len(weights)):
        if (_ONE_AS_BITS - bits[i]) >> _LEVEL_BITS == cut:
            some[count] = weights[i]
            count += 1
    least, last = _last_kept(some[:count], wanted - ahead)
    for i in range(len(weights)):
        if weights[i] == least:
            last -= 1
            if last == 0:
                return _keep(ids, weights, least, i)
    return _keep(ids, weights, least, len(ids))


@kernel
def _last_kept(weights: Any, wanted: Any) -> Any:
    """The lowest weight that is wanted, and how many of just that weight."""
    ordered, ahead = np.sort(weights)[::-1], 0.0
    least, count = ordered[0], 0
    for weight in ordered:
        if ahead >= wanted:
            break
        count = count + 1 if weight == least else 1
        least = weight
        ahead += weight
    return least, count
