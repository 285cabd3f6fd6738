"""A masked language model's highest logits at some positions, and what the others come to."""

from __future__ import annotations

from typing import Any, Final, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from transferset.errors import InputError, UsageError, sentence
from transferset.students.rows import Rows, take
from transferset.teachers.logits import by_budget, halving, usual

#: Positions whose logits of a whole vocabulary stand in memory at once.
_POSITIONS: Final = 1 << 9

_MOST: Final = float(np.finfo(np.float16).max)


class Masked(Protocol):
    """A masked language model in two parts, as `distillation.masked.model.MaskedModel` is."""

    @property
    def device(self) -> torch.device:
        """Where its weights are."""

    @property
    def model(self) -> Any:
        """Of transformers."""

    @property
    def size(self) -> int:
        """V, of its logits."""

    def layout(self, rows: Rows) -> Any:
        """The encoder's arguments, and as `places` int64[n] where each id stands among them."""

    def hidden(self, layout: Any) -> Tensor:
        """Last hidden states, float[rows · longest, H]."""

    def head(self, hidden: Tensor) -> Tensor:
        """Logits float[n, V]."""


class TopK(NamedTuple):
    """The distribution over a vocabulary at some positions, short.

    Attributes:
        ids: int32[m, k], by falling logit; equal ones by id.
        logits: float16[m, k], as the model says them, not divided by the temperature.
        tail: float16[m], log Σ exp(z/T) over all other ids; −∞ if there are none.
        short: Whether memory was too short for a batch, which was then read in parts.
    """

    ids: npt.NDArray[np.int32]
    logits: npt.NDArray[np.float16]
    tail: npt.NDArray[np.float16]
    short: bool = False


def top_k(
    model: Masked,
    rows: Rows,
    positions: npt.NDArray[np.int64],
    k: int,
    temperature: float,
    tokens: int | None = None,
) -> TopK:
    """What a masked language model says at some positions.

    Args:
        model: Read only.
        rows: What it reads, masked.
        positions: int64[m], rising: places in `rows.ids`.
        k: Ids that are kept of each position, 1 ≤ k ≤ V.
        temperature: T of the tail, > 0.
        tokens: Ids of a batch, padding included; None for what is usual.

    Returns:
        At each position, in their order.

    Raises:
        UsageError: k or T is out of range.
        InputError: A logit is not finite, or too large for float16.
    """
    if not 1 <= k <= model.size or not 0 < temperature < float("inf"):
        expected = f"1 to {model.size:,} logits of a temperature above 0"
        raise UsageError(sentence(expected, f"{k:,} of {temperature}"))
    shape = (len(positions), k)
    found = TopK(
        np.empty(shape, np.int32), np.empty(shape, np.float16), np.empty(len(positions), np.float16)
    )
    cuts = np.searchsorted(positions, rows.offsets)

    def some(which: npt.NDArray[np.int64]) -> None:
        inside, wanted = _places(rows, cuts, which, positions)
        if len(wanted):
            _fill(model, take(rows, which), inside, wanted, temperature, found)

    training = model.model.training
    try:
        model.model.eval()
        device = model.device.type
        with (
            torch.inference_mode(),
            torch.autocast(device, torch.bfloat16, enabled=device == "cuda"),
        ):
            short = halving(by_budget(rows.lengths, tokens or usual(device)), some)
    finally:
        model.model.train(training)
    return found._replace(short=short)


def _places(
    rows: Rows,
    cuts: npt.NDArray[np.int64],
    which: npt.NDArray[np.int64],
    positions: npt.NDArray[np.int64],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Where the positions of some rows stand in those rows, and which they are of all."""
    counts = cuts[which + 1] - cuts[which]
    starts = np.cumsum(counts) - counts
    wanted = np.repeat(cuts[which] - starts, counts) + np.arange(counts.sum())
    lengths = rows.lengths[which]
    shift = np.cumsum(lengths) - lengths - rows.offsets[which]
    return positions[wanted] + np.repeat(shift, counts), wanted


def _fill(
    model: Masked,
    rows: Rows,
    inside: npt.NDArray[np.int64],
    wanted: npt.NDArray[np.int64],
    temperature: float,
    found: TopK,
) -> None:
    layout = model.layout(rows)
    places = layout.places[torch.from_numpy(inside).to(model.device)]
    hidden = model.hidden(layout)[places]
    for start in range(0, len(wanted), _POSITIONS):
        these = wanted[start : start + _POSITIONS]
        scores = model.head(hidden[start : start + _POSITIONS]).float()
        _check(scores)
        ids, logits, tail = highest(scores, found.ids.shape[1], temperature)
        found.ids[these] = ids.cpu().numpy()
        found.logits[these] = logits.cpu().numpy()
        found.tail[these] = tail.cpu().numpy()


def _check(scores: Tensor) -> None:
    low, high = (float(bound) for bound in scores.aminmax())  # nan where one is
    if not -_MOST <= low <= high <= _MOST:
        do = "the teacher's weights are damaged, or it was trained until it diverged"
        raise InputError(sentence(f"logits up to ±{_MOST:,.0f}", f"{low} to {high}", do=do))


def highest(scores: Tensor, k: int, temperature: float) -> tuple[Tensor, Tensor, Tensor]:
    """The highest scores of each row, and what the others come to.

    Args:
        scores: float32[n, V], finite.
        k: How many, 1 ≤ k ≤ V.
        temperature: T of the tail.

    Returns:
        int64[n, k] ids by falling score, equal ones by id; float32[n, k]; float32[n], see `TopK`.
    """
    values, ids = scores.topk(min(k + 1, scores.shape[1]), dim=1)
    # torch says nothing of equal scores: which of them are among the k, and in which order
    tied = (values[:, k - 1 : k] == values[:, k:]).any(1).nonzero()[:, 0]
    if len(tied):
        ids[tied, :k] = scores[tied].sort(dim=1, descending=True, stable=True).indices[:, :k]
    ids = ids[:, :k].sort(dim=1).values
    values, order = scores.gather(1, ids).sort(dim=1, descending=True, stable=True)
    ids = ids.gather(1, order)
    # not log(Σ all − Σ top), which would cancel where the tail is small
    others = (scores / temperature).scatter(1, ids, -torch.inf)
    return ids, values, others.logsumexp(1)
