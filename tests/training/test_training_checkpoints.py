from __future__ import annotations

import json

import pytest

torch = pytest.importorskip("torch")
safetensors = pytest.importorskip("safetensors.torch")

from transferset.training.checkpoint import Checkpoints  # noqa: E402
from transferset.training.log import TrainingLog  # noqa: E402
from transferset.training.tensors import (  # noqa: E402
    read_tensors,
    restore_weights,
    weights,
    write_tensors,
)


def named(value: float) -> dict[str, torch.Tensor]:
    return {"a": torch.full((2, 3), value), "b": torch.tensor(value)}


@pytest.mark.parametrize("kind", [torch.float32, torch.float64, torch.bfloat16, torch.int64])
def test_the_file_is_as_the_library_reads_it(tmp_path, kind):
    tensors = {"x.y": torch.arange(6).reshape(2, 3).T.to(kind), "0": torch.tensor(7).to(kind)}
    tensors["empty"] = torch.zeros(0, 4, dtype=kind)
    entry = write_tensors(tmp_path / "t.safetensors", tensors)
    found = safetensors.load_file(tmp_path / "t.safetensors")
    assert found.keys() == tensors.keys()
    assert all(torch.equal(found[name], one) for name, one in tensors.items())
    assert (tmp_path / entry.file).stat().st_size == entry.bytes


def test_a_checkpoint_comes_back_whole(tmp_path):
    written = Checkpoints(tmp_path / "c", "recipe")
    assert written.open() is None
    written.write({"step": 5}, {"state": named(1), "best": named(2)}, 5)
    written.write({"step": 9}, {"state": named(3)}, 9)
    found = Checkpoints(tmp_path / "c", "recipe")
    assert found.open() == {"step": 9}
    assert found.tensors("state")["a"][0, 0] == 3
    assert found.tensors("best")["a"][0, 0] == 2  # kept from step 5
    assert len(list((tmp_path / "c").iterdir())) == 3


def test_what_a_kill_leaves_does_not_count(tmp_path):
    """Tensors of the next checkpoint are there, half or whole, and it is not committed."""
    written = Checkpoints(tmp_path / "c", "recipe")
    written.open()
    written.write({"step": 5}, {"state": named(1)}, 5)
    write_tensors(tmp_path / "c" / "state-000000009.safetensors", named(3))
    (tmp_path / "c" / "state-000000011.safetensors.tmp-77").write_bytes(b"half")
    found = Checkpoints(tmp_path / "c", "recipe")
    assert found.open() == {"step": 5}
    assert found.tensors("state")["a"][0, 0] == 1
    assert len(list((tmp_path / "c").iterdir())) == 2


@pytest.mark.parametrize("harm", ["tensors", "state", "missing", "json", "other recipe"])
def test_a_damaged_checkpoint_is_none(tmp_path, harm):
    written = Checkpoints(tmp_path / "c", "recipe")
    written.open()
    written.write({"step": 5}, {"state": named(1)}, 5)
    (tensors,) = (tmp_path / "c").glob("*.safetensors")
    state = tmp_path / "c" / "checkpoint.json"
    if harm == "tensors":
        tensors.write_bytes(tensors.read_bytes()[:-1] + b"x")
    elif harm == "state":
        state.write_text(state.read_text().replace('"step":5', '"step":4'))
    elif harm == "missing":
        tensors.unlink()
    elif harm == "json":
        state.write_text("[]")
    assert (
        Checkpoints(tmp_path / "c", "other" if harm == "other recipe" else "recipe").open() is None
    )


def test_tied_weights_are_kept_once_and_come_back_tied():
    model = torch.nn.ModuleDict({"a": torch.nn.Linear(2, 2), "b": torch.nn.Linear(2, 2)})
    model["b"].weight = model["a"].weight
    kept = {name: one.clone() for name, one in weights(model).items()}
    assert list(kept) == ["a.weight", "a.bias", "b.bias"]
    with torch.no_grad():
        model["a"].weight.zero_()
    restore_weights(model, kept)
    assert torch.equal(model["b"].weight, kept["a.weight"])


def test_the_log_goes_back_to_where_the_checkpoint_was(tmp_path):
    path = tmp_path / "log.jsonl"
    with TrainingLog(path) as log:
        log.write({"step": 1})
        size = log.sync()
        log.write({"step": 2, "of": "a killed run"})
    with TrainingLog(path, size) as log:
        log.write({"step": 2})
    assert [json.loads(line) for line in path.read_text().splitlines()] == [
        {"step": 1},
        {"step": 2},
    ]


def test_read_tensors_gives_all(tmp_path):
    write_tensors(tmp_path / "t", named(4))
    assert read_tensors(tmp_path / "t").keys() == {"a", "b"}
