"""Order noise as a distribution. Seeds are fixed; chi-square is in standard deviations.

Power: a fair shuffle stays below the limit of 6 with a chance above 99.7 % at one degree of freedom
and 99.99 % at many, so nearly any other seed would pass too. With 48,000 rows and 24 cells, a
shuffle whose cells are off by 4.4 % (root mean square) is found with a chance of 99 %: its
statistic lies 48,000 · 0.044² = 93 higher, 52 above the limit, 2.5 of its standard deviations.
Swapping each token with any other, the usual mistake, is off by 11 % at three tokens.
"""

from __future__ import annotations

from itertools import permutations
from math import factorial

import numpy as np
import pyarrow as pa
import pytest
from driving import CLS, SEP, make_setting, run_step
from plain_noise import chi_square

from transferset.steps import Shuffle
from transferset.transforms import buffers

SETTING = make_setting(40, word_start=np.arange(40) % 2 == 0)
LIMIT = 6


def orders(content, rows, step=None, *, seed=11, ordinal=0):
    """The contents of `rows` equal rows after a step, shape [rows, tokens]."""
    row = np.array([CLS, *content, SEP], np.uint16)
    offsets = np.arange(rows + 1, dtype=np.int32) * len(row)
    column = buffers.lists(np.tile(row, rows), offsets)
    batch = buffers.addressed(pa.record_batch({"input_ids": column}), 0)
    (found,) = run_step(step or Shuffle(), [batch], SETTING, seed=seed, ordinal=ordinal).batches
    return buffers.flat(found)[0].reshape(rows, -1)[:, 1:-1].astype(np.int64)


def as_numbers(found):
    """Each order as a number: its places in base n."""
    return (found * 64 ** np.arange(found.shape[1])).sum(axis=1)


def counts_of(found, expected_orders):
    numbers, counts = np.unique(as_numbers(found), return_counts=True)
    by_number = dict(zip(numbers.tolist(), counts.tolist(), strict=True))
    wanted = as_numbers(np.array(expected_orders)).tolist()
    assert set(by_number) <= set(wanted), "an order that cannot be"
    return [by_number.get(number, 0) for number in wanted]


@pytest.mark.parametrize("n", range(2, 9))
def test_every_token_is_equally_likely_at_every_place(n):
    found = orders(range(5, 5 + n), 40_000)
    table = [(found == token).sum(axis=0) for token in range(5, 5 + n)]
    # a row fills one cell in each line and column of the table, so that Pearson's statistic is
    # n / (n − 1) times one of (n − 1)² degrees of freedom
    statistic = ((np.array(table) - 40_000 / n) ** 2 / (40_000 / n)).sum()
    scaled, freedom = statistic * (n - 1) / n, (n - 1) ** 2
    assert abs(scaled - freedom) < LIMIT * np.sqrt(2 * freedom)


@pytest.mark.parametrize("n", [2, 3, 4])
def test_all_orders_are_equally_likely(n):
    found = orders(range(5, 5 + n), 48_000)
    counts = counts_of(found, list(permutations(range(5, 5 + n))))
    assert abs(chi_square(counts, 48_000 / factorial(n))) < LIMIT


def test_a_naive_shuffle_would_be_found():
    random = np.random.default_rng(1)
    found = np.tile([5, 6, 7], (48_000, 1))
    every = np.arange(48_000)
    for i in range(3):  # any of the three, where only those from i on would be fair
        j = random.integers(0, 3, 48_000)
        found[every, i], found[every, j] = found[every, j], found[every, i].copy()
    assert chi_square(counts_of(found, list(permutations([5, 6, 7]))), 8_000) > 3 * LIMIT


def test_all_orders_of_words_are_equally_likely():
    # three words of one, two and three pieces: even ids begin a word
    words = [(6,), (8, 5), (10, 7, 9)]
    found = orders([token for word in words for token in word], 48_000, Shuffle(words=True))
    expected = [[t for word in order for t in word] for order in permutations(words)]
    assert abs(chi_square(counts_of(found, expected), 8_000)) < LIMIT


def test_tokens_that_are_equal_share_their_places():
    # a a b: b stands at each of three places in a third of the rows
    found = orders([5, 5, 6], 30_000)
    assert abs(chi_square((found == 6).sum(axis=0), 10_000)) < LIMIT


@pytest.mark.parametrize("apart", [1, 2, 4, 10_000])
def test_orders_of_different_rows_are_independent(apart):
    # all pairs of orders of rows that far from another: 36 cells of 1,333
    order = as_numbers(orders([5, 6, 7], 48_000 + apart))
    assert abs(chi_square(pairs(order[:-apart], order[apart:]), 48_000 / 36)) < LIMIT


@pytest.mark.parametrize("other", [{"seed": 12}, {"ordinal": 1}, {"seed": 11 + 2**32}])
def test_orders_of_a_row_under_other_seeds_and_steps_are_independent(other):
    one, two = (as_numbers(orders([5, 6, 7], 48_000, **how)) for how in ({}, other))
    assert abs(chi_square(pairs(one, two), 48_000 / 36)) < LIMIT


def test_orders_of_the_two_segments_of_a_pair_are_independent():
    found = orders([5, 6, 7, SEP, 8, 9, 10], 48_000)
    assert (found[:, 3] == SEP).all()
    one, two = as_numbers(found[:, :3]), as_numbers(found[:, 4:])
    assert abs(chi_square(pairs(one, two), 48_000 / 36)) < LIMIT


def pairs(one, other):
    """How often each pair of values occurs, of six values each."""
    index = [np.unique(values, return_inverse=True)[1] for values in (one, other)]
    return np.bincount(index[0] * 6 + index[1], minlength=36)


def test_the_window_prefers_near_orders_as_stated():
    # i + U(0, 2): a pair of neighbours swaps if u − v > 1/2 for uniform u, v, in 1 of 8 cases, and
    # of three units only one pair can: 6/8, 1/8, 1/8
    found = orders([5, 6, 7], 48_000, Shuffle(window=1))
    counts = counts_of(found, [[5, 6, 7], [6, 5, 7], [5, 7, 6]])
    assert abs(chi_square(counts, [36_000, 6_000, 6_000])) < LIMIT


@pytest.mark.parametrize("window", [2, 3, 7, 1000])
def test_the_window_has_the_distribution_of_its_definition(window):
    # the same noise drawn by numpy's own generator, with ties impossible; both samples are random,
    # so the difference of two counts has twice the variance: 24 cells of about 48,000 rows
    rows, content = 96_000, [5, 6, 7, 8]
    random = np.random.default_rng(3)
    noise = np.arange(4) + random.uniform(0, window + 1, (rows, 4))
    expected = [list(order) for order in permutations(content)]
    one = np.array(counts_of(orders(content, rows, Shuffle(window=window)), expected))
    two = np.array(counts_of(5 + np.argsort(noise, axis=1), expected))
    seen = (one + two) > 0
    statistic = ((one - two)[seen] ** 2 / (one + two)[seen]).sum()
    freedom = seen.sum() - 1
    assert abs(statistic - freedom) < LIMIT * np.sqrt(2 * freedom)
