"""Rows that are too long for a model lose their end, but never their last separator."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from transferset.compiled import kernel
from transferset.students.rows import Rows
from transferset.transforms.framing import longest_first


def cut(rows: Rows, length: int, separator: int) -> Rows:
    """Rows of at most so many ids.

    Args:
        rows: `[CLS] a [SEP]` or `[CLS] a [SEP] b [SEP]`.
        length: Most ids, at least 5. Of a pair the longer text loses its end first, as the
            `tokenizers` library does it.
        separator: Id of [SEP].

    Returns:
        The rows; one that was longer has exactly so many.
    """
    lengths = rows.lengths
    if int(lengths.max(initial=0)) <= length:
        return rows
    kept = np.ones(len(rows.ids), np.bool_)
    _mark(rows.ids, rows.offsets, length, separator, kept)
    return Rows(rows.ids[kept], np.append(0, np.cumsum(np.minimum(lengths, length))))


def cut_length(lengths: npt.NDArray[np.integer], length: int) -> npt.NDArray[np.int32]:
    """Ids of rows after `cut`, int32[rows]."""
    kept: npt.NDArray[np.int32] = np.minimum(lengths, length).astype(np.int32)
    return kept


@kernel
def _mark(ids: Any, offsets: Any, length: Any, separator: Any, kept: Any) -> None:
    for row in range(len(offsets) - 1):
        start, stop = offsets[row], offsets[row + 1]
        if stop - start <= length:
            continue
        middle = start + 1
        while middle < stop - 1 and ids[middle] != separator:
            middle += 1
        if middle == stop - 1:  # one text
            kept[start + length - 1 : stop - 1] = False
            continue
        first, second = middle - start - 1, stop - middle - 2
        a, b = longest_first(first, second, length - 3)
        kept[start + 1 + a : middle] = False
        kept[middle + 1 + b : stop - 1] = False
