"""Rows of any lengths as matrices: padding, what is padding, and which text of a pair it is."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import uint64

from transferset.compiled import kernel
from transferset.errors import InputError, sentence

Int64 = npt.NDArray[np.int64]

_1 = uint64(1)


def width_of(offsets: Int64, multiple: int = 1, length: int | None = None) -> int:
    """How wide the matrix of some rows is.

    Args:
        offsets: int64[rows + 1].
        multiple: The width is one of it, ≥ 1.
        length: The width whatever the rows are; None for that of the longest.

    Raises:
        InputError: A row is longer than `length`.
    """
    longest = int(np.diff(offsets).max(initial=0))
    if length is not None and longest > length:
        do = "raise length, or build the set with --max-len"
        raise InputError(sentence(f"rows of at most {length:,} ids", f"{longest:,}", do=do))
    width = longest if length is None else length
    return -(-width // multiple) * multiple


def padded(
    values: npt.NDArray[Any],
    offsets: Int64,
    fill: float,
    dtype: npt.DTypeLike = np.int64,
    multiple: int = 1,
    length: int | None = None,
) -> npt.NDArray[Any]:
    """Rows as a matrix.

    Args:
        values: Of all rows, [n].
        offsets: int64[rows + 1]; row i is `values[offsets[i]:offsets[i + 1]]`.
        fill: Stands after short rows.
        dtype: Of the matrix.
        multiple: See `width_of`.
        length: See `width_of`.

    Returns:
        [rows, width]

    Raises:
        InputError: A row is longer than `length`.
    """
    out = np.empty((len(offsets) - 1, width_of(offsets, multiple, length)), dtype)
    _pad(values, offsets, out.dtype.type(fill), out)
    return out


def attention(offsets: Int64, width: int) -> Int64:
    """1 where there is an id, 0 where there is padding, int64[rows, width]."""
    out = np.empty((len(offsets) - 1, width), np.int64)
    _present(offsets, out)
    return out


def sides(ids: npt.NDArray[np.integer], offsets: Int64, separator: int, width: int) -> Int64:
    """Which text of `[CLS] a [SEP] b [SEP]` each id is of: `token_type_ids`.

    Args:
        ids: Of all rows, [n].
        offsets: int64[rows + 1].
        separator: Id of [SEP].
        width: Of the matrix.

    Returns:
        int64[rows, width], 1 after the first separator, else 0; padding is 0.
    """
    out = np.empty((len(offsets) - 1, width), np.int64)
    _sides(ids, offsets, np.int64(separator), out)
    return out


@kernel
def _pad(values: Any, offsets: Any, fill: Any, out: Any) -> None:
    rows, width = out.shape
    for r in range(uint64(rows)):
        start = uint64(offsets[r])
        length = uint64(offsets[r + _1]) - start
        for i in range(length):
            out[r, i] = values[start + i]
        for i in range(length, uint64(width)):
            out[r, i] = fill


@kernel
def _present(offsets: Any, out: Any) -> None:
    rows, width = out.shape
    for r in range(uint64(rows)):
        length = uint64(offsets[r + _1]) - uint64(offsets[r])
        for i in range(length):
            out[r, i] = 1
        for i in range(length, uint64(width)):
            out[r, i] = 0


@kernel
def _sides(ids: Any, offsets: Any, separator: Any, out: Any) -> None:
    rows, width = out.shape
    for r in range(uint64(rows)):
        start, side = uint64(offsets[r]), 0
        length = uint64(offsets[r + _1]) - start
        for i in range(length):
            out[r, i] = side
            if ids[start + i] == separator:
                side = 1
        for i in range(length, uint64(width)):
            out[r, i] = 0
