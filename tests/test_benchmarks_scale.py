"""The benchmark of scale runs from end to end, and its line shows what is not straight."""

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
    for name in ("scale", "derive"):  # names that others may have, too
        monkeypatch.delitem(sys.modules, name, raising=False)
    return importlib.import_module


def test_a_line_has_a_slope_and_a_start_and_tells_what_bends(script):
    fit = script("scale").fit
    straight = fit([1, 10, 100], [7, 25, 205])
    assert (straight.slope, straight.start) == pytest.approx((2, 5))
    assert straight.bend < 1e-9
    assert fit([1, 2, 3], [1, 4, 9]).bend > 0.2
    assert fit([4], [8]).slope == 2


def test_only_what_is_off_by_more_than_twice_is_told(script, monkeypatch):
    program, jobs = script("scale"), script("scale_jobs")
    slope = program.scale.Slope
    table = {"verify": slope(1.0, row=10, memory=100_000_000)}
    monkeypatch.setattr(program.scale, "SLOPES", table)

    def row(cpu: float, temporary: int, memory: int) -> dict:
        sizes = (1_000_000, 2_000_000)
        runs = [
            jobs.Run(n, n, 80 * n, cpu * n / 1e6, memory, memory, temporary * n, 9, 0.0)
            for n in sizes
        ]
        return program.row_of("verify", runs)

    assert program.differences(row(1.9, 6, 150_000_000)) == []
    (told,) = program.differences(row(2.1, 10, 100_000_000))
    assert told == "verify: cpu measured 2.1, in the table 1"
    assert len(program.differences(row(0.4, 30, 300_000_000))) == 3


def test_every_line_of_the_table_is_measured(script):
    from transferset.pipeline import scale

    jobs = set(script("scale_jobs").JOBS)
    assert jobs | {"derive"} == set(scale.SLOPES)


@pytest.mark.slow
def test_one_command_prints_the_table(tmp_path):
    figures = tmp_path / "figures.json"
    command = [sys.executable, str(SCRIPTS / "scale.py"), "--quick", "--jobs", "derive dedupe"]
    options = ["--work", str(tmp_path / "work"), "--json", str(figures)]
    done = subprocess.run([*command, *options], check=True, capture_output=True, text=True)
    (row,) = json.loads(figures.read_text())["rows"]
    assert row["rows"] == [1000, 3000]
    assert row["cpu"] != 0
    assert row["files"] > 8
    assert "| derive dedupe | 1,000, 3,000 |" in done.stdout
