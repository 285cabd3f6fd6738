"""The highest scores, ties in order of their places."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transferset.language_models.ranking import highest

torch = pytest.importorskip("torch")

SCORE = st.sampled_from([-1.5, 0.0, 0.25, 3.0, float("-inf")])


def rows_of(width):
    return st.lists(st.lists(SCORE, min_size=width, max_size=width), min_size=1, max_size=4)


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 12).flatmap(rows_of), st.integers(1, 15))
def test_as_a_sort_by_score_and_place(rows, count):
    found = highest(torch.tensor(rows, dtype=torch.float32), count)
    for row, places in zip(rows, found, strict=True):
        order = sorted(range(len(row)), key=lambda i: (-row[i], i))[:count]
        assert places.tolist() == [i for i in order if row[i] > float("-inf")]


def test_of_nothing_there_is_no_highest():
    assert [len(places) for places in highest(torch.zeros((3, 0)), 5)] == [0, 0, 0]
    assert highest(torch.zeros((0, 4)), 5) == []


def test_ties_of_many():
    scores = torch.zeros((2, 5000))
    scores[1, 4000:] = 1
    found = highest(scores, 3)
    assert np.array_equal(found, [[0, 1, 2], [4000, 4001, 4002]])
