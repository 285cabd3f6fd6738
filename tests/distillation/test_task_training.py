"""Whole trainings: a killed one that is taken up again ends with the same weights, to the bit."""

from __future__ import annotations

import json

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

from learning_sets import CLASSES, make_task_set, opened, random_logits, student  # noqa: E402

from transferset.distillation.task.learner import Online, TaskLearner  # noqa: E402
from transferset.stage import Quiet  # noqa: E402
from transferset.students.config import Task  # noqa: E402
from transferset.students.embeddings import use_sparse_gradients  # noqa: E402
from transferset.students.objectives import TaskObjective  # noqa: E402
from transferset.training import clock  # noqa: E402
from transferset.training.batches import Batches  # noqa: E402
from transferset.training.checkpoint import Checkpoints  # noqa: E402
from transferset.training.loop import Settings, train  # noqa: E402
from transferset.training.optimizer import make_optimizer  # noqa: E402


class Killed(BaseException):
    pass


class Kills(Quiet):
    """A progress that ends the process, so to say, after some steps."""

    def __init__(self, after):
        self._left = after

    def advance(self, amount, rows):
        self._left -= 1
        if self._left < 0:
            raise Killed


@pytest.fixture(autouse=True)
def _checkpoints_after_each_step(monkeypatch):
    monkeypatch.setattr(clock.Clock, "due", lambda self: True)


TASKS = (Task(classes=CLASSES, name="a"), Task(classes=None, name="b"))


def sets_of(folder):
    if not (folder / "a").exists():
        make_task_set(folder / "a", logits=random_logits(40))
        make_task_set(folder / "b", 30, classes=None, logits=random_logits(30, 1), seed=4)
        make_task_set(folder / "v", seed=8)
        make_task_set(folder / "w", 30, classes=None, seed=9)
    from transferset.shards import ShardSet

    named = {"a": 0, "v": 0, "b": 1, "w": 1}
    return {
        name: opened(ShardSet.open(folder / name), folder, task=TASKS[i], logits=name in "ab")
        for name, i in named.items()
    }


def training(folder, kind, out, *, after=10**9, sparse=False, online=False, tasks=2, epochs=2):
    """A training that may be killed; the weights that it ends with, and its log."""
    known = sets_of(folder)
    module = student(kind, *TASKS[:tasks], dropout=0.3)
    tables = use_sparse_gradients(module, 1000) if sparse else []
    examples = [known["a"], known["b"]][:tasks]
    teacher = Online(student("bilstm", *TASKS, seed=9), examples, [0, 1]) if online else None
    learner = TaskLearner(
        module,
        examples,
        TaskObjective(mse=1, hard=0.5),
        make_optimizer(module, "adamw", 1e-2, weight_decay=0.01, sparse=tables),
        seed=3,
        clip=1.0,
        teacher=teacher,
        held_out=[known["v"], known["w"]][:tasks],
    )
    batches = Batches([one.lengths for one in examples], seed=3, tokens=60, epochs=epochs)
    state = train(
        learner, batches, Settings(lr=1e-2, warmup=0.1, evaluate_every=7), at_once=40,
        checkpoints=Checkpoints(out / "checkpoints", "recipe"), log=out / "log.jsonl",
        progress=Kills(after + 1), every=0.0,
    )  # fmt: skip
    lines = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    return module.state_dict(), lines, state


def told(lines):
    return [{name: value for name, value in line.items() if name != "seconds"} for line in lines]


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("bilstm", {"sparse": True}),
        ("transformer with dropout", {"online": True}),
        ("transformer with dropout", {"tasks": 1}),
    ],
)
def test_a_killed_training_ends_as_an_unbroken_one(tmp_path, kind, settings):
    for name in ("whole", "killed"):
        (tmp_path / name).mkdir()
    wanted, log, state = training(tmp_path, kind, tmp_path / "whole", **settings)
    assert state.step > 12
    for after in (3, 11):
        with pytest.raises(Killed):
            training(tmp_path, kind, tmp_path / "killed", after=after, **settings)
        assert Checkpoints(tmp_path / "killed" / "checkpoints", "recipe").open()["step"] > 0
    found, again, ended = training(tmp_path, kind, tmp_path / "killed", **settings)
    assert all(torch.equal(found[name], one) for name, one in wanted.items())
    assert told(again) == told(log)
    assert ended.best == state.best


def test_a_training_learns(tmp_path):
    """It is told of each loss by name, and the scores of each task are in the log."""
    (tmp_path / "o").mkdir()
    _, lines, state = training(tmp_path, "bilstm", tmp_path / "o", epochs=6)
    losses = [line for line in lines if "loss" in line and "lr" in line]
    assert {"mse", "hard", "tokens", "epoch"} <= set(losses[0])
    assert np.mean([x["loss"] for x in losses[-8:]]) < np.mean([x["loss"] for x in losses[:8]])
    assert {"a/accuracy", "b/pearson", "a/loss"} <= set(state.evaluations[0])
    assert state.best is not None


def test_the_log_weighs_each_loss_with_what_it_counts(tmp_path, monkeypatch):
    """One line for an epoch of several batches says what one batch of all rows says."""
    monkeypatch.setattr("transferset.training.loop._LINES", 1)
    found = make_task_set(tmp_path / "a", 41, logits=random_logits(41))
    examples = opened(found, tmp_path, task=TASKS[0], logits=True)
    told = []
    for rows in (4, 41):
        module = student("bilstm", TASKS[0])
        optimizer = make_optimizer(module, "adam", 1e-12)
        objective = TaskObjective(mse=1, hard=1)
        learner = TaskLearner(module, [examples], objective, optimizer, seed=3)
        planned = Batches([examples.lengths], seed=3, rows=rows, epochs=1)
        out = tmp_path / f"by-{rows}"
        out.mkdir()
        train(
            learner, planned, Settings(lr=1e-12), at_once=1000,
            checkpoints=Checkpoints(out / "checkpoints", "x"), log=out / "log.jsonl",
            progress=Quiet(),
        )  # fmt: skip
        (line,) = (out / "log.jsonl").read_text().splitlines()
        told.append(json.loads(line))
    for name in ("mse", "hard"):
        assert told[0][name] == pytest.approx(told[1][name], rel=1e-5)
