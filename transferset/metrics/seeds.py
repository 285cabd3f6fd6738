"""One figure of several trainings that differ in their seed alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from transferset.errors import UsageError, sentence


class OverSeeds(NamedTuple):
    """A score over seeds; all nan if one of them is, since a training that failed is no gap.

    Attributes:
        seeds: How many.
        median: The middle one (as the thesis reports), the mean of the middle two.
        least: The least.
        most: The greatest.
        mean: Their mean.
        low: Lower end of the t-interval of the mean; nan of one seed.
        high: Upper end, the same.
    """

    seeds: int
    median: float
    least: float
    most: float
    mean: float
    low: float
    high: float


def over_seeds(scores: Sequence[float], level: float = 0.95) -> OverSeeds:
    """Median, range, mean and t-interval (Student 1908, "The probable error of a mean").

    The interval takes scores to be normal over seeds, which a few of them cannot show; it is about
    seeds alone, not about rows (`bootstrap` is).

    Args:
        scores: One a seed, at least one.
        level: Of confidence, above 0 and below 1.

    Returns:
        The figures.

    Raises:
        UsageError: No scores, or another level.
    """
    if not scores:
        raise UsageError(sentence("the score of at least one seed", "none"))
    if not 0 < level < 1:
        raise UsageError(sentence("a level of confidence above 0 and below 1", str(level)))
    n = len(scores)
    if any(math.isnan(score) for score in scores):
        return OverSeeds(n, *[math.nan] * 6)
    mean = math.fsum(scores) / n
    half = math.nan
    if n > 1:
        spread = math.sqrt(math.fsum((x - mean) ** 2 for x in scores) / (n - 1))
        half = t_quantile(n - 1, level) * spread / math.sqrt(n)
    middle = float(np.median(scores))
    return OverSeeds(n, middle, min(scores), max(scores), mean, mean - half, mean + half)


def t_quantile(freedom: int, level: float) -> float:
    """The t between −t and t of which Student's distribution has a share.

    Args:
        freedom: Degrees of freedom, ≥ 1.
        level: The share, above 0 and below 1.

    Returns:
        t, to about 12 digits.
    """
    low, high = 0.0, math.pi / 2
    for _ in range(100):
        middle = (low + high) / 2
        if _share(freedom, middle) < level:
            low = middle
        else:
            high = middle
    return math.sqrt(freedom) * math.tan((low + high) / 2)


def _share(freedom: int, angle: float) -> float:
    """Share within ±t, angle = arctan(t / √freedom).

    Abramowitz & Stegun 1964, "Handbook of mathematical functions", 26.7.3 and 26.7.4: a finite sum.
    """
    sine, cosine = math.sin(angle), math.cos(angle)
    odd = freedom % 2
    term = cosine if odd else 1.0
    total = term if freedom > 1 else 0.0
    for k in range(3 if odd else 2, freedom, 2):
        term *= cosine**2 * (k - 1) / k
        total += term
    return 2 / math.pi * (angle + sine * total) if odd else sine * total
