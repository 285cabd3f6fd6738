"""Fitting a causal language model to examples, as a plain loop that can be stopped anywhere.

Procedure: Sučík 2020, § 3.2, after Tang & Lin 2019: AdamW, linear warm-up and decay, the mean loss
over the pieces of a batch. A step is a function of the weights, its number and the seed; what a
checkpoint holds is all that the next one needs.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from transferset.errors import sentence
from transferset.language_models.causal.examples import Examples
from transferset.language_models.causal.learning import Learner, NotFinite, Procedure
from transferset.language_models.causal.objective import measure
from transferset.language_models.checkpoint import quiet
from transferset.manifest import Json
from transferset.stage import Progress
from transferset.training.checkpoint import Checkpoints
from transferset.training.clock import Clock
from transferset.training.log import TrainingLog
from transferset.training.optimizer import moments, restore_moments
from transferset.training.order import Order, batch_count, epoch_order
from transferset.training.schedule import linear, warm_up_steps
from transferset.training.tensors import restore_weights, weights

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel

#: Lines of losses in the log, about.
_LINES: Final = 1000

#: Names of weights in a checkpoint begin with it.
_WEIGHTS: Final = "weights."


@dataclass(slots=True)
class State:
    """Where a training is; JSON in a checkpoint.

    Attributes:
        step: Steps done.
        pieces: Predicted so far.
        at_once: Examples that go through the model at a time; fewer than a batch if memory is
            short.
        loss: Sum since the last line of the log, over `since` pieces.
        log_bytes: Of the log.
        seconds: Of work.
        threads: Of torch: sums are rounded otherwise with another number.
        evaluations: Step, and perplexities of a `piece` and of a `word`.
        best: Of the evaluations, the one whose weights are kept.
    """

    step: int = 0
    pieces: int = 0
    at_once: int = 0
    loss: float = 0.0
    since: int = 0
    log_bytes: int = 0
    seconds: float = 0.0
    threads: int = 1
    evaluations: list[Json] = field(default_factory=list)
    best: Json | None = None


def fit(
    model: PreTrainedModel,
    examples: Examples,
    held_out: Examples | None,
    procedure: Procedure,
    *,
    checkpoints: Checkpoints,
    log: Path,
    progress: Progress,
    every: float = 60.0,
) -> State:
    """Train a model in place; after an interruption, from its checkpoint on.

    Args:
        model: Trainable, in float32; its weights are those to begin with.
        examples: At least one.
        held_out: By whose perplexity the best weights are chosen; None takes the last.
        procedure: How.
        checkpoints: Of this training alone.
        log: File of JSON lines.
        progress: Told of predicted pieces.
        every: Seconds of work between checkpoints.

    Returns:
        What became of it; the model has the weights to keep.

    Raises:
        TransfersetError: A loss is not finite, or memory is too short for one example.
    """
    import torch

    stored = checkpoints.open()
    new = State(at_once=procedure.batch, threads=torch.get_num_threads())
    state = State(**stored) if stored else new
    with _alike(model, state.threads), TrainingLog(log, state.log_bytes) as lines:
        clock = Clock(every, state.seconds)
        run = _Run(model, examples, held_out, procedure, checkpoints, lines, clock, state)
        run.begin()
        progress.start("train", procedure.epochs * examples.total, "pieces")
        progress.advance(state.pieces, 0)
        for step in range(state.step, run.steps):
            predicted = run.step(step)
            progress.advance(predicted, predicted)
        run.end()
    return state


@contextmanager
def _alike(model: PreTrainedModel, threads: int) -> Iterator[None]:
    """With as many threads as the run began with; the caller's generators stay as they are."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    devices = [model.device] if model.device.type == "cuda" else []
    try:
        with quiet(), torch.random.fork_rng(devices):  # or transformers asks for a mask
            model.train()
            yield
    finally:
        model.eval()
        torch.set_num_threads(before)


