"""Student against teacher."""

from __future__ import annotations

import math

import numpy as np
import plain_scores
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transferset import InputError
from transferset.metrics import softmax
from transferset.metrics.agreement import agreement, score_agreement


def logits_of(*probabilities):
    return np.log(np.array(probabilities))


def test_two_rows_by_hand():
    teacher, student = logits_of([0.5, 0.5], [0.9, 0.1]), logits_of([0.25, 0.75], [0.9, 0.1])
    found = agreement(teacher, student)
    # row 0: the teacher's equal logits decide for class 0, the student for 1
    assert found.decisions == 0.5
    forward = 0.5 * math.log(0.5 / 0.25) + 0.5 * math.log(0.5 / 0.75)
    assert found.kl == pytest.approx(forward / 2)


def test_the_direction_is_from_the_teacher():
    teacher, student = logits_of([0.5, 0.5]), logits_of([0.25, 0.75])
    backward = 0.25 * math.log(0.25 / 0.5) + 0.75 * math.log(0.75 / 0.5)
    assert agreement(student, teacher).kl == pytest.approx(backward)
    assert agreement(teacher, student).kl != pytest.approx(backward)


number = st.integers(-40, 40).map(lambda n: n / 4)
rows = st.lists(st.tuples(*[number] * 6), min_size=1, max_size=20).map(np.array)


@settings(max_examples=40)
@given(rows)
def test_agreement_is_as_defined(both):
    teacher, student = both[:, :3], both[:, 3:]
    found = agreement(teacher, student)
    kl = 0.0
    for one, other in zip(teacher.tolist(), student.tolist(), strict=True):
        p, q = plain_scores.softmax(one), plain_scores.softmax(other)
        kl += sum(a * math.log(a / b) for a, b in zip(p, q, strict=True))
    assert found.kl == pytest.approx(kl / len(both), abs=1e-9)
    flat = plain_scores.pearson(teacher.ravel().tolist(), student.ravel().tolist())
    assert found.pearson == pytest.approx(flat, abs=1e-9, nan_ok=True)
    decided = [[row.index(max(row)) for row in side.tolist()] for side in (teacher, student)]
    same = [one == other for one, other in zip(*decided, strict=True)]
    assert found.decisions == pytest.approx(sum(same) / len(same))


@settings(max_examples=40)
@given(rows)
def test_a_model_agrees_with_itself(both):
    found = agreement(both, both.astype(np.float32))
    assert (found.decisions, found.kl) == (1.0, 0.0)


@settings(max_examples=40)
@given(rows, number)
def test_a_constant_added_to_a_row_changes_no_distribution(both, constant):
    teacher, student = both[:, :3], both[:, 3:]
    shifted = student + constant * np.arange(len(student))[:, None]
    one, other = agreement(teacher, student), agreement(teacher, shifted)
    assert other.decisions == one.decisions
    assert other.kl == pytest.approx(one.kl, abs=1e-8)


def test_many_rows_are_taken_in_blocks(monkeypatch):
    teacher, student = np.random.default_rng(1).normal(size=(2, 20, 3))
    expected = agreement(teacher, student)
    monkeypatch.setattr(softmax, "_BLOCK", 7)
    assert agreement(teacher, student) == expected


def test_probabilities_that_vanish_are_no_trouble():
    teacher, student = np.array([[3e4, -3e4]], np.float32), np.array([[3e4, -3e4]], np.float16)
    assert agreement(teacher, student).kl == 0.0
    assert agreement(teacher, -student).kl == pytest.approx(6e4, rel=1e-3)


def test_scores_by_hand():
    found = score_agreement(np.array([1.0, 2, 3]), np.array([1, 2, 6], np.float32))
    assert found.pearson == pytest.approx(5 / math.sqrt(2 * 14))
    assert found.spearman == pytest.approx(1.0)
    assert found.distance == 1.0


def test_scores_that_do_not_vary_have_no_correlation():
    found = score_agreement(np.array([1.0, 2, 3]), np.zeros(3))
    assert math.isnan(found.pearson)
    assert math.isnan(found.spearman)
    assert found.distance == 2.0


def test_what_is_wrong_with_the_input_is_said():
    good = np.zeros((3, 2))
    bad = good.copy()
    bad[1, 1] = np.inf
    with pytest.raises(InputError, match="finite the student's logits, found inf at row 1"):
        agreement(good, bad)
    with pytest.raises(
        InputError, match=r"logits of teacher and student of one shape, found \[3, 2\]"
    ):
        agreement(good, np.zeros((3, 3)))
    with pytest.raises(InputError, match="scores of teacher and student of one shape"):
        score_agreement(np.zeros(3), np.zeros(2))
