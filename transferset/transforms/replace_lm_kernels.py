"""The loop of `replace-lm`: which words of an attempt give way to a candidate, and to which."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import uint32, uint64

from transferset.compiled import inlined, kernel
from transferset.philox import block
from transferset.transforms.augment_kernels import side_changes
from transferset.transforms.augment_words import part_new
from transferset.transforms.draws import bounded

_CHOOSING = uint64(1 << 29)
_1, _4, _30 = uint64(1), uint64(4), uint64(30)


@kernel
def replace_side(
    words: Any,
    candidates: Any,
    rows: Any,
    copies: Any,
    attempts: Any,
    side: Any,
    pairs: Any,
    key: Any,
    below: Any,
    alnum: Any,
    codes: Any,
    space: Any,
    offsets: Any,
) -> None:
    """Make one side of all attempts on some rows; spaces stay, and new ones keep words apart.

    Word j of side s is decided by word j mod 4 of block (s · 2**30) + 1 + j div 4 of its attempt,
    and its candidate chosen by block (s · 2**30) + 2**29 + j.

    Args:
        words: `wording.Words`, the side as it is.
        candidates: `SideCandidates` of its words.
        rows: uint64[rows].
        copies: uint32[rows], those of the originals.
        attempts: First attempt, the one after the last, and by how much copies are multiplied.
        side: 0 or 1.
        pairs: See `augment_kernels.side_changes`.
        key: Two uint32.
        below: Words of 32 bits below it mean that the word is replaced; see `choice.threshold`.
        alnum: See `augment_words.Alnum`.
        codes: int32, is written; row by row, attempt by attempt.
        space: uint8, is written, as long.
        offsets: int64[rows · attempts + 1], is written.
    """
    first, stop, stride = attempts
    at, i = 0, 0
    offsets[0] = 0
    came = _places(words.offsets)
    for r in range(len(rows)):
        start, end = words.offsets[r], words.offsets[r + 1]
        before = words.codes[start:]
        for k in range(first, stop):
            where = rows[r], uint32(uint64(copies[r]) * uint64(stride) + uint64(k)), key[0], key[1]
            for j in range(end - start):
                codes[at + j], space[at + j] = words.codes[start + j], words.space[start + j]
            if side_changes(pairs, side, k, where):
                _replace(candidates, start, end, side, where, below, codes, at)
                part_new(before, came, alnum, codes, space, at, at + end - start)
            at += end - start
            i += 1
            offsets[i] = at


@kernel
def _places(offsets: Any) -> Any:
    """0, 1, … for each word of the longest row: none changes its place."""
    longest = 0
    for r in range(len(offsets) - 1):
        longest = max(longest, offsets[r + 1] - offsets[r])
    return np.arange(longest)


@inlined
def _replace(
    candidates: Any,
    start: Any,
    end: Any,
    side: Any,
    where: Any,
    below: Any,
    codes: Any,
    at: Any,
) -> None:
    base = uint64(side) << _30
    for b in range((end - start + 3) // 4):
        drawn = block(where[0], where[1], base + _1 + uint64(b), where[2], where[3])
        for i in range(min(4, end - start - 4 * b)):
            j = 4 * b + i
            begin = candidates.offsets[start + j]
            count = candidates.offsets[start + j + 1] - begin
            if count > 0 and uint64(drawn[i]) < below:
                codes[at + j] = candidates.codes[begin + _choose(base, j, count, where)]


@inlined
def _choose(base: Any, j: Any, count: Any, where: Any) -> Any:
    """One of a word's candidates; draws that must be repeated come from the rest of its block."""
    number = base + _CHOOSING + uint64(j)
    word, _, _, _ = block(where[0], where[1], number, where[2], where[3])
    chosen, _ = bounded(word, uint64(count), _4 * number + _1, where)
    return np.int64(chosen)
