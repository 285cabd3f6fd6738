"""Runs `transferset build books` and the peers on the same books, and makes rates of it."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import pyarrow as pa
from bench import HERE, interleaved
from books_made import Books
from books_peers import WAYS
from books_quality import judge
from derive_jobs import net_rate
from jobs import sum_usage
from measure import Usage, measure

Json = dict[str, Any]

RECIPE = WAYS[0]  # the replica's own

_COMMAND = (sys.executable, "-m", "transferset")
_ALL = ["--min-words", "0", "--workers", "1"]
_PLAIN = [*_ALL, "--dedupe", "off", "--language", "any", "--no-shuffle", "--keep-text"]

#: Ours: sentences and ids alone, and as it comes: near duplicates looked for, rows shuffled. The
#: language of each book is voted on, and shingles are made, in both.
OURS = {"transferset, sentences": _PLAIN, "transferset, default": _ALL}
_PEERS_ENVIRONMENT = {"TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1"}
_PEERS_ENVIRONMENT |= {"HF_DATASETS_DISABLE_PROGRESS_BARS": "1"}


@dataclass(frozen=True, slots=True)
class BooksBench:
    """The books, and the interpreter of the peers."""

    whole: Books
    for_peers: Books
    tiny: Books
    work: Path
    peers: Path | None
    stage_size: int

    @property
    def tools(self) -> list[str]:
        """All that are measured."""
        return [*OURS, *(WAYS if self.peers else ())]

    def books(self, tool: str) -> Books:
        """What the tool reads."""
        return self.whole if tool in OURS else self.for_peers

    def out(self, tool: str) -> Path:
        """Where the tool writes."""
        return self.work / ("out-transferset" if tool in OURS else "out-peer")

    def commands(self, tool: str, books: Books) -> Iterator[list[str | Path]]:
        """What makes rows of books."""
        out = self.out(tool)
        if tool in OURS:
            yield [*_COMMAND, "build", "books", books.folder, "--out", out / "set", *OURS[tool]]
            return
        program, text = [str(self.peers), HERE / "books_peers.py"], out / "sentences.txt"
        yield [*program, "sentences", tool, books.folder, "--out", text]
        yield [*program, "encode", text, "--out", out / "set"]

    def run(self, tool: str, books: Books) -> list[Usage]:
        """One whole job into an empty folder: what each of its commands took."""
        out = self.out(tool)
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir()
        for path in books.files:
            path.read_bytes()  # all read from the page cache
        more = {} if tool in OURS else _PEERS_ENVIRONMENT | {"HF_HOME": str(out / "huggingface")}
        return [measure(command, more) for command in self.commands(tool, books)]

    def stages(self, runs: int) -> Json:
        """Medians of limits and stages, each run in a process of its own."""
        size = f"{self.stage_size}B"
        program = [sys.executable, HERE / "books_stages.py", self.whole.folder, "--size", size]
        found = [json.loads(measure(program).output) for _ in range(runs)]
        return {
            name: {unit: median(one[name][unit] for one in found) for unit in rates}
            for name, rates in found[0].items()
        }


def rows_of(root: Path) -> list[str]:
    """Texts of a set's rows, in order."""
    texts: list[str] = []
    for path in sorted(root.glob("data-*.arrow")):
        with pa.memory_map(str(path)) as file, pa.ipc.open_stream(file) as stream:
            for batch in stream:
                texts += batch.column("text").to_pylist()
    return texts


def outcome(bench: BooksBench, tool: str, steps: list[Usage]) -> Json:
    """What the last run made; a set of ours must pass `verify` and have every book, or it ends."""
    if tool not in OURS:
        return {"rows": json.loads(steps[-1].output)["rows"]}
    root, books = bench.out(tool) / "set", bench.books(tool)
    measure([*_COMMAND, "verify", root])
    seen = json.loads(measure([*_COMMAND, "inspect", root, "--json"]).output)
    if (found := seen["totals"]["documents"]) != len(books.files):
        raise SystemExit(f"{tool}: expected {len(books.files)} books in the set, found {found}")
    return {"rows": seen["rows"]}


def quality(bench: BooksBench, tool: str) -> Json | None:
    """How well the rows of the last run are the books' sentences, if that is known."""
    books = bench.books(tool)
    if books.truth is None or "--keep-text" not in OURS.get(tool, ["--keep-text"]):
        return None
    out = bench.out(tool)
    if tool in OURS:
        rows = rows_of(out / "set")
    else:
        rows = (out / "sentences.txt").read_text("utf-8").split("\n")
    lines = (line for path in books.files for line in path.read_text("utf-8").split("\n"))
    return judge(books.units(), rows, lines)


def measure_tools(bench: BooksBench, runs: int) -> Json:
    """What every tool took, runs interleaved, with start-up apart; and how good its rows are."""
    made: dict[str, Json] = {}
    judged: dict[str, Json] = {}

    def run(tool: str) -> list[Usage]:
        steps = bench.run(tool, bench.books(tool))
        if tool not in made:
            made[tool] = outcome(bench, tool, steps)
            if found := quality(bench, tool):
                judged[tool] = found
        return steps

    started = interleaved(min(runs, 2), bench.tools, lambda tool: bench.run(tool, bench.tiny))
    results = interleaved(runs, bench.tools, run)
    rows = [
        figures(tool, bench.books(tool).mb, results[tool], started[tool]) | made[tool]
        for tool in bench.tools
    ]
    return {"whole": rows, "quality": judged}


def figures(tool: str, mb: float, runs: list[list[Usage]], started: list[list[Usage]]) -> Json:
    """Medians over runs; `startup_*` is the same job on a book of some pages."""
    totals, starts = [[sum_usage(steps) for steps in some] for some in (runs, started)]
    cpu, wall = median(run.cpu_s for run in totals), median(run.wall_s for run in totals)
    start = median(run.cpu_s for run in starts)
    return {
        "tool": tool,
        "mb": mb,
        "cpu_s": cpu,
        "cpu_s_runs": [run.cpu_s for run in totals],
        "cpu_s_of_steps": [
            median(step) for step in zip(*([s.cpu_s for s in run] for run in runs), strict=True)
        ],
        "wall_s": wall,
        "startup_cpu_s": start,
        "mb_per_cpu_s": mb / cpu,
        "mb_per_s": mb / wall,
        "mb_per_cpu_s_without_startup": net_rate(mb, cpu, start),
        "peak_mb": max(run.peak_mb for run in totals),
    }
