"""How the time, memory and disk of every job grow with its size: measured, and a line through it.

    python benchmarks/scale.py --work DIR [--rows 10k,100k,1M] [--build-rows 5k,20k,50k]
        [--jobs mix,…] [--check] [--json FILE]

Prints one Markdown table. Jobs run with one worker; CPU seconds are of all their processes, memory
is without mapped files, temporary bytes are the folder's peak beyond what stays. `bend` is the
largest relative distance of a measured CPU time from the line. `--check` compares the slopes with
the table that `--dry-run` uses, and fails where one is off by more than twice.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from bench import machine, words
from derive import number, save
from scale_jobs import BUILDS, JOBS, VARIED, Jobs, Run, manifest, visits

from transferset.pipeline import scale

#: Off by more than this is told by `--check`; slopes below `NOISE` CPU-seconds for a million ids,
#: or `NOISE_BYTES` a row, are not compared.
TWICE = 2.0
NOISE, NOISE_BYTES = 0.02, 8.0


@dataclass(frozen=True, slots=True)
class Line:
    """A straight line through measured points, and how far the farthest of them is from it."""

    slope: float
    start: float
    bend: float


def fit(x: Sequence[float], y: Sequence[float]) -> Line:
    """Least squares; with one point, the line through it and through nothing."""
    if len(x) < 2:
        return Line(y[0] / x[0], 0.0, 0.0)
    slope, start = np.polyfit(np.array(x, float), np.array(y, float), 1)
    line = slope * np.array(x) + start
    bend = np.max(np.abs(np.array(y) - line) / np.maximum(np.abs(y), 1e-9))
    return Line(float(slope), float(start), float(bend))


def sizes(text: str) -> list[int]:
    """`10k,1M` → [10000, 1000000]."""
    return [number(word) for word in words(text)]


def row_of(job: str, runs: Sequence[Run]) -> dict[str, Any]:
    """One line of the table: slopes of a job, and the runs that they are of."""
    ids, rows = [r.ids / 1e6 for r in runs], [r.rows for r in runs]
    cpu = fit(ids, [r.cpu for r in runs])
    tasks = fit(ids, [r.tasks_cpu for r in runs])
    return {
        "job": job,
        "rows": rows,
        "cpu": cpu.slope,
        "start": cpu.start,
        "bend": cpu.bend,
        "driver": max(0.0, cpu.slope - tasks.slope),
        "bytes": fit(rows, [r.bytes for r in runs]).slope,
        "temporary": fit(rows, [r.temporary for r in runs]).slope,
        "memory": max(r.own_memory for r in runs),
        "memory_row": fit(rows, [r.own_memory for r in runs]).slope,
        "mapped": max(r.memory for r in runs),
        "files": runs[-1].files,
        "runs": [asdict(run) for run in runs],
    }


def planned(job: str, of: Run) -> dict[str, float]:
    """What the table of `--dry-run` says: CPU-seconds for a million ids, temporary bytes a row."""
    slopes = [scale.SLOPES[name] for name in scale.names_of(job)]
    each = of.bytes / max(of.rows, 1)
    return {
        "cpu": sum(one.cpu for one in slopes),
        "temporary": sum(one.row + one.share * each for one in slopes),
        "memory": max(one.memory for one in slopes),
    }


def differences(row: dict[str, Any]) -> list[str]:
    """Where a job's line of the table and what was measured are more than twice apart."""
    told = planned(row["job"], Run(**row["runs"][-1]))
    least = {"cpu": NOISE, "temporary": NOISE_BYTES, "memory": 1e6}
    found = []
    for name, of in told.items():
        seen = row[name]
        high, low = max(seen, of), max(min(seen, of), least[name] / TWICE)
        if high > least[name] and high / low > TWICE:
            found.append(f"{row['job']}: {name} measured {seen:.3g}, in the table {of:.3g}")
    return found


def render(report: dict[str, Any]) -> str:
    """The table as Markdown."""
    names = "job|rows|CPU-s / M ids|driver alone|start, s|bend|bytes / row|temporary / row|"
    names += "own MB|bytes of memory / row|files"
    lines = [f"| {' | '.join(names.split('|'))} |", "|---" * 11 + "|"]
    for row in report["rows"]:
        cells = [
            row["job"],
            ", ".join(f"{count:,}" for count in row["rows"]),
            *(f"{row[name]:.3f}" for name in ("cpu", "driver")),
            f"{row['start']:.1f}",
            f"{row['bend']:.0%}",
            *(f"{row[name]:.0f}" for name in ("bytes", "temporary")),
            f"{row['memory'] / 1e6:.0f}",
            f"{row['memory_row']:.1f}",
            f"{row['files']}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    one = report["constants"]
    lines += [
        "",
        f"A look for keys in a file: {one['visit'] * 1e6:.0f} µs. A shard in the manifest: "
        f"{one['entry']:,.0f} bytes, {one['opened'] * 1e3:.2f} ms.",
    ]
    return "\n".join(lines)


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    add = parser.add_argument
    add("--work", type=Path, required=True, help="folder for what is made on the way")
    add("--rows", type=sizes, default="10k,100k,1M", help="sizes of sets (10k,100k,1M)")
    add("--build-rows", type=sizes, default="5k,20k,50k", help="of what builds read (5k,20k,50k)")
    add("--jobs", type=words, default=list(JOBS), help=f"which of {','.join(JOBS)}")
    add("--quick", action="store_true", help="1,000 and 3,000 rows, to see that it works")
    add("--check", action="store_true", help="fail where the table of --dry-run is off by 2")
    add("--json", type=Path, help="write all figures here")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> None:
    args = parse(arguments)
    if args.quick:
        args.rows = args.build_rows = [1000, 3000]
    jobs = Jobs(args.work)
    report: dict[str, Any] = {"machine": machine(), "load at start": os.getloadavg()[0]}
    report["rows"] = []
    for job in args.jobs:
        small = job in (*BUILDS, *VARIED)
        runs = []
        for rows in args.build_rows if small else args.rows:
            print(f"{job}: {rows:,} rows", file=sys.stderr, flush=True)
            runs.append(jobs.run(job, rows))
        report["rows"].append(row_of(job, runs))
    entry = manifest(jobs.made(1000), 30 if args.quick else 1000)
    report["constants"] = {
        "visit": visits(args.work, *((20, 3) if args.quick else (500, 20))),
        "opened": entry[0],
        "entry": entry[1],
    }
    save(report, args.json)
    print(render(report))
    told = [one for row in report["rows"] for one in differences(row)] if args.check else []
    print("\n".join(told))
    raise SystemExit(1 if told else 0)


if __name__ == "__main__":
    main()
