"""`transferset export` into every format, beside the plain way of writing it.

    python benchmarks/exports.py --work DIR [--source SET] [--rows 10M] [--peers-python PATH]
        [--trainers-python PATH] [--json FILE]

Prints one Markdown table; benchmarks/README.md says what the figures mean. Runs of different tools
are interleaved (A B C A B C …) and medians are reported.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

import exports_tables
from bench import machine, number_list, versions, words
from derive import number, save
from exports_jobs import FORMATS, PEERS, Jobs, make_cases, make_set, measure_all

TINY = 1000  # rows of the set that shows what starting up takes


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    add = parser.add_argument
    add("--work", type=Path, required=True, help="folder for what is made on the way")
    add("--source", type=Path, help="a set whose rows are drawn [the demo's articles]")
    add("--rows", type=number, default="100k", help="rows of the set made of it (100k)")
    add("--formats", type=words, default=list(FORMATS), help=f"which of {','.join(FORMATS)}")
    add("--workers", type=number_list, default=[1], help="numbers of workers (1)")
    add("--runs", type=int, default=3)
    add("--peers-python", type=Path, help="interpreter with benchmarks/requirements.txt")
    add("--trainers-python", type=Path, help="one with megatron-core, mosaicml-streaming, pyarrow")
    add("--quick", action="store_true", help="2,000 rows and one run, to see that it works")
    add("--json", type=Path, help="write all figures here")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> None:
    args = parse(arguments)
    if args.quick:
        args.rows, args.runs = 2000, 1
    args.work.mkdir(parents=True, exist_ok=True)
    pythons = {"peers": args.peers_python, "trainers": args.trainers_python}
    whole, tiny = (make_set(args.source, args.work, rows) for rows in (args.rows, TINY))
    jobs = Jobs(whole, tiny, args.work, {k: v for k, v in pythons.items() if v})
    report: dict[str, Any] = {
        "machine": machine() | {"load at start": os.getloadavg()[0]},
        "versions": {
            name: versions(python, PEERS[name]) for name, python in pythons.items() if python
        },
        "set": jobs.about(),
    }
    cases = make_cases(args.formats, args.workers, list(jobs.pythons))
    report["rows"] = measure_all(jobs, cases, args.runs)
    report["machine"]["load at end"] = os.getloadavg()[0]
    save(report, args.json)
    print(exports_tables.render(report))


if __name__ == "__main__":
    main()
