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

_1 = uint64(1)

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
    i = uint64(0)
    for row in range(len(before.offsets) - 1):
        start = uint64(before.offsets[row])
        count = uint64(before.offsets[row + 1]) - start
        for _ in range(each):
            at = uint64(after.offsets[i])
            same = uint64(after.offsets[i + _1]) - at == count
            if same:
                for j in range(count):  # to the end: where they differ cannot be foreseen
                    same &= new[at + j] == old[start + j]
                    # a space after the last word means nothing
                    same &= (new_gaps[at + j] == gaps[start + j]) | (j + _1 == count)
            changed[i] |= not same
            i += _1


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
        at, start = uint64(offsets[i]), uint64(starts[which[i]])
        count = uint64(offsets[i + 1]) - at
        same = uint64(starts[which[i] + 1]) - start == count
        j = uint64(0)
        while same and j < count:
            same = ids[at + j] == others[start + j]
            j += _1
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
    offsets = np.empty(len(picks) + 1, np.int64)
    _lay_out(first[1], second[1], picks, offsets)
    if offsets[-1] >= 1 << 31:
        found = f"{offsets[-1]:,} bytes or ids"
        raise TransfersetError(sentence("a batch below 2**31", found, do="vary shorter rows"))
    values = np.empty(offsets[-1], first[0].dtype)
    _interleave(*first, *second, picks, offsets, values)
    return values, offsets.astype(np.int32)


@kernel
def _lay_out(first_at: Any, second_at: Any, picks: Any, offsets: Any) -> None:
    offsets[0] = 0
    for i in range(len(picks)):
        if picks[i] >= 0:
            size = first_at[picks[i] + 1] - first_at[picks[i]]
        else:
            size = second_at[~picks[i] + 1] - second_at[~picks[i]]
        offsets[i + 1] = offsets[i] + size


@kernel
def _interleave(
    first: Any, first_at: Any, second: Any, second_at: Any, picks: Any, offsets: Any, values: Any
) -> None:
    """Copy row by row of the first, and rows that follow each other in the second at once."""
    i = 0
    while i < len(picks):
        stop = i + 1
        if picks[i] >= 0:
            source, at = first, uint64(first_at[picks[i]])
        else:
            source, at = second, uint64(second_at[~picks[i]])
            while stop < len(picks) and picks[stop] == picks[stop - 1] - 1:
                stop += 1
        to = uint64(offsets[i])
        for j in range(uint64(offsets[stop]) - to):
            values[to + j] = source[at + j]
        i = stop
