"""The loop of every training: steps, measurements, checkpoints, log.

A step is a function of the weights, its number and the seed; what a checkpoint holds is all that
the next one needs.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from transferset.errors import sentence
from transferset.manifest import Json
from transferset.training.batches import Batches
from transferset.training.checkpoint import Checkpoints
from transferset.training.clock import Clock
from transferset.training.interrupting import deferred
from transferset.training.learner import Learner, Learnt, Measured, Settings, State
from transferset.training.learning import NotFinite
from transferset.training.log import TrainingLog
from transferset.training.schedule import SCHEDULES, warm_up_steps
from transferset.training.tensors import changing, restore_changing

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

    from transferset.stage import Progress

__all__ = ["Learner", "Learnt", "Measured", "Settings", "State", "train"]

#: Lines of losses in the log, about.
_LINES: Final = 1000

#: Names of weights, and of the optimiser's state, in a checkpoint begin with these.
_WEIGHTS: Final = "weights."
_OPTIMIZER: Final = "optimizer."


def train(
    learner: Learner,
    batches: Batches,
    settings: Settings,
    *,
    at_once: int,
    checkpoints: Checkpoints,
    log: Path,
    progress: Progress,
    every: float = 60.0,
) -> State:
    """Train a module in place; after an interruption, from its checkpoint on.

    Args:
        learner: Its module's weights are those to begin with.
        batches: What is trained on.
        settings: How.
        at_once: Most that goes through the model at a time, in the learner's unit, ≥ 1.
        checkpoints: Of this training alone.
        log: File of JSON lines.
        progress: Told of tokens.
        every: Seconds of work between checkpoints.

    Returns:
        What became of it; the module has the weights to keep, and is in evaluation.

    Raises:
        NotFinite: A loss or a weight is not; neither checkpoint nor log is left.
        TransfersetError: Memory is too short for one example.
        KeyboardInterrupt: Ctrl-C, after the step that it came in; what was done is kept.
    """
    import torch

    stored = checkpoints.open()
    new = State(at_once=at_once, threads=torch.get_num_threads())
    state = State(**stored) if stored else new
    try:
        with _alike(learner.module, state.threads), TrainingLog(log, state.log_bytes) as lines:
            clock = Clock(every, state.seconds)
            run = _Run(learner, batches, settings, checkpoints, lines, clock, state)
            run.begin()
            if stored:
                progress.resumed(f"at step {state.step:,} of {batches.steps:,}")
            progress.start("train", batches.tokens, settings.unit)
            progress.advance(state.tokens, 0)
            with deferred() as interrupted:
                for step in range(state.step, batches.steps):
                    tokens = run.step(step)
                    progress.advance(tokens, tokens)
                    if interrupted():
                        run.keep()
                        raise KeyboardInterrupt
            run.end()
    except NotFinite:
        checkpoints.clear()
        log.unlink(missing_ok=True)
        raise
    return state


@contextmanager
def _alike(module: Module, threads: int) -> Iterator[None]:
    """With as many threads as the run began with; the caller's generators stay as they are."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    devices = {one.device for one in module.parameters() if one.device.type == "cuda"}
    try:
        with torch.random.fork_rng(list(devices)):
            module.train()
            yield
    finally:
        module.eval()
        torch.set_num_threads(before)


