"""Runs `transferset derive` and the peers on the same sentences, and makes rates of it."""

from __future__ import annotations

import json
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from augment_peers import WAYS
from augment_sets import Checked, Lines, build, check
from bench import HERE, interleaved
from derive_jobs import beside_limits, measure_limits, net_rate
from derive_sets import Made
from measure import Usage, measure

Json = dict[str, Any]

TRANSFERSET = "transferset"

#: Peers that vary all sentences; the others, and any that make ids, take too long.
FAST = ("reference: tags given", "fast-aug: substitute", "fast-aug: delete")

_PEERS_ENVIRONMENT = {"TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1"}

#: Ours, in a fresh process: SET, OUT and the number of attempts.
_DERIVE = (
    "import sys, transferset, transferset.steps as steps;"
    " transferset.derive(sys.argv[1], sys.argv[2], workers=1,"
    " steps=[steps.Augment(mask=0.1, pos=0.1, iterations=int(sys.argv[3]))])"
)

#: The tagger alone: its name, and a file of sentences. Prints CPU seconds, less loading it.
_TAG = (
    "import sys, time, transferset.tagging as tagging;"
    " texts = open(sys.argv[2], encoding='utf-8').read().splitlines();"
    " tagger = tagging.load_tagger(sys.argv[1], words='whitespace');"
    " tagger.tag(texts[:10]); started = time.process_time(); tagger.tag(texts);"
    " print(time.process_time() - started)"
)


@dataclass(frozen=True, slots=True)
class Case:
    """One tool; whether its rows have ids, as ours always have."""

    tool: str
    ids: bool

    @property
    def ours(self) -> bool:
        """Is it our tool?"""
        return self.tool == TRANSFERSET

    @property
    def slow(self) -> bool:
        """Is it given fewer sentences?"""
        return not self.ours and (self.ids or self.tool not in FAST)

    def __str__(self) -> str:
        return self.tool if self.ours or not self.ids else f"{self.tool}, ids"


@dataclass(frozen=True, slots=True)
class Inputs:
    """The same sentences as each tool takes them."""

    whole: Path  # the tagged set
    tiny: Path  # ten of its rows
    lines: Lines  # all of them for the peers
    some: Lines  # fewer
    tokenizer: Path

    def lines_for(self, case: Case) -> Lines:
        """What a tool varies."""
        return self.some if case.slow else self.lines


@dataclass(frozen=True, slots=True)
class Jobs:
    """What all runs have in common."""

    inputs: Inputs
    work: Path
    peers: Path | None
    iterations: int
    spacy: str

    def out(self, case: Case) -> Path:
        """Where the case writes."""
        return self.work / ("out-transferset" if case.ours else "out-peer")

    def run(self, case: Case) -> Usage:
        """One job from nothing, with nothing left to write from the one before."""
        out = self.out(case)
        shutil.rmtree(out, ignore_errors=True)
        os.sync()
        if case.ours:
            return derive(self.inputs.whole, out, self.iterations)
        out.mkdir()
        lines = self.inputs.lines_for(case)
        command = [str(self.peers), HERE / "augment_peers.py", case.tool, lines.words]
        command += ["--tags", lines.tags, "--out", out / "rows", "--spacy", self.spacy]
        command += ["--iterations", str(self.iterations)]
        command += ["--ids", self.inputs.tokenizer] if case.ids else []
        return measure(command, _PEERS_ENVIRONMENT)


def derive(parent: Path, out: Path, iterations: int) -> Usage:
    """Variants by our tool."""
    return measure([sys.executable, "-c", _DERIVE, parent, out, str(iterations)])


def make_cases(tools: list[str], peers: bool) -> list[Case]:
    """Ours, then the peers' ways, as they come and made comparable."""
    ways = [way for way in WAYS if peers and any(way.startswith(tool) for tool in tools)]
    return [Case(TRANSFERSET, True), *(Case(way, ids) for way in ways for ids in (False, True))]


def measure_all(jobs: Jobs, cases: list[Case], runs: int) -> list[Json]:
    """What every case took, runs interleaved; our set must be right, or it ends."""
    made: dict[Case, Json] = {}

    def run(case: Case) -> Usage:
        took = jobs.run(case)
        if case not in made:
            made[case] = outcome(jobs, case, took)
        return took

    start = startup(jobs, runs)
    results = interleaved(runs, cases, run)
    rows = [figures(case, jobs, made[case], results[case], start) for case in cases]
    return [row | against(rows[0], row) for row in rows]


