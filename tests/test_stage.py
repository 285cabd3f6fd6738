from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from transferset.errors import InputError, SetError, TransfersetError
from transferset.executor import LocalExecutor
from transferset.files import HashingFile, lock, write_atomic, writing
from transferset.manifest import MANIFEST
from transferset.stage import RUN, Done, Output, Quiet, building, run_stage


def work(root: Path, context: str, task: dict) -> Done:
    """Writes a file and notes that it ran."""
    if context == "fail" and task["n"] == 2:
        raise InputError("expected good, found bad")
    if context == "die" and task["n"] == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    with (root / "ran.txt").open("a") as file:
        file.write(f"{task['n']}\n")
    name = f"{RUN}/one/{task['n']}.bin"
    with HashingFile(root / name) as sink:
        sink.write(b"x" * task["n"])
        digest = sink.commit()
    return Done([Output(name, task["n"], digest)], {"rows": task["n"]})


def run(root: Path, context: str = "", workers: int = 1, recipe: str = "r", n: int = 5):
    (root / RUN).mkdir(parents=True, exist_ok=True)
    return run_stage(
        "one",
        work,
        [{"n": i, "size": 1} for i in range(n)],
        root=root,
        recipe=recipe,
        context=context,
        executor=LocalExecutor(workers),
        progress=Quiet(),
        weight="size",
    )


def ran(root: Path) -> list[str]:
    return (root / "ran.txt").read_text().split()


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_results_come_in_the_order_of_the_tasks(tmp_path, workers):
    assert [r["rows"] for r in run(tmp_path, workers=workers)] == [0, 1, 2, 3, 4]


def test_finished_tasks_are_not_done_again(tmp_path):
    run(tmp_path)
    assert run(tmp_path) == [{"rows": i} for i in range(5)]
    assert ran(tmp_path) == ["0", "1", "2", "3", "4"]


def test_after_a_failure_only_the_rest_is_done(tmp_path):
    with pytest.raises(InputError):
        run(tmp_path, "fail")
    run(tmp_path)
    assert sorted(ran(tmp_path)) == ["0", "1", "2", "3", "4"]


def test_a_killed_worker_is_one_sentence_and_resumable(tmp_path):
    with pytest.raises(TransfersetError, match="run the same command again"):
        run(tmp_path, "die", workers=2)
    run(tmp_path, workers=2)
    assert sorted(set(ran(tmp_path))) == ["0", "1", "2", "3", "4"]


def test_a_receipt_of_another_recipe_or_of_changed_files_does_not_count(tmp_path):
    run(tmp_path)
    run(tmp_path, recipe="other")
    assert len(ran(tmp_path)) == 10
    (tmp_path / RUN / "one" / "3.bin").write_bytes(b"yyy")
    (tmp_path / RUN / "one" / "4.bin").unlink()
    (tmp_path / RUN / "one" / "00001.json").write_text("{")
    run(tmp_path, recipe="other")
    assert sorted(ran(tmp_path)[10:]) == ["1", "3", "4"]


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


RECIPE = {"op": "test", "params": {"max_len": 512}}


def commit(root: Path) -> None:
    write_atomic(root / MANIFEST, b"not looked at here")


def test_a_build_that_did_nothing_leaves_nothing(tmp_path):
    with pytest.raises(ValueError, match="x"), building(tmp_path / "s", RECIPE, force=False):
        raise ValueError("x")
    assert not (tmp_path / "s").exists()


def test_unfinished_work_of_another_recipe_is_refused_and_kept(tmp_path):
    root = tmp_path / "s"
    with building(root, RECIPE, force=False) as todo:
        assert todo
        run(root)
    other = {"op": "test", "params": {"max_len": 128}}
    with pytest.raises(SetError, match=r"params\.max_len was 512, is 128"):
        building(root, other, force=False).__enter__()
    with building(root, RECIPE, force=False):
        run(root)
    assert len(ran(root)) == 5
    with building(root, other, force=True) as todo:
        assert todo
        run(root)
    assert len(ran(root)) == 10


def test_a_directory_with_other_files_is_never_touched(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(SetError, match="not transferset's"):
        building(tmp_path, RECIPE, force=True).__enter__()
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.tex"]


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
        run(root)
    mine = [root / "notes.tmp-backup", root / "notes.tmp-12", root / "sub.tmp-1"]
    for path in mine:
        path.write_text("mine")
    with building(root, RECIPE, force=False):
        assert all(path.exists() for path in mine)


def test_an_altered_receipt_does_not_count(tmp_path):
    run(tmp_path)
    receipt = tmp_path / RUN / "one" / "00002.json"
    receipt.write_text(receipt.read_text().replace('"rows":2', '"rows":3'))
    assert run(tmp_path) == [{"rows": i} for i in range(5)]
    assert ran(tmp_path)[5:] == ["2"]


def test_force_removes_only_what_transferset_wrote(tmp_path):
    root = tmp_path / "s"
    with building(root, RECIPE, force=False):
        run(root)
    (root / "notes.txt").write_text("mine")
    (root / "data-00000-of-00001.arrow").write_bytes(b"")
    with building(root, {"op": "other"}, force=True):
        run(root)
    assert (root / "notes.txt").read_text() == "mine"
    assert not (root / "data-00000-of-00001.arrow").exists()


def test_what_a_killed_writer_left_is_removed(tmp_path):
    root = tmp_path / "s"
    with building(root, RECIPE, force=False):
        run(root)
    left = root / "data-00000-of-00001.arrow.tmp-123"
    left.write_bytes(b"half")
    with building(root, RECIPE, force=False):
        assert not left.exists()


def test_the_log_tells_what_was_resumed(tmp_path):
    root = tmp_path / "s"
    for _ in range(2):
        with building(root, RECIPE, force=False):
            run(root)
    lines = [json.loads(line) for line in (root / RUN / "log.jsonl").read_text().splitlines()]
    assert [line["done_before"] for line in lines if line["event"] == "one"] == [0, 5]


def test_a_full_disk_is_one_sentence(tmp_path):
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "data.arrow")
    match = "make room or name another --out, and run the command again"
    with pytest.raises(TransfersetError, match=match), writing(tmp_path):
        raise full


NAP = """
import os, time
from pathlib import Path
def nap(path):
    Path(path).write_text(str(os.getpid()))
    time.sleep(60)
"""


def test_workers_die_with_a_killed_driver(tmp_path):
    (tmp_path / "napping.py").write_text(NAP)
    script = tmp_path / "driver.py"
    script.write_text(  # no guard: a worker must not run the script again
        "from transferset.executor import LocalExecutor\n"
        "from napping import nap\n"
        f"list(LocalExecutor(2).map(nap, [{str(tmp_path / 'a')!r}, {str(tmp_path / 'b')!r}]))\n"
    )
    driver = subprocess.Popen([sys.executable, str(script)])
    pids = [wait_for_pid(tmp_path / name) for name in "ab"]
    driver.kill()
    driver.wait()
    deadline = time.monotonic() + 20
    while any(alive(pid) for pid in pids):
        assert time.monotonic() < deadline, "workers outlive their driver"
        time.sleep(0.05)


def wait_for_pid(path: Path) -> int:
    deadline = time.monotonic() + 120
    while not (path.exists() and path.read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return int(path.read_text())


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
