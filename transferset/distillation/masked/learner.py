"""Pre-training distillation: a masked language model that learns from text and from a larger one.

The triple loss of DistilBERT (Sanh et al. 2019, § 3; van de Graaf 2021, § 3.3): cross-entropy with
the masked pieces, T² · KL between teacher and student at masked positions, and 1 − cos of their
last hidden states.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np
import torch
from torch import Tensor

from transferset.distillation.masked.batches import Int64, MaskedBatch, Masks
from transferset.distillation.masked.losses import MaskedLosses
from transferset.distillation.masked.model import MaskedModel
from transferset.students.objectives import MaskedObjective, combined
from transferset.teachers.logits import by_budget, halving
from transferset.training.batches import Batch
from transferset.training.learning import Part, learn
from transferset.training.loop import Learnt, Measured
from transferset.training.optimizer import Optimizer

if TYPE_CHECKING:
    from transformers import PreTrainedModel

#: Number of the epoch whose masks held-out rows have: no training gets there.
HELD_OUT_EPOCH: Final = 2**32 - 1

#: Of gradients, in van de Graaf 2021, § 4.3, and Sanh et al.'s code.
CLIP: Final = 5.0


class MaskedLearner:
    """A student masked language model, its losses and its optimiser; see `training.loop.Learner`.

    Attributes:
        module: What is trained, a model of transformers.
        optimizer: Of its parameters.
    """

    def __init__(
        self,
        student: MaskedModel,
        masks: Masks,
        objective: MaskedObjective,
        optimizer: Optimizer,
        *,
        teacher: MaskedModel | None = None,
        held_out: Masks | None = None,
        seed: int = 0,
        clip: float | None = CLIP,
    ) -> None:
        """Take models and rows; logits that come with rows go before the teacher's.

        Args:
            student: Trained in place.
            masks: Rows to train on.
            objective: Losses.
            optimizer: Of the student's parameters.
            teacher: On the student's device; frozen.
            held_out: Rows to measure on; None measures nothing.
            seed: Of dropout.
            clip: Longest gradient; None is any.

        Raises:
            UsageError: A loss needs a teacher, or one of another shape or temperature.
            InputError: A row is longer than a model can read.
        """
        self.module: PreTrainedModel = student.model
        self.optimizer = optimizer
        self._masks, self._held_out = masks, held_out
        self._seed, self._clip = seed, clip
        self._losses = MaskedLosses(student, objective, teacher)
        self._losses.check(masks)
        if held_out is not None:
            told = _measurable(objective, held_out, teacher)
            self._measured = MaskedLosses(student, told, teacher)
            self._measured.check(held_out)

    def learn(self, batch: Batch, at_once: int, rate: float, step: int) -> Learnt:
        """Make a step on the weighted sum of the losses' means over a batch.

        Args:
            batch: Rows and epoch.
            at_once: Ids that go through the models at a time, padding included.
            rate: The learning rate.
            step: Its number, from 0.

        Raises:
            NotFinite: Loss or gradient is not.
            TransfersetError: There is no memory for one row.
        """
        # masked as a whole: the means of parts are over what the whole batch counts
        whole = self._masks.batch(batch.rows, batch.epoch)
        objective, tokens = self._losses.objective, len(whole.rows.ids)
        counts = objective.counts(len(whole.positions), tokens)

        def part(rows: slice) -> Part:
            found = self._losses.parts(whole.part(rows))
            if not found:
                return Part(torch.zeros(()))
            told = {name: one.total.detach() / counts[name] for name, one in found.items()}
            return Part(combined(found, objective.weights, counts), told)

        taken = learn(
            self.optimizer,
            part,
            whole.rows.lengths,
            at_once,
            seed=self._seed,
            step=step,
            rate=rate,
            clip=self._clip,
        )
        over = counts["hard"] if objective.hard or objective.soft else tokens
        return Learnt(taken.loss, over, tokens, taken.parts, taken.at_once, taken.short, counts)

    def measure(self) -> Measured | None:
        """Losses of the held-out rows under masks that are the same each time.

        Returns:
            `loss`, the weighted sum of those that are trained on and can be measured, else the
            hard one; `hard`, its `perplexity`, `soft` and `cosine`. The score is −loss.
        """
        if self._held_out is None:
            return None
        means = self._means(self._held_out)
        weights = self._losses.objective.weights
        trained = {name: weights[name] for name in means if weights[name]} or {"hard": 1.0}
        loss = sum(weight * means[name] for name, weight in trained.items())
        # beyond what a float can hold there is nothing to tell
        perplexity = math.exp(means["hard"]) if means["hard"] < 700 else math.inf
        return Measured({"loss": loss, **means, "perplexity": perplexity}, -loss)

    def _means(self, held_out: Masks) -> dict[str, float]:
        found: dict[str, list[tuple[Tensor, int]]] = {}

        def some(rows: Int64) -> None:
            batch: MaskedBatch = held_out.batch(rows, HELD_OUT_EPOCH)
            for name, one in self._measured.parts(batch).items():
                found.setdefault(name, []).append((one.total.double(), one.over))

        training = self.module.training
        self.module.eval()
        try:
            with torch.inference_mode():
                halving(by_budget(held_out.lengths.astype(np.int64)), some)
        finally:
            self.module.train(training)
        names = [name for name, weight in self._measured.objective.weights.items() if weight]
        return {name: _mean(found.get(name, [])) for name in names}


def _measurable(
    objective: MaskedObjective, held_out: Masks, teacher: MaskedModel | None
) -> MaskedObjective:
    """The losses that held-out rows allow; the hard one always, for its perplexity."""
    soft = objective.soft if teacher or held_out.temperature == objective.temperature else 0.0
    cosine = objective.cosine if teacher else 0.0
    return replace(objective, hard=objective.hard or 1.0, soft=soft, cosine=cosine)


def _mean(sums: list[tuple[Tensor, int]]) -> float:
    over = sum(count for _, count in sums)
    return float(sum(float(total) for total, _ in sums)) / over if over else math.nan