def startup(jobs: Jobs, runs: int) -> float:
    """CPU seconds of our job on ten sentences, once its kernels are compiled."""
    took = []
    for _ in range(runs + 1):
        shutil.rmtree(jobs.work / "out-tiny", ignore_errors=True)
        took.append(derive(jobs.inputs.tiny, jobs.work / "out-tiny", jobs.iterations).cpu_s)
    return median(took[1:])


def outcome(jobs: Jobs, case: Case, took: Usage) -> Json:
    """New rows of a run, and what was checked of ours."""
    if not case.ours:
        return {"new": int(json.loads(took.output)["rows"])}
    found = check(jobs.inputs.whole, jobs.out(case), jobs.inputs.tokenizer)
    return {"new": found.new, "checked": found.rows, "made": Made.open(jobs.out(case)).as_json()}


def figures(case: Case, jobs: Jobs, made: Json, runs: list[Usage], startup: float) -> Json:
    """Medians over runs, whole and without start-up, which peers tell and ours is given."""
    cpu = median(run.cpu_s for run in runs)
    if not case.ours:
        startup = cpu - median(json.loads(run.output)["cpu_s"] for run in runs)
        net: float | None = made["new"] / (cpu - startup)
    else:
        net = net_rate(made["new"], cpu, startup)
    return {
        "tool": str(case),
        "sentences": jobs.inputs.lines_for(case).sentences,
        "cpu_s": cpu,
        "cpu_s_runs": [run.cpu_s for run in runs],
        "wall_s": median(run.wall_s for run in runs),
        "startup_cpu_s": startup,
        "rows_per_cpu_s_without_startup": net,
        "peak_mb": max(run.peak_mb for run in runs),
        **made,
    }


def cpu_for(row: Json, new: int) -> float:
    """CPU seconds of a peer for so many new rows: it starts up once, and keeps its rate."""
    return float(row["startup_cpu_s"] + new / row["rows_per_cpu_s_without_startup"])


def against(ours: Json, row: Json) -> Json:
    """Rates for as many new rows as ours, whole jobs; and how many times as fast ours is."""
    cpu = ours["cpu_s"] if row is ours else cpu_for(row, ours["new"])
    one, other = (each["rows_per_cpu_s_without_startup"] for each in (ours, row))
    return {
        "rows_per_cpu_s": ours["new"] / cpu,
        "times": cpu / ours["cpu_s"],
        "times_without_startup": one / other if one else None,
    }


def measure_tagging(
    jobs: Jobs, file: Path, tiny: Path, taggers: list[str], runs: int
) -> list[Json]:
    """Tagging alone, and building the tagged set from the file."""
    out, words = jobs.work / "out-tagged", jobs.inputs.lines

    def alone(tagger: str) -> float:
        command = [sys.executable, "-c", _TAG, tagger, words.words]
        return float(measure(command).output)

    def built(tagger: str) -> Usage:
        return build(file, out, tagger, jobs.inputs.tokenizer)

    def start(tagger: str) -> float:
        return build(tiny, out, tagger, jobs.inputs.tokenizer).cpu_s

    started = {name: (start(name), start(name))[1] for name in taggers}  # kernels are compiled once
    seconds = interleaved(runs, taggers, alone)
    builds = interleaved(runs, taggers, built)
    return [
        {
            "tagger": name,
            "words": words.count,
            "sentences": words.sentences,
            "cpu_s": median(seconds[name]),
            "words_per_cpu_s": words.count / median(seconds[name]),
            "build_cpu_s": median(took.cpu_s for took in builds[name]),
            "build_startup_cpu_s": started[name],
            "build_peak_mb": max(took.peak_mb for took in builds[name]),
        }
        for name in taggers
    ]


def measure_large(jobs: Jobs, parent: Path) -> Json:
    """One run on a large set: its memory, and what its bytes alone would take on this machine."""
    out = jobs.work / "out-large"
    shutil.rmtree(out, ignore_errors=True)
    os.sync()
    took, limits = derive(parent, out, jobs.iterations), measure_limits(parent, jobs.work, 1)
    source, made = Made.open(parent), Made.open(out)
    row = {
        "rows": made.rows,
        "parent_rows": source.rows,
        "parent_mb": source.mb,
        "made": made.as_json(),
        "cold": False,
        "cpu_s": took.cpu_s,
        "wall_s": took.wall_s,
        "rows_per_cpu_s": made.rows / took.cpu_s,
        "peak_mb": took.peak_mb,
        "own_peak_mb": took.own_peak_mb,
        "tree_peak_mb": took.tree_peak_mb,
        "limits": limits,
    }
    row["beside"] = beside_limits(row, limits)
    found: Checked = check(parent, out, jobs.inputs.tokenizer)
    return row | {"new": found.new, "checked": found.rows}
