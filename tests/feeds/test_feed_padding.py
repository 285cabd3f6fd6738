"""Rows as matrices, against plain Python."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transferset.errors import InputError
from transferset.feeds.padding import attention, padded, sides, width_of

ROWS = st.lists(st.lists(st.integers(5, 999), max_size=9), max_size=6)


def ragged(rows, kind=np.uint16):
    offsets = np.append(0, np.cumsum([len(row) for row in rows], dtype=np.int64)).astype(np.int64)
    return np.array([one for row in rows for one in row], kind), offsets


@given(ROWS, st.sampled_from([1, 2, 8]), st.sampled_from([np.uint16, np.int32]))
def test_padded_rows_are_those_of_plain_python(rows, multiple, kind):
    width = -(-max(map(len, rows), default=0) // multiple) * multiple
    values, offsets = ragged(rows, kind)
    found = padded(values, offsets, 0, multiple=multiple)
    assert found.tolist() == [row + [0] * (width - len(row)) for row in rows]
    assert found.shape == (len(rows), width)
    assert found.dtype == np.int64
    present = [[1] * len(row) + [0] * (width - len(row)) for row in rows]
    assert attention(offsets, width).tolist() == present


def test_what_stands_after_short_rows_and_of_which_type():
    found = padded(*ragged([[7], [8, 9]], np.int32), -100, dtype=np.int32)
    assert found.tolist() == [[7, -100], [8, 9]]
    assert found.dtype == np.int32


def test_a_width_that_is_given():
    values, offsets = ragged([[7], [8, 9]])
    assert padded(values, offsets, 0, length=3).tolist() == [[7, 0, 0], [8, 9, 0]]
    assert width_of(offsets, multiple=8, length=3) == 8
    with pytest.raises(InputError, match="rows of at most 1 ids, found 2"):
        padded(values, offsets, 0, length=1)


def test_sides_of_pairs():
    """[CLS] a a [SEP] b [SEP], and a row without a second text."""
    found = sides(*ragged([[2, 5, 6, 3, 7, 3], [2, 5, 3]]), separator=3, width=8)
    assert found.tolist() == [[0, 0, 0, 0, 1, 1, 0, 0], [0] * 8]
