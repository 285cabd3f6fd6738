"""A transform that another package offers: the package in tests/packages, as if installed."""

from __future__ import annotations

import importlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from deriving import files_of, rows_of
from sets import make_set

import transferset
from transferset import Sample, SetError, UsageError
from transferset.steps import parse_steps
from transferset.steps.plugins import _load, offered

PACKAGES = Path(__file__).parent / "packages"


@pytest.fixture(autouse=True)
def installed(monkeypatch):
    monkeypatch.syspath_prepend(str(PACKAGES))
    importlib.invalidate_caches()


@pytest.fixture
def parent(tmp_path):
    return make_set(tmp_path / "parent", [12_000])


def run(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(PACKAGES)}
    command = [sys.executable, "-m", "transferset", *words]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)


def test_it_is_a_flag_and_a_name_in_recipes_and_in_python(parent, tmp_path):
    from transferset_reverse import reverse

    assert "--reverse" in run("derive", "--help", cwd=tmp_path).stdout
    done = run(
        "derive", "parent", "--sample", "50%", "--reverse", "share=0.5", "--out", "a", cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    steps = parse_steps([{"sample": "50%"}, {"reverse": {"share": 0.5}}])
    b = transferset.derive(parent.root, tmp_path / "b", steps=steps, workers=1)
    python = [Sample("50%"), reverse.step(share=0.5)]
    c = transferset.derive(parent.root, tmp_path / "c", steps=python, workers=1)
    assert files_of(tmp_path / "a") == files_of(b.root) == files_of(c.root)
    assert b.manifest.params["steps"][1] == {"reverse": {"share": 0.5}}
    assert b.manifest.code["transform reverse"].endswith("of transferset-reverse 1.0")


def test_it_does_what_it_says(parent, tmp_path):
    found = transferset.derive(
        parent.root, tmp_path / "set", steps=parse_steps([{"reverse": True}]), workers=1
    )
    before, after = (rows_of(s)["input_ids"].to_pylist() for s in (parent, found))
    assert all(a == [b[0], *b[-2:0:-1], b[-1]] for a, b in zip(after, before, strict=True))
    assert "text" not in found.schema.names


@pytest.mark.slow
def test_its_random_numbers_do_not_depend_on_workers_or_shards(parent, tmp_path):
    command = ["derive", "parent", "--reverse", "0.5", "--seed", "8", "--shards", "3"]
    for workers in ("1", "3"):
        done = run(*command, "--workers", workers, "--out", workers, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    assert files_of(tmp_path / "1") == files_of(tmp_path / "3")
    ids = [rows_of(s)["input_ids"].to_pylist() for s in (parent, transferset.open(tmp_path / "1"))]
    changed = sum(a != b for a, b in zip(*ids, strict=True))
    # 6,000 expected of those longer than one token that are no palindromes; 5 sigma is 274
    longer = sum(r[1:-1] != r[-2:0:-1] for r in ids[0])
    assert abs(changed - longer / 2) < 274


def test_another_version_is_another_recipe(parent, tmp_path, monkeypatch):
    steps = parse_steps([{"reverse": True}])
    transferset.derive(parent.root, tmp_path / "set", steps=steps, workers=1)
    newer = tmp_path / "newer"
    shutil.copytree(PACKAGES, newer)
    metadata = next(newer.glob("*.dist-info")) / "METADATA"
    metadata.write_text(metadata.read_text().replace("Version: 1.0", "Version: 1.1"))
    monkeypatch.setattr(sys, "path", [str(newer), *(p for p in sys.path if p != str(PACKAGES))])
    importlib.invalidate_caches()
    newer = parse_steps([{"reverse": True}])
    with pytest.raises(SetError, match=r"transform reverse was .*1\.0.*, is .*1\.1"):
        transferset.derive(parent.root, tmp_path / "set", steps=newer, workers=1)


def test_without_a_value_it_has_its_defaults(parent, tmp_path):
    done = run("derive", "parent", "--out", "a", "--reverse", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert transferset.open(tmp_path / "a").manifest.params["steps"] == [
        {"reverse": {"share": 1.0}}
    ]


def test_wrong_parameters_are_named(parent, tmp_path):
    done = run("derive", "parent", "--reverse", "shar=1", "--out", "a", cwd=tmp_path)
    assert done.returncode == 2
    assert "did you mean 'share'" in done.stderr
    assert not (tmp_path / "a").exists()


def test_a_function_that_workers_cannot_import_is_refused():
    @transferset.transform
    def inner(batch, at): ...

    with pytest.raises(UsageError, match="top level of a module"):
        inner.step()


def test_a_function_of_another_shape_is_refused():
    with pytest.raises(UsageError, match="a transform"):

        @transferset.transform
        def wrong(batch): ...


def test_names_that_are_taken_are_refused(tmp_path, monkeypatch):
    folder = tmp_path / "bad-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: bad\nVersion: 1.0\n")
    (folder / "entry_points.txt").write_text("[transferset.transforms]\nsample = bad:sample\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    with pytest.raises(UsageError, match="free name"):
        offered()


def test_a_package_without_its_function_is_named():
    with pytest.raises(UsageError, match="can be imported"):
        _load("transferset_reverse:nothing")
    with pytest.raises(UsageError, match="decorate it"):
        _load("json:dumps")
    assert json  # the module is there, its function is no transform
