"""Tables of classes."""

from __future__ import annotations

import numpy as np
import plain_scores
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transferset import InputError, UsageError
from transferset.metrics import scores
from transferset.metrics.classes import by_class, confusion

CLASSES = 4
codes = st.integers(0, CLASSES - 1)
answers = st.lists(st.tuples(codes, codes), min_size=1, max_size=40).map(
    lambda pairs: tuple(np.array(side) for side in zip(*pairs, strict=True))
)


def test_three_classes_by_hand():
    gold, predicted = np.array([0, 0, 0, 1, 1]), np.array([0, 0, 1, 1, 0])
    found = by_class(gold, predicted, 3)
    assert found.precision.tolist() == [2 / 3, 1 / 2, 0]
    assert found.recall.tolist() == [2 / 3, 1 / 2, 0]
    assert found.f1.tolist() == [4 / 6, 2 / 4, 0]
    assert found.support.tolist() == [3, 2, 0]
    assert found.predicted.tolist() == [3, 2, 0]
    # a row for each true class
    assert confusion(gold, predicted, 3).tolist() == [[2, 1, 0], [1, 1, 0], [0, 0, 0]]


def test_a_class_never_predicted_has_precision_zero():
    found = by_class(np.array([0, 1]), np.array([0, 0]), 2)
    assert (found.precision[1], found.recall[1], found.f1[1]) == (0, 0, 0)


@given(answers)
def test_tables_are_as_defined(pair):
    gold, predicted = pair
    g, p = gold.tolist(), predicted.tolist()
    found = by_class(gold, predicted, CLASSES)
    for one in range(CLASSES):
        expected = pytest.approx(plain_scores.precision_recall_f1(g, p, one))
        assert (found.precision[one], found.recall[one], found.f1[one]) == expected
    table = confusion(gold, predicted, CLASSES)
    assert table.tolist() == plain_scores.confusion_of(g, p, CLASSES)
    assert table.sum(axis=1).tolist() == found.support.tolist()
    assert table.sum(axis=0).tolist() == found.predicted.tolist()


@given(answers)
def test_the_mean_by_support_is_the_weighted_f1_and_recall_the_accuracy(pair):
    found = by_class(*pair, CLASSES)
    rows = found.support.sum()
    weighted = pytest.approx(float(scores.f1_weighted(*pair, CLASSES)))
    assert (found.f1 * found.support).sum() / rows == weighted
    assert (found.recall * found.support).sum() / rows == pytest.approx(
        float(scores.accuracy(*pair))
    )


@pytest.mark.parametrize("classes", [0, 2049])
def test_a_matrix_has_a_limit(classes):
    with pytest.raises(
        UsageError, match=f"1 to 2048 classes of a confusion matrix, found {classes}"
    ):
        confusion(np.zeros(2, int), np.zeros(2, int), classes)


def test_codes_are_checked():
    with pytest.raises(InputError, match="gold classes from 0 to 1, found 2"):
        confusion(np.array([0, 2]), np.array([0, 1]), 2)
    with pytest.raises(InputError, match="gold and predicted of one shape"):
        confusion(np.array([0, 1]), np.array([0]), 2)
