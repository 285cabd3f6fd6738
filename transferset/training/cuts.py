"""Cutting rows into batches of at most so many ids, padding included."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from transferset.compiled import kernel

Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]


@kernel
def cut(lengths: Int32, window: int, tokens: int) -> Int64:
    """Where batches begin and end, as many rows in each as go in.

    Args:
        lengths: Of the rows, in order, shape [rows].
        window: No batch reaches across a multiple of so many rows, ≥ 1.
        tokens: Most of rows × longest, ≥ 1; a longer row is a batch of its own.

    Returns:
        int64[batches + 1], from 0 to rows.
    """
    rows = len(lengths)
    bounds = np.empty(rows + 1, np.int64)
    bounds[0] = 0
    count, start, longest = 0, 0, 0
    for row in range(rows):
        grown = max(longest, lengths[row])
        if row > start and (row % window == 0 or (row + 1 - start) * grown > tokens):
            count += 1
            bounds[count] = start = row
            grown = lengths[row]
        longest = grown
    if rows:
        count += 1
        bounds[count] = rows
    return bounds[: count + 1].copy()