class _Run:
    """A training in progress, which may be interrupted anywhere."""

    def __init__(
        self,
        model: PreTrainedModel,
        examples: Examples,
        held_out: Examples | None,
        procedure: Procedure,
        checkpoints: Checkpoints,
        log: TrainingLog,
        clock: Clock,
        state: State,
    ) -> None:
        self._model, self._examples, self._held_out = model, examples, held_out
        self._procedure, self._checkpoints = procedure, checkpoints
        self._log, self._clock, self._state = log, clock, state
        self._learner = Learner(model, examples, procedure)
        self._per_epoch = batch_count(len(examples), procedure.batch)
        self.steps = procedure.epochs * self._per_epoch
        self._warm_up = warm_up_steps(self.steps, procedure.warmup)
        self._line = max(1, self.steps // _LINES)
        self._order: tuple[int, Order] | None = None

    def begin(self) -> None:
        """Measure the model as it is, or take up the checkpoint."""
        if self._checkpoints.state is None:
            self._evaluate()
            return
        stored = self._checkpoints.tensors("state")
        restore_weights(self._model, _named(stored, _WEIGHTS))
        restore_moments(self._learner.optimizer, self._model, stored)

    def step(self, step: int) -> int:
        """One step, and what is due after it; how many pieces were predicted."""
        state = self._state
        rate = self._procedure.lr * linear(step, self.steps, self._warm_up)
        rows = self._batch(step)
        learnt = self._learner.learn(rows, state.at_once, rate, step)
        predicted = int(self._examples.lengths[rows].sum())
        state.step = step + 1
        state.loss += learnt.loss
        state.since += predicted
        state.pieces += predicted
        if learnt.short:
            state.at_once = learnt.at_once
            told = {"short_of_memory": learnt.short, "at_once": learnt.at_once}
            self._log.write({"step": state.step, **told})
        self._after(rate)
        return predicted

    def _after(self, rate: float) -> None:
        state, every = self._state, self._procedure.evaluate_every
        ended = state.step % self._per_epoch == 0
        if ended or state.step % self._line == 0:
            self._tell(rate)
        measured = ended or (every is not None and state.step % every == 0)
        better = measured and self._evaluate()
        if ended or better or self._clock.due():
            self._keep(better=better)

    def _batch(self, step: int) -> npt.NDArray[np.int64]:
        epoch, number = divmod(step, self._per_epoch)
        if self._order is None or self._order[0] != epoch:
            procedure, lengths = self._procedure, self._examples.lengths
            self._order = epoch, epoch_order(lengths, procedure.batch, procedure.seed, epoch)
        return self._order[1].batch(number)

    def _tell(self, rate: float) -> None:
        state = self._state
        self._log.write(
            {
                "step": state.step,
                "epoch": round(state.step / self._per_epoch, 4),
                "loss": state.loss / state.since,
                "lr": rate,
                "pieces": state.pieces,
                "seconds": round(self._clock.seconds, 3),
            }
        )
        state.loss, state.since = 0.0, 0

    def _evaluate(self) -> bool:
        """Measure, if there is something held out; whether the weights are the best so far."""
        if self._held_out is None:
            return False
        state = self._state
        found = measure(self._model, self._learner.loss, self._held_out)
        told = {"step": state.step, "piece": found.piece, "word": found.word}
        state.evaluations.append(told)
        self._log.write({**told, "seconds": round(self._clock.seconds, 3)})
        # the weights to begin with are measured, but never kept: that would be no fit
        better = state.step > 0 and (state.best is None or found.piece < state.best["piece"])
        if better:
            state.best = told
        return better

    def _keep(self, *, better: bool) -> None:
        began = self._clock.start()
        state, own = self._state, weights(self._model)
        state.log_bytes = self._log.sync()
        state.seconds = self._clock.seconds
        tensors: dict[str, dict[str, Any]] = {
            "state": {
                **{f"{_WEIGHTS}{name}": one for name, one in own.items()},
                **moments(self._learner.optimizer, self._model),
            }
        }
        if better:
            tensors["best"] = own
        self._checkpoints.write(asdict(state), tensors, state.step)
        self._clock.wrote(began)

    def end(self) -> None:
        """Give the model the weights to keep."""
        if self._state.best is not None:
            restore_weights(self._model, self._checkpoints.tensors("best"))
        for name, weight in self._model.named_parameters():
            if not weight.isfinite().all():  # the last step's, which no loss has told
                found, do = f"others in {name}", "lower --lr"
                raise NotFinite(sentence("finite weights after the last step", found, do=do))


def _named(stored: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name[len(prefix) :]: one for name, one in stored.items() if name.startswith(prefix)}
