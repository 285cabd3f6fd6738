"""Runs `transferset derive` and the peers on the same sets, and turns what they took into rates."""

from __future__ import annotations

import json
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from bench import HERE, interleaved
from derive_limits import forget, read, shards_of
from derive_sets import OURS, Made, check
from measure import Usage, measure

Json = dict[str, Any]

#: How the peers' ways work: on Python's lists row by row, or on a whole batch at once.
ROWS = {"shuffle": ("random", "sorted", "numpy"), "generate": ("map", "generator")}
BATCHES = {"shuffle": ("arrow",), "generate": ("numpy", "arrow")}
CHOICES = {"sample": ("shuffle", "sorted")}
KINDS = {"row by row": ROWS, "whole batches": BATCHES, "select": CHOICES}


@dataclass(frozen=True, slots=True)
class Case:
    """One job by one tool: `transferset`, or a peer's way of doing it."""

    job: str
    tool: str
    workers: int
    cold: bool = False

    @property
    def ours(self) -> bool:
        """Is it our tool?"""
        return self.tool == "transferset"

    @property
    def startup(self) -> Case:
        """The case whose run on a tiny set shows what this one's start-up takes."""
        return Case(self.job, self.tool, self.workers)

    def __str__(self) -> str:
        cold = ", from disk" if self.cold else ""
        return f"{self.job}, {self.tool}, workers: {self.workers}{cold}"


@dataclass(frozen=True, slots=True)
class Jobs:
    """The sets and the interpreter that cases run with."""

    whole: Made
    for_peers: Made | None
    tiny: Made
    work: Path
    peers: Path | None

    def parent(self, case: Case) -> Made:
        """What the case reads."""
        return self.whole if case.ours or self.for_peers is None else self.for_peers

    def run(self, case: Case, parent: Made) -> Usage:
        """One job into an empty folder, with nothing left to write from the one before.

        The parent is read from the page cache, or from the disk when the case is cold.
        """
        out, shards = self.out(case), shards_of(parent.root)
        shutil.rmtree(out, ignore_errors=True)
        os.sync()
        read(shards, len)
        if case.cold:
            forget(shards)
        count = ["--workers", str(case.workers)]
        if case.ours:
            step = step_options(case.job)
            return measure([*OURS, "derive", parent.root, "--out", out, *step, *count])
        command = peer_command(self.peers, case.job, case.tool, parent.root)
        return measure([*command, "--out", out, *count], peer_environment(out))

    def out(self, case: Case) -> Path:
        """Where the case writes."""
        return self.work / f"out-{'transferset' if case.ours else 'peer'}"


def step_options(job: str) -> list[str]:
    """`sample 10%` → `--sample 10%`."""
    known = {"shuffle": ["--shuffle"], "generate": ["--generate", "100%"]}
    return known.get(job) or ["--sample", job.split()[1]]


def peer_command(python: Path | None, job: str, way: str, parent: Path) -> list[str | Path]:
    """The peers' program for a job, but for where to write."""
    name, *size = job.split()
    share = ["--share", str(float(size[0].rstrip("%")) / 100)] if size else []
    return [str(python), HERE / "derive_peers.py", name, way, parent, *share]


def peer_environment(out: Path) -> dict[str, str]:
    """No network, no progress bars, caches beside the output."""
    quiet = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_DISABLE_PROGRESS_BARS": "1"}
    return {**quiet, "HF_HOME": str(out.with_name("huggingface"))}


def contest(jobs: Jobs, names: list[str], small: Made, repeat: int) -> list[Json]:
    """Every way of every job on a small set: Mtok per CPU-second of the work alone."""
    out, rows = jobs.work / "out-peer", []
    for job in names:
        for kind, ways in KINDS.items():
            for way in ways.get(job.split()[0], ()):
                print(f"contest: {job}, {way}", file=sys.stderr, flush=True)
                command = peer_command(jobs.peers, job, way, small.root)
                options = ["--out", out, "--repeat", str(repeat)]
                done = measure([*command, *options], peer_environment(out))
                cpu = median(json.loads(done.output)["cpu_s"])
                about = {"job": job, "kind": kind, "way": way}
                rows.append({**about, "mtok_per_cpu_s": small.tokens / 1e6 / cpu})
    return rows


def winners(entries: list[Json]) -> list[Json]:
    """The fastest way of each kind, for each job."""
    best: dict[tuple[str, str], Json] = {}
    for entry in sorted(entries, key=lambda entry: entry["mtok_per_cpu_s"]):
        best[entry["job"], entry["kind"]] = entry
    return [entry for entry in entries if entry in best.values()]


