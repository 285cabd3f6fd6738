"""The benchmark itself runs, and the sample passes its quality metrics."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from transferset import demo

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "build_wiki.py"


def test_the_sample_is_clean_by_the_benchmarks_own_metrics(tmp_path):
    command = [sys.executable, str(SCRIPT), str(demo.path()), "--work", str(tmp_path / "work")]
    chosen = ["--parts", "cleaning,quality", "--tools", "transferset"]
    sizes = ["--size", "1MB", "--clean-size", "1MB", "--runs", "1"]
    figures = tmp_path / "figures.json"
    subprocess.run([*command, *chosen, *sizes, "--json", str(figures)], check=True)
    (one,) = json.loads(figures.read_text())["quality"].values()
    assert one["prose_kept_percent"] >= 99.5
    assert one["values_kept_percent"] >= 99
    assert one["leftovers_per_1000_words"] < 0.2
    assert max(one["leaked_percent"].values()) < 1
