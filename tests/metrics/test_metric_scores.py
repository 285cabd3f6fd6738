"""Scores against paper and pencil, the plain definitions and SciPy."""

from __future__ import annotations

import math

import numpy as np
import plain_scores
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from transferset import InputError, UsageError
from transferset.metrics import scores
from transferset.metrics.checking import LARGEST

CLASSES = 4

codes = st.integers(0, CLASSES - 1)
answers = st.lists(st.tuples(codes, codes), min_size=1, max_size=40).map(
    lambda pairs: tuple(np.array(side) for side in zip(*pairs, strict=True))
)
# few values, so that there are ties
number = st.one_of(st.integers(-3, 3), st.integers(-1000, 1000)).map(lambda n: n / 8)
series = st.lists(st.tuples(number, number), min_size=1, max_size=40).map(
    lambda pairs: tuple(np.array(side, float) for side in zip(*pairs, strict=True))
)

OF_CLASSES = {
    "accuracy": scores.accuracy,
    "f1": lambda g, p: scores.f1(g, p, 1, CLASSES),
    "f1_macro": lambda g, p: scores.f1_macro(g, p, CLASSES),
    "f1_micro": lambda g, p: scores.f1_micro(g, p, CLASSES),
    "f1_weighted": lambda g, p: scores.f1_weighted(g, p, CLASSES),
    "matthews": lambda g, p: scores.matthews(g, p, CLASSES),
}
OF_SCORES = {"pearson": scores.pearson, "spearman": scores.spearman}

of_classes = pytest.mark.parametrize("score", OF_CLASSES.values(), ids=OF_CLASSES)
of_scores = pytest.mark.parametrize("score", OF_SCORES.values(), ids=OF_SCORES)


def test_two_classes_by_hand():
    # of class 1 two hits, one missed, one false alarm; of class 0 one right
    gold, predicted = np.array([1, 1, 1, 0, 0]), np.array([1, 0, 1, 0, 1])
    assert scores.accuracy(gold, predicted) == 3 / 5
    assert scores.f1(gold, predicted, positive=1) == 4 / 6
    assert scores.f1(gold, predicted, positive=0) == 2 / 4
    assert scores.f1_macro(gold, predicted, 2) == pytest.approx((2 / 3 + 1 / 2) / 2)
    assert scores.f1_weighted(gold, predicted, 2) == pytest.approx((3 * 2 / 3 + 2 / 2) / 5)
    assert scores.f1_micro(gold, predicted, 2) == 3 / 5
    assert scores.matthews(gold, predicted, 2) == pytest.approx((2 * 1 - 1 * 1) / 6)


def test_three_classes_by_hand():
    gold, predicted = np.array([0, 0, 1, 1, 2, 2]), np.array([0, 1, 1, 1, 2, 0])
    # hits 1, 2, 1 of 2, 2, 2; predicted 2, 3, 1
    assert scores.f1_macro(gold, predicted, 3) == pytest.approx((2 / 4 + 4 / 5 + 2 / 3) / 3)
    assert scores.matthews(gold, predicted, 3) == pytest.approx((6 * 4 - 12) / math.sqrt(22 * 24))


def test_correlations_by_hand():
    x, y = np.array([1.0, 2, 3, 4]), np.array([1.0, 3, 2, 5])
    assert scores.pearson(x, y) == pytest.approx(5.5 / math.sqrt(5 * 8.75))
    tied, straight = np.array([1.0, 2, 2, 3]), np.array([10.0, 20, 30, 40])
    assert scores.ranks(tied).tolist() == [1, 2.5, 2.5, 4]
    assert scores.spearman(tied, straight) == pytest.approx(4.5 / math.sqrt(4.5 * 5))


@given(answers)
def test_classes_are_scored_as_defined(pair):
    gold, predicted = pair
    g, p = gold.tolist(), predicted.tolist()
    plain = [plain_scores.precision_recall_f1(g, p, one) for one in range(CLASSES)]
    assert scores.f1(gold, predicted, 2, CLASSES) == pytest.approx(plain[2][2])
    assert scores.f1_macro(gold, predicted, CLASSES) == pytest.approx(plain_scores.f1_macro(g, p))
    weighted = plain_scores.f1_weighted(g, p)
    assert scores.f1_weighted(gold, predicted, CLASSES) == pytest.approx(weighted)
    right = sum(a == b for a, b in zip(g, p, strict=True)) / len(g)
    assert scores.accuracy(gold, predicted) == pytest.approx(right)
    assert scores.f1_micro(gold, predicted, CLASSES) == pytest.approx(right)
    r_k = plain_scores.r_k(g, p, CLASSES)
    assert scores.matthews(gold, predicted, CLASSES) == pytest.approx(r_k, abs=1e-12)


