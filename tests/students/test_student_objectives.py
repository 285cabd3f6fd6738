"""Weighted sums: means of their own, the same however a batch is parted."""

from __future__ import annotations

import math

import pytest

torch = pytest.importorskip("torch")

from transferset.errors import UsageError  # noqa: E402
from transferset.students import objectives  # noqa: E402
from transferset.students.losses import (  # noqa: E402
    REVERSE,
    UNLABELLED,
    Top,
    cosine_distance,
    divergence,
    squared_error,
)
from transferset.students.objectives import (  # noqa: E402
    MaskedObjective,
    TaskObjective,
    combined,
)


def made(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


STUDENT, TEACHER = made(6, 3), made(6, 3, seed=1)
LABELS = torch.tensor([0, UNLABELLED, 2, UNLABELLED, UNLABELLED, 1])


def test_a_tasks_loss_is_the_weighted_sum_of_means():
    objective = TaskObjective(mse=0.5, soft=2.0, hard=3.0, temperature=3.0, direction=REVERSE)
    found = combined(objective.parts(STUDENT, TEACHER, LABELS), objective.weights)
    here = LABELS != UNLABELLED
    wanted = (
        0.5 * squared_error(STUDENT, TEACHER).mean()
        + 2 * divergence(STUDENT, TEACHER, 3.0, REVERSE).mean()
        + 3 * torch.nn.functional.cross_entropy(STUDENT[here], LABELS[here])
    )
    assert float(found) == pytest.approx(float(wanted), rel=1e-5)


@pytest.mark.parametrize("cuts", [[6], [1, 5], [2, 2, 2], [3, 1, 2]])
def test_parts_of_a_batch_add_up_to_its_loss_and_gradient(cuts):
    objective = TaskObjective(mse=0.5, soft=2.0, hard=3.0, temperature=3.0)
    whole = STUDENT.clone().requires_grad_()
    loss = combined(objective.parts(whole, TEACHER, LABELS), objective.weights)
    loss.backward()
    parted = STUDENT.clone().requires_grad_()
    counts = objective.counts(6, LABELS)
    assert counts == {"mse": 6, "soft": 6, "hard": 3}
    total, start = 0.0, 0
    for size in cuts:
        rows = slice(start, start + size)
        parts = objective.parts(parted[rows], TEACHER[rows], LABELS[rows])
        one = combined(parts, objective.weights, counts)
        one.backward()
        total, start = total + float(one.detach()), start + size
    assert total == pytest.approx(float(loss.detach()), rel=1e-5)
    assert parted.grad.numpy() == pytest.approx(whole.grad.numpy(), abs=1e-6)


def test_without_any_label_the_hard_loss_is_nothing():
    objective = TaskObjective(mse=1, hard=1)
    none = torch.full((6,), UNLABELLED)
    found = combined(objective.parts(STUDENT, TEACHER, none), objective.weights)
    assert float(found) == pytest.approx(float(squared_error(STUDENT, TEACHER).mean()))


def test_scores():
    student, scores = made(4, 1), torch.tensor([1.0, math.nan, 0.5, math.nan])
    objective = TaskObjective(mse=0, hard=1)
    found = combined(objective.parts(student, None, scores), objective.weights)
    wanted = ((student[0, 0] - 1) ** 2 + (student[2, 0] - 0.5) ** 2) / 2
    assert float(found) == pytest.approx(float(wanted), rel=1e-5)


def test_a_loss_of_weight_0_is_not_computed(monkeypatch):
    def refuse(*given):
        raise AssertionError("computed")

    for name in ("divergence", "hard", "cosine_distance", "top_divergence"):
        monkeypatch.setattr(objectives, name, refuse)
    assert set(TaskObjective().parts(STUDENT, TEACHER, None)) == {"mse"}
    only_hard = MaskedObjective(hard=1, soft=0, cosine=0)
    assert set(only_hard.parts(STUDENT, torch.zeros(6, dtype=torch.int64), None)) == {"hard"}


def test_the_triple_loss():
    """Three means: over masked positions twice, and over tokens; weights 1/3, T = 2."""
    objective = MaskedObjective()
    targets = torch.tensor([0, 1, 2, 0, 1, 2])
    hidden = made(20, 4, seed=2), made(20, 4, seed=3)
    found = combined(objective.parts(STUDENT, targets, TEACHER, hidden), objective.weights)
    wanted = (
        torch.nn.functional.cross_entropy(STUDENT, targets)
        + divergence(STUDENT, TEACHER, 2.0).mean()
        + cosine_distance(*hidden).mean()
    ) / 3
    assert float(found) == pytest.approx(float(wanted), rel=1e-5)
    assert objective.counts(6, 20) == {"hard": 6, "soft": 6, "cosine": 20}


def test_offline_logits_give_the_loss_of_the_online_teacher():
    """All logits, kept in half precision, differ by its rounding alone."""
    objective = MaskedObjective(hard=0, cosine=0)
    ids = TEACHER.argsort(1, descending=True)
    kept = TEACHER.gather(1, ids).half()
    top = Top(ids, kept, torch.full((6,), -math.inf).half(), 2.0)
    online, offline = (
        combined(objective.parts(STUDENT, None, one), objective.weights) for one in (TEACHER, top)
    )
    assert float(offline) == pytest.approx(float(online), rel=2e-3)


def test_logits_of_another_temperature_are_refused():
    top = Top(torch.zeros(6, 1, dtype=torch.int64), made(6, 1), torch.zeros(6), 1.0)
    with pytest.raises(UsageError, match="labelled at temperature 2, found 1"):
        MaskedObjective(hard=0, cosine=0).parts(STUDENT, None, top)


@pytest.mark.parametrize(
    ("objective", "missing"),
    [
        (TaskObjective(), "the teacher's logits"),
        (TaskObjective(mse=0, soft=1), "the teacher's logits"),
        (TaskObjective(mse=0, hard=1), "labels"),
    ],
)
def test_what_is_missing_is_named(objective, missing):
    with pytest.raises(UsageError, match=missing):
        objective.parts(STUDENT, None, None)


def test_a_score_has_no_soft_loss():
    with pytest.raises(UsageError, match="classes for a soft loss"):
        TaskObjective(mse=0, soft=1).parts(made(4, 1), made(4, 1), None)


@pytest.mark.parametrize(
    "settings",
    [
        {"mse": 0},
        {"mse": -1, "soft": 2},
        {"mse": math.nan},
        {"temperature": 0},
        {"temperature": math.inf},
        {"direction": "both"},
    ],
)
def test_settings_out_of_range(settings):
    with pytest.raises(UsageError, match="expected"):
        TaskObjective(**settings)
