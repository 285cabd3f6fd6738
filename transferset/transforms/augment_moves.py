"""Words of one side of one attempt that are deleted or swapped, and n-grams of it."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import uint64

from transferset.compiled import inlined, kernel
from transferset.philox import block
from transferset.transforms.draws import bounded

#: Longest n-gram that is taken (Tang et al. 2019, § 3.2).
LONGEST: Final = np.uint64(5)

#: Words, not blocks, where repeated draws find others: those of side 0, and how far on side 1's.
SPARE: Final = np.uint64(4 << 31)
SPARE_SIDE: Final = np.uint64(4 << 29)

_WHOLE = uint64((1 << 30) - 1)

_1, _30 = uint64(1), uint64(30)


@inlined
def rearranged(
    drawn: Any, count: Any, way: Any, codes: Any, space: Any, came: Any, at: Any, end: Any
) -> Any:
    """Delete and swap words of one attempt: from `at` to `end`, which does not overtake it.

    Which word of the side each one was is written to `came`.
    """
    begin, j = end, uint64(0)
    while j < count:
        word = uint64(drawn[j])
        code, gap = codes[at + j], space[at + j]
        if word < way.pos or word >= way.delete:
            which = j
            swaps = way.delete <= word < way.swap and j + _1 < count
            # equal words are left as they are, for nothing changes between them
            if swaps and uint64(drawn[j + _1]) >= way.swap and codes[at + j + _1] != code:
                next_gap = space[at + j + _1]
                codes[end], space[end] = codes[at + j + _1], gap
                j += _1
                gap, came[end - begin] = next_gap, j
                end += _1
            codes[end], space[end], came[end - begin] = code, gap, which
            end += _1
        elif end > begin:
            space[end - _1] |= gap
        j += _1
    return end


@kernel
def whole_side(
    words: Any,
    start: Any,
    count: Any,
    of: Any,
    where: Any,
    way: Any,
    codes: Any,
    space: Any,
    begin: Any,
    end: Any,
) -> Any:
    """Give a side back one word if all are gone, and take an n-gram of it."""
    number = (uint64(of.side) << _30) + _WHOLE
    w0, w1, w2, w3 = block(where[0], where[1], number, where[2], where[3])
    spare = SPARE + uint64(of.side) * SPARE_SIDE
    if end == begin:
        kept, spare = bounded(w3, count, spare, where)
        codes[end], space[end] = words.codes[start + kept], words.space[start + kept]
        end += _1
    if uint64(w0) < way.window:
        size, spare = bounded(w1, min(LONGEST, end - begin), spare, where)
        size += _1
        first, spare = bounded(w2, end - begin - size + _1, spare, where)
        for j in range(size):
            codes[begin + j] = codes[begin + first + j]
            space[begin + j] = space[begin + first + j]
        end = begin + size
    return end
