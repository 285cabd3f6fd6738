"""Random sort keys of rows, a function of their addresses alone.

A key is the first two of the four words at a row's address. Whatever is chosen by the smallest keys
is chosen uniformly, and a larger choice contains a smaller one (bottom-k sampling: Cohen & Kaplan
2007, "Summarizing data using bottom-k sketches", § 2).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import uint32, uint64

from transferset.compiled import inlined, kernel
from transferset.philox import block

Keys = npt.NDArray[np.uint64]

_32 = uint64(32)
_ZERO = uint32(0)


@inlined
def join(high: Any, low: Any) -> Any:
    """Two words as one number: uint64 of two uint32."""
    return (uint64(high) << _32) | uint64(low)


@kernel
def row_keys(rows: Any, copies: Any, k0: Any, k1: Any) -> Any:
    """Keys of rows anywhere.

    Args:
        rows: uint64[n], addresses.
        copies: uint32[n], addresses.
        k0: uint32, key of the step.
        k1: uint32, key of the step.

    Returns:
        uint64[n].
    """
    keys = np.empty(len(rows), np.uint64)
    for i in range(len(rows)):
        w0, w1, _, _ = block(rows[i], copies[i], _ZERO, k0, k1)
        keys[i] = join(w0, w1)
    return keys


@kernel
def consecutive_keys(first: Any, count: Any, k0: Any, k1: Any) -> Any:
    """Keys of the rows (first, 0), (first + 1, 0), …; two to three times as fast as `row_keys`.

    Args:
        first: uint64.
        count: How many.
        k0: uint32, key of the step.
        k1: uint32, key of the step.

    Returns:
        uint64[count].
    """
    keys = np.empty(count, np.uint64)
    for i in range(count):
        w0, w1, _, _ = block(uint64(first) + uint64(i), _ZERO, _ZERO, k0, k1)
        keys[i] = join(w0, w1)
    return keys


@kernel
def document_keys(part: Any, source: Any, doc_id: Any, k0: Any, k1: Any) -> Any:
    """Keys of the documents that rows come from: the identity fills one counter.

    Args:
        part: uint32[n], part of a mix, or 0.
        source: uint32[n], source code, or 0.
        doc_id: uint64[n].
        k0: uint32, key of the step.
        k1: uint32, key of the step.

    Returns:
        uint64[n]; rows of one document have one key.
    """
    keys = np.empty(len(doc_id), np.uint64)
    for i in range(len(doc_id)):
        w0, w1, _, _ = block(doc_id[i], part[i], source[i], k0, k1)
        keys[i] = join(w0, w1)
    return keys
