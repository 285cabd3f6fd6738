"""One step of a training, as every learner makes it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from itertools import pairwise
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from transferset.errors import TransfersetError, sentence
from transferset.training.cuts import cut
from transferset.training.optimizer import Optimizer
from transferset.training.order import step_seed
from transferset.training.room import is_out_of_memory, shortage

if TYPE_CHECKING:
    from torch import Tensor

_NONE: Final[Mapping[str, Tensor | float]] = MappingProxyType({})


class NotFinite(TransfersetError):
    """A training that went astray: nothing of it is worth resuming."""


class Part(NamedTuple):
    """What a part of a batch gives.

    Attributes:
        loss: Its summed loss, already divided by what the whole batch counts: then the gradients of
            the parts sum to that of the batch.
        parts: Its share of each loss that is told, divided likewise; nan if nothing of the whole
            batch counts.
    """

    loss: Tensor
    parts: Mapping[str, Tensor | float] = _NONE


class Taken(NamedTuple):
    """What a step did.

    Attributes:
        loss: Of the whole batch.
        parts: Likewise.
        at_once: Ids, or whatever `sizes` count, that went through the model at a time.
        short: What is said of memory where there was too little; empty if there was enough.
    """

    loss: float
    parts: dict[str, float]
    at_once: int
    short: str


def learn(
    optimizer: Optimizer,
    part: Callable[[slice], Part],
    sizes: npt.NDArray[np.integer],
    at_once: int,
    *,
    seed: int,
    step: int,
    rate: float,
    clip: float | None,
    shrink: str = "take a smaller model, or shorter texts",
) -> Taken:
    """Make one step on a batch, in as many parts as memory wants.

    Where memory is short, fewer rows go through the model at once; what is learnt is the same but
    for rounding and dropout.

    Args:
        optimizer: Of what is trained.
        part: Loss of some consecutive rows of the batch.
        sizes: Of the batch's rows, shape [rows]: ids, or all 1 to count rows.
        at_once: Most of rows × largest size that go through the model at a time, ≥ 1; a row alone
            may be larger.
        seed: Of the training.
        step: Its number, from 0.
        rate: The learning rate.
        clip: Longest gradient; None is any.
        shrink: What to do when there is no memory for one row.

    Raises:
        NotFinite: Loss or gradient is not.
        TransfersetError: There is no memory for one row, or for the optimiser.
    """
    import torch

    told, lengths = "", np.ascontiguousarray(sizes, np.int32)
    while True:
        slices = _slices(lengths, at_once)
        # so that nothing of a generator has to be kept between steps
        torch.manual_seed(step_seed(seed, step))
        try:
            loss, parts = _summed(optimizer, part, slices)
            break
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            told = shortage(error)
        at_once = _fewer(optimizer, lengths, slices, at_once, told, shrink)
    _move(optimizer, loss, step, rate, clip)
    return Taken(loss, parts, at_once, told)


def _slices(sizes: npt.NDArray[np.int32], at_once: int) -> list[slice]:
    bounds = cut(sizes, len(sizes), at_once).tolist()
    return [slice(*ends) for ends in pairwise(bounds)]


def _summed(
    optimizer: Optimizer, part: Callable[[slice], Part], slices: list[slice]
) -> tuple[float, dict[str, float]]:
    """Gradients and losses of all parts."""
    optimizer.zero_grad()
    losses: list[Tensor] = []
    told: dict[str, list[Tensor | float]] = {}
    for rows in slices:
        found = part(rows)
        if found.loss.requires_grad:  # not where no row has what it is to learn
            found.loss.backward()
        losses.append(found.loss.detach())
        for name, value in found.parts.items():
            told.setdefault(name, []).append(value if isinstance(value, float) else value.detach())
    # read at the end: a GPU works on meanwhile
    sums = {name: sum(map(float, values)) for name, values in told.items()}
    return sum(map(float, losses)), sums


def _fewer(
    optimizer: Optimizer,
    sizes: npt.NDArray[np.int32],
    slices: list[slice],
    at_once: int,
    short: str,
    shrink: str,
) -> int:
    import torch

    if len(slices) == len(sizes):
        raise TransfersetError(sentence("memory for one example", short, do=shrink))
    optimizer.zero_grad()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    # half of what was tried, which may have been less than was allowed
    tried = max(int(sizes[one].max()) * (one.stop - one.start) for one in slices)
    half: int = -(-min(at_once, tried) // 2)
    return half


def _move(optimizer: Optimizer, loss: float, step: int, rate: float, clip: float | None) -> None:
    norm = optimizer.clip(clip)
    if not (math.isfinite(loss) and math.isfinite(norm)):
        found = f"a loss of {loss:.4g} and a gradient of length {norm:.4g}"
        raise NotFinite(sentence("finite numbers", found, f"step {step + 1:,}", "lower --lr"))
    optimizer.set_rate(rate)
    try:
        optimizer.step()
    except (RuntimeError, MemoryError) as error:
        # not tried again: a part of the parameters may have moved
        if not is_out_of_memory(error):
            raise
        do = "take a smaller model"
        raise TransfersetError(
            sentence("memory for the optimiser", shortage(error), do=do)
        ) from error
