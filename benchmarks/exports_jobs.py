"""The exports that `exports.py` measures: our command, and the plain way of writing each format."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from bench import HERE, interleaved
from measure import Usage, measure

from transferset.shards import ShardSet

OURS = [sys.executable, "-m", "transferset"]

#: Formats, the plain way of writing each, and whose interpreter has it.
FORMATS: Mapping[str, tuple[str, str]] = {
    "hf": ("datasets to_parquet", "peers"),
    "parquet": ("datasets to_parquet", "peers"),
    "arrow-file": ("pyarrow", "peers"),
    "megatron": ("IndexedDatasetBuilder", "trainers"),
    "mds": ("MDSWriter", "trainers"),
    "nanogpt": ("nanoGPT's prepare.py", "peers"),
    "tsv": ("datasets to_csv", "peers"),
    "jsonl": ("datasets to_json", "peers"),
}

#: Packages whose releases the figures depend on.
PEERS: Mapping[str, Sequence[str]] = {
    "peers": ("datasets", "pyarrow", "numpy"),
    "trainers": ("megatron-core", "mosaicml-streaming", "torch", "numpy"),
}

#: Files of which a peer must have written the same bytes as we.
SAME: Mapping[str, Sequence[str]] = {
    "megatron": ("train.bin", "train.idx"),
    "nanogpt": ("train.bin",),
}


@dataclass(frozen=True, slots=True)
class Case:
    """One way of writing one format."""

    format: str
    tool: str
    workers: int


def make_cases(
    formats: Sequence[str], workers: Sequence[int], pythons: Sequence[str]
) -> list[Case]:
    """Ours at each number of workers, and the peer if its interpreter is there."""
    cases = []
    for name in formats:
        peer, python = FORMATS[name]
        cases += [Case(name, "transferset", count) for count in workers]
        cases += [Case(name, peer, 1)] if python in pythons else []
    return cases


def make_set(source: Path | None, work: Path, rows: int) -> Path:
    """A set of so many rows, drawn with replacement; kept for later runs."""
    if source is None:
        source = work / "demo"
        measure([*OURS, "build", "wiki", "demo", "--out", source])
    out = work / f"set-{source.resolve().name}-{rows}"
    measure([*OURS, "derive", source, "--out", out, "--sample", f"{rows},with_replacement=true"])
    return out


@dataclass(frozen=True, slots=True)
class Jobs:
    """The sets, and what the cases need.

    `pythons` are interpreters by whose packages they have.
    """

    whole: Path
    tiny: Path
    work: Path
    pythons: Mapping[str, Path]

    def about(self) -> dict[str, Any]:
        """Of the set, for the report."""
        manifest = ShardSet.open(self.whole).manifest
        totals = manifest.totals
        return {
            "rows": totals["rows"],
            "tokens": totals["tokens"],
            "mb": totals["bytes"] / 1e6,
            "columns": list(manifest.schema),
        }

    def out(self, case: Case) -> Path:
        """Where a case writes."""
        tool = "ours" if case.tool == "transferset" else "peer"
        return self.work / f"out-{tool}-{case.format}"

    def run(self, case: Case, src: Path) -> Usage:
        """One export into an empty place."""
        out = self.out(case)
        shutil.rmtree(out, ignore_errors=True)
        if case.tool == "transferset":
            command = [*OURS, "export", src, "--to", case.format, "--out", out]
            return measure([*command, "--workers", str(case.workers)])
        out.mkdir()
        python = self.pythons[FORMATS[case.format][1]]
        script = HERE / "exports_peers.py"
        environment = {"HF_DATASETS_CACHE": str(self.work / "cache"), "HF_HUB_OFFLINE": "1"}
        return measure([python, script, case.format, src, "--out", out], environment)

    def check(self, case: Case) -> dict[str, Any]:
        """Sizes; ours must pass `verify`, and of some formats both must be the same bytes."""
        out = self.out(case)
        files = [path for path in out.rglob("*") if path.is_file() and "_run" not in path.parts]
        ours = self.out(Case(case.format, "transferset", 1))
        if case.tool == "transferset":
            measure([*OURS, "verify", out])
        for name in SAME.get(case.format, ()) if out != ours else ():
            if (out / name).read_bytes() != (ours / name).read_bytes():
                raise SystemExit(f"{case.tool} writes another {name} than transferset")
        return {"bytes": sum(path.stat().st_size for path in files), "files": len(files)}


def measure_all(jobs: Jobs, cases: list[Case], runs: int) -> list[dict[str, Any]]:
    """Medians over runs; `startup_*` is the same job on the tiny set."""
    found: dict[Case, dict[str, Any]] = {}

    def run(case: Case) -> Usage:
        usage = jobs.run(case, jobs.whole)
        found[case] = jobs.check(case)
        shutil.rmtree(jobs.work / "cache", ignore_errors=True)
        return usage

    started = interleaved(1, cases, lambda case: jobs.run(case, jobs.tiny))
    results = interleaved(runs, cases, run)
    rows = [case_row(case, results[case], started[case]) | found[case] for case in cases]
    ours: dict[str, dict[str, Any]] = {}
    for row in rows:
        first = ours.setdefault(row["format"], row)["work_cpu_s"]  # first number of workers
        row["times_ours"] = row["work_cpu_s"] / first if row["work_cpu_s"] and first else None
    return rows


def case_row(case: Case, results: list[Usage], started: list[Usage]) -> dict[str, Any]:
    """One line of the table."""
    cpu, startup = (median(usage.cpu_s for usage in of) for of in (results, started))
    return {
        "format": case.format,
        "tool": case.tool,
        "workers": case.workers,
        "cpu_s": cpu,
        "cpu_s_runs": [usage.cpu_s for usage in results],
        "startup_cpu_s": startup,
        # hardly more than start-up is noise
        "work_cpu_s": cpu - startup if cpu > 1.1 * startup else None,
        "wall_s": median(usage.wall_s for usage in results),
        "peak_mb": max(usage.peak_mb for usage in results),
        "own_peak_mb": max(usage.own_peak_mb for usage in results),
        "tree_peak_mb": max(usage.tree_peak_mb for usage in results),
    }
