"""Learning rates over the steps of a training."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Final


def warm_up_steps(steps: int, share: float) -> int:
    """Steps of the warm-up: that share of all, rounded up."""
    return min(steps, math.ceil(round(share * steps, 9)))


def linear(step: int, steps: int, warm_up: int) -> float:
    """Linear warm-up, then linear decay to 0 (Devlin et al. 2019, § A.2).

    It would be 0 one step before the first and one after the last, so that no step is wasted.

    Args:
        step: 0 ≤ step < steps.
        steps: Of the whole training.
        warm_up: Steps before the one with the full rate, 0 ≤ warm_up ≤ steps.

    Returns:
        The factor of the full learning rate, above 0 and at most 1.
    """
    if step < warm_up:
        return (step + 1) / (warm_up + 1)
    return (steps - step) / (steps - warm_up)


def constant(step: int, steps: int, warm_up: int) -> float:
    """Linear warm-up, then the full rate: for AdaDelta, which finds its own (Zeiler 2012).

    Args and result are those of `linear`.
    """
    del steps
    return (step + 1) / (warm_up + 1) if step < warm_up else 1.0


#: By the name that recipes have.
SCHEDULES: Final[Mapping[str, Callable[[int, int, int], float]]] = {
    "linear": linear,
    "constant": constant,
}
