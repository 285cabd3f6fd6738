"""Philox4x32-10 inside compiled loops: the same numbers as `rng.philox`.

The counter of a block is (row low, row high, copy, block); a block gives four 32-bit words.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import uint32, uint64

from transferset.compiled import inlined, kernel

_M0, _M1 = uint64(0xD2511F53), uint64(0xCD9E8D57)
_W0, _W1 = uint64(0x9E3779B9), uint64(0xBB67AE85)
_LOW, _32 = uint64(0xFFFFFFFF), uint64(32)


@inlined
def block(row: Any, copy: Any, number: Any, k0: Any, k1: Any) -> Any:
    """Four random words at one address.

    Args:
        row: uint64.
        copy: uint32.
        number: uint32, which block of the row.
        k0: uint32, key.
        k1: uint32, key.

    Returns:
        Four uint32.
    """
    # in 64 bits throughout: half the conversions
    c0, c1 = uint64(row) & _LOW, uint64(row) >> _32
    c2, c3 = uint64(copy) & _LOW, uint64(number) & _LOW
    key0, key1 = uint64(k0), uint64(k1)
    for _ in range(10):
        p0, p1 = c0 * _M0, c2 * _M1
        c0, c1 = (p1 >> _32) ^ c1 ^ key0, p1 & _LOW
        c2, c3 = (p0 >> _32) ^ c3 ^ key1, p0 & _LOW
        key0, key1 = (key0 + _W0) & _LOW, (key1 + _W1) & _LOW
    return uint32(c0), uint32(c1), uint32(c2), uint32(c3)


@kernel
def fill(words: Any, count: int, row: Any, copy: Any, k0: Any, k1: Any) -> None:
    """Fill `words[:count]` with the first words of a row; room for the last block is needed.

    Args:
        words: uint32, at least `count` rounded up to 4.
        count: How many are needed.
        row: uint64, address.
        copy: uint32, address.
        k0: uint32, key.
        k1: uint32, key.
    """
    for b in range((count + 3) // 4):
        w0, w1, w2, w3 = block(row, copy, b, k0, k1)
        words[4 * b] = w0
        words[4 * b + 1] = w1
        words[4 * b + 2] = w2
        words[4 * b + 3] = w3


@kernel
def word(number: Any, row: Any, copy: Any, k0: Any, k1: Any) -> Any:
    """Word `number` of a row, alone: for the rare draw beyond what was filled."""
    w0, w1, w2, w3 = block(row, copy, uint32(number // 4), k0, k1)
    rest = number % 4
    if rest == 0:
        return w0
    if rest == 1:
        return w1
    return w2 if rest == 2 else w3


def as_words(key: tuple[int, int]) -> tuple[np.uint32, np.uint32]:
    """A key as kernels take it."""
    return np.uint32(key[0]), np.uint32(key[1])
