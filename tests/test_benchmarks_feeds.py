"""The benchmark of feeds runs from end to end, and counts and compares rightly."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("datasets")

SCRIPTS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture
def script(monkeypatch):
    """Imports a program of the benchmarks."""
    monkeypatch.syspath_prepend(str(SCRIPTS))
    return importlib.import_module


def test_rates_are_medians_and_ratios_of_runs_side_by_side(script):
    jobs = script("feeds_jobs")
    cases = jobs.make_cases("padded")
    seconds = {case.tool: [4, 4, 4] for case in cases}
    seconds |= {jobs.TENSORS: [1, 2, 4], jobs.TORCH_FORMAT: [2, 8, 8]}
    results = {case: [jobs.Took(8, 80, s, 99.0) for s in seconds[case.tool]] for case in cases}
    rows = {row["tool"]: row for row in jobs.figures("padded", cases, results)}
    assert rows[jobs.TENSORS]["batches_per_cpu_s"] == 4
    assert rows[jobs.TORCH_FORMAT]["ours"] == 4
    assert rows[jobs.TORCH_FORMAT]["ours_runs"] == [2, 4, 2]
    assert rows[jobs.LISTS]["tokens_per_cpu_s"] == 20


def test_one_command_prints_a_table_and_a_tool_with_other_rows_ends_it(
    script, tmp_path, capsys, monkeypatch
):
    options = ["--quick", "--runs", "1", "--json", str(tmp_path / "f.json")]
    script("feeds").main(["--work", str(tmp_path / "work"), *options])
    printed = capsys.readouterr().out
    found = json.loads((tmp_path / "f.json").read_text("utf-8"))
    assert len(found["rows"]) == 24
    assert all(row["batches_per_cpu_s"] > 0 for row in found["rows"])
    for text in ("datasets, torch format", "Arrow, take", "batches by ids", "rows of one length"):
        assert text in printed
    jobs, peers = script("feeds_jobs"), script("feeds_peers")
    sets = {"padded": tmp_path / "work" / "any"}
    taken = peers.taken
    monkeypatch.setattr(peers, "taken", lambda path, rows: taken(path, [r[::-1] for r in rows]))
    with pytest.raises(SystemExit, match="Arrow, take, padded gives other rows"):
        jobs.Jobs(sets, 32, 999, 9, 9).check([jobs.Case(jobs.ARROW, "padded")])


def test_the_rows_of_a_run_are_the_first_of_the_epoch(script, tmp_path):
    jobs = script("feeds_jobs")
    from sets import make_set

    found = make_set(tmp_path / "set", [70])
    chosen = jobs.Jobs({"padded": found.root}, 32, 999, 9, 9).chosen("padded", 7)
    assert [len(rows) for rows in chosen] == [32, 32, 6, 32, 32, 6, 32]
    assert np.array_equal(np.sort(np.concatenate(chosen[:3])), np.arange(70))
