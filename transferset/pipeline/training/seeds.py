"""Trainings that differ in their seed alone, of which the one of the median score is kept."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

from transferset.files import write_atomic
from transferset.manifest import Json
from transferset.metrics.seeds import over_seeds
from transferset.pipeline.training.work import Begun, Work
from transferset.stage import Progress
from transferset.training.checkpoint import Checkpoints
from transferset.training.loop import Settings, State, train
from transferset.training.tensors import restore_weights, weights

LOG: Final = "log.jsonl"

#: What the trainings leave below `_run/` until the model is committed.
FOLDER: Final = "training"

_WEIGHTS: Final = "weights"


class Trained(NamedTuple):
    """One training, as JSON can keep it.

    Attributes:
        seed: Its seed.
        score: Of the weights that were kept; nan if nothing was held out.
        told: `steps`, `tokens`, `evaluations`, `kept_step`, `threads`, `ids_at_once`.
    """

    seed: int
    score: float
    told: Json


@dataclass(slots=True)
class Trainings:
    """All of them, one after the other; each is done once, whatever stops the process meanwhile.

    Attributes:
        work: Models and data.
        settings: Of the loop.
        root: The model's directory.
        recipe: Digest of the recipe.
        progress: Told of steps.
        every: Seconds of work between checkpoints.
    """

    work: Work
    settings: Settings
    root: Path
    recipe: str
    progress: Progress
    every: float

    def run(self, seeds: Sequence[int]) -> tuple[Begun, Trained, list[Trained]]:
        """Train.

        Args:
            seeds: One a training.

        Returns:
            The kept training, whose learner has its weights; what it came to; and all of them.
        """
        done = [self._train(seed, alone=len(seeds) == 1) for seed in seeds]
        trained = [one for one, _ in done]
        kept = kept_of(trained)
        self._join_logs(trained)
        begun = done[kept][1]
        if begun is None:
            begun = self.work.begin(trained[kept].seed)
            stored = self._finished(trained[kept].seed)
            stored.open()
            restore_weights(begun.learner.module, stored.tensors(_WEIGHTS))
        return begun, trained[kept], trained

    def _train(self, seed: int, *, alone: bool) -> tuple[Trained, Begun | None]:
        """One training; the model is not held while others are trained."""
        finished = self._finished(seed)
        told = None if alone else finished.open()
        if told is not None:
            self.progress.resumed(f"with seed {seed} done")
            return Trained(seed, _number(told.pop("score")), told), None
        begun = self.work.begin(seed)
        folder = self._folder(seed)
        state = train(
            begun.learner,
            begun.batches,
            self.settings,
            at_once=begun.at_once,
            checkpoints=Checkpoints(folder / "checkpoint", self.recipe),
            log=self.root / LOG if alone else folder / LOG,
            progress=self.progress,
            every=self.every,
        )
        found = told_of(seed, state, begun.at_once)
        if alone:
            return found, begun
        score = None if math.isnan(found.score) else found.score
        tensors = {_WEIGHTS: weights(begun.learner.module)}
        finished.write({**found.told, "score": score}, tensors, state.step)
        shutil.rmtree(folder / "checkpoint", ignore_errors=True)
        return found, None

    def _folder(self, seed: int) -> Path:
        folder = self.root / "_run" / FOLDER / f"seed-{seed}"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _finished(self, seed: int) -> Checkpoints:
        return Checkpoints(self._folder(seed) / "finished", self.recipe)

    def _join_logs(self, trained: Sequence[Trained]) -> None:
        """The logs of all seeds as one, each line with its seed."""
        if len(trained) == 1:
            return
        lines = []
        for one in trained:
            for line in (self._folder(one.seed) / LOG).read_bytes().splitlines():
                lines.append(json.dumps({"seed": one.seed, **json.loads(line)}))
        write_atomic(self.root / LOG, "".join(f"{line}\n" for line in lines).encode())


def told_of(seed: int, state: State, at_once: int) -> Trained:
    """What the record says of a training."""
    best = state.best
    told: Json = {
        "steps": state.step,
        "tokens": state.tokens,
        "evaluations": [_finite(one) for one in state.evaluations],
        "kept_step": best["step"] if best else state.step,
        "ids_at_once": state.at_once if state.at_once < at_once else None,
        "threads": state.threads,
    }
    return Trained(seed, _number(state.score), told)


def kept_of(trained: Sequence[Trained]) -> int:
    """Which training is kept: that of the median score, of an even number the lower one.

    Failed ones, whose score is nan, are the lowest; of equal ones the earlier is the lower.
    """
    order = sorted(range(len(trained)), key=lambda i: _order(trained[i].score))
    return order[(len(order) - 1) // 2]


def seeds_json(trained: Sequence[Trained], kept: Trained) -> Json | None:
    """All scores with median and range; None of a single training."""
    if len(trained) == 1:
        return None
    figures = over_seeds([one.score for one in trained])._asdict()
    return {
        "scores": {str(one.seed): _plain(one.score) for one in trained},
        "kept": kept.seed,
        **{name: _plain(value) for name, value in figures.items() if name != "seeds"},
    }


def _order(score: float) -> float:
    return -math.inf if math.isnan(score) else score


def _number(value: Any) -> float:
    return math.nan if value is None else float(value)


def _plain(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _finite(told: Json) -> Json:
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in told.items()
    }
