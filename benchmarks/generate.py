"""Sampling from causal language models, beside transformers' `generate()` and the machine's limits.

    python benchmarks/generate.py [--model DIR] [--device cuda --batches 64,256,1024] [--json FILE]

Prints a Markdown table; benchmarks/README.md says what the figures mean. All tools run in one
process, on one thread of torch's, in turn (A B C A B C …), and medians are reported.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

import generate_tables
from bench import interleaved, machine, number_list
from derive import save
from generate_jobs import Jobs, figures, make_cases
from generate_limits import bandwidth, limits
from generate_models import Shape, Task, load_task, made_tasks, releases


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    add = parser.add_argument
    add("--model", type=Path, help="a directory of a model and its tokenizer [random weights]")
    add("--device", default="cpu", help="as torch names it (cpu)")
    add("--batches", type=number_list, default=[64], help="rows in flight, e.g. 64,256,1024 (64)")
    add("--length", type=int, default=64, help="most pieces of a row (64)")
    add("--rows", type=int, help="of a run [2 batches; 16 of ours where rows end]")
    add("--runs", type=int, default=3)
    add("--quick", action="store_true", help="a model of a few numbers, to see that it runs")
    add("--json", type=Path, help="write all figures here")
    return parser.parse_args(arguments)


def shape_of(args: argparse.Namespace) -> Shape:
    """What a model and its rows are like."""
    if args.quick:
        return Shape(layers=2, width=32, heads=2, vocabulary=500, length=min(args.length, 8))
    large = args.device != "cpu"  # GPT-2's own size where it is worth while
    layers, width, heads = (12, 768, 12) if large else (4, 256, 4)
    return Shape(layers, width, heads, 50_257 if large else 30_522, args.length)


def measure_task(task: Task, args: argparse.Namespace) -> list[dict[str, Any]]:
    """All tools on one model, at each batch."""
    rows = []
    for batch in args.batches:
        jobs = Jobs(task, args.device, batch, args.rows)
        cases = make_cases(task.ways)
        for case in cases:
            jobs.run(case)  # kernels are compiled, and buffers made
        results = interleaved(args.runs, cases, jobs.run)
        rows += figures(jobs, cases, results)
    return rows


def main(arguments: list[str] | None = None) -> None:
    import torch

    args = parse(arguments)
    torch.set_num_threads(1)
    if args.model:
        tasks = [load_task(args.model, args.device, args.length)]
    else:
        tasks = made_tasks(shape_of(args), args.device)
    report: dict[str, Any] = {
        "machine": machine() | {"load at start": os.getloadavg()[0]},
        "versions": releases(),
        "device": args.device,
        "bandwidth": bandwidth(args.device),
        "rows": [],
        "limits": [],
    }
    for task in tasks:
        report["rows"] += measure_task(task, args)
        if task.name not in {limit["model"] for limit in report["limits"]}:
            report["limits"] += [limits(task, args.device, batch) for batch in args.batches]
        save(report, args.json)  # what follows takes minutes, and may fail
    report["machine"]["load at end"] = os.getloadavg()[0]
    save(report, args.json)
    print(generate_tables.render(report))


if __name__ == "__main__":
    main()
