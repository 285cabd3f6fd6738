"""How probable a causal language model finds texts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from transferset.errors import InputError, sentence
from transferset.language_models.scoring import one_thread

if TYPE_CHECKING:
    from transformers import PreTrainedModel


def perplexity(
    model: PreTrainedModel,
    ids: npt.NDArray[np.int32],
    offsets: npt.NDArray[np.int64],
    start: int,
    end: int,
    batch: int = 16,
) -> tuple[float, int]:
    """The negative log-likelihood of texts, each with its end, behind the start.

    Perplexity is exp(sum / pieces).

    Args:
        model: A causal language model of transformers.
        ids: int32, pieces of all texts, without start and end.
        offsets: int64[texts + 1], where each begins.
        start: Id of the piece before the first.
        end: Id of the piece after the last.
        batch: Texts that are shown to the model at once; those of like lengths are.

    Returns:
        Its sum in nats, and how many pieces it is of, ends included.

    Raises:
        InputError: The model's scores are not finite.
    """
    lengths = np.diff(offsets)
    order = np.argsort(lengths, kind="stable")
    total = 0.0
    model.eval()
    with one_thread():
        for first in range(0, len(order), batch):
            some = order[first : first + batch]
            rows = np.full((len(some), lengths[some[-1]] + 2), end, np.int64)
            rows[:, 0] = start
            for row, text in zip(rows, some, strict=True):
                row[1 : lengths[text] + 1] = ids[offsets[text] : offsets[text + 1]]
            total += _surprise(model, rows, lengths[some] + 1)
    if not np.isfinite(total):
        raise InputError(sentence("finite scores of the model", "others"))
    return total, int(lengths.sum()) + len(order)


def _surprise(
    model: PreTrainedModel, rows: npt.NDArray[np.int64], counts: npt.NDArray[np.int64]
) -> float:
    """The sum over the first `counts` pieces after the start of each row."""
    import torch

    shown = torch.from_numpy(rows).to(model.device)
    given = torch.from_numpy(counts).to(model.device)
    here = torch.arange(rows.shape[1] - 1, device=model.device)[None] < given[:, None]
    with torch.inference_mode():
        scores = model(input_ids=shown[:, :-1], attention_mask=here.long()).logits
        each = torch.nn.functional.cross_entropy(
            scores.float().transpose(1, 2), shown[:, 1:], reduction="none"
        )
        return float(torch.where(here, each, 0.0).sum(dtype=torch.float64))
