"""What a task is judged by, and the macro score of the thesis' own tables."""

from __future__ import annotations

import math

import numpy as np
import pytest

from transferset import UsageError
from transferset.metrics.tasks import macro, metrics_of, task_score

GOLD, PREDICTED = np.array([1, 1, 1, 0, 0]), np.array([1, 0, 1, 0, 1])

#: van de Graaf 2021, tables 5.2 and 5.5: macro score, then the tasks in this order.
TASKS = ("cola", "mnli", "mrpc", "qnli", "qqp", "rte", "sst2", "stsb", "wnli")
TABLES = {
    "10%": (72.5, 42.6, 80.4, 76.4, 85.8, 87.0, 56.7, 90.3, 82.5, 50.7),
    "1%": (72.4, 37.3, 79.6, 76.4, 86.4, 87.2, 58.1, 89.9, 81.7, 54.9),
    "0.1%": (70.0, 25.2, 78.8, 75.6, 85.0, 86.9, 59.2, 89.1, 74.0, 56.3),
    "shuffled": (64.8, 0.0, 71.8, 76.1, 80.9, 84.1, 54.2, 83.8, 77.3, 54.9),
    "generated": (59.2, 5.2, 74.9, 76.4, 80.9, 84.7, 56.7, 87.6, 13.1, 53.5),
    "BERT": (74.9, 49.2, 80.8, 87.4, 87.5, 86.4, 61.7, 92.0, 83.8, 45.1),
    "DistilBERT": (74.3, 43.6, 79.0, 87.5, 85.3, 84.9, 59.9, 90.7, 81.2, 56.3),
}


@pytest.mark.parametrize(
    ("labels", "classes", "layout", "names"),
    [
        ("class", 2, "cola", ["matthews", "accuracy"]),
        ("class", 2, "glue-cola", ["matthews", "accuracy"]),
        ("class", 2, "mrpc", ["accuracy_f1", "accuracy", "f1"]),
        ("class", 2, "glue-qqp", ["accuracy_f1", "accuracy", "f1"]),
        ("regression", 0, "stsb", ["pearson", "spearman"]),
        ("regression", 0, None, ["pearson", "spearman"]),
        ("class", 2, "sst2", ["accuracy", "f1_macro"]),
        ("class", 57, "rasa", ["accuracy", "f1_macro"]),
        ("class", 3, None, ["accuracy", "f1_macro"]),
        # labels decide: no F1 of class 1 where there are three, no correlation of classes
        ("class", 3, "mrpc", ["accuracy", "f1_macro"]),
        ("class", 6, "stsb", ["accuracy", "f1_macro"]),
        ("regression", 0, "cola", ["pearson", "spearman"]),
    ],
)
def test_a_task_is_judged_by_its_own_scores(labels, classes, layout, names):
    assert [metric.name for metric in metrics_of(labels, classes, layout)] == names


def test_scores_of_a_paraphrase_task():
    both, accuracy, f1 = (
        metric(GOLD, PREDICTED) for metric in metrics_of("class", 2, "mrpc")
    )  # fmt: skip
    assert accuracy == 3 / 5
    assert f1 == 2 / 3
    assert both == pytest.approx((3 / 5 + 2 / 3) / 2)


def test_scores_of_other_tasks():
    assert [m(GOLD, PREDICTED) for m in metrics_of("class", 2, "cola")] == [
        pytest.approx(1 / 6), 3 / 5,
    ]  # fmt: skip
    assert [m(GOLD, PREDICTED) for m in metrics_of("class", 2, "sst2")] == [
        3 / 5, pytest.approx(7 / 12),
    ]  # fmt: skip
    assert [m(GOLD * 2.0, GOLD + 1.5) for m in metrics_of("regression")] == [
        pytest.approx(1.0), pytest.approx(1.0),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("layout", "labels", "expected"),
    [
        ("mrpc", "class", (3 / 5 + 2 / 3) / 2),
        ("cola", "class", 1 / 6),
        ("sst2", "class", 3 / 5),
    ],
)
def test_a_task_score_is_the_mean_of_what_glue_reports(layout, labels, expected):
    metrics = metrics_of(labels, 2, layout)
    values = [metric(GOLD, PREDICTED) for metric in metrics]
    assert task_score(metrics, values) == pytest.approx(expected)
    # and of classification the one by which models are chosen
    assert values[0] == pytest.approx(expected)


def test_the_score_of_a_regression_is_the_mean_of_both_correlations():
    metrics = metrics_of("regression", 0, "stsb")
    assert task_score(metrics, [0.8, 0.6]) == pytest.approx(0.7)
    assert math.isnan(task_score(metrics, [math.nan, 0.6]))


@pytest.mark.parametrize("row", TABLES.values(), ids=TABLES)
def test_the_macro_score_is_that_of_the_thesis(row):
    score, *by_task = row
    assert round(macro(dict(zip(TASKS, by_task, strict=True))).all, 1) == score


@pytest.mark.parametrize(("kind", "lost"), [("shuffled", 4.1), ("generated", 2.4)])
def test_without_cola_and_stsb_as_in_the_thesis(kind, lost):
    # § 5.2.3: "only ∼4.1% lower … only ∼2.4% lower" than with natural text
    natural, other = (
        macro(dict(zip(TASKS, TABLES[name][1:], strict=True))).without for name in ("10%", kind)
    )
    assert round(100 * (1 - other / natural), 1) == lost


def test_names_with_their_benchmark_are_the_same_tasks():
    assert macro({"glue-cola": 10, "glue-sst2": 90, "stsb": 20}) == (40, 90)


def test_nothing_is_left_without_them():
    both = macro({"cola": 10, "stsb": 20})
    assert both.all == 15
    assert math.isnan(both.without)


def test_the_order_of_tasks_does_not_matter():
    values = dict(zip(TASKS, TABLES["10%"][1:], strict=True))
    assert macro(values) == macro(dict(reversed(values.items())))


def test_other_labels_are_refused():
    with pytest.raises(UsageError, match="labels that are class or regression, found score"):
        metrics_of("score", 1)
    with pytest.raises(UsageError, match="at least one class, found 0"):
        metrics_of("class", 0)
    with pytest.raises(UsageError, match="at least one task"):
        macro({})
