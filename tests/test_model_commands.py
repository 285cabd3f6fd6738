"""`inspect` and `verify` of models."""

from __future__ import annotations

import json

import pytest
from test_models import make_model

import transferset
from transferset.cli import run
from transferset.errors import SetError


@pytest.fixture
def model(tmp_path):
    made = make_model(
        tmp_path / "m",
        params={"epochs": 2, "direction": "a‖b", "embeddings": {"from": "teacher"}, "mlm": False},
        base={"name": "encoder", "weights": "1" * 64},
        parents=[{"name": "task\x1b[31m", "role": "source", "totals": {"rows": 1500}}],
        metrics={"steps": 1000, "kept_step": 5, "evaluations": [{"step": 5, "accuracy": 0.5}]},
    )
    (made / "_run").mkdir()  # as trainings leave it
    return made


def test_inspect_shows_the_record(model, capsys):
    assert run(["inspect", str(model)]) == 0
    shown = capsys.readouterr().out
    for told in (
        "toy", "test, seed 18446744073709551615", "epochs 2", "direction a‖b",
        "embeddings (from teacher)", "encoder", r"task\x1b[31m, 1,500 rows", "1,000",
        "accuracy 0.5", "MIT", "model.safetensors", "7\u00a0B",
    ):  # fmt: skip
        assert told in shown
    assert "\x1b" not in shown


def test_inspect_for_programs(model, capsys):
    assert run(["inspect", str(model), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found == json.loads((model / "model.json").read_bytes())
    assert found == json.loads(json.dumps(transferset.inspect_model(model)))


def test_verify_reads_every_file(model, capsys):
    assert run(["verify", str(model)]) == 0
    said = capsys.readouterr().out
    assert "right; a model of 1 file," in said
    assert transferset.verify_model(model).record.digest[:16] in said
    (model / "model.safetensors").write_bytes(b"Weights")
    assert run(["verify", str(model)]) == 4
    assert "model.safetensors" in capsys.readouterr().err


def test_a_model_is_no_unfinished_set(model):
    with pytest.raises(SetError, match="expected a shard set, found a model"):
        transferset.open(model)


def test_options_inside_each_other_are_not_followed_for_ever(tmp_path, capsys):
    deep: dict = {}
    for _ in range(300):
        deep = {"a": deep}
    assert run(["inspect", str(make_model(tmp_path / "deep", params={"x": deep}))]) == 0
    assert "…" in capsys.readouterr().out
