"""The benchmark of the distiller runs from end to end, and counts and compares rightly."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

SCRIPTS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture
def script(monkeypatch):
    """Imports a program of the benchmarks."""
    monkeypatch.syspath_prepend(str(SCRIPTS))
    return importlib.import_module


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(SCRIPTS))
        models = importlib.import_module("distill_models")
        shape = models.Shape(layers=2, width=16, heads=2, feed=32)
        return models.make_work(tmp_path_factory.mktemp("work"), None, shape, 40)


@pytest.mark.parametrize("full", [True, False])
def test_the_loop_gives_the_logits_of_label(script, work, full):
    found = script("distill_peers").label(work.classifier, work.ids(), full=full, device="cpu")
    np.testing.assert_allclose(found, work.logits(), atol=1e-5)


def test_the_peers_mask_as_bert_does(script, work):
    import torch

    padding = script("distill_jobs").Jobs(work, "cpu")._padding(False, masked=True)
    torch.manual_seed(0)
    rows = [{"input_ids": row} for row in work.ids()]
    batches = [padding(rows) for _ in range(20)]
    labels = torch.cat([batch["labels"].flatten() for batch in batches])
    ids = torch.cat([batch["input_ids"].flatten() for batch in batches])
    content = 20 * sum(len(row) - 2 for row in work.ids())
    chosen = labels != -100
    # binomial: five standard deviations
    assert abs(int(chosen.sum()) - 0.15 * content) < 5 * (0.15 * 0.85 * content) ** 0.5
    masked = (ids[chosen] == padding.mask).float().mean()
    assert abs(float(masked) - 0.8) < 5 * (0.8 * 0.2 / int(chosen.sum())) ** 0.5
    assert not torch.isin(labels[chosen], torch.tensor(padding.special)).any()


def test_rates_are_medians_and_ratios_of_runs_side_by_side(script):
    jobs = script("distill_jobs")
    cases = jobs.make_cases("label")
    seconds = {jobs.OURS: [1, 2, 4], jobs.LOOP_FULL: [2, 8, 8], jobs.LOOP_LONGEST: [4, 4, 4]}
    results = {case: [jobs.Took(8, 80, s, 99.0) for s in seconds[case.tool]] for case in cases}
    rows = {row["tool"]: row for row in jobs.figures("label", cases, results)}
    assert rows[jobs.LOOP_FULL]["tokens_per_cpu_s"] == 10
    assert rows[jobs.LOOP_FULL]["ours"] == 4
    assert rows[jobs.LOOP_FULL]["ours_runs"] == [2, 4, 2]
    assert rows[jobs.OURS]["rows_per_cpu_s"] == 4


def test_one_command_prints_all_tables(script, tmp_path, capsys):
    pytest.importorskip("accelerate")  # without it there is no Trainer
    options = ["--quick", "--rows", "40", "--runs", "1", "--json", str(tmp_path / "d.json")]
    options += ["--jobs", "masked,label"]
    script("distill").main(["--work", str(tmp_path / "work"), *options])
    printed = capsys.readouterr().out
    found = json.loads((tmp_path / "d.json").read_text("utf-8"))
    assert len(found["rows"]) == 6
    assert all(row["tokens_per_cpu_s"] > 0 for row in found["rows"])
    for text in ("Trainer, padded to 128", "labelling", "matrix products"):
        assert text in printed
