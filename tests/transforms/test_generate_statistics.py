"""Generated rows as a sample: their distribution is the fit's, and they are independent.

Every statistic is a chi-square: of d degrees of freedom, its mean is d and its standard deviation
√(2d). Seeds are fixed; a bound of five standard deviations either way is passed by a fair generator
with another seed as well, but for one time in 100,000. Beside each test stands what it would find:
a deviation that adds ten standard deviations to the statistic, so that it fails for certain.
"""

from __future__ import annotations

import numpy as np
import pytest
from driving import make_setting

from transferset.transforms import Position
from transferset.transforms.fit import Fit
from transferset.transforms.generate import MadeRows

ROWS = 200_000
TOKENS = 500
LENGTHS = np.array([0, 1, 2, 3, 5, 8, 9, 14, 20, 33, 50])
LENGTH_COUNTS = np.array([2, 3, 10, 20, 31, 40, 35, 30, 20, 8, 1]) * 1000 + 7


@pytest.fixture(scope="module")
def fit():
    counts = (3e7 / (np.arange(TOKENS) + 2.7)).astype(np.int64)  # Zipf's law
    order = np.random.default_rng(1).permutation(TOKENS)
    tokens = np.column_stack([np.arange(5, TOKENS + 5), counts[order]])
    return Fit(TOKENS + 5, np.column_stack([LENGTHS, LENGTH_COUNTS]), tokens)


@pytest.fixture(scope="module")
def made(fit):
    """Lengths of the rows, and their tokens as a matrix, −1 where a row has ended."""
    batch = MadeRows(fit, make_setting(TOKENS + 5)).make(0, ROWS, Position(20, 1))
    column = batch.column("input_ids")
    offsets, ids = column.offsets.to_numpy(), column.values.to_numpy()
    lengths = np.diff(offsets) - 2
    matrix = np.full((ROWS, LENGTHS[-1]), -1)
    place = np.arange(len(ids)) - np.repeat(offsets[:-1], np.diff(offsets)) - 1
    row = np.repeat(np.arange(ROWS), np.diff(offsets))
    content = (place >= 0) & (place < lengths[row])
    matrix[row[content], place[content]] = ids[content]
    return lengths, matrix


def excess(found, expected, free=1):
    """Standard deviations by which a chi-square is off its mean."""
    assert expected.min() >= 5
    degrees = found.size - free
    return (((found - expected) ** 2 / expected).sum() - degrees) / np.sqrt(2 * degrees)


def assert_independent(a, b):
    """Values of a and b, each from 0, do not know of each other (contingency table)."""
    table = np.zeros((a.max() + 1, b.max() + 1))
    np.add.at(table, (a, b), 1)
    expected = table.sum(1, keepdims=True) * table.sum(0, keepdims=True) / table.sum()
    assert abs(excess(table, expected, free=sum(table.shape) - 1)) < 5


def grouped(tokens, fit, groups=8):
    """Tokens as one of a few classes of nearly equal probability."""
    counts = fit.counts()
    edges = np.cumsum(counts) * groups // (counts.sum() + 1)
    return edges[tokens]


def test_lengths_follow_the_fit(made):
    # 200,000 draws, 10 degrees: finds probabilities that are off by 1.5 % (root mean square)
    found = np.array([(made[0] == length).sum() for length in LENGTHS])
    assert found.sum() == ROWS
    assert abs(excess(found, ROWS * LENGTH_COUNTS / LENGTH_COUNTS.sum())) < 5


def test_tokens_follow_the_fit(made, fit):
    # 1.9 million draws, 499 degrees: finds probabilities that are off by 1.3 %
    drawn = made[1][made[1] >= 0]
    assert len(drawn) > 1_800_000
    found = np.bincount(drawn, minlength=TOKENS + 5)
    assert not found[:5].any()
    counts = fit.tokens[:, 1]
    assert abs(excess(found[5:], len(drawn) * counts / counts.sum())) < 5


@pytest.mark.parametrize("place", [0, 1, 2, 3, 4, 7, 19])
def test_tokens_follow_the_fit_at_every_place(made, fit, place):
    # a word's four random words and both halves of the row's blocks are used at these places
    drawn = made[1][:, place]
    drawn = grouped(drawn[drawn >= 0], fit, 40)
    counts = np.bincount(grouped(fit.tokens[:, 0], fit, 40), fit.tokens[:, 1].astype(float))
    known = counts > 0
    found = np.bincount(drawn, minlength=len(counts))
    assert not found[~known].any()
    assert abs(excess(found[known], len(drawn) * counts[known] / counts.sum())) < 5


@pytest.mark.parametrize(("a", "b"), [(0, 1), (1, 2), (2, 3), (0, 2), (1, 5), (3, 7)])
def test_places_of_a_row_are_independent(made, fit, a, b):
    # at least 120,000 pairs, 49 degrees: finds a dependence that moves cells by 3 %
    both = made[1][:, b] >= 0
    assert both.sum() > 120_000
    assert_independent(grouped(made[1][both, a], fit), grouped(made[1][both, b], fit))


@pytest.mark.parametrize("apart", [1, 2, 1000])
@pytest.mark.parametrize("place", [0, 1])
def test_rows_are_independent(made, fit, apart, place):
    tokens = made[1][:, place]
    first, second = tokens[:-apart], tokens[apart:]
    both = (first >= 0) & (second >= 0)
    assert_independent(grouped(first[both], fit), grouped(second[both], fit))


def test_lengths_of_rows_are_independent(made):
    number = np.searchsorted(LENGTHS, made[0]) // 2  # cells of at least five
    assert_independent(number[:-1], number[1:])


@pytest.mark.parametrize("place", [0, 1])
def test_a_rows_length_says_nothing_of_its_tokens(made, fit, place):
    lengths, matrix = made
    there = lengths > place
    number = np.searchsorted(LENGTHS[place < LENGTHS], lengths[there])
    assert_independent(number, grouped(matrix[there, place], fit))


def test_token_count_and_mean_length_are_the_parents_within_sampling_error(made):
    mean = (LENGTHS * LENGTH_COUNTS).sum() / LENGTH_COUNTS.sum()
    spread = np.sqrt((LENGTHS**2 * LENGTH_COUNTS).sum() / LENGTH_COUNTS.sum() - mean**2)
    assert abs(made[0].mean() - mean) < 4 * spread / np.sqrt(ROWS)
