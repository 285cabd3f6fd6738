"""What `--dry-run` shows: the plan, and the time that a few steps foretell."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from transferset.manifest import Json, fingerprint
from transferset.pipeline.training.plan import TrainPlan
from transferset.pipeline.training.train import MEMORY, prepare
from transferset.training.room import with_memory

if TYPE_CHECKING:
    from transferset.pipeline.training.work import Begun

#: Seconds of the probe, and steps that do not count: the first ones take longer.
_SECONDS: Final = 5.0
_FIRST: Final = 2

#: Time of a measurement of a token, by that of learning it: forward, and not backward.
_MEASURING: Final = 1 / 3


def train_plan_json(plan: TrainPlan) -> Json:
    """Plan and estimates; nothing is written where the model is going to be.

    Args:
        plan: What would be done.

    Returns:
        The recipe, and `examples`, `steps`, `tokens`, `parameters`, `tokens_per_second` and
        `seconds`, as far as a few steps tell.

    Raises:
        TransfersetError: What training would raise before its first step.
    """
    from transferset.language_models.checkpoint import quiet

    with tempfile.TemporaryDirectory() as folder, quiet(), with_memory(MEMORY):
        work = prepare(plan, Path(folder))
        begun = work.begin(plan.seed)
        with _as_it_was():
            speed = _speed(begun)
    seeds = plan.training.seeds
    learnt = begun.batches.tokens
    held = sum(one["tokens"] for one in work.counts["validation"])
    measured = held * _measurements(plan, begun.batches.steps)
    return {
        "name": plan.name,
        "op": plan.op,
        "recipe": fingerprint(plan.recipe),
        "params": plan.params,
        "sets": _places([one.root for one in plan.sets]),
        "validation": _places([one.root for one in plan.held_out]),
        "student": begun.about,
        "teacher": plan.teacher_about and plan.teacher_about["name"],
        "examples": work.counts,
        "steps": begun.batches.steps,
        "tokens": learnt,
        "trainings": seeds,
        "parameters": begun.parameters,
        "tokens_per_second": round(speed),
        "seconds": round(seeds * (learnt + _MEASURING * measured) / speed, 1),
    }


def _places(roots: Sequence[Path]) -> list[str]:
    return [str(one) for one in roots]


def _measurements(plan: TrainPlan, steps: int) -> int:
    """How often held-out rows are measured, about."""
    training = plan.training
    every = training.evaluate_every
    return -(-steps // every) if every else training.epochs or 1


@contextmanager
def _as_it_was() -> Iterator[None]:
    """The caller's generator stays as it is."""
    import torch

    with torch.random.fork_rng(devices=[]):
        yield


def _speed(begun: Begun) -> float:
    """Tokens a second in a few steps; the model is not used afterwards."""
    learner, batches, at_once = begun.learner, begun.batches, begun.at_once
    learner.module.train()
    tokens, began = 0, time.perf_counter()
    for step in range(batches.steps):
        if step == min(_FIRST, batches.steps - 1):
            tokens, began = 0, time.perf_counter()
        learnt = learner.learn(batches.batch(step), at_once, 0.0, step)
        tokens, at_once = tokens + learnt.tokens, learnt.at_once
        if time.perf_counter() - began > _SECONDS and step > _FIRST:
            break
    return tokens / (time.perf_counter() - began)
