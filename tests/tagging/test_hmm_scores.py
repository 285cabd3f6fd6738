"""Deleted interpolation and scores, by hand and by plain Python."""

from __future__ import annotations

from itertools import product
from math import log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from transferset.tagging.hmm_scores import UNIT, moves, priors, scores, sums, weights

COUNTS = arrays.arrays(np.int64, (3, 3, 3), elements=st.integers(0, 5)).filter(np.any)


def test_weights_are_those_of_brants_figure_1_done_by_hand() -> None:
    # states 0, 1; triples 000 × 3, 001 × 1, 011 × 2, so N = 6
    counts = np.zeros((2, 2, 2), np.int64)
    counts[0, 0, 0], counts[0, 0, 1], counts[0, 1, 1] = 3, 1, 2
    # f(next): 0 → 3, 1 → 3; f(last, next): 00 → 3, 01 → 1, 11 → 2; f(before, last): 00 → 4, 01 → 2
    # 000: one (3−1)/(6−1) = .4, two (3−1)/(4−1) = .67, three (3−1)/(4−1) = .67 → three gets 3
    # 001: .4, (1−1)/(4−1) = 0, (1−1)/(4−1) = 0                             → one gets 1
    # 011: .4, (2−1)/(2−1) = 1, (2−1)/(2−1) = 1                             → three gets 2
    assert weights(sums(counts)) == (1 / 6, 0.0, 5 / 6)


def test_a_triple_that_occurs_once_says_nothing_for_long_histories() -> None:
    counts = np.zeros((2, 2, 2), np.int64)
    counts[0, 0, 1] = counts[1, 0, 1] = counts[0, 1, 1] = counts[1, 1, 0] = 1
    one, two, three = weights(sums(counts))
    # 0·1 twice: two (2−1)/(2−1) = 1 beats all; the others: one (3−1)/3 and (1−1)/3
    assert (one, two, three) == (0.25, 0.5, 0.25)


@given(COUNTS)
def test_moves_are_the_interpolated_formula(counts: np.ndarray) -> None:
    one, two, three = weights(sums(counts))
    assert one + two + three == pytest.approx(1)
    found = moves(sums(counts))
    pairs = counts.sum(axis=0)
    for a, b, c in product(range(3), repeat=3):
        single = pairs[:, c].sum() / counts.sum()
        pair = pairs[b, c] / max(pairs[b].sum(), 1)
        triple = counts[a, b, c] / max(counts[a, b].sum(), 1)
        expected = log(max(one * single + two * pair + three * triple, 1e-10))
        assert abs(found[a, b, c] - expected * UNIT) <= 0.5 + 1e-6


def test_scores_are_whole_steps_and_never_minus_infinity() -> None:
    assert scores(np.array([1.0, np.exp(-1.0)])).tolist() == [0, -int(UNIT)]
    counts = np.zeros((2, 2, 2), np.int64)
    counts[0, 0, 0] = 1
    assert moves(sums(counts)).min() == round(log(1e-10) * UNIT)


def test_a_state_that_never_occurred_has_half_an_occurrence_as_prior() -> None:
    counts = np.zeros((3, 3, 3), np.int64)
    counts[2, 2, 0] = 7
    counts[2, 0, 2] = 7
    assert priors(sums(counts)).tolist() == [7 / 7.5, 0.5 / 7.5]
