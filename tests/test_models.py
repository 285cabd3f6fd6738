from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from transferset.errors import SetError
from transferset.files import write_atomic
from transferset.manifest import FileEntry
from transferset.models import RECORD, Model, Record, is_model


def record(**members) -> Record:
    found = Record(
        format=1, name="toy", op="test", params={"epochs": 1}, seed=2**64 - 1, generator="none",
        recipe="0" * 64, code={"transferset": "0"}, base=None, parents=(), tokenizer={"pieces": 3},
        examples={}, metrics={"held_out": [{"piece": 1.5}]}, licence="MIT", files=(),
    )  # fmt: skip
    return replace(found, **members)


def make_model(root: Path, **members) -> Path:
    root.mkdir()
    digest = write_atomic(root / "model.safetensors", b"weights")
    found = record(files=(FileEntry("model.safetensors", 7, digest),), **members)
    write_atomic(root / RECORD, found.to_bytes())
    return root


def test_what_is_written_is_read(tmp_path):
    root = make_model(tmp_path / "m", base={"name": "b", "licence": "MIT"})
    found = Model.open(root).verify()
    assert found.record.base == {"name": "b", "licence": "MIT"}
    assert found.record.files[0].bytes == 7
    assert found.record.to_bytes() == (root / RECORD).read_bytes()
    assert found.record.digest == json.loads((root / RECORD).read_bytes())["digest"]
    assert is_model(root)


def test_no_model_is_there(tmp_path):
    with pytest.raises(SetError, match="found no such directory"):
        Model.open(tmp_path / "none")
    with pytest.raises(SetError, match=r"found no model\.json"):
        Model.open(tmp_path)
    (tmp_path / "_run").mkdir()
    with pytest.raises(SetError, match=r"an unfinished one.*again to finish it"):
        Model.open(tmp_path)
    assert not is_model(tmp_path)


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (lambda raw: raw.replace(b'"toy"', b'"boy"'), "a record as written"),
        (lambda raw: raw[:-5], "a record in JSON"),
        (lambda raw: b"[1]", "an object of JSON"),
        (lambda raw: b"\xff", "a record in JSON"),
        (lambda raw: b'{"a":' * 100_000, "a record in JSON"),
    ],
)
def test_a_changed_byte_is_seen(tmp_path, harm, told):
    root = make_model(tmp_path / "m")
    (root / RECORD).write_bytes(harm((root / RECORD).read_bytes()))
    with pytest.raises(SetError, match=told):
        Model.open(root)


@pytest.mark.parametrize(
    ("members", "told"),
    [
        ({"files": (FileEntry("../x", 1, ""),)}, "the plain name of a file"),
        ({"seed": 2**64}, "a whole number"),
        ({"metrics": []}, "an object"),
        ({"format": 2}, "expected format 1, found format 2"),
    ],
)
def test_a_record_of_another_shape_is_refused(tmp_path, members, told):
    (tmp_path / RECORD).write_bytes(record(**members).to_bytes())
    with pytest.raises(SetError, match=told):
        Model.open(tmp_path)


def test_files_are_checked_by_size_at_once_and_by_digest_when_asked(tmp_path):
    root = make_model(tmp_path / "m")
    (root / "model.safetensors").write_bytes(b"weighty")
    with pytest.raises(SetError, match="bytes as written"):
        Model.open(root).verify()
    (root / "model.safetensors").write_bytes(b"weight")
    with pytest.raises(SetError, match="expected 7 bytes, found 6"):
        Model.open(root)
    (root / "model.safetensors").unlink()
    with pytest.raises(SetError, match="No such file"):
        Model.open(root)