@given(series)
def test_correlations_are_as_defined(pair):
    x, y = pair
    expected = plain_scores.pearson(x.tolist(), y.tolist())
    assert scores.pearson(x, y) == pytest.approx(expected, abs=1e-12, nan_ok=True)
    ranked = [plain_scores.ranks(side.tolist()) for side in pair]
    assert [scores.ranks(side).tolist() for side in pair] == ranked
    expected = plain_scores.pearson(*ranked)
    assert scores.spearman(x, y) == pytest.approx(expected, abs=1e-12, nan_ok=True)


@settings(max_examples=40)
@given(series)
def test_correlations_are_those_of_scipy(pair):
    stats = pytest.importorskip("scipy.stats")
    x, y = pair
    assume(len(set(x)) > 1 and len(set(y)) > 1)
    assert scores.pearson(x, y) == pytest.approx(stats.pearsonr(x, y).statistic, abs=1e-12)
    assert scores.spearman(x, y) == pytest.approx(stats.spearmanr(x, y).statistic, abs=1e-12)
    assert scores.ranks(x).tolist() == stats.rankdata(x).tolist()


@of_classes
@settings(max_examples=40)
@given(pair=answers, order=st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter_to_classes(score, pair, order):
    rows = np.arange(len(pair[0]))
    order.shuffle(rows)
    assert score(*pair) == score(pair[0][rows], pair[1][rows])


@of_scores
@given(pair=series, order=st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter_to_scores(score, pair, order):
    rows = np.arange(len(pair[0]))
    order.shuffle(rows)
    expected = float(score(*pair))
    assert score(pair[0][rows], pair[1][rows]) == pytest.approx(expected, abs=1e-9, nan_ok=True)


@pytest.mark.parametrize("name", [name for name in OF_CLASSES if name != "f1"])
@settings(max_examples=40)
@given(pair=answers, names=st.permutations(range(CLASSES)))
def test_what_classes_are_called_does_not_matter(name, pair, names):
    score, called = OF_CLASSES[name], np.array(names)
    expected = pytest.approx(float(score(*pair)), abs=1e-12)
    assert score(called[pair[0]], called[pair[1]]) == expected


@given(series, st.integers(1, 100), st.integers(-100, 100))
def test_pearson_does_not_see_scale_and_origin(pair, scale, origin):
    x, y = pair
    expected = pytest.approx(float(scores.pearson(x, y)), abs=1e-9, nan_ok=True)
    assert scores.pearson(x * scale / 7 + origin / 3, y) == expected
    mirrored = pytest.approx(-float(scores.pearson(x, y)), abs=1e-9, nan_ok=True)
    assert scores.pearson(x, -y) == mirrored


@given(series)
def test_spearman_sees_order_alone(pair):
    x, y = pair
    expected = float(scores.spearman(x, y))
    np.testing.assert_equal(float(scores.spearman(x**3 + x, np.arctan(y))), expected)


@pytest.mark.parametrize("scale", [1e-160, 1e-3, 1e90])
def test_pearson_of_the_very_small_and_the_very_large(scale):
    x, y = np.array([1.0, 2, 3, 4]), np.array([1.0, 3, 2, 5])
    assert scores.pearson(x * scale, y) == pytest.approx(5.5 / math.sqrt(5 * 8.75))


@pytest.mark.parametrize("score", [*OF_CLASSES.values(), *OF_SCORES.values()])
def test_many_series_are_scored_as_each_alone(score):
    draw = np.random.default_rng(3)
    gold, predicted = draw.integers(0, CLASSES, (2, 5, 3, 17))
    together = score(gold, predicted)
    assert together.shape == (5, 3)
    alone = [[float(score(gold[i, j], predicted[i, j])) for j in range(3)] for i in range(5)]
    assert together.tolist() == alone


@pytest.mark.parametrize("score", [*OF_CLASSES.values(), *OF_SCORES.values()])
def test_perfect_answers_score_one(score):
    gold = np.array([0, 1, 2, 3, 1, 1, 0])
    assert float(score(gold, gold)) == pytest.approx(1.0, abs=1e-15)
    assert float(score(gold, gold)) <= 1.0


class TestDegenerate:
    """As scikit-learn's and SciPy's, which GLUE's scripts call."""

    def test_f1_without_positives_is_zero(self):
        none = np.zeros(4, int)
        assert scores.f1(none, none, positive=1) == 0.0
        assert scores.f1(np.array([0, 0, 1]), np.array([0, 0, 0]), positive=1) == 0.0
        assert scores.f1(np.array([0, 0, 0]), np.array([0, 0, 1]), positive=1) == 0.0

    def test_a_class_that_occurs_nowhere_is_no_part_of_the_macro_mean(self):
        gold = np.array([0, 0, 2])
        assert scores.f1_macro(gold, gold, 5) == 1.0
        # class 1 has no row but is predicted: it counts, with 0
        assert scores.f1_macro(gold, np.array([0, 0, 1]), 5) == pytest.approx(1 / 3)

    def test_matthews_of_one_answer_is_zero(self):
        gold, same = np.array([0, 1, 1]), np.array([1, 1, 1])
        assert scores.matthews(gold, same, 2) == 0.0
        assert scores.matthews(same, gold, 2) == 0.0
        assert scores.matthews(same, same, 2) == 0.0

    def test_matthews_of_all_wrong_is_minus_one(self):
        gold = np.array([0, 1, 1, 0])
        assert scores.matthews(gold, 1 - gold, 2) == -1.0

    @of_scores
    @pytest.mark.parametrize("constant", [0.0, 0.3, 1e99])
    def test_a_correlation_with_a_constant_is_nan(self, score, constant):
        # 0.3 ten times has a mean that is not 0.3
        assert math.isnan(score(np.arange(10.0), np.full(10, constant)))
        assert math.isnan(score(np.full(10, constant), np.arange(10.0)))

    @of_scores
    def test_one_row_has_no_correlation(self, score):
        assert math.isnan(score(np.array([1.0]), np.array([2.0])))


@of_classes
def test_a_shape_that_is_not_the_other_is_refused(score):
    with pytest.raises(InputError, match=r"of one shape, found \[3\] and \[2\]"):
        score(np.zeros(3, int), np.zeros(2, int))


@of_scores
def test_scores_of_another_shape_are_refused(score):
    with pytest.raises(InputError, match=r"of one shape, found \[3\] and \[3, 1\]"):
        score(np.zeros(3), np.zeros((3, 1)))


@pytest.mark.parametrize("score", [*OF_CLASSES.values(), *OF_SCORES.values()])
def test_no_rows_have_no_score(score):
    with pytest.raises(InputError, match="at least one row, found none"):
        score(np.zeros(0, int), np.zeros(0, int))


@of_classes
def test_classes_are_integers(score):
    with pytest.raises(InputError, match="as integers, one a row, found float64"):
        score(np.zeros(3), np.zeros(3))


@pytest.mark.parametrize("code", [-1, CLASSES])
def test_a_code_that_is_no_class_is_refused(code):
    with pytest.raises(InputError, match=f"predicted classes from 0 to 3, found {code}"):
        scores.f1_macro(np.array([0, 1]), np.array([0, code]), CLASSES)
    with pytest.raises(InputError, match=f"gold classes from 0 to 3, found {code}"):
        scores.matthews(np.array([0, code]), np.array([0, 1]), CLASSES)


@of_scores
@pytest.mark.parametrize("bad", [np.nan, np.inf, -10 * LARGEST])
def test_a_score_that_is_no_number_is_refused(score, bad):
    with pytest.raises(InputError, match=r"finite predicted scores, found \S+ at row 2"):
        score(np.arange(4.0), np.array([0, 1, bad, bad]))


@of_scores
def test_scores_are_numbers(score):
    with pytest.raises(InputError, match="gold scores as numbers, one a row, found <U1"):
        score(np.array(["a", "b"]), np.arange(2.0))


def test_the_positive_class_is_one_of_them():
    with pytest.raises(UsageError, match="a positive class from 0 to 1, found 2"):
        scores.f1(np.zeros(3, int), np.zeros(3, int), positive=2)


def test_ranks_of_nothing_are_refused():
    with pytest.raises(InputError, match="at least one row"):
        scores.ranks(np.zeros(0))


@pytest.mark.parametrize("kind", [np.uint8, np.int8, np.uint16, np.int64, np.uint64])
def test_codes_come_in_any_integer(kind):
    gold, predicted = np.array([0, 1, 2, 3, 3], kind), np.array([0, 1, 2, 2, 3], kind)
    assert scores.accuracy(gold, predicted) == 4 / 5
    assert scores.f1_micro(gold, predicted, 4) == 4 / 5


def test_many_rows_do_not_overflow():
    # squares of the counts are beyond 32 bits, the product of two spreads beyond 64
    gold = np.arange(200_000) % 2
    assert scores.matthews(gold, gold, 2) == 1.0
    assert scores.matthews(gold, 1 - gold, 2) == -1.0
