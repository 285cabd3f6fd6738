"""SipHash-2-4 with 128 bits, of rows of ids.

Aumasson & Bernstein 2012, "SipHash: a fast short-input PRF", §§ 2.1–2.4; the output of 128 bits as
in the authors' reference code (github.com/veorq/SipHash).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import uint32, uint64

from transferset.compiled import inlined, kernel
from transferset.philox import as_words, block
from transferset.transforms.keys import join

_32 = uint64(32)
_LOW = uint64(0xFFFFFFFF)


@inlined
def _round(v0: Any, v1: Any, v2: Any, v3: Any) -> Any:
    v0 += v1
    v2 += v3
    v1 = (v1 << uint64(13)) | (v1 >> uint64(51))
    v3 = (v3 << uint64(16)) | (v3 >> uint64(48))
    v1 ^= v0
    v3 ^= v2
    v0 = (v0 << _32) | (v0 >> _32)
    v2 += v1
    v0 += v3
    v1 = (v1 << uint64(17)) | (v1 >> uint64(47))
    v3 = (v3 << uint64(21)) | (v3 >> uint64(43))
    v1 ^= v2
    v3 ^= v0
    v2 = (v2 << _32) | (v2 >> _32)
    return v0, v1, v2, v3


@inlined
def _absorb(v0: Any, v1: Any, v2: Any, v3: Any, word: Any) -> Any:
    v3 ^= word
    v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    return v0 ^ word, v1, v2, v3


@inlined
def _end(v0: Any, v1: Any, v2: Any, v3: Any) -> Any:
    for _ in range(4):
        v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    return v0, v1, v2, v3


@inlined
def _id(ids: Any, i: Any) -> Any:
    return uint64(uint32(ids[i]))


@kernel
def hash_rows(ids: Any, offsets: Any, k0: Any, k1: Any) -> Any:
    """Digest each row, its ids taken as little-endian 32-bit numbers.

    Args:
        ids: uint16 or int32, values of all rows.
        offsets: int32[rows + 1].
        k0: uint64, first half of the key.
        k1: uint64, second half of the key.

    Returns:
        uint64[2, rows]: first and second half of each digest, as little-endian numbers.
    """
    digests = np.empty((2, len(offsets) - 1), np.uint64)
    for row in range(len(offsets) - 1):
        start, stop = uint64(offsets[row]), uint64(offsets[row + 1])
        v0, v1 = uint64(0x736F6D6570736575) ^ k0, uint64(0x646F72616E646F6D) ^ k1 ^ uint64(0xEE)
        v2, v3 = uint64(0x6C7967656E657261) ^ k0, uint64(0x7465646279746573) ^ k1
        length = stop - start
        for i in range(length >> uint64(1)):
            at = start + (i << uint64(1))
            word = _id(ids, at) | (_id(ids, at + uint64(1)) << _32)
            v0, v1, v2, v3 = _absorb(v0, v1, v2, v3, word)
        last = (length << uint64(2)) << uint64(56)
        if length & uint64(1):
            last |= _id(ids, stop - uint64(1))
        v0, v1, v2, v3 = _absorb(v0, v1, v2, v3, last)
        v0, v1, v2, v3 = _end(v0, v1, v2 ^ uint64(0xEE), v3)
        digests[0, row] = v0 ^ v1 ^ v2 ^ v3
        v0, v1, v2, v3 = _end(v0, v1 ^ uint64(0xDD), v2, v3)
        digests[1, row] = v0 ^ v1 ^ v2 ^ v3
    return digests


def digest_rows(
    ids: npt.NDArray[Any], offsets: npt.NDArray[np.int32], key: tuple[int, int]
) -> npt.NDArray[np.uint64]:
    """Digest rows under a key of 128 bits that is drawn by a step's key.

    Args:
        ids: uint16 or int32, values of all rows.
        offsets: int32[rows + 1].
        key: Of the step.

    Returns:
        uint64[2, rows].
    """
    k0, k1 = _drawn_key(*as_words(key))  # as Python's numbers
    digests: npt.NDArray[np.uint64] = hash_rows(ids, offsets, np.uint64(k0), np.uint64(k1))
    return digests


@kernel
def _drawn_key(k0: Any, k1: Any) -> Any:
    # an address where no row is
    w0, w1, w2, w3 = block(uint64(0), uint32(_LOW), uint32(_LOW), k0, k1)
    return join(w0, w1), join(w2, w3)
