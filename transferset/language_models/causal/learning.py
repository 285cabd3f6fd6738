"""One step of fitting a causal language model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from transferset.language_models.causal.examples import Examples
from transferset.language_models.causal.objective import PieceLoss, measure
from transferset.training.batches import Batch
from transferset.training.learning import Part, learn
from transferset.training.loop import Learnt, Measured
from transferset.training.optimizer import make_optimizer

if TYPE_CHECKING:
    from transformers import PreTrainedModel

#: Longest gradient; a longer one is made as short.
CLIP: Final = 1.0


@dataclass(frozen=True, slots=True)
class Procedure:
    """How a model is trained.

    Attributes:
        epochs: Times that each example is seen, ≥ 1.
        lr: Full learning rate, > 0.
        batch: Examples of a step, ≥ 1.
        weight_decay: Of all but biases and norms, ≥ 0.
        warmup: Share of the steps in which the rate rises, 0 to 1.
        evaluate_every: Steps between measurements, the last one at the end; None is after epochs.
        seed: Of order and dropout.
    """

    epochs: int = 1
    lr: float = 5e-5
    batch: int = 48
    weight_decay: float = 1e-3
    warmup: float = 0.1
    evaluate_every: int | None = None
    seed: int = 0


class PieceLearner:
    """A model with its objective and optimiser; a `training.loop.Learner`.

    Attributes:
        module: The model, which is trained in place.
        optimizer: Of its trained parameters.
        loss: Of the model.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        examples: Examples,
        procedure: Procedure,
        held_out: Examples | None = None,
    ) -> None:
        """Take a model, and what it learns from."""
        self.module = model
        self.optimizer = make_optimizer(
            model, "adamw", procedure.lr, weight_decay=procedure.weight_decay
        )
        self.loss = PieceLoss(model)
        self._examples, self._held_out, self._seed = examples, held_out, procedure.seed

    def learn(self, batch: Batch, at_once: int, rate: float, step: int) -> Learnt:
        """Make one step on the mean loss of a batch's pieces.

        Args:
            batch: Its examples.
            at_once: Most of them that go through the model at a time.
            rate: The learning rate.
            step: Its number, from 0.

        Raises:
            NotFinite: Loss or gradient is not.
            TransfersetError: There is no memory for one example.
        """
        pieces = int(self._examples.lengths[batch.rows].sum())

        def part(some: slice) -> Part:
            losses = self.loss(*self._examples.batch(batch.rows[some]))
            # weighted by pieces: the mean over the batch, however it is parted
            return Part(losses.sum() / pieces)

        taken = learn(
            self.optimizer,
            part,
            np.ones(len(batch.rows), np.int32),
            at_once,
            seed=self._seed,
            step=step,
            rate=rate,
            clip=CLIP,
            shrink="lower --length, or take a smaller model",
        )
        return Learnt(taken.loss, pieces, pieces, {}, taken.at_once, taken.short)

    def measure(self) -> Measured | None:
        """Perplexity of what is held out."""
        if self._held_out is None:
            return None
        found = measure(self.module, self.loss, self._held_out)
        return Measured({"piece": found.piece, "word": found.word}, -found.piece)
