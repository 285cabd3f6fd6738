"""Resampling: addressed, of any block, and as right as it says."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transferset import InputError, UsageError
from transferset.metrics import scores
from transferset.metrics.bootstrap import RESAMPLING, difference, drawn_rows, intervals
from transferset.metrics.tasks import Metric, metrics_of
from transferset.rng import philox, step_key

ACCURACY = Metric("accuracy", scores.accuracy)
PEARSON = Metric("pearson", scores.pearson)


def answers(rows, right=0.8, seed=1, classes=3):
    draw = np.random.default_rng(seed)
    gold = draw.integers(0, classes, rows)
    wrong = (gold + draw.integers(1, classes, rows)) % classes
    return gold, np.where(draw.random(rows) < right, gold, wrong)


def ratings(rows, seed=1, noise=1.0):
    draw = np.random.default_rng(seed)
    gold = np.round(draw.random(rows) * 5, 1)
    return gold, gold + draw.normal(size=rows) * noise


def test_a_draw_is_a_function_of_its_address():
    # draw 9 of resample 5: word 1 of block 2
    address = [np.array([word], np.uint32) for word in (2, 0, 5, 0)]
    word = int(philox(tuple(address), step_key(7, RESAMPLING))[1][0])
    assert drawn_rows(11, 7, 5, 6)[0, 9] == word * 11 >> 32


@given(st.integers(1, 30), st.integers(0, 2**64 - 1), st.integers(0, 9), st.integers(1, 5))
def test_a_resample_is_the_same_alone_or_among_others(rows, seed, first, more):
    together = drawn_rows(rows, seed, first, first + more)
    assert together.shape == (more, rows)
    assert together.min() >= 0
    assert together.max() < rows
    for i in range(more):
        alone = drawn_rows(rows, seed, first + i, first + i + 1)
        assert alone.tolist() == [together[i].tolist()]


def test_each_row_is_drawn_as_often():
    # chi-square of 10 rows in 160,000 draws: 9 degrees of freedom, 99.99 % below 33.7; were one
    # row 5 % likelier than it should be, this would fail in 93 of 100 seeds
    counts = np.bincount(drawn_rows(10, 3, 0, 16_000).ravel(), minlength=10)
    assert ((counts - 16_000) ** 2 / 16_000).sum() < 33.7


def test_seeds_and_resamples_differ():
    assert drawn_rows(50, 0, 0, 1).tolist() != drawn_rows(50, 1, 0, 1).tolist()
    assert drawn_rows(50, 0, 0, 1).tolist() != drawn_rows(50, 0, 1, 2).tolist()


def plain_interval(metric, gold, predicted, seed, resamples, place):
    """One resample at a time."""
    found = []
    for i in range(resamples):
        rows = drawn_rows(len(gold), seed, i, i + 1)[0]
        found.append(metric(gold[rows], predicted[rows]))
    found.sort()
    return found[place - 1], found[-place]


@pytest.mark.parametrize("name", ["cola", "mrpc", "sst2", "stsb"])
def test_an_interval_is_that_of_resamples_one_by_one(name):
    regression = name == "stsb"
    pair = ratings(60) if regression else answers(60, classes=2)
    metrics = metrics_of("regression" if regression else "class", 2, name)
    found = intervals(metrics, *pair, seed=5, resamples=119, level=0.95)
    for metric, interval in zip(metrics, found, strict=True):
        assert interval.value == metric(*pair)
        assert (interval.low, interval.high) == plain_interval(metric, *pair, 5, 119, 3)
        assert interval.undefined == 0


@pytest.mark.parametrize(
    ("resamples", "level", "place"),
    [(1000, 0.95, 25), (999, 0.95, 25), (39, 0.95, 1), (99, 0.9, 5)],
)
def test_the_ends_are_as_many_from_either_end(resamples, level, place):
    gold, predicted = answers(40)
    (found,) = intervals([ACCURACY], gold, predicted, resamples=resamples, level=level)
    assert found[1:3] == plain_interval(ACCURACY, gold, predicted, 0, resamples, place)


@settings(max_examples=30)
@given(st.integers(1, 40), st.integers(1, 2000), st.booleans())
def test_memory_does_not_change_the_result(rows, at_once, regression):
    gold, predicted = ratings(rows) if regression else answers(rows)
    metrics = metrics_of("regression" if regression else "class", 3)
    usual = intervals(metrics, gold, predicted, resamples=39)
    np.testing.assert_equal(
        intervals(metrics, gold, predicted, resamples=39, at_once=at_once), usual
    )
    metric, other = metrics[0], np.roll(predicted, 1)
    np.testing.assert_equal(
        difference(metric, gold, predicted, other, resamples=39, at_once=at_once),
        difference(metric, gold, predicted, other, resamples=39),
    )


def test_scores_share_their_resamples():
    gold, predicted = answers(80)
    metrics = metrics_of("class", 3)
    alone = [intervals([metric], gold, predicted)[0] for metric in metrics]
    assert intervals(metrics, gold, predicted) == alone


def test_all_right_is_certain():
    gold = np.array([0, 1, 2, 1])
    assert intervals([ACCURACY], gold, gold) == [(1.0, 1.0, 1.0, 0)]


def test_resamples_without_a_correlation_are_counted_and_left_out():
    # of three rows a ninth of resamples is one row three times: 111 ± 10 of 1,000
    gold, predicted = np.array([1.0, 2, 3]), np.array([1.0, 2, 4])
    (found,) = intervals([PEARSON], gold, predicted)
    assert 71 < found.undefined < 151
    assert 0.9 < found.low <= found.value <= found.high == 1.0


def test_the_interval_of_the_rest_leaves_out_the_same_share():
    def mean_if_lucky(gold, predicted):
        return np.where(predicted[..., 0] < 0.5, np.nan, predicted.mean(axis=-1))

    values = np.random.default_rng(1).permuted(np.linspace(0, 0.98, 50))
    values[0] = 0.99  # the score of the rows themselves is one
    (found,) = intervals([Metric("mean", mean_if_lucky)], values, values)
    drawn = values[drawn_rows(50, 0, 0, 1000)]
    kept = np.sort(drawn[drawn[:, 0] >= 0.5].mean(axis=1))
    assert found.undefined == 1000 - len(kept)
    place = 25 * (len(kept) + 1) // 1001
    assert 10 < place < 15
    assert (found.low, found.high) == (kept[place - 1], kept[-place])


def test_what_has_no_score_has_no_interval():
    gold = np.arange(5.0)
    (found,) = intervals([PEARSON], gold, np.zeros(5), resamples=100)
    assert all(math.isnan(x) for x in found[:3])
    assert found.undefined == 100
    compared = difference(PEARSON, gold, gold, np.zeros(5), resamples=100)
    assert all(math.isnan(x) for x in compared[:4])
    assert compared.undefined == 100


def test_accuracy_is_covered_as_often_as_stated():
    # 400 sets of 100 rows, 80 % right; 2,000 others gave 95.6 %. Were the coverage 87 % or less,
    # this would fail in 96 of 100 seeds or more. About a second.
    hit = 0
    for i in range(400):
        gold, predicted = answers(100, right=0.8, seed=1000 + i)
        (found,) = intervals([ACCURACY], gold, predicted, seed=i, resamples=199)
        hit += found.low <= 0.8 <= found.high
    assert 0.90 <= hit / 400 <= 0.98


def test_a_correlation_is_covered_as_often_as_stated():
    # 200 sets of 100 pairs with ρ = 0.6; 1,000 others gave 95.0 %. Were the coverage 84 % or
    # less, this would fail in 95 of 100 seeds or more. About a second.
    hit = 0
    for i in range(200):
        x, noise = np.random.default_rng(2000 + i).normal(size=(2, 100))
        y = 0.6 * x + 0.8 * noise
        (found,) = intervals([PEARSON], x, y, seed=i, resamples=199)
        hit += found.low <= 0.6 <= found.high
    assert 0.885 <= hit / 200 <= 0.99


class TestDifference:
    """Paired bootstrap of two systems."""

    def test_it_is_that_of_resamples_one_by_one(self):
        gold, ours = answers(60, right=0.9)
        theirs = answers(60, right=0.9)[1]
        theirs[:9] = (gold[:9] + 1) % 3
        found = difference(ACCURACY, gold, ours, theirs, seed=4, resamples=200)
        gained = []
        for i in range(200):
            rows = drawn_rows(60, 4, i, i + 1)[0]
            score = [float((gold[rows] == side[rows]).mean()) for side in (ours, theirs)]
            gained.append(score[0] - score[1])
        assert found.value == float((gold == ours).mean()) - float((gold == theirs).mean())
        as_much = sum(g > 2 * found.value - 1e-9 for g in gained)
        assert found.p_value == (as_much + 1) / 201
        gained.sort()
        assert (found.low, found.high) == (gained[4], gained[-5])

    def test_equal_systems_do_not_differ(self):
        gold, ours = answers(50)
        assert difference(ACCURACY, gold, ours, ours) == (0.0, 0.0, 0.0, 1.0, 0)

    def test_the_worse_system_is_not_better(self):
        gold, worse = answers(300, right=0.7)
        assert difference(ACCURACY, gold, gold, worse).p_value == 1 / 1001
        assert difference(ACCURACY, gold, worse, gold).p_value == 1.0

    def test_the_interval_turns_round_with_the_systems(self):
        gold, ours = answers(100, right=0.9)
        theirs = answers(100, right=0.7, seed=2)[1]
        one = difference(ACCURACY, gold, ours, theirs)
        other = difference(ACCURACY, gold, theirs, ours)
        assert (one.value, one.low, one.high) == (-other.value, -other.high, -other.low)

    def test_chance_is_taken_for_a_difference_as_rarely_as_stated(self):
        # 400 pairs of systems that are both right in 75 %, of which 5 % should have p ≤ 0.05;
        # 2,000 others gave 4.4 %. Were it 12 % or more, this would fail in 98 of 100 seeds.
        small = 0
        for i in range(400):
            gold, ours = answers(100, right=0.75, seed=3000 + i)
            wrong = np.random.default_rng(i).random(100) >= 0.75
            theirs = np.where(wrong, (gold + 1) % 3, gold)
            small += difference(ACCURACY, gold, ours, theirs, resamples=199).p_value <= 0.05
        assert 0.005 <= small / 400 <= 0.085

    def test_pairing_sees_what_single_intervals_do_not(self):
        # both right on the same 80 % of rows, ours also on 3 % more
        gold = np.zeros(1000, int)
        theirs = (np.arange(1000) >= 800).astype(int)
        ours = (np.arange(1000) >= 830).astype(int)
        single = [intervals([ACCURACY], gold, side)[0] for side in (ours, theirs)]
        assert single[0].low < single[1].high
        found = difference(ACCURACY, gold, ours, theirs)
        assert found.low > 0
        assert found.p_value < 0.01

    def test_other_rows_are_refused(self):
        with pytest.raises(InputError, match="predictions of both systems of one shape"):
            difference(ACCURACY, np.zeros(3, int), np.zeros(3, int), np.zeros(2, int))


@pytest.mark.parametrize("level", [0.0, 1.0, 95, math.nan])
def test_a_level_is_a_share(level):
    gold = np.zeros(3, int)
    with pytest.raises(
        UsageError, match=f"a level of confidence above 0 and below 1, found {level}"
    ):
        intervals([ACCURACY], gold, gold, level=level)


def test_too_few_resamples_are_refused():
    gold = np.zeros(3, int)
    with pytest.raises(UsageError, match=r"at least 39 resamples for a level of 0\.95, found 38"):
        intervals([ACCURACY], gold, gold, resamples=38)


def test_no_rows_are_refused():
    with pytest.raises(InputError, match="at least one row"):
        intervals([ACCURACY], np.zeros(0, int), np.zeros(0, int))
