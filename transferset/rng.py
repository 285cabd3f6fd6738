"""Addressed randomness: a random number is a function of where it is used, never of when.

Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3", § 3.3) maps a
128-bit counter under a 64-bit key to 128 random bits. The counter is an address (which row, which
draw), so the same row gets the same bits at any number of workers and in any order of work.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

GENERATOR: Final = "philox4x32-10"

Words = npt.NDArray[np.uint32]
Counter4 = tuple[Words, Words, Words, Words]

_ROUNDS: Final = 10
_M0, _M1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_W0, _W1 = 0x9E3779B9, 0xBB67AE85
_LOW: Final = np.uint64(0xFFFFFFFF)
_32: Final = np.uint64(32)


def philox(counter: Counter4, key: tuple[int, int]) -> Counter4:
    """Philox4x32-10 on arrays.

    Args:
        counter: Four uint32 arrays of one shape: the address.
        key: Two numbers below 2**32.

    Returns:
        Four uint32 arrays of that shape: 128 random bits per address.
    """
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(_ROUNDS):
        p0 = c0.astype(np.uint64) * _M0
        p1 = c2.astype(np.uint64) * _M1
        c0, c1, c2, c3 = (
            (p1 >> _32).astype(np.uint32) ^ c1 ^ np.uint32(k0),
            (p1 & _LOW).astype(np.uint32),
            (p0 >> _32).astype(np.uint32) ^ c3 ^ np.uint32(k1),
            (p0 & _LOW).astype(np.uint32),
        )
        k0, k1 = (k0 + _W0) & 0xFFFFFFFF, (k1 + _W1) & 0xFFFFFFFF
    return c0, c1, c2, c3


@lru_cache(maxsize=256)
def step_key(seed: int, step: int) -> tuple[int, int]:
    """The key of one step under one seed; different steps are independent.

    Args:
        seed: The user's seed, 0 ≤ seed < 2**64.
        step: The step's ordinal, 0 ≤ step < 2**32.

    Returns:
        A Philox key.
    """
    address = [np.array([w], np.uint32) for w in (seed & 0xFFFFFFFF, seed >> 32, step, 0)]
    a, b, _, _ = philox((address[0], address[1], address[2], address[3]), (0, 0))
    return int(a[0]), int(b[0])


def order_keys(
    seed: int,
    step: int,
    source: npt.NDArray[np.uint16],
    doc_id: npt.NDArray[np.uint64],
    rev_id: npt.NDArray[np.uint64],
    sentence: npt.NDArray[np.uint32],
) -> npt.NDArray[np.uint64]:
    """Random sort keys for a global shuffle, from the identity of the rows alone.

    The identity is wider than one counter, so two blocks are chained (as in CBC-MAC).

    Args:
        seed: The user's seed.
        step: The step's ordinal.
        source: Source code of each row, shape [rows].
        doc_id: Document id of each row, shape [rows].
        rev_id: Revision id of each row, shape [rows].
        sentence: Row number within the document, shape [rows].

    Returns:
        uniform uint64 keys, shape [rows].
    """
    key = step_key(seed, step)
    first = (_low(doc_id), _high(doc_id), _low(rev_id), _high(rev_id))
    a, b, c, d = philox(first, key)
    e, f, _, _ = philox((a ^ sentence, b ^ source.astype(np.uint32), c, d), key)
    return (e.astype(np.uint64) << _32) | f.astype(np.uint64)


def _low(values: npt.NDArray[np.uint64]) -> Words:
    return (values & _LOW).astype(np.uint32)


def _high(values: npt.NDArray[np.uint64]) -> Words:
    return (values >> _32).astype(np.uint32)
