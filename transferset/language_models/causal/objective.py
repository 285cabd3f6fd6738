"""The objective of a causal language model: each piece from those before it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from transferset.errors import TransfersetError, sentence
from transferset.language_models.causal.examples import IGNORED, Examples

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel

#: Pieces, padding included, of a batch that is measured.
_MEASURED: Final = 4096

#: Largest logarithm of a perplexity that is told; its exponential is still a number.
_MOST: Final = 700.0


class PieceLoss:
    """Sums of negative log-likelihoods of a model's predictions.

    Attributes:
        gathers: Whether the model's head runs on what is predicted alone, not on padding.
    """

    def __init__(self, model: PreTrainedModel) -> None:
        """Find out how the model is best run."""
        self._model = model
        self.gathers = False
        self.gathers = self._can_gather()

    def __call__(self, inputs: npt.NDArray[np.int64], targets: npt.NDArray[np.int64]) -> Tensor:
        """Losses of a batch; see `Examples.batch`.

        Returns:
            float32[predicted], row by row.
        """
        import torch
        from torch.nn.functional import cross_entropy

        device = self._model.device
        here = torch.from_numpy(targets != IGNORED).to(device)
        given, wanted = (torch.from_numpy(array).to(device) for array in (inputs, targets))
        with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
            logits = self._logits(given, here)
        losses: Tensor = cross_entropy(logits.float(), wanted[here], reduction="none")
        return losses

    def _logits(self, given: Tensor, here: Tensor) -> Tensor:
        # no mask: padding comes last, and no piece sees those after it
        if not self.gathers:
            logits: Tensor = self._model(input_ids=given, use_cache=False).logits
            return logits[here]

        def gather(module: Any, args: Any, output: Any) -> Any:
            output["last_hidden_state"] = output["last_hidden_state"][here][None]
            return output

        # the head, most of the work of a small model, is between the body and the logits of every
        # model: so it sees what is predicted alone, whatever the model calls it
        hook = self._model.base_model.register_forward_hook(gather)
        try:
            whole: Tensor = self._model(input_ids=given, use_cache=False).logits
        finally:
            hook.remove()
        return whole[0]

    def _can_gather(self) -> bool:
        """Whether the head gives the same on gathered positions, tried on one small batch."""
        import torch

        ids = np.array([[0, 1, 1, 1], [1, 0, 0, 0]])
        targets = np.array([[1, 1, 1, 0], [0, IGNORED, IGNORED, IGNORED]])
        before = self._model.training
        self._model.eval()
        try:
            with torch.no_grad():
                whole = self(ids, targets)
                self.gathers = True
                return bool(torch.allclose(self(ids, targets), whole, rtol=1e-3, atol=1e-3))
        except Exception:  # noqa: BLE001  heads of other kinds fail in their own ways
            return False
        finally:
            self.gathers = False
            self._model.train(before)


class HeldOut(NamedTuple):
    """Perplexities of held-out examples.

    Attributes:
        piece: Of a predicted piece.
        word: Of a word as white space parts them, and of an end; of texts that were not cut, so
            that models of other tokenizers compare. 0 if all were cut.
    """

    piece: float
    word: float


def measure(model: PreTrainedModel, loss: PieceLoss, examples: Examples) -> HeldOut:
    """Perplexity of examples.

    Args:
        model: As it is; it trains on afterwards.
        loss: Of the model.
        examples: At least one.

    Raises:
        TransfersetError: The model gives no finite number.
    """
    import torch

    order = np.argsort(examples.lengths, kind="stable")
    sums = np.zeros(len(examples))
    model.eval()
    with torch.inference_mode():
        for rows in _batches(order, examples.lengths):
            inputs, targets = examples.batch(rows)
            losses = loss(inputs, targets).double().cpu().numpy()
            bounds = np.append(0, np.cumsum(examples.lengths[rows])[:-1])
            sums[rows] = np.add.reduceat(losses, bounds)
    model.train()
    if not np.isfinite(sums).all():
        row = int(np.argmin(np.isfinite(sums)))
        do = "lower --lr, or train from a sound model"
        raise TransfersetError(
            sentence("finite likelihoods of held-out texts", str(sums[row]), f"example {row}", do)
        )
    whole = examples.words > 0
    piece = math.fsum(sums) / examples.total
    words = int(examples.words[whole].sum())
    word = math.exp(min(math.fsum(sums[whole]) / words, _MOST)) if words else 0.0
    return HeldOut(math.exp(min(piece, _MOST)), word)


def _batches(
    order: npt.NDArray[np.int64], lengths: npt.NDArray[np.int32]
) -> Sequence[npt.NDArray[np.int64]]:
    """Rows by length, cut so that a batch has at most `_MEASURED` places, or one row."""
    ends = lengths[order].astype(np.int64)
    found, start = [], 0
    while start < len(order):
        # rows that fit if all were as long as the longest of them: the last
        sizes = ends[start : start + _MEASURED] * np.arange(
            1, len(ends[start : start + _MEASURED]) + 1
        )
        stop = start + max(1, int(np.searchsorted(sizes, _MEASURED, "right")))
        found.append(order[start:stop])
        start = stop
    return found
