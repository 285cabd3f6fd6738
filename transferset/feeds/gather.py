"""Gathering rows out of mapped record batches: one pass, whatever shards they lie in.

Of each record batch only addresses are known: where the offsets of a column begin, and where its
values do. Whoever gives them has checked the offsets, and keeps the memory mapped.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import int32, types, uint8
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.numpy_support import carray as typed_carray

from transferset.compiled import kernel

Int64 = npt.NDArray[np.int64]
Addresses = npt.NDArray[np.uint64]


#: Kernels give it an address, which its annotations do not know.
carray: Any = typed_carray


def _cast(typing: Any, address: Any) -> Any:
    """An address as what `carray` takes."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], cgutils.voidptr_t)

    return types.voidptr(address), code


_pointer: Any = intrinsic(_cast)


@kernel
def locate(
    rows: Int64, starts: Int64, firsts: Int64, size: int, ready: Any, batch: Int64, place: Int64
) -> int:
    """Find rows in record batches.

    Args:
        rows: int64[n].
        starts: int64[shards + 1], the first row of each shard.
        firsts: int64[shards + 1], the first record batch of each.
        size: Rows of a record batch.
        ready: bool[batches], whether the addresses of a batch are known.
        batch: int64[n], filled: the batch of each row,
        place: int64[n], filled: and its place there.

    Returns:
        How many lie in a batch that is not ready; −1 if one lies in none.
    """
    missing = 0
    for i in range(len(rows)):
        if not 0 <= rows[i] < starts[-1]:
            return -1
        shard = np.searchsorted(starts, rows[i], "right") - 1
        within = rows[i] - starts[shard]
        batch[i] = firsts[shard] + within // size
        place[i] = within % size
        missing += not ready[batch[i]]
    return missing


@kernel
def list_offsets(offsets_at: Addresses, batch: Int64, place: Int64, new: Int64) -> None:
    """The offsets of rows when they stand one after another.

    Args:
        offsets_at: uint64[batches], addresses of int32 offsets.
        batch: int64[n], of each row,
        place: int64[n], and its place there.
        new: int64[n + 1], filled, from 0.
    """
    new[0] = 0
    for i in range(len(batch)):
        bounds = carray(_pointer(offsets_at[batch[i]]), (place[i] + 2,), int32)
        new[i + 1] = new[i] + (bounds[place[i] + 1] - bounds[place[i]])


@kernel
def list_values(
    offsets_at: Addresses, values_at: Addresses, batch: Int64, place: Int64, new: Int64, target: Any
) -> None:
    """Copy the values of rows of different lengths.

    Args:
        offsets_at: uint64[batches], addresses of int32 offsets.
        values_at: uint64[batches], addresses of values as wide as those of `target`.
        batch: int64[n], of each row,
        place: int64[n], and its place there.
        new: int64[n + 1], from `list_offsets`.
        target: Unsigned integers, shape [new[-1]], filled.
    """
    for i in range(len(batch)):
        bounds = carray(_pointer(offsets_at[batch[i]]), (place[i] + 2,), int32)
        start, stop = bounds[place[i]], bounds[place[i] + 1]
        values = carray(_pointer(values_at[batch[i]]), (stop,), target.dtype)
        shift = new[i] - start
        for j in range(start, stop):
            target[shift + j] = values[j]


@kernel
def fixed_values(values_at: Addresses, batch: Int64, place: Int64, target: Any) -> None:
    """Copy the values of rows of one length.

    Args:
        values_at: uint64[batches], addresses of values as wide as those of `target`.
        batch: int64[n], of each row,
        place: int64[n], and its place there.
        target: Unsigned integers, shape [n, values a row], filled.
    """
    width = target.shape[1]
    for i in range(len(batch)):
        start = place[i] * width
        values = carray(_pointer(values_at[batch[i]]), (start + width,), target.dtype)
        for j in range(width):
            target[i, j] = values[start + j]


@kernel
def nulls(bits_at: Addresses, batch: Int64, place: Int64, missing: Any) -> None:
    """Which rows are null.

    Args:
        bits_at: uint64[batches], addresses of validity bitmaps; 0 where a batch has no null.
        batch: int64[n], of each row,
        place: int64[n], and its place there.
        missing: bool[n], filled.
    """
    for i in range(len(batch)):
        missing[i] = False
        if bits_at[batch[i]]:
            byte = place[i] >> 3
            bits = carray(_pointer(bits_at[batch[i]]), (byte + 1,), uint8)
            missing[i] = not (bits[byte] >> (place[i] & 7)) & 1
