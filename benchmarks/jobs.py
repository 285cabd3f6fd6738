"""The whole job, from a dump to shuffled ids on disk: ours, and the pipeline people use.

That pipeline is wikiextractor, then Punkt on its paragraphs, then `datasets` with the fast BERT
tokenizer: three commands, each with as many processes as we have workers.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

from bench import HERE, Bench
from measure import Usage, measure

_PEERS_ENVIRONMENT = {"TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1"}

Case = tuple[str, str, int]  # tool, layout of the file, workers


def commands(bench: Bench, case: Case, name: str, out: Path) -> Iterator[list[str | Path]]:
    """The commands that turn a dump into shuffled ids, by our tool or by the usual pipeline."""
    tool, layout, workers = case
    dump, count = bench.file(layout, name), str(workers)
    if tool == "transferset":
        ours = [sys.executable, "-m", "transferset", "build", "wiki", str(dump)]
        options = ["--tokenizer", bench.tokenizer, "--workers", count]
        yield [*ours, "--out", out / "set", *options]
        return
    python, script, text = bench.python(tool), HERE / "peers.py", out / "sentences.txt"
    extract = [python, "-m", "wikiextractor.WikiExtractor", str(dump), "--json", "--no-templates"]
    yield [*extract, "-q", "--processes", count, "-o", out / "extracted"]
    yield [python, script, "sentences", out / "extracted", "--out", text, "--workers", count]
    options = ["--workers", count, "--tokenizer", bench.tokenizer]
    yield [python, script, "encode", text, "--out", out / "set", *options]


def run_case(bench: Bench, case: Case, name: str) -> list[Usage]:
    """One whole job from an empty folder: what each of its commands took."""
    out = bench.work / f"out-{case[0]}"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    environment = {} if case[0] == "transferset" else _PEERS_ENVIRONMENT
    return [measure(command, environment) for command in commands(bench, case, name, out)]


def outcome(bench: Bench, case: Case) -> dict[str, Any]:
    """What the last run of a case made; our set must pass `verify`, or the benchmark ends."""
    if case[0] != "transferset":
        return {}
    ours, out = [sys.executable, "-m", "transferset"], bench.work / "out-transferset" / "set"
    verify = measure([*ours, "verify", out])
    seen = json.loads(measure([*ours, "inspect", out, "--json"]).output)
    return {"verify_cpu_s": verify.cpu_s, "rows": seen["rows"], "tokens": seen["tokens"]}


def whole(bench: Bench) -> list[dict[str, Any]]:
    """Every tool, layout and number of workers: CPU, wall and memory, with start-up apart."""
    layouts = {"transferset": ("single", "multi", "plain"), "pipeline": ("single",)}
    cases = [
        (tool, layout, workers)
        for workers in bench.workers
        for tool in filter(bench.has, layouts)
        for layout in layouts[tool]
    ]
    made: dict[Case, dict[str, Any]] = {}

    def run(case: Case) -> list[Usage]:
        steps = run_case(bench, case, bench.name)
        made[case] = outcome(bench, case)
        return steps

    started = bench.interleaved(cases, lambda case: sum_usage(run_case(bench, case, "tiny")))
    results = bench.interleaved(cases, run)
    return [case_row(bench, case, results[case], started[case]) | made[case] for case in cases]


def sum_usage(steps: list[Usage]) -> Usage:
    """Of commands run one after the other."""
    total, *rest = steps
    for step in rest:
        total += step
    return total


def case_row(
    bench: Bench, case: Case, runs: list[list[Usage]], started: list[Usage]
) -> dict[str, Any]:
    """Medians over runs; `startup_*` is the same job on a dump of `TINY` bytes."""
    size = bench.file("plain").stat().st_size / 1e6
    totals = [sum_usage(steps) for steps in runs]
    cpu, startup = median(run.cpu_s for run in totals), median(run.cpu_s for run in started)
    return {
        "tool": case[0],
        "layout": case[1],
        "workers": case[2],
        "xml_mb": size,
        "cpu_s": cpu,
        "cpu_s_runs": [run.cpu_s for run in totals],
        "cpu_s_of_steps": [
            median(step) for step in zip(*([s.cpu_s for s in r] for r in runs), strict=True)
        ],
        "wall_s": median(run.wall_s for run in totals),
        "xml_mb_per_cpu_s": size / cpu,
        "xml_mb_per_s": size / median(run.wall_s for run in totals),
        "startup_cpu_s": startup,
        "startup_wall_s": median(run.wall_s for run in started),
        "xml_mb_per_cpu_s_without_startup": size / (cpu - startup),
        "peak_mb": max(run.peak_mb for run in totals),
        "tree_peak_mb": max(run.tree_peak_mb for run in totals),
    }
