"""Digests of rows: of their ids in order, and of their ids in any order.

Both are keyed anew for each comparison, so that no set can be made to collide in them.
"""

from __future__ import annotations

import secrets
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from numba import uint64

from transferset.compiled import kernel
from transferset.report.id_rows import IdBatch

Digests = npt.NDArray[np.uint64]

#: Bytes of a key of SipHash.
KEY_BYTES: Final = 16


class Digester:
    """Gives 128-bit digests of rows under keys of its own."""

    def __init__(self, vocabulary: int, key: bytes | None = None) -> None:
        """Draw the keys.

        Args:
            vocabulary: Ids are below this.
            key: Of the digests of ids in order; None draws one.
        """
        self._key = np.frombuffer(key or secrets.token_bytes(KEY_BYTES), "<u8")
        drawn = secrets.token_bytes(16 * vocabulary)
        self._values = np.frombuffer(drawn, np.uint64).reshape(vocabulary, 2)

    def rows(self, batch: IdBatch) -> Digests:
        """Digests of the rows as they are, uint64[rows, 2].

        SipHash-2-4 with 128 bits (Aumasson and Bernstein 2012, "SipHash: a fast short-input PRF";
        the longer output is of their reference code) of the ids as little-endian uint32.
        """
        digests = np.empty((batch.rows, 2), np.uint64)
        _siphash(batch.ids, batch.offsets, self._key[0], self._key[1], digests)
        return digests

    def bags(self, batch: IdBatch) -> Digests:
        """Digests of the rows as bags of ids, uint64[rows, 2].

        The sum of a random 128-bit value for each id, in two lanes (the additive multiset hash of
        Clarke et al. 2003, "Incremental multiset hash functions and their application to memory
        integrity checking", § 5, whose values are drawn instead of computed).
        """
        digests = np.zeros((batch.rows, 2), np.uint64)
        _sum(batch.ids, batch.offsets, self._values, digests)
        return digests


@kernel
def _sum(ids: Any, offsets: Any, values: Any, digests: Any) -> None:
    for row in range(len(offsets) - 1):
        for piece in ids[offsets[row] : offsets[row + 1]]:
            digests[row, 0] += values[piece, 0]
            digests[row, 1] += values[piece, 1]


@kernel
def _turned(word: Any, bits: Any) -> Any:
    return (word << uint64(bits)) | (word >> uint64(64 - bits))


@kernel
def _round(v0: Any, v1: Any, v2: Any, v3: Any) -> Any:
    v0 += v1
    v2 += v3
    v1 = _turned(v1, 13) ^ v0
    v3 = _turned(v3, 16) ^ v2
    v0 = _turned(v0, 32)
    v2 += v1
    v0 += v3
    v1 = _turned(v1, 17) ^ v2
    v3 = _turned(v3, 21) ^ v0
    v2 = _turned(v2, 32)
    return v0, v1, v2, v3


@kernel
def _siphash(ids: Any, offsets: Any, k0: Any, k1: Any, digests: Any) -> None:
    for row in range(len(offsets) - 1):
        v0 = k0 ^ uint64(0x736F6D6570736575)
        v1 = k1 ^ uint64(0x646F72616E646F6D) ^ uint64(0xEE)
        v2 = k0 ^ uint64(0x6C7967656E657261)
        v3 = k1 ^ uint64(0x7465646279746573)
        start, stop = offsets[row], offsets[row + 1]
        for i in range(start, stop + 1, 2):  # the last word holds the length, and an odd id
            word = uint64(ids[i]) if i < stop else uint64(0)
            high = ids[i + 1] if i + 1 < stop else ((4 * (stop - start)) & 0xFF) << 24
            word |= uint64(high) << uint64(32)
            v3 ^= word
            for _ in range(2):
                v0, v1, v2, v3 = _round(v0, v1, v2, v3)
            v0 ^= word
        v2 ^= uint64(0xEE)
        for i in range(8):
            if i == 4:
                digests[row, 0] = v0 ^ v1 ^ v2 ^ v3
                v1 ^= uint64(0xDD)
            v0, v1, v2, v3 = _round(v0, v1, v2, v3)
        digests[row, 1] = v0 ^ v1 ^ v2 ^ v3
