"""`transferset derive` against what people write with `datasets`, and against the machine's limits.

    python benchmarks/derive.py --source SET --work DIR [--peers-python PATH] [--json FILE]

Prints Markdown tables; benchmarks/README.md says what the figures mean. Runs of different tools are
interleaved (A B C A B C …) and medians are reported, so that a noisy machine disturbs all alike.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import derive_tables
from bench import machine, number_list, versions, words
from derive_jobs import (
    Jobs,
    beside_limits,
    contest,
    make_cases,
    measure_all,
    measure_limits,
    winners,
)
from derive_sets import grow

JOBS = ("shuffle", "generate", "sample 10%", "sample 1%")
PACKAGES = ("datasets", "numpy", "pyarrow")
TINY = 30_000  # tokens in the set that shows what starting up takes


def number(text: str) -> int:
    """`500M` → 500,000,000."""
    units = {"k": 10**3, "M": 10**6, "G": 10**9}
    return int(float(text.rstrip("kMG")) * units.get(text[-1], 1))


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    add = parser.add_argument
    add("--source", type=Path, required=True, help="a built set of sentences, of any size")
    add("--work", type=Path, required=True, help="folder for what is made on the way")
    add("--tokens", type=number, default="500M", help="tokens of the set made of it (500M)")
    add("--peer-tokens", type=number, help="tokens of the peers' set [as --tokens]")
    add("--contest-tokens", type=number, default="1.5M", help="to choose the peers on (1.5M)")
    add("--peers-python", type=Path, help="interpreter with benchmarks/requirements.txt")
    jobs = ",".join(JOBS).replace("%", "%%")  # argparse reads % as its own
    add("--jobs", type=words, default=list(JOBS), help=f"which of {jobs}")
    add("--workers", type=number_list, default=[1, 2], help="numbers of workers (default 1,2)")
    add("--runs", type=int, default=3)
    add("--peer-runs", type=int, help="fewer runs of the peers [as --runs]")
    add("--seed", type=int, default=0)
    add("--json", type=Path, help="write all figures here")
    return parser.parse_args(arguments)


def save(report: dict[str, Any], path: Path | None) -> None:
    """Write all figures, if they are wanted."""
    if path is not None:
        path.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    args = parse()
    args.work.mkdir(parents=True, exist_ok=True)
    sizes = {"whole": args.tokens, "tiny": TINY}
    if args.peers_python:
        sizes |= {"peers": args.peer_tokens or args.tokens, "contest": args.contest_tokens}
    made = {
        name: grow(args.source, args.work / f"set-{size}-seed{args.seed}", size, args.seed)
        for name, size in sizes.items()
    }
    jobs = Jobs(made["whole"], made.get("peers"), made["tiny"], args.work, args.peers_python)
    entries = contest(jobs, args.jobs, made["contest"], args.runs) if args.peers_python else []
    cases = make_cases(args.jobs, winners(entries), args.workers)
    limits = measure_limits(made["whole"].root, args.work, args.runs)
    report = {
        "machine": machine(),
        "versions": versions(args.peers_python, PACKAGES),
        "sets": {name: one.as_json() for name, one in made.items()},
        "limits": limits,
        "contest": entries,
    }
    save(report, args.json)  # the jobs take minutes, and may fail
    report["jobs"] = measure_all(jobs, cases, args.runs, args.peer_runs or args.runs)
    for row in report["jobs"]:
        if row["tool"] == "transferset":
            row["limits"] = beside_limits(row, limits)
    save(report, args.json)
    print(derive_tables.render(report))


if __name__ == "__main__":
    main()
