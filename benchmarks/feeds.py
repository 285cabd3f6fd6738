"""Batches of a set for a trainer, beside `datasets` with its formats, and beside raw Arrow.

    python benchmarks/feeds.py --work DIR [--set DIR] [--json FILE]

Prints a Markdown table; benchmarks/README.md says what the figures mean. All tools give the same
batches, in one process, on one thread, in turn (A B C A B C …), and medians are reported.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

import feeds_tables
from bench import interleaved, machine, words
from derive import save
from feeds_jobs import BUDGET, JOBS, Jobs, figures, make_cases, make_sets, releases


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    add = parser.add_argument
    add("--work", type=Path, required=True, help="a directory for sets")
    add("--set", type=Path, help="whose rows are drawn from [the packaged sample]")
    add("--jobs", type=words, default=list(JOBS), help=f"which ({','.join(JOBS)})")
    add("--rows", type=int, default=500_000, help="of the sets (500000)")
    add("--batch", type=int, default=32, help="rows of a batch (32)")
    add("--tokens", type=int, default=BUDGET, help=f"most ids of a batch by ids ({BUDGET})")
    add("--batches", type=int, default=2_000, help="that a quick tool gives in a run (2000)")
    add("--slow-batches", type=int, default=200, help="that `datasets` gives in a run (200)")
    add("--runs", type=int, default=5)
    add("--quick", action="store_true", help="few rows and batches, to see that it runs")
    add("--json", type=Path, help="write all figures here")
    args = parser.parse_args(arguments)
    if args.quick:
        args.rows, args.batches, args.slow_batches = 3_000, 20, 10
    return args


def main(arguments: list[str] | None = None) -> None:
    import torch

    args = parse(arguments)
    torch.set_num_threads(1)
    sets = make_sets(args.work, args.set, args.rows)
    report: dict[str, Any] = {
        "machine": machine() | {"load at start": os.getloadavg()[0]},
        "versions": releases(),
        "rows": [],
    }
    for name in args.jobs:
        jobs = Jobs(sets, args.batch, args.tokens, args.batches, args.slow_batches)
        cases = make_cases(name)
        jobs.check(cases)  # kernels are compiled then, and modules imported
        results = interleaved(args.runs, cases, jobs.run)
        report["rows"] += figures(name, cases, results)
        save(report, args.json)
    report["machine"]["load at end"] = os.getloadavg()[0]
    save(report, args.json)
    print(feeds_tables.render(report))


if __name__ == "__main__":
    main()
