"""Philox4x32-10 inside compiled loops: the same numbers as `rng.philox`.

The counter of a block is (row low, row high, copy, block); a block gives four 32-bit words.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, uint32, uint64

_M0, _M1 = uint64(0xD2511F53), uint64(0xCD9E8D57)
_W0, _W1 = uint32(0x9E3779B9), uint32(0xBB67AE85)
_32 = uint64(32)


@njit(inline="always")
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
    c0, c1 = uint32(row), uint32(row >> _32)
    c2, c3 = uint32(copy), uint32(number)
    for _ in range(10):
        p0 = uint64(c0) * _M0
        p1 = uint64(c2) * _M1
        c0 = uint32(uint32(p1 >> _32) ^ c1 ^ k0)
        c1 = uint32(p1)
        c2 = uint32(uint32(p0 >> _32) ^ c3 ^ k1)
        c3 = uint32(p0)
        k0 = uint32(k0 + _W0)
        k1 = uint32(k1 + _W1)
    return c0, c1, c2, c3


@njit(cache=True, nogil=True)
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


@njit(cache=True, nogil=True)
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