class _Run:
    """A training in progress, which may be interrupted anywhere."""

    def __init__(
        self,
        learner: Learner,
        batches: Batches,
        settings: Settings,
        checkpoints: Checkpoints,
        log: TrainingLog,
        clock: Clock,
        state: State,
    ) -> None:
        self._learner, self._module, self._batches = learner, learner.module, batches
        self._settings, self._checkpoints = settings, checkpoints
        self._log, self._clock, self._state = log, clock, state
        self._factor = SCHEDULES[settings.schedule]
        self._warm_up = warm_up_steps(batches.steps, settings.warmup)
        self._line = max(1, batches.steps // _LINES)
        #: The best weights, if they are not in a checkpoint yet.
        self._best: dict[str, Tensor] | None = None

    def begin(self) -> None:
        """Measure the module as it is, or take up the checkpoint."""
        if self._checkpoints.state is None:
            if self._settings.evaluate_first:
                self._evaluate()
            return
        stored = self._checkpoints.tensors("state")
        restore_changing(self._module, _named(stored, _WEIGHTS))
        self._learner.optimizer.restore(self._module, _named(stored, _OPTIMIZER))

    def step(self, step: int) -> int:
        """One step, and what is due after it; how many tokens it took."""
        state = self._state
        rate = self._settings.lr * self._factor(step, self._batches.steps, self._warm_up)
        learnt = self._learner.learn(self._batches.batch(step), state.at_once, rate, step)
        state.step = step + 1
        state.tokens += learnt.tokens
        self._count(learnt)
        if learnt.short:
            state.at_once = learnt.at_once
            told = {"short_of_memory": learnt.short, "at_once": learnt.at_once}
            self._log.write({"step": state.step, **told})
        self._after(rate)
        return learnt.tokens

    def _count(self, learnt: Learnt) -> None:
        state = self._state
        state.loss += learnt.loss * learnt.over
        state.since += learnt.over
        for name, value in learnt.parts.items():
            if not math.isnan(value):
                sums = state.parts.setdefault(name, [0.0, 0])
                over = learnt.counts.get(name, learnt.over)
                sums[0] += value * over
                sums[1] += over

    def _after(self, rate: float) -> None:
        state = self._state
        ended = self._batches.ends_epoch(state.step - 1)
        if ended or state.step % self._line == 0:
            self._tell(rate)
        if self._measured(ended=ended):
            self._evaluate()
        if state.step == self._batches.steps or self._clock.due():
            self.keep()

    def _measured(self, *, ended: bool) -> bool:
        """Whether a measurement follows the step; however long the epochs, the last one does."""
        step, every = self._state.step, self._settings.evaluate_every
        return ended if every is None else step % every == 0 or step == self._batches.steps

    def _tell(self, rate: float) -> None:
        state = self._state
        parts = {name: total / over for name, (total, over) in state.parts.items() if over}
        self._log.write(
            {
                "step": state.step,
                "epoch": round(self._batches.epoch(state.step), 4),
                "loss": state.loss / state.since if state.since else None,
                **parts,
                "lr": rate,
                self._settings.unit: state.tokens,
                "seconds": round(self._clock.seconds, 3),
            }
        )
        state.loss, state.since, state.parts = 0.0, 0, {}

    def _evaluate(self) -> None:
        """Measure, if there is something held out, and hold on to the best weights."""
        self._module.eval()
        found = self._learner.measure()
        self._module.train()
        if found is None:
            return
        state = self._state
        values = {k: float(v) if math.isfinite(v) else None for k, v in found.values.items()}
        told: Json = {"step": state.step, **values}
        state.evaluations.append(told)
        self._log.write({**told, "seconds": round(self._clock.seconds, 3)})
        # the weights to begin with are measured, but never kept: that would be no training
        if state.step and math.isfinite(found.score) and _higher(found.score, state.score):
            state.best, state.score = told, float(found.score)
            self._best = {k: one.to("cpu", copy=True) for k, one in changing(self._module).items()}

    def keep(self) -> None:
        """Write a checkpoint."""
        began = self._clock.start()
        state, optimizer = self._state, self._learner.optimizer
        state.log_bytes = self._log.sync()
        state.seconds = self._clock.seconds
        tensors: dict[str, dict[str, Any]] = {
            "state": {
                **{f"{_WEIGHTS}{k}": one for k, one in changing(self._module).items()},
                **{f"{_OPTIMIZER}{k}": one for k, one in optimizer.tensors(self._module).items()},
            }
        }
        if self._best is not None:
            tensors["best"] = self._best
        self._checkpoints.write(asdict(state), tensors, state.step)
        self._best = None
        self._clock.wrote(began)

    def end(self) -> None:
        """Give the module the weights to keep."""
        if self._state.best is not None:
            restore_changing(self._module, self._checkpoints.tensors("best"))
        for name, weight in self._module.named_parameters():
            if not weight.isfinite().all():  # the last step's, which no loss has told
                found, do = f"others in {name}", "lower --lr"
                raise NotFinite(sentence("finite weights after the last step", found, do=do))


def _higher(score: float, best: float | None) -> bool:
    return best is None or score > best


def _named(stored: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name[len(prefix) :]: one for name, one in stored.items() if name.startswith(prefix)}
