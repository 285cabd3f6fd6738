"""The benchmark of exports runs from end to end, and compares rightly."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture
def script(monkeypatch):
    """Imports a program of the benchmarks."""
    monkeypatch.syspath_prepend(str(SCRIPTS))
    return importlib.import_module


def test_peers_run_only_where_their_packages_are(script):
    jobs = script("exports_jobs")
    cases = jobs.make_cases(["parquet", "mds"], [1, 2], ["trainers"])
    assert [(case.format, case.tool, case.workers) for case in cases] == [
        ("parquet", "transferset", 1),
        ("parquet", "transferset", 2),
        ("mds", "transferset", 1),
        ("mds", "transferset", 2),
        ("mds", "MDSWriter", 1),
    ]


def test_ratios_are_of_the_work_without_start_up(script, monkeypatch, tmp_path):
    jobs, usage = script("exports_jobs"), script("measure").Usage
    tiny = {("transferset", True): 2, ("MDSWriter", True): 1}
    cpu = {**tiny, ("transferset", False): 4, ("MDSWriter", False): 11}

    class Run(jobs.Jobs):
        def run(self, case, src):
            return usage(cpu[case.tool, src == self.tiny], 1, 2, 3, 4, "")

        def check(self, case):
            return {"bytes": 10, "files": 1}

    run = Run(tmp_path / "whole", tmp_path / "tiny", tmp_path, {"trainers": Path(sys.executable)})
    rows = jobs.measure_all(run, jobs.make_cases(["mds"], [1], ["trainers"]), 3)
    assert [row["times_ours"] for row in rows] == [1, 5]
    cpu["transferset", False] = 2.1  # hardly more than start-up
    rows = jobs.measure_all(run, jobs.make_cases(["mds"], [1], ["trainers"]), 3)
    assert [row["times_ours"] for row in rows] == [None, None]


@pytest.mark.slow
def test_one_command_prints_the_table(tmp_path):
    pytest.importorskip("datasets")
    figures = tmp_path / "figures.json"
    # a process of its own: it waits for all of its children, and this one may have others
    command = [sys.executable, str(SCRIPTS / "exports.py"), "--quick", "--formats", "nanogpt"]
    options = ["--peers-python", sys.executable, "--work", str(tmp_path), "--json", str(figures)]
    done = subprocess.run([*command, *options], check=True, capture_output=True, text=True)
    found = json.loads(figures.read_text())
    assert found["set"]["rows"] == 2000
    ours, peer = found["rows"]
    assert (ours["tool"], peer["tool"]) == ("transferset", "nanoGPT's prepare.py")
    assert ours["bytes"] > peer["bytes"] == 2 * found["set"]["tokens"]
    assert "| nanogpt | transferset | 1 |" in done.stdout
