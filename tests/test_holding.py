from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from transferset.errors import RESUMABLE, SetError
from transferset.files import lock
from transferset.holding import MODEL, RUN, SET, building

RECIPE = {"op": "test", "params": {"max_len": 512}}


def work(root: Path) -> Path:
    """Unfinished work, as a stage leaves it."""
    receipt = root / RUN / "one" / "00000.json"
    receipt.parent.mkdir(exist_ok=True)
    receipt.touch()
    return receipt


def test_the_lock_names_its_holder(tmp_path):
    with lock(tmp_path / "lock"):
        command = (
            "import sys; from pathlib import Path; from transferset.files import lock\n"
            f"with lock(Path({str(tmp_path / 'lock')!r})): pass"
        )
        child = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True)
    assert child.returncode == 1
    assert f"process {os.getpid()} on" in child.stderr
    with lock(tmp_path / "lock"):  # free again
        pass


def test_a_build_that_did_nothing_leaves_nothing(tmp_path):
    with pytest.raises(ValueError, match="x"), building(tmp_path / "s", RECIPE, force=False):
        raise ValueError("x")
    assert not (tmp_path / "s").exists()


@pytest.mark.parametrize(
    ("kind", "file", "kept"),
    [
        (SET, "one/00000.json", True),
        (SET, None, False),
        (MODEL, "training/seed-0/checkpoint/checkpoint.json", True),
        (MODEL, "fit/00000.json", True),
        (MODEL, "student/new/config.json", False),  # what a model is made of on the way
    ],
)
def test_an_interruption_tells_whether_there_is_something_to_go_on_with(tmp_path, kind, file, kept):
    def begin():
        with building(tmp_path / "s", RECIPE, force=False, kind=kind):
            if file is not None:
                path = tmp_path / "s" / RUN / file
                path.parent.mkdir(parents=True)
                path.touch()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        begin()
    assert (RESUMABLE in getattr(caught.value, "__notes__", ())) is kept


def test_unfinished_work_of_another_recipe_is_refused_and_kept(tmp_path):
    root = tmp_path / "s"
    with building(root, RECIPE, force=False) as todo:
        assert todo
        kept = work(root)
    other = {"op": "test", "params": {"max_len": 128}}
    with pytest.raises(SetError, match=r"params\.max_len was 512, is 128"):
        building(root, other, force=False).__enter__()
    with building(root, RECIPE, force=False) as todo:
        assert todo
        assert kept.exists()
    with building(root, other, force=True) as todo:
        assert todo
        assert not kept.exists()


def test_a_directory_with_other_files_is_never_touched(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(SetError, match="not transferset's"):
        building(tmp_path, RECIPE, force=True).__enter__()
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.tex"]


def test_one_who_was_killed_before_the_first_file_goes_on(tmp_path):
    (tmp_path / "mine" / "_run").mkdir(parents=True)
    with building(tmp_path / "mine", RECIPE, force=False) as todo:
        assert todo
    (tmp_path / "theirs" / "_run").mkdir(parents=True)
    (tmp_path / "theirs" / "thesis").mkdir()
    with pytest.raises(SetError, match="not transferset's"):
        building(tmp_path / "theirs", RECIPE, force=False).__enter__()


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("stranger", ["_run/mine.txt", "manifest.json", "_run/lock.txt"])
def test_a_stranger_who_uses_our_names_loses_nothing(tmp_path, stranger, force):
    root = tmp_path / "theirs"
    (root / "_run").mkdir(parents=True)
    (root / stranger).write_text("keep")
    (root / "tokenizer.json").write_text("theirs")
    if stranger == "manifest.json":
        (root / "_run").rmdir()
    before = {p: p.read_text() for p in root.rglob("*") if p.is_file()}
    with pytest.raises(SetError):
        building(root, RECIPE, force=force).__enter__()
    assert {p: p.read_text() for p in root.rglob("*") if p.is_file()} == before


def test_a_linked_run_folder_is_not_followed(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "recipe.json").write_text("keep")
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "_run").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SetError):
        building(tmp_path / "set", RECIPE, force=True).__enter__()
    assert (tmp_path / "elsewhere" / "recipe.json").read_text() == "keep"


def test_names_that_only_look_like_ours_stay(tmp_path):
    root = tmp_path / "s"
    with building(root, RECIPE, force=False):
        work(root)
    mine = [root / "notes.tmp-backup", root / "notes.tmp-12", root / "sub.tmp-1"]
    for path in mine:
        path.write_text("mine")
    with building(root, RECIPE, force=False):
        assert all(path.exists() for path in mine)


def test_force_removes_only_what_transferset_wrote(tmp_path):
    root = tmp_path / "s"
    with building(root, RECIPE, force=False):
        work(root)
    (root / "notes.txt").write_text("mine")
    (root / "data-00000-of-00001.arrow").write_bytes(b"")
    with building(root, {"op": "other"}, force=True):
        work(root)
    assert (root / "notes.txt").read_text() == "mine"
    assert not (root / "data-00000-of-00001.arrow").exists()


def test_what_a_killed_writer_left_is_removed(tmp_path):
    root = tmp_path / "s"
    with building(root, RECIPE, force=False):
        work(root)
    left = root / "data-00000-of-00001.arrow.tmp-123"
    left.write_bytes(b"half")
    with building(root, RECIPE, force=False):
        assert not left.exists()