def make_cases(names: list[str], peers: list[Json], workers: list[int]) -> list[Case]:
    """Ours and the winners, at every number of workers; samples also from the disk."""
    cases = []
    for count in workers:
        for job in names:
            cases.append(Case(job, "transferset", count))
            if job.startswith("sample"):
                cases.append(Case(job, "transferset", count, cold=True))
            cases += [Case(job, peer["way"], count) for peer in peers if peer["job"] == job]
    return cases


def measure_all(jobs: Jobs, cases: list[Case], runs: int, peer_runs: int) -> list[Json]:
    """What every case took, runs interleaved; each set of ours must be right, or it ends."""
    made: dict[Case, Made] = {}

    def run(case: Case) -> Usage:
        took = jobs.run(case, jobs.parent(case))
        if case.ours:
            made[case] = check(case.job, jobs.whole, jobs.out(case))
        return took

    starts = list(dict.fromkeys(case.startup for case in cases))
    started = interleaved(min(runs, 2), starts, lambda case: jobs.run(case, jobs.tiny))
    results = interleaved(min(peer_runs, runs), cases, run)
    more = interleaved(runs - peer_runs, [case for case in cases if case.ours], run)
    return [
        figures(case, jobs.parent(case), results[case] + more.get(case, []), started[case.startup])
        | ({"made": made[case].as_json()} if case.ours else {})
        for case in cases
    ]


def figures(case: Case, parent: Made, runs: list[Usage], started: list[Usage]) -> Json:
    """Medians over runs; tokens are the parent's, `startup_*` the same command on a tiny set."""
    cpu, wall = median(run.cpu_s for run in runs), median(run.wall_s for run in runs)
    start_cpu = median(run.cpu_s for run in started)
    start_wall = median(run.wall_s for run in started)
    tokens = parent.tokens / 1e6
    return {
        "job": case.job,
        "tool": case.tool,
        "workers": case.workers,
        "cold": case.cold,
        "mtok": tokens,
        "parent_mb": parent.mb,
        "cpu_s": cpu,
        "cpu_s_runs": [run.cpu_s for run in runs],
        "wall_s": wall,
        "wall_s_runs": [run.wall_s for run in runs],
        "startup_cpu_s": start_cpu,
        "startup_wall_s": start_wall,
        "mtok_per_cpu_s": tokens / cpu,
        "mtok_per_s": tokens / wall,
        "mtok_per_cpu_s_without_startup": net_rate(tokens, cpu, start_cpu),
        "mtok_per_s_without_startup": net_rate(tokens, wall, start_wall),
        "peak_mb": max(run.peak_mb for run in runs),
        "tree_peak_mb": max(run.tree_peak_mb for run in runs),
        "own_peak_mb": max(run.own_peak_mb for run in runs),
    }


def net_rate(amount: float, took: float, startup: float) -> float | None:
    """The rate without start-up; None when it took hardly longer than starting up."""
    return amount / (took - startup) if took > 1.2 * startup else None


def measure_limits(root: Path, work: Path, runs: int) -> Json:
    """Medians of the machine's limits, each run in a process of its own."""
    program = [sys.executable, HERE / "derive_limits.py", root, "--work", work]
    found = [json.loads(measure(program).output) for _ in range(runs)]
    return {
        name: {unit: median(one[name][unit] for one in found) for unit in rates}
        for name, rates in found[0].items()
    }


def beside_limits(row: Json, limits: Json) -> Json:
    """What reading, digesting and writing these very bytes takes, with nothing else done to them.

    The parent is read and digested; the output is digested twice, as a whole and in pieces, as the
    format has it, and written durably.
    """
    source = limits[f"read + BLAKE3, {'disk' if row['cold'] else 'page cache'}"]
    digest, write, copy = limits["BLAKE3"], limits["write + fsync"], limits["memcpy"]
    out = row["made"]["mb"]
    cpu, wall = (
        row["parent_mb"] / source[unit] + out * (2 / digest[unit] + 1 / write[unit])
        for unit in ("mb_per_cpu_s", "mb_per_s")
    )
    moved = (row["parent_mb"] + out) / row["cpu_s"]
    return {
        "floor_cpu_s": cpu,
        "floor_wall_s": wall,
        "parent_mb_per_cpu_s": row["parent_mb"] / row["cpu_s"],
        "parent_mb_per_s": row["parent_mb"] / row["wall_s"],
        "share_of_memcpy": moved / copy["mb_per_cpu_s"],
    }
