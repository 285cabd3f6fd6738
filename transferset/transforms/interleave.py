"""Picking rows of words, and putting rows of two sources in one order."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from numba import uint64

from transferset.compiled import kernel
from transferset.errors import TransfersetError, sentence
from transferset.transforms.buffers import Ids, lists
from transferset.transforms.word_table import utf8
from transferset.transforms.wording import Words

#: A list or text column as flat values and offsets from 0.
Flat = tuple[npt.NDArray[Any], npt.NDArray[Any]]

#: Rows of two sources: i ≥ 0 is row i of the first, ~i row i of the second.
Picks = npt.NDArray[np.int64]


def pick_words(side: Words, picked: npt.NDArray[np.int64]) -> Words:
    """The rows numbered `picked` of a side."""
    offsets = np.append(0, np.cumsum(np.diff(side.offsets)[picked]))
    codes, space = np.empty(offsets[-1], np.int32), np.empty(offsets[-1], np.uint8)
    _pick(side, picked, offsets, codes, space)
    return Words(codes, space, offsets)


@kernel
def _pick(side: Any, picked: Any, offsets: Any, codes: Any, space: Any) -> None:
    old_codes, old_space = side.codes, side.space
    for i in range(len(picked)):
        to, size = uint64(offsets[i]), uint64(offsets[i + 1] - offsets[i])
        at = uint64(side.offsets[picked[i]])
        for j in range(size):
            codes[to + j], space[to + j] = old_codes[at + j], old_space[at + j]


@kernel
def mark_changed(before: Any, after: Any, each: Any, changed: Any) -> None:
    """Mark the rows whose words or spaces have changed.

    Args:
        before: `wording.Words`.
        after: Those of `each` attempts on each row.
        each: Attempts on a row.
        changed: bool[rows · each]; true is written where a row is another.
    """
    old, gaps, new, new_gaps = before.codes, before.space, after.codes, after.space
    for i in range(len(changed)):
        start, at = uint64(before.offsets[i // each]), uint64(after.offsets[i])
        count = uint64(before.offsets[i // each + 1]) - start
        same = uint64(after.offsets[i + 1]) - at == count
        j = uint64(0)
        while same and j < count:
            same = new[at + j] == old[start + j]
            # a space after the last word means nothing
            same &= j + uint64(1) == count or new_gaps[at + j] == gaps[start + j]
            j += uint64(1)
        changed[i] |= not same


@kernel
def mark_equal(ids: Ids, offsets: Any, others: Ids, starts: Any, which: Any, equal: Any) -> None:
    """Mark the rows whose ids are those of another row.

    Args:
        ids: Of the rows.
        offsets: int32[rows + 1].
        others: Of the other rows.
        starts: int32, their offsets.
        which: int64[rows], the other row that each is compared with.
        equal: bool[rows], is written.
    """
    for i in range(len(which)):
        at, start = offsets[i], starts[which[i]]
        count = offsets[i + 1] - at
        same = starts[which[i] + 1] - start == count
        j = 0
        while same and j < count:
            same = ids[at + j] == others[start + j]
            j += 1
        equal[i] = same


def interleave_lists(first: Flat, second: Flat, picks: Picks) -> pa.ListArray:
    """A list column out of two."""
    values, offsets = _interleaved(first, second, picks)
    return lists(values, offsets)


def interleave_texts(first: pa.StringArray, second: pa.StringArray, picks: Picks) -> pa.StringArray:
    """A text column out of two."""
    values, offsets = _interleaved(utf8(first), utf8(second), picks)
    buffers = [pa.py_buffer(offsets), pa.py_buffer(values)]
    return pa.StringArray.from_buffers(len(picks), *buffers)


def _interleaved(first: Flat, second: Flat, picks: Picks) -> Flat:
    lengths = np.where(
        picks >= 0,
        np.append(np.diff(first[1]), 0)[np.maximum(picks, 0)],
        np.append(np.diff(second[1]), 0)[np.maximum(~picks, 0)],
    )
    offsets = np.append(0, np.cumsum(lengths, dtype=np.int64))
    if offsets[-1] >= 1 << 31:
        found = f"{offsets[-1]:,} bytes or ids"
        raise TransfersetError(sentence("a batch below 2**31", found, do="vary shorter rows"))
    values = np.empty(offsets[-1], first[0].dtype)
    _interleave(*first, *second, picks, offsets, values)
    return values, offsets.astype(np.int32)


@kernel
def _interleave(
    first: Any, first_at: Any, second: Any, second_at: Any, picks: Any, offsets: Any, values: Any
) -> None:
    for i in range(len(picks)):
        to, size = uint64(offsets[i]), uint64(offsets[i + 1] - offsets[i])
        if picks[i] >= 0:
            source, at = first, uint64(first_at[picks[i]])
        else:
            source, at = second, uint64(second_at[~picks[i]])
        for j in range(size):
            values[to + j] = source[at + j]
