"""`evaluate` of a model with several tasks: one set each, and the macro score."""

from __future__ import annotations

import io
import shutil
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from judged import config, make_set, texts

import transferset
from transferset.errors import InputError, UsageError
from transferset.report.evaluation import show_evaluation
from transferset.students.config import Task

TEXTS = texts(24, seed=4)
TASKS = (
    Task(classes=("bad", "good"), name="sst2"),
    Task(classes=("no", "yes"), name="cola"),
    Task(classes=None, pair=True, name="stsb"),
)
PAIRS = texts(24, seed=5)


@pytest.fixture(scope="module")
def several(pieces, tmp_path_factory):
    """An encoder with three heads, and a set for each."""
    import torch
    import transformers

    from transferset.teachers.opening import new_encoder
    from transferset.teachers.saving import save_encoder

    root = tmp_path_factory.mktemp("several")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        transformers.BertModel(config(pieces)).save_pretrained(root / "base")
    shutil.copy(pieces / "tokenizer.json", root / "base")
    encoder = new_encoder(root / "base", TASKS, 3)
    for head in encoder.heads:
        head[1].weight.data *= 40  # so that answers differ
    save_encoder(encoder, root / "model", pieces / "tokenizer.json")
    labels = [i % 2 for i in range(24)]
    sets = {
        "sst2": make_set(
            root / "a", pieces, TEXTS, [TASKS[0].classes[i] for i in labels],
            classes=TASKS[0].classes, name="sst2",
        ),
        "cola": make_set(
            root / "cola", pieces, TEXTS, [TASKS[1].classes[i] for i in labels],
            classes=TASKS[1].classes, params={"max_len": None, "layout": "glue-cola"},
        ),
        "stsb": make_set(
            root / "c", pieces, TEXTS, [i / 24 for i in range(24)], classes=None, pairs=PAIRS
        ),
    }  # fmt: skip
    return SimpleNamespace(model=root / "model", root=root, **{k: v.root for k, v in sets.items()})


def scores(found):
    return {task["task"]: task["score"]["value"] for task in found["tasks"]}


def test_sets_in_the_order_of_the_tasks(several):
    found = transferset.evaluate(several.model, [several.sst2, several.cola, several.stsb])
    assert [task["task"] for task in found["tasks"]] == ["sst2", "cola", "stsb"]
    assert [one["name"] for one in found["tasks"][1]["metrics"]] == ["matthews", "accuracy"]
    told = scores(found)
    macro = found["macro"]
    assert macro["tasks"] == 3
    assert macro["all"]["value"] == pytest.approx(np.mean(list(told.values())))
    assert macro["without"]["value"] == pytest.approx(told["sst2"])
    assert macro["all"]["teacher"] is macro["all"]["retention"] is None


def test_sets_may_be_named(several):
    plain = scores(transferset.evaluate(several.model, [several.sst2, several.cola, several.stsb]))
    named = [f"stsb={several.stsb}", f"sst2={several.sst2}"]
    found = transferset.evaluate(several.model, named)
    assert scores(found) == {name: plain[name] for name in ("stsb", "sst2")}
    assert found["macro"]["tasks"] == 2
    # a set that is called as its task needs no more, whatever stands before it
    assert scores(transferset.evaluate(several.model, several.cola)) == {"cola": plain["cola"]}
    both = transferset.evaluate(several.model, [several.cola, several.sst2])
    assert scores(both) == {name: plain[name] for name in ("cola", "sst2")}
    assert found["macro"]["all"]["value"] != both["macro"]["all"]["value"]


def test_the_heads_of_a_teacher_meet_those_of_its_student_by_name(several):
    found = transferset.evaluate(
        several.model, [several.sst2, several.cola], teacher=several.model, resamples=100
    )
    assert found["macro"]["all"]["difference"] == 0
    assert [task["agreement"]["decisions"]["value"] for task in found["tasks"]] == [1, 1]
    ours = found["macro"]["all"]
    assert ours["teacher"] == ours["value"]


def test_which_set_is_for_which_task_must_be_told(several):
    with pytest.raises(UsageError, match="one set for each of the tasks sst2, cola, stsb"):
        transferset.evaluate(several.model, [several.stsb])
    with pytest.raises(UsageError, match="TASK=SET for all sets, or for none"):
        transferset.evaluate(several.model, [f"sst2={several.sst2}", several.cola])
    with pytest.raises((UsageError, InputError), match="expected"):  # stsb's set for sst2
        transferset.evaluate(several.model, [f"sst2={several.stsb}"])
    twice = [f"sst2={several.sst2}"] * 2
    with pytest.raises(UsageError, match="one set for each"):
        transferset.evaluate(several.model, twice)


def test_the_heads_say_whose_figures_these_are(several):
    sets = [several.sst2, several.cola, several.stsb]
    taught = ["teacher", "difference", "retained"]
    for teacher, heads in ((None, ["model"]), (several.model, ["model", *taught])):
        shown = io.StringIO()
        found = transferset.evaluate(several.model, sets, teacher=teacher, resamples=100)
        show_evaluation(found, shown, 120)
        for name in ("sst2", "cola", "stsb"):
            whose = f"{several.model.name}, {name}, on {getattr(several, name).name}: "
            assert whose in shown.getvalue()
        lines = [line.split() for line in shown.getvalue().splitlines()]
        assert lines[lines.index(["macro", "score", "over", "3", "tasks"]) + 1] == heads
