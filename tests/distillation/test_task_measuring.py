"""Held-out rows: scores of all tasks, rows without labels left out."""

from __future__ import annotations

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from learning_sets import CLASSES, make_task_set, opened, student  # noqa: E402

from transferset.distillation.task import measuring  # noqa: E402
from transferset.distillation.task.measuring import labelled, measure, predictions  # noqa: E402
from transferset.errors import UsageError  # noqa: E402
from transferset.students.config import Task  # noqa: E402

BUILT = {"op": "build task", "params": {"max_len": None, "layout": "cola"}}


class Says(torch.nn.Module):
    """Says of a row what it is told to; a row is known by its length."""

    def __init__(self, said, *tasks):
        super().__init__()
        self.said, self.tasks = said, tasks
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.positions = 100
        self.vocabulary = student("bilstm").config.vocabulary

    def forward(self, rows, task=0):
        assert not self.training
        return torch.tensor([self.said[n] for n in rows.lengths.tolist()])


def lengths(*counts):
    return [[2, *[7] * (n - 2), 3] for n in counts]


def test_classes(tmp_path):
    found = make_task_set(
        tmp_path / "s", 5, input_ids=lengths(3, 4, 5, 6, 7), label=[0, 1, 2, 0, None]
    )
    said = {3: [2.0, 0, 0], 4: [0, 0, 3.0], 5: [0, 0, 1.0], 6: [1.0, 0, 0], 7: [9.0, 0, 0]}
    module = Says(said, Task(classes=CLASSES)).train()
    measured = measure(module, [opened(found, tmp_path)])
    loss = np.mean(
        [
            np.log(np.exp(said[n]).sum()) - said[n][c]
            for n, c in zip((3, 4, 5, 6), (0, 1, 2, 0), strict=True)
        ]
    )
    assert measured.values["accuracy"] == measured.score == 0.75
    assert measured.values["f1_macro"] == pytest.approx((1 + 0 + 2 / 3) / 3)
    assert measured.values["loss"] == pytest.approx(loss)
    assert set(measured.values) == {"accuracy", "f1_macro", "loss"}
    assert module.training


def test_scores_are_the_raw_outputs(tmp_path):
    gold = [0.1, 0.5, 0.9, None, 0.3]
    found = make_task_set(
        tmp_path / "s", 5, classes=None, input_ids=lengths(3, 4, 5, 6, 7), label=gold
    )
    said = {3: [-1.0], 4: [3.0], 5: [7.0], 6: [100.0], 7: [1.0]}
    measured = measure(Says(said, Task(classes=None)), [opened(found, tmp_path)])
    assert measured.values["pearson"] == pytest.approx(1)
    assert measured.values["spearman"] == pytest.approx(1)
    squares = [
        (said[n][0] - g) ** 2 for n, g in zip((3, 4, 5, 7), (0.1, 0.5, 0.9, 0.3), strict=True)
    ]
    assert measured.values["loss"] == pytest.approx(np.mean(squares))
    assert measured.score == pytest.approx(1)


def test_several_tasks_have_names_and_one_score(tmp_path):
    tasks = (Task(classes=CLASSES, name="a"), Task(classes=("no", "yes"), name="b"))
    sets = (
        make_task_set(tmp_path / "a"),
        make_task_set(tmp_path / "b", classes=("no", "yes"), **BUILT),
    )
    module = student("bilstm", *tasks)
    held_out = [opened(one, tmp_path, task=task) for one, task in zip(sets, tasks, strict=True)]
    values, score = measure(module, held_out)
    assert {"a/accuracy", "a/f1_macro", "a/loss", "b/matthews", "b/accuracy", "b/loss"} == set(
        values
    )
    assert score == pytest.approx((values["a/accuracy"] + values["b/matthews"]) / 2)
    logits, labels = labelled(module, held_out[1], 1)
    assert values["b/accuracy"] == pytest.approx((logits.argmax(1) == labels).mean())


def test_predictions_are_in_the_order_of_the_rows_however_they_are_parted(tmp_path, monkeypatch):
    found = opened(make_task_set(tmp_path / "s"), tmp_path)
    module = student("bilstm")
    whole = predictions(module, found)
    monkeypatch.setattr(measuring, "_ROWS", 7)
    assert predictions(module, found) == pytest.approx(whole, abs=1e-6)
    some = np.array([30, 2, 2])
    assert predictions(module, found, 0, some) == pytest.approx(whole[some], abs=1e-6)
    assert predictions(module, found, 0, np.empty(0, np.int64)).shape == (0, 3)


def test_what_is_no_number_is_never_best(tmp_path):
    found = make_task_set(tmp_path / "s", 2, input_ids=lengths(3, 4), label=[0, 1])
    said = {3: [math.nan, 0, 0], 4: [0, 0, 3.0]}
    measured = measure(Says(said, Task(classes=CLASSES)), [opened(found, tmp_path)])
    assert math.isnan(measured.score)
    assert all(map(math.isnan, measured.values.values()))


def test_a_set_without_labels_measures_nothing(tmp_path):
    found = make_task_set(tmp_path / "s", label=[None] * 40)
    with pytest.raises(UsageError, match="labelled rows to measure a model by, found none"):
        measure(student("bilstm"), [opened(found, tmp_path)])
