"""The parts of `evaluate` that need no model."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transferset.errors import UsageError
from transferset.metrics.bootstrap import drawn_rows
from transferset.metrics.tasks import Metric, metrics_of
from transferset.pipeline.evaluation.pairing import teacher_task
from transferset.pipeline.evaluation.params import EvaluateParams
from transferset.pipeline.evaluation.scoring import compared
from transferset.pipeline.evaluation.speed import timed_rows
from transferset.pipeline.evaluation.tasks import macro_json
from transferset.students.config import Task

MEAN = Metric("mean", lambda gold, predicted: np.asarray((gold * predicted).mean(-1)))


def test_without_a_teacher_nothing_stands_beside():
    (found,) = compared([MEAN], np.ones(3), np.array([1.0, 2, 6]), None, EvaluateParams())
    assert (found["name"], found["value"]) == ("mean", 3)
    assert found["teacher"] is found["difference"] is found["retention"] is None


def test_each_resample_is_scored_once_for_each_side():
    calls = []

    def score(gold, predicted):
        calls.append(gold.shape)
        return np.asarray(predicted.mean(-1))

    ours, theirs = np.arange(4.0), np.ones(4)
    compared([Metric("m", score)], np.ones(4), ours, theirs, EvaluateParams(resamples=50))
    assert calls == [(4,), (4,), (50, 4), (50, 4)]


def test_nothing_is_retained_of_what_is_not_there():
    gold = np.array([0, 1, 0, 1])
    accuracy = metrics_of("class", 2)[0]
    params = EvaluateParams(resamples=100)
    (found,) = compared([accuracy], gold, gold, 1 - gold, params)
    assert found["teacher"]["value"] == 0
    assert (found["retention"]["value"], found["retention"]["undefined"]) == (None, 100)
    (found,) = compared([accuracy], gold, 1 - gold, gold, params)
    assert found["retention"] == {"value": 0.0, "low": 0.0, "high": 0.0, "undefined": 0}


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1)), min_size=1, max_size=12))
def test_differences_and_ratios_are_of_the_same_rows(sides):
    ours, theirs = (np.array(side, float) for side in zip(*sides, strict=True))
    found = compared([MEAN], np.ones(len(ours)), ours, theirs, EvaluateParams(resamples=39))[0]
    rows = drawn_rows(len(ours), 0, 0, 39)
    apart = np.sort((ours - theirs)[rows].mean(1))
    assert found["difference"]["low"] == pytest.approx(apart[0])
    assert found["difference"]["high"] == pytest.approx(apart[-1])
    over = theirs[rows].mean(1)
    ratios = ours[rows].mean(1)[over > 0] / over[over > 0]
    assert found["retention"]["undefined"] == 39 - len(ratios)
    if len(ratios):
        assert found["retention"]["high"] <= max(ratios) + 1e-12


@given(st.lists(st.integers(1, 60), min_size=1, max_size=200), st.integers(1, 500))
def test_rows_that_are_timed_are_spread_over_all(lengths, tokens):
    rows = timed_rows(np.array(lengths), tokens)
    assert rows[0] == 0
    assert (np.diff(rows) > 0).all()
    assert rows[-1] <= len(lengths) - 1
    if len(rows) > 1:
        assert rows[-1] == len(lengths) - 1
        assert np.diff(rows).max() <= 2 * np.diff(rows).min()
    assert len(rows) <= max(1, round(tokens / np.mean(lengths)))


def test_the_head_of_a_teacher():
    yes, score = Task(classes=("no", "yes"), name="a"), Task(classes=None, name="b")
    other = Task(classes=("in", "out"), name="c")
    assert teacher_task([other], yes, "t") == 0  # its classes are refused later
    assert teacher_task([other, yes, score], yes, "t") == 1
    renamed = Task(classes=("Yes", "No"), name="dev")  # of no name there, but one has its classes
    assert teacher_task([other, yes, score], renamed, "t") == 1
    with pytest.raises(UsageError, match="a teacher of the task dev, found one of c, b at t"):
        teacher_task([other, score], renamed, "t")
    twice = Task(classes=("no", "yes"), name="d")
    with pytest.raises(UsageError, match="a teacher of the task dev"):
        teacher_task([yes, twice], renamed, "t")


class Built:
    """As much of a set as says which task files it is of."""

    def __init__(self, layout):
        self.manifest = self
        self.op, self.params, self.parents = "build task", {"layout": layout}, []


def scored(name, value, teacher=None):
    other = None if teacher is None else {"value": teacher}
    return {"task": name, "score": {"value": value, "teacher": other}}


def test_macro_scores_with_and_without_cola_and_stsb():
    tasks = [scored("one", 0.9, 0.95), scored("two", 0.3, 0.5), scored("three", 0.6, 0.65)]
    sets = [Built("glue-sst2"), Built("glue-cola"), Built(None)]
    found = macro_json(tasks, sets)
    assert found["all"]["value"] == pytest.approx(0.6)
    assert found["all"]["teacher"] == pytest.approx(0.7)
    assert found["all"]["difference"] == pytest.approx(-0.1)
    assert found["all"]["retention"] == pytest.approx(6 / 7)
    assert found["without"]["value"] == pytest.approx(0.75)
    assert found["without"]["teacher"] == pytest.approx(0.8)


def test_two_sets_of_one_layout_both_count():
    tasks = [scored("m", 0.5), scored("mm", 0.7), scored("cola", 0.1)]
    found = macro_json(tasks, [Built("glue-mnli"), Built("glue-mnli"), Built(None)])
    assert found["all"]["value"] == pytest.approx(1.3 / 3)
    assert found["without"]["value"] == pytest.approx(0.6)
    assert found["all"]["teacher"] is found["all"]["retention"] is None


def test_of_one_score_there_is_no_macro_score():
    assert macro_json([scored("a", 0.5)], [Built(None)]) is None
    unlabelled = {"task": "b", "score": None}
    assert macro_json([scored("a", 0.5), unlabelled], [Built(None)] * 2) is None


def test_a_macro_score_of_what_is_undefined_is_undefined():
    found = macro_json([scored("a", None), scored("b", 0.5)], [Built(None)] * 2)
    assert found["all"]["value"] is None
    assert not math.isnan(found["tasks"])
