"""Axes: where a value stands in px, and which values get a tick."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Scale:
    """Values from `low` to `high` on px from `start` to `stop`; evenly, or by their logarithm."""

    low: float
    high: float
    start: float
    stop: float
    log: bool = False

    def __call__(self, values: Floats | float) -> Floats:
        """Places in px."""
        v = np.asarray(values, np.float64)
        low, high = self.low, self.high
        if self.log:
            v, low, high = np.log10(np.maximum(v, 1e-300)), math.log10(low), math.log10(high)
        return np.asarray(self.start + (v - low) / (high - low) * (self.stop - self.start))

    def ticks(self, most: int = 8) -> list[float]:
        """Round values from `low` to `high`, at most about `most`; powers of ten on a log axis."""
        if self.log:
            exponents = range(
                math.ceil(math.log10(self.low)), math.floor(math.log10(self.high)) + 1
            )
            return [10.0**e for e in exponents]
        step = _round_step((self.high - self.low) / most)
        first = math.ceil(self.low / step)
        return [i * step for i in range(first, math.floor(self.high / step + 1e-9) + 1)]

    def minor(self) -> list[float]:
        """Between the ticks of a log axis 2, 3, … 9 times each power of ten; else none."""
        if not self.log:
            return []
        exponents = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)))
        values = (m * 10.0**e for e in exponents for m in range(2, 10))
        return [value for value in values if self.low <= value <= self.high]


def _round_step(least: float) -> float:
    """The smallest of 1, 2, 5 times a power of ten that is not below `least`."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(m * power for m in (1.0, 2.0, 5.0, 10.0) if m * power >= least * (1 - 1e-9))


def tick_label(value: float) -> str:
    """`0`, `250`, `10,000`, `2 M`."""
    for scale, unit in ((1e9, "\u00a0G"), (1e6, "\u00a0M")):
        if value >= scale:
            return f"{value / scale:g}{unit}"
    return f"{value:,.0f}" if value >= 1000 else f"{value:g}"
