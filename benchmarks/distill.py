"""Distilling and labelling, beside a plain padded `Trainer` and a plain padded loop.

    python benchmarks/distill.py --work DIR [--set DIR] [--device cuda] [--json FILE]

Prints a Markdown table; benchmarks/README.md says what the figures mean. All tools run in one
process, on one thread of torch's, in turn (A B C A B C …), and medians are reported.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

import distill_tables
from bench import interleaved, machine, words
from derive import save
from distill_jobs import JOBS, Jobs, figures, make_cases
from distill_limits import products
from distill_models import Shape, make_work, releases


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    add = parser.add_argument
    add("--work", type=Path, required=True, help="a directory for sets and models")
    add("--set", type=Path, help="whose rows are drawn from [the packaged sample]")
    add("--jobs", type=words, default=list(JOBS), help=f"which ({','.join(JOBS)})")
    add("--device", default="cpu", help="as torch names it (cpu)")
    add("--rows", type=int, default=640, help="that a run trains on, and labels (640)")
    add("--runs", type=int, default=3)
    add("--quick", action="store_true", help="models of a few numbers, to see that it runs")
    add("--json", type=Path, help="write all figures here")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> None:
    import torch

    args = parse(arguments)
    torch.set_num_threads(1)
    shape = Shape(layers=2, width=32, heads=2, feed=64) if args.quick else Shape()
    work = make_work(args.work, args.set, shape, args.rows)
    report: dict[str, Any] = {
        "machine": machine() | {"load at start": os.getloadavg()[0]},
        "versions": releases(),
        "device": args.device,
        "rows": [],
    }
    for name in args.jobs:
        jobs = Jobs(work, args.device)
        cases = make_cases(name)
        for case in cases:
            jobs.run(case)  # kernels are compiled, and modules imported
        results = interleaved(args.runs, cases, jobs.run)
        report["rows"] += figures(name, cases, results)
        save(report, args.json)  # what follows takes minutes, and may fail
    report["products"] = products(work, args.device)
    report["machine"]["load at end"] = os.getloadavg()[0]
    save(report, args.json)
    print(distill_tables.render(report))


if __name__ == "__main__":
    main()
