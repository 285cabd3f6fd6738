"""The sampling benchmark runs from end to end, and counts and compares rightly."""

from __future__ import annotations

import importlib
import json
import math
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

SCRIPTS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture
def script(monkeypatch):
    """Imports a program of the benchmarks."""
    monkeypatch.syspath_prepend(str(SCRIPTS))
    return importlib.import_module


@pytest.fixture
def shape(script):
    return script("generate_models").Shape(layers=1, width=16, heads=2, vocabulary=60, length=40)


def test_pieces_count_up_to_the_first_end_and_no_filling(script):
    import torch

    count = script("generate_jobs").count_pieces
    rows = torch.tensor([[5, 1, 1, 1], [5, 6, 7, 8], [1, 1, 1, 1], [5, 2, 9, 1]])
    assert count(rows, (1, 2)) == 2 + 4 + 1 + 2
    assert count(rows, ()) == 16


@pytest.mark.parametrize("way", ["ancestral", "top-k 50"])
def test_rows_that_end_are_of_the_length_that_is_told(script, shape, way):
    models, jobs = script("generate_models"), script("generate_jobs")
    kept = models.WAYS[way]["top_k"]
    model = models.with_ends(models.make_model(shape, "cpu"), 1, 4, kept)
    task = models.Task("tiny", model, 0, (1,), shape.length, (way,))
    count = 2048
    took = jobs.Jobs(task, "cpu", 64, count).run(jobs.Case(jobs.OURS, way))
    # geometric of mean 4: σ = √20 of a row; its end is a piece, too
    assert abs(took.pieces / count - 5) < 5 * math.sqrt(20 / count) + 0.1


@pytest.mark.parametrize("tool", ["transferset", "generate()", "generate(), static cache"])
def test_all_tools_make_as_many_pieces_where_rows_do_not_end(script, shape, tool):
    models, jobs = script("generate_models"), script("generate_jobs")
    task = models.Task("tiny", models.make_model(shape, "cpu"), 0, (), 7)
    took = jobs.Jobs(task, "cpu", 8, 20).run(jobs.Case(tool, "ancestral"))
    assert took.pieces == 20 * 7
    assert took.cpu_s > 0


def test_rates_are_medians_and_ratios_of_runs_side_by_side(script, shape):
    models, jobs = script("generate_models"), script("generate_jobs")
    task = models.Task("tiny", None, 0, (), 7, ("ancestral",))
    cases = jobs.make_cases(task.ways)
    seconds = {"transferset": [1, 2, 4], "generate()": [2, 8, 8], cases[1].tool: [4, 4, 4]}
    results = {case: [jobs.Took(80, cpu, 99.0) for cpu in seconds[case.tool]] for case in cases}
    rows = {row["tool"]: row for row in jobs.figures(jobs.Jobs(task, "cpu", 8, 9), cases, results)}
    assert rows["generate()"]["pieces_per_s"] == 10
    assert rows["generate()"]["ours"] == 4
    assert rows["generate()"]["ours_runs"] == [2, 4, 2]
    assert rows["transferset"]["ours"] == 1


def test_the_share_of_the_bandwidth_is_of_weights_and_half_of_the_rows(script):
    share = script("generate_limits").share
    limit = {"weight_bytes": 1000, "position_bytes": 10}
    # a step of 4 rows of 20 pieces reads 1,000 + 4 · 10 · 10 bytes: at most 10 steps a second
    assert share({"batch": 4, "pieces_per_s": 20.0}, limit, 14_000.0, 20) == pytest.approx(0.5)


def test_one_command_prints_all_tables(script, tmp_path, capsys):
    script("generate").main(["--quick", "--runs", "1", "--json", str(tmp_path / "g.json")])
    printed = capsys.readouterr().out
    found = json.loads((tmp_path / "g.json").read_text("utf-8"))
    assert len(found["rows"]) == 12
    assert all(row["pieces_per_s"] > 0 for row in found["rows"])
    for text in ("generate(), static cache", "top-k 50", "ends", "matrix products alone"):
        assert text in printed
