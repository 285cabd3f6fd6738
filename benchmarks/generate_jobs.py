"""Runs of `transferset`'s sampler and of `generate()` on the same model, and rates of them."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from generate_models import WAYS, Task

Json = dict[str, Any]

OURS = "transferset"
GENERATE = "generate()"
STATIC = "generate(), static cache"


@dataclass(frozen=True, slots=True)
class Case:
    """One tool drawing in one way."""

    tool: str
    way: str

    def __str__(self) -> str:
        return f"{self.tool}, {self.way}"


@dataclass(frozen=True, slots=True)
class Took:
    """What a run took, and how many pieces it made: ends are counted, what fills rows is not."""

    pieces: int
    cpu_s: float
    wall_s: float


def make_cases(ways: tuple[str, ...]) -> list[Case]:
    """All tools in some ways."""
    return [Case(tool, way) for way in ways for tool in (GENERATE, STATIC, OURS)]


@dataclass(slots=True)
class Jobs:
    """What all runs on a model have in common."""

    task: Task
    device: str
    batch: int
    rows: int | None
    _samplers: Json = field(default_factory=dict)
    _next: int = 0

    def run(self, case: Case) -> Took:
        """Make rows."""
        ours = case.tool == OURS
        work = self._sampler(case.way) if ours else None
        self._wait()
        cpu, wall = time.process_time(), time.perf_counter()
        rows = self.rows_of(case)
        pieces = self._sample(work, rows) if ours else self._generate(case, rows)
        self._wait()
        return Took(pieces, time.process_time() - cpu, time.perf_counter() - wall)

    def rows_of(self, case: Case) -> int:
        """How many rows a run makes: of ours more where they end, or the last are alone long."""
        many = 16 if case.tool == OURS and self.task.ends else 2
        return self.rows or many * self.batch

    def _wait(self) -> None:
        if self.device != "cpu":
            import torch

            torch.cuda.synchronize()

    def _sampler(self, way: str) -> Any:
        """Ours, opened once: that is not counted, as loading the model is not."""
        from transferset.language_models.causal import Sampler, Sampling

        if way not in self._samplers:
            self._samplers[way] = Sampler(
                self.task.model,
                start=self.task.start,
                ends=self.task.ends,
                sampling=Sampling(max_length=self.task.length, **WAYS[way]),
                key=(1, 2),
                batch=self.batch,
            )
        return self._samplers[way]

    def _sample(self, sampler: Any, rows: int) -> int:
        first, self._next = self._next, self._next + rows  # others in each run
        found = sampler.sample(range(first, first + rows))
        # an end behind the last piece that may be is one that generate() does not draw
        return sum(
            len(one.ids) + (one.finished and len(one.ids) < self.task.length) for one in found
        )

    def _generate(self, case: Case, rows: int) -> int:
        """Batch by batch, each as long as its longest row."""
        return sum(
            self._generated(case, min(self.batch, rows - first))
            for first in range(0, rows, self.batch)
        )

    def _generated(self, case: Case, rows: int) -> int:
        import torch

        task = self.task
        begun = torch.full((rows, 1), task.start, device=self.device)
        static = {"cache_implementation": "static"} if case.tool == STATIC else {}
        with torch.inference_mode():
            found = task.model.generate(
                begun,
                attention_mask=torch.ones_like(begun),
                do_sample=True,
                max_new_tokens=task.length,
                eos_token_id=list(task.ends) or None,
                pad_token_id=task.ends[0] if task.ends else 0,
                temperature=1.0,
                top_p=1.0,
                use_cache=True,
                disable_compile=True,
                **WAYS[case.way],
                **static,
            )
        return count_pieces(found[:, 1:], task.ends)


def count_pieces(ids: Any, ends: tuple[int, ...]) -> int:
    """Pieces of rows up to their first end, which is counted."""
    import torch

    if not ends:
        return int(ids.numel())
    over = torch.isin(ids, torch.tensor(ends, device=ids.device)).int().cumsum(1)
    return int((over == 0).sum() + (over[:, -1] > 0).sum())


def figures(jobs: Jobs, cases: list[Case], results: dict[Case, list[Took]]) -> list[Json]:
    """Medians over runs, and how many times as fast ours is, also in each run."""
    rows = []
    seconds = "cpu_s" if jobs.device == "cpu" else "wall_s"
    for case in cases:
        rates = [took.pieces / getattr(took, seconds) for took in results[case]]
        ours = [t.pieces / getattr(t, seconds) for t in results[Case(OURS, case.way)]]
        rows.append(
            {
                "model": jobs.task.name,
                "way": case.way,
                "tool": case.tool,
                "batch": jobs.batch,
                "rows": jobs.rows_of(case),
                "pieces": median(took.pieces for took in results[case]),
                "cpu_s": [took.cpu_s for took in results[case]],
                "wall_s": [took.wall_s for took in results[case]],
                "pieces_per_s": median(rates),
                "ours": median(ours) / median(rates),
                "ours_runs": [one / other for one, other in zip(ours, rates, strict=True)],
            }
        )
    return rows
