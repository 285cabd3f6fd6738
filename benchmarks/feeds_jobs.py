"""Runs of `transferset.feeds` and of its peers over the same batches, and rates of them."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from importlib.metadata import version
from itertools import cycle, islice, pairwise
from pathlib import Path
from statistics import median
from typing import Any

import feeds_peers
import numpy as np

import transferset
from transferset.feeds import MappedRows, Padding, ShardDataset, arrays
from transferset.shards import ShardSet

Json = dict[str, Any]

#: Ids of a row where all are of one length.
LENGTH = 128

#: Most ids of a batch by ids.
BUDGET = 8_192

#: What is measured: rows of one length, of any, and batches by ids of rows of like lengths.
JOBS = ("fixed", "padded", "tokens")

TENSORS = "transferset, tensors"
NUMPY = "transferset, numpy"
RAGGED = "transferset, no padding"
ARROW = "Arrow, take"
COPY = "memory, copy"
TORCH_FORMAT = "datasets, torch format"
NUMPY_FORMAT = "datasets, numpy format"
LISTS = "datasets, lists"

OURS = (TENSORS, NUMPY, RAGGED)
PEERS = (TORCH_FORMAT, NUMPY_FORMAT, LISTS)

#: Batches that all tools are compared on.
_CHECKED = 5


@dataclass(frozen=True, slots=True)
class Case:
    """One tool giving batches of one kind."""

    tool: str
    job: str

    def __str__(self) -> str:
        return f"{self.tool}, {self.job}"


@dataclass(frozen=True, slots=True)
class Took:
    """What a run took; ids are counted without padding."""

    batches: int
    tokens: int
    cpu_s: float
    wall_s: float


def make_cases(job: str) -> list[Case]:
    """All tools doing a job."""
    return [Case(tool, job) for tool in (*PEERS, *OURS, ARROW, COPY)]


def make_sets(root: Path, source: Path | None, rows: int) -> dict[str, Path]:
    """A set of rows of one length, and one of rows as they come; made anew for each run.

    Args:
        root: A directory.
        source: A set whose rows are drawn from; None is the packaged sample.
        rows: Of each.
    """
    root.mkdir(parents=True, exist_ok=True)
    if source is None:
        source = root / "sample"
        transferset.build_wiki("demo", source)
    drawn = transferset.Sample(str(rows), with_replacement=True)
    packed = [transferset.Pack(LENGTH), transferset.Filter(f"length == {LENGTH}"), drawn]
    transferset.derive(source, root / "fixed", steps=packed, force=True)
    transferset.derive(source, root / "any", steps=[drawn], force=True)
    return {"fixed": root / "fixed", "padded": root / "any", "tokens": root / "any"}


@dataclass(slots=True)
class Jobs:
    """What all runs have in common; sets are opened, and batches chosen, outside of the timing."""

    sets: dict[str, Path]
    rows: int
    tokens: int
    batches: int
    slow_batches: int
    _peers: dict[Case, Any] = field(default_factory=dict)

    def options(self, job: str) -> Json:
        """How batches are chosen."""
        return {"tokens": self.tokens} if job == "tokens" else {"rows": self.rows}

    def chosen(self, job: str, count: int) -> list[Any]:
        """The rows of the first batches; what an epoch lacks comes from its beginning."""
        planned = arrays(self.sets[job], **self.options(job)).planned()
        return list(islice(cycle([one.rows for one in planned]), count))

    def run(self, case: Case) -> Took:
        """Go through some batches."""
        count = self.slow_batches if case.tool in PEERS else self.batches
        stream = self.stream(case, count)
        cpu, wall = time.process_time(), time.perf_counter()
        for _ in stream():
            pass
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        rows = np.concatenate(self.chosen(case.job, count))
        found = MappedRows(ShardSet.open(self.sets[case.job]), ["input_ids"])
        return Took(count, int(found.lengths(rows).sum()), cpu, wall)

    def check(self, cases: list[Case]) -> None:
        """See that all tools give the same.

        Raises:
            SystemExit: One does not.
        """
        for case in cases:
            rows = self.chosen(case.job, _CHECKED)
            expected = [_as_lists(self.sets[case.job], one) for one in rows]
            found = list(self.stream(case, _CHECKED)())
            if case.tool != COPY and [_ids(batch) for batch in found] != expected:
                raise SystemExit(f"{case} gives other rows")

    def stream(self, case: Case, count: int) -> Callable[[], Iterable[Any]]:
        """What gives the first batches of a job, by a tool."""
        path = self.sets[case.job]
        if case.tool in OURS:
            return lambda: islice(self._ours(case), count)
        chosen = self.chosen(case.job, count)
        if case.tool == ARROW:
            return lambda: feeds_peers.taken(path, chosen)
        if case.tool == COPY:
            return lambda: feeds_peers.copied(path, chosen)
        kind = case.tool.split(", ")[1].removesuffix(" format")
        make = feeds_peers.loader(path, chosen, kind, fixed=case.job == "fixed")
        return lambda: make

    def _ours(self, case: Case) -> Iterator[Any]:
        """Epoch after epoch; shuffling and cutting batches is timed, which the peers are spared."""
        path, options = self.sets[case.job], self.options(case.job)
        if case.tool == TENSORS:
            batches = ShardDataset(path).batches(collate=Padding(path), **options)
            while True:
                yield from _loaded(batches)
        collate = Padding(path)
        stream = arrays(path, **options)
        while True:
            for batch in stream:
                yield batch if case.tool == RAGGED else collate.arrays(batch)


def _loaded(batches: Any) -> Any:
    """As a plain loop of torch reads it."""
    from torch.utils.data import DataLoader

    return DataLoader(batches, batch_size=None)


def _as_lists(path: Path, rows: Any) -> list[list[int]]:
    found: list[list[int]] = ShardSet.open(path).rows(rows)["input_ids"].to_pylist()
    return found


def _ids(batch: Any) -> list[list[int]]:
    """The rows of a batch of any tool."""
    if hasattr(batch, "columns"):
        ids = batch.columns["input_ids"]
        return [ids.row(i).tolist() for i in range(ids.rows)]
    if not isinstance(batch, dict) and not hasattr(batch, "keys"):
        values, offsets = batch
        return [values[a:b].tolist() for a, b in pairwise(offsets)]
    lengths = np.asarray(batch["attention_mask"]).sum(1)
    matrix = np.asarray(batch["input_ids"])
    return [row[:n].tolist() for row, n in zip(matrix, lengths, strict=True)]


def figures(job: str, cases: list[Case], results: dict[Case, list[Took]]) -> list[Json]:
    """Medians over runs, and how many times as fast as each our tensors are, also in each run."""
    ours = [took.batches / took.cpu_s for took in results[Case(TENSORS, job)]]
    rows = []
    for case in cases:
        rates = [one.batches / one.cpu_s for one in results[case]]
        rows.append(
            {
                "job": job,
                "tool": case.tool,
                "cpu_s": [one.cpu_s for one in results[case]],
                "wall_s": [one.wall_s for one in results[case]],
                "batches_per_cpu_s": median(rates),
                "batches_per_s": median(one.batches / one.wall_s for one in results[case]),
                "tokens_per_cpu_s": median(one.tokens / one.cpu_s for one in results[case]),
                "ours": median(ours) / median(rates),
                "ours_runs": [own / rate for own, rate in zip(ours, rates, strict=True)],
            }
        )
    return rows


def releases() -> dict[str, str]:
    """What ran."""
    found = {name: version(name) for name in ("torch", "transformers", "datasets", "pyarrow")}
    return {"python": platform.python_version()} | found
