"""One figure of several seeds."""

from __future__ import annotations

import math
import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transferset import UsageError
from transferset.metrics.seeds import over_seeds, t_quantile

#: The tables in every textbook: two-sided 95 %.
TABLE = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 9: 2.262, 30: 2.042, 120: 1.980}


@pytest.mark.parametrize(("freedom", "t"), TABLE.items())
def test_quantiles_are_those_of_the_table(freedom, t):
    assert round(t_quantile(freedom, 0.95), 3) == t


@pytest.mark.parametrize("freedom", [*range(1, 12), 40, 199])
@pytest.mark.parametrize("level", [0.5, 0.9, 0.95, 0.99])
def test_quantiles_are_those_of_scipy(freedom, level):
    stats = pytest.importorskip("scipy.stats")
    assert t_quantile(freedom, level) == pytest.approx(stats.t.ppf((1 + level) / 2, freedom))


def test_five_seeds_by_hand():
    found = over_seeds([0.80, 0.82, 0.90, 0.84, 0.84])
    assert found[:4] == (5, 0.84, 0.80, 0.90)
    assert found.mean == pytest.approx(0.84)
    # squares of −4, −2, 6, 0, 0 hundredths: 56 / 4
    half = 2.776445 * math.sqrt(14e-4) / math.sqrt(5)
    assert (found.low, found.high) == pytest.approx((0.84 - half, 0.84 + half), abs=1e-8)


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=9), st.randoms(use_true_random=False))
def test_figures_are_those_of_the_standard_library(scores, order):
    found = over_seeds(scores)
    assert found.median == pytest.approx(statistics.median(scores))
    assert found.mean == pytest.approx(statistics.mean(scores))
    assert (found.least, found.most) == (min(scores), max(scores))
    half = t_quantile(len(scores) - 1, 0.95) * statistics.stdev(scores) / math.sqrt(len(scores))
    assert (found.high - found.low) / 2 == pytest.approx(half, abs=1e-9)
    order.shuffle(scores)
    assert over_seeds(scores) == found


def test_the_interval_covers_the_mean_as_often_as_stated():
    # 2,000 times three normal scores: 95 % ± 0.5; with 1.96 in place of 4.30 it would be 81 %.
    draws = np.random.default_rng(1).normal(size=(2000, 3))
    found = [over_seeds(row) for row in draws.tolist()]
    assert 0.93 < sum(f.low <= 0 <= f.high for f in found) / 2000 < 0.97


def test_one_seed_has_no_interval():
    found = over_seeds([0.8])
    assert found[:5] == (1, 0.8, 0.8, 0.8, 0.8)
    assert math.isnan(found.low)
    assert math.isnan(found.high)


def test_a_training_that_failed_is_not_passed_over():
    found = over_seeds([0.8, math.nan, 0.9])
    assert found.seeds == 3
    assert all(math.isnan(x) for x in found[1:])


def test_equal_scores_have_an_interval_of_no_width():
    assert over_seeds([0.5, 0.5, 0.5]) == (3, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5)


def test_what_is_wrong_with_the_input_is_said():
    with pytest.raises(UsageError, match="the score of at least one seed, found none"):
        over_seeds([])
    with pytest.raises(UsageError, match="above 0 and below 1, found 95"):
        over_seeds([0.5], level=95)
