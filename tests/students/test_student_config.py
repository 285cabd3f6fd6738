"""What a student can be, and what a hostile configuration cannot make of it."""

from __future__ import annotations

import copy
import json
from dataclasses import replace

import pytest
from small_students import CLASSES, KINDS, VOCABULARY, config

from transferset.errors import InputError, UsageError
from transferset.students.config import LIU, SUCIK, Config, Tables, Task


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("classes", [None, CLASSES])
def test_json_and_back(kind, classes):
    made = config(kind, pair=True, classes=classes)
    assert Config.from_json(json.loads(json.dumps(made.to_json())), "config.json") == made
    assert made.to_json()["model_type"] == f"transferset-{made.kind}"


def changed(path, value):
    found = copy.deepcopy(config("transformer").to_json())
    *folders, last = path.split(".")
    inner = found
    for name in folders:
        inner = inner[int(name) if name.isdigit() else name]
    inner[last] = value
    return found


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("model_type", "transferset-lstm"),
        ("model_type", "bert"),
        ("model_type", ["transferset-bilstm"]),
        ("model_type", None),
        ("surplus", 1),
        ("encoder.surplus", 1),
        ("encoder.layers", 1 << 40),
        ("encoder.layers", 0),
        ("encoder.layers", True),
        ("encoder.layers", 2.0),
        ("encoder.heads", 5),
        ("encoder.reading", "last"),
        ("encoder.dropout", 1),
        ("encoder.dropout", float("nan")),
        ("embeddings.width", 1 << 30),
        ("embeddings.width", 11),
        ("embeddings.channels", ["static"]),
        ("vocabulary.size", 1 << 22),
        ("vocabulary.padding", 30),
        ("vocabulary.separator", 0),
        ("vocabulary.start", None),
        ("vocabulary.sha256", "Z" * 64),
        ("tasks", []),
        ("tasks", {}),
        ("tasks.0.classes", ["one"]),
        ("tasks.0.classes", ["same", "same"]),
        ("tasks.0.classes", []),
        ("tasks.0.pair", 1),
        ("head", None),
    ],
)
def test_another_configuration_is_refused(path, value):
    with pytest.raises(InputError, match=r"expected .* found .*config\.json"):
        Config.from_json(changed(path, value), "config.json")


def test_a_missing_member_is_named():
    found = config().to_json()
    del found["encoder"]["hidden"]
    with pytest.raises(InputError, match="a member hidden"):
        Config.from_json(found, "config.json")


def test_what_python_asks_for_is_checked_alike():
    with pytest.raises(UsageError, match="whole number from 1"):
        replace(config(), embeddings=Tables(width=0))
    with pytest.raises(UsageError, match="tasks of different names"):
        replace(config(), tasks=(Task(classes=None), Task(classes=("a", "b"))))


def test_the_literatures_sizes():
    encoder, head = SUCIK
    assert (encoder.layers, encoder.hidden, encoder.intermediate, encoder.heads) == (5, 204, 750, 3)
    assert head.hidden is None
    encoder, head = LIU
    assert (encoder.layers, encoder.reading, head.hidden) == (3, "mean of layers", 512)
    assert replace(VOCABULARY, size=30522).size == 30522
