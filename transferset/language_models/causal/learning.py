"""One step of fitting a causal language model."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from transferset.errors import TransfersetError, sentence
from transferset.language_models.causal.examples import Examples
from transferset.language_models.causal.objective import PieceLoss
from transferset.training.optimizer import adamw, set_rate, trained
from transferset.training.order import step_seed
from transferset.training.room import is_out_of_memory

if TYPE_CHECKING:
    from transformers import PreTrainedModel

#: Longest gradient; a longer one is made as short.
CLIP: Final = 1.0


class NotFinite(TransfersetError):
    """A training that went astray: nothing of it is worth resuming."""


@dataclass(frozen=True, slots=True)
class Procedure:
    """How a model is trained.

    Attributes:
        epochs: Times that each example is seen, ≥ 1.
        lr: Full learning rate, > 0.
        batch: Examples of a step, ≥ 1.
        weight_decay: Of all but biases and norms, ≥ 0.
        warmup: Share of the steps in which the rate rises, 0 to 1.
        evaluate_every: Steps between measurements beside those after epochs; None is only those.
        seed: Of order and dropout.
    """

    epochs: int = 1
    lr: float = 5e-5
    batch: int = 48
    weight_decay: float = 1e-3
    warmup: float = 0.1
    evaluate_every: int | None = None
    seed: int = 0


class Learnt(NamedTuple):
    """What a step did.

    Attributes:
        loss: Sum over its pieces.
        at_once: Examples that went through the model at a time.
        short: What was said when there was no memory for more; empty if there was.
    """

    loss: float
    at_once: int
    short: str = ""


class Learner:
    """A model with its objective and optimiser.

    Attributes:
        loss: Of the model.
        optimizer: Of its trained parameters.
    """

    def __init__(self, model: PreTrainedModel, examples: Examples, procedure: Procedure) -> None:
        """Take a model, which is going to be trained in place."""
        self._model, self._examples, self._seed = model, examples, procedure.seed
        self._parameters = list(trained(model).values())
        self.loss = PieceLoss(model)
        self.optimizer = adamw(model, procedure.lr, procedure.weight_decay)

    def learn(self, rows: npt.NDArray[np.int64], at_once: int, rate: float, step: int) -> Learnt:
        """Make one step on the mean loss of a batch's pieces.

        Where memory is short, fewer examples go through the model at once; what is learnt is the
        same but for rounding and dropout.

        Args:
            rows: The batch.
            at_once: Most examples that go through the model at a time.
            rate: The learning rate.
            step: Its number, from 0.

        Raises:
            NotFinite: Loss or gradient is not.
            TransfersetError: There is no memory for one example.
        """
        import torch

        told = ""
        while True:
            # so that nothing of a generator has to be kept between steps
            torch.manual_seed(step_seed(self._seed, step))
            try:
                return Learnt(self._update(rows, at_once, rate, step), at_once, told)
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                told = (str(error) or "none left").splitlines()[0]
            at_once = self._fewer(min(at_once, len(rows)), told)

    def _fewer(self, at_once: int, short: str) -> int:
        if at_once == 1:
            do = "lower --length, or take a smaller model"
            raise TransfersetError(sentence("memory for one example", short, do=do))
        self.optimizer.zero_grad()
        if self._model.device.type == "cuda":
            import torch

            torch.cuda.empty_cache()
        return -(-at_once // 2)

    def _update(self, rows: npt.NDArray[np.int64], at_once: int, rate: float, step: int) -> float:
        import torch

        self.optimizer.zero_grad()
        pieces = int(self._examples.lengths[rows].sum())
        total = 0.0
        for start in range(0, len(rows), at_once):
            losses = self.loss(*self._examples.batch(rows[start : start + at_once])).sum()
            # weighted by pieces: the mean over the batch, however it is parted
            (losses / pieces).backward()
            total += losses.item()
        norm = float(torch.nn.utils.clip_grad_norm_(self._parameters, CLIP))
        if not (math.isfinite(total) and math.isfinite(norm)):
            found = f"a loss of {total / pieces:.4g} and a gradient of length {norm:.4g}"
            raise NotFinite(sentence("finite numbers", found, f"step {step + 1:,}", "lower --lr"))
        set_rate(self.optimizer, rate)
        self.optimizer.step()
        return total
