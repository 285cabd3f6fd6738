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

from transferset.errors import InputError, TransfersetError
from transferset.executor import LocalExecutor
from transferset.files import HashingFile, writing
from transferset.holding import RUN, building
from transferset.stage import Done, Output, Quiet, run_stage


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


def test_an_altered_receipt_does_not_count(tmp_path):
    run(tmp_path)
    receipt = tmp_path / RUN / "one" / "00002.json"
    receipt.write_text(receipt.read_text().replace('"rows":2', '"rows":3'))
    assert run(tmp_path) == [{"rows": i} for i in range(5)]
    assert ran(tmp_path)[5:] == ["2"]


def test_the_log_tells_what_was_resumed(tmp_path):
    root = tmp_path / "s"
    for _ in range(2):
        with building(root, {"op": "test"}, force=False):
            run(root)
    lines = [json.loads(line) for line in (root / RUN / "log.jsonl").read_text().splitlines()]
    assert [line["done_before"] for line in lines if line["event"] == "one"] == [0, 5]


def test_a_full_disk_is_one_sentence(tmp_path):
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "data.arrow")
    match = "make room or name another --out, and run the command again"
    with pytest.raises(TransfersetError, match=match), writing(tmp_path):
        raise full


def test_no_memory_is_no_full_disk(tmp_path):
    with pytest.raises(MemoryError), writing(tmp_path):
        raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM), str(tmp_path))


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
