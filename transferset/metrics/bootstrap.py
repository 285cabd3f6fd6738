"""How much of a score, or of a difference of two, is the luck of the rows.

Rows are drawn with replacement. Which row is drawn d-th in resample r is a function of (seed, r, d)
alone: neither memory nor the other scores change it, and two systems are scored on the same rows.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from transferset.errors import UsageError, sentence
from transferset.metrics.checking import Array, Values, same_rows
from transferset.metrics.tasks import Metric
from transferset.rng import philox, step_key

#: The ordinal of resampling: no step of a derivation has it.
RESAMPLING: Final = 0xFFFF_FFFC

#: Draws made at once: some tens of bytes each, in cache as far as it goes.
AT_ONCE: Final = 1 << 16

#: Two differences that are this near are the same: scores are sums of rounded fractions.
_ROUNDING: Final = 1e-12

_32: Final = np.uint64(32)

Rows = npt.NDArray[np.int64]


class Interval(NamedTuple):
    """A score and where it might have been.

    Attributes:
        value: On the rows themselves.
        low: Lower end; nan if no resample has a score.
        high: Upper end, the same.
        undefined: Resamples that have no score (a correlation with something constant); the
            interval is that of the others.
    """

    value: float
    low: float
    high: float
    undefined: int


class Difference(NamedTuple):
    """How much better one system is than another.

    Attributes:
        value: Score of ours less score of theirs, on the rows themselves.
        low: Lower end; nan if no resample has both scores.
        high: Upper end, the same.
        p_value: One-sided: how often chance alone would make ours better by so much.
        undefined: Resamples that have no difference, left out.
    """

    value: float
    low: float
    high: float
    p_value: float
    undefined: int


def intervals(
    metrics: Sequence[Metric],
    gold: Array,
    predicted: Array,
    *,
    seed: int = 0,
    resamples: int = 1000,
    level: float = 0.95,
    at_once: int = AT_ONCE,
) -> list[Interval]:
    """Percentile intervals (Efron & Tibshirani 1993, "An introduction to the bootstrap", § 13.3).

    The ends are the k-th smallest and the k-th largest score, k = ⌊(B + 1)·(1 − level)/2⌋ of B
    resamples (§ 12.5): of 1,000 the 25th from either end.

    Args:
        metrics: The scores wanted; all of the same resamples.
        gold: Codes of classes or scores, shape [rows].
        predicted: The same of the model.
        seed: 0 ≤ seed < 2**64.
        resamples: How many, at least 2/(1 − level) − 1.
        level: Of confidence, above 0 and below 1.
        at_once: Draws held at once, if that is a resample or more; the result does not depend
            on it.

    Returns:
        An interval for each metric.

    Raises:
        InputError: Arrays that the metrics refuse.
        UsageError: A level or number of resamples that gives no interval.
    """
    place = _place(resamples, level)
    values = [metric(gold, predicted) for metric in metrics]
    drawn = np.empty((len(metrics), resamples))
    for first, rows in _resampled(len(gold), seed, resamples, at_once):
        true, found = gold[rows], predicted[rows]
        for i, metric in enumerate(metrics):
            drawn[i, first : first + len(rows)] = metric.score(true, found)
    return [Interval(value, *_ends(some, place)) for value, some in zip(values, drawn, strict=True)]


def difference(
    metric: Metric,
    gold: Array,
    ours: Array,
    theirs: Array,
    *,
    seed: int = 0,
    resamples: int = 1000,
    level: float = 0.95,
    at_once: int = AT_ONCE,
) -> Difference:
    """Paired bootstrap of two systems on the same rows.

    The p-value is that of Berg-Kirkpatrick et al. 2012 ("An empirical investigation of statistical
    significance in NLP", § 2 and figure 1): how many resamples show more than twice the difference
    δ found, which is δ more than their own mean. Two things are not as there, both on the safe
    side: resamples that show exactly 2δ count (or equal systems would differ, p = 0), and the
    sample itself counts as one (Davison & Hinkley 1997, "Bootstrap methods", § 4.2), so that p is
    never 0.

    Args:
        metric: The score; more is better.
        gold: Codes of classes or scores, shape [rows].
        ours: Of the system that may be better; for the other direction change the two.
        theirs: Of the other.
        seed: 0 ≤ seed < 2**64.
        resamples: How many, at least 2/(1 − level) − 1.
        level: Of confidence of the interval, above 0 and below 1.
        at_once: Draws held at once, if that is a resample or more; the result does not depend
            on it.

    Returns:
        The difference, its percentile interval and p-value; nan where a score is.

    Raises:
        InputError: Arrays that the metric refuses.
        UsageError: A level or number of resamples that gives no interval.
    """
    place = _place(resamples, level)
    same_rows(ours, theirs, "predictions of both systems")
    value = metric(gold, ours) - metric(gold, theirs)
    drawn = np.empty(resamples)
    for first, rows in _resampled(len(gold), seed, resamples, at_once):
        true = gold[rows]
        gained = metric.score(true, ours[rows]) - metric.score(true, theirs[rows])
        drawn[first : first + len(rows)] = gained
    low, high, undefined = _ends(drawn, place)
    return Difference(value, low, high, _p_value(value, drawn), undefined)


def drawn_rows(rows: int, seed: int, first: int, stop: int) -> Rows:
    """The rows of some resamples.

    A row is ⌊word · rows / 2³²⌋: of two rows one may be likelier, by rows / 2³² at most.

    Args:
        rows: How many there are to draw from, and how many are drawn, 1 ≤ rows < 2**32.
        seed: 0 ≤ seed < 2**64.
        first: Number of the first resample.
        stop: Number of the one after the last, ≤ 2**32.

    Returns:
        int64[stop − first, rows].
    """
    blocks = -(-rows // 4)  # an address gives four words
    shape = stop - first, blocks
    block = np.broadcast_to(np.arange(blocks, dtype=np.uint32), shape)
    resample = np.broadcast_to(np.arange(first, stop, dtype=np.uint32)[:, None], shape)
    none = np.zeros(shape, np.uint32)
    words = np.empty((*shape, 4), np.uint64)
    for i, some in enumerate(philox((block, none, resample, none), step_key(seed, RESAMPLING))):
        words[..., i] = some
    words *= np.uint64(rows)
    words >>= _32
    return words.reshape(stop - first, 4 * blocks)[:, :rows].view(np.int64)


def _resampled(rows: int, seed: int, resamples: int, at_once: int) -> Iterator[tuple[int, Rows]]:
    """Number of the first resample of a block, and the block's rows."""
    block = max(1, at_once // max(1, rows))
    for first in range(0, resamples, block):
        yield first, drawn_rows(rows, seed, first, min(first + block, resamples))


def _place(resamples: int, level: float) -> int:
    """Which score from either end is the end of the interval, from 1."""
    if not 0 < level < 1:
        raise UsageError(sentence("a level of confidence above 0 and below 1", str(level)))
    # rounded: 1 − 0.95 is not quite 0.05
    place = math.floor(round((resamples + 1) * (1 - level) / 2, 9))
    if place < 1:
        least = math.ceil(round(2 / (1 - level), 9)) - 1
        raise UsageError(
            sentence(f"at least {least} resamples for a level of {level}", str(resamples))
        )
    return place


def _ends(drawn: Values, place: int) -> tuple[float, float, int]:
    defined = np.sort(drawn[~np.isnan(drawn)])
    undefined = len(drawn) - len(defined)
    if not len(defined):
        return math.nan, math.nan, undefined
    # as far from the ends as it would be of all
    inner = max(1, math.floor(round(place * (len(defined) + 1) / (len(drawn) + 1), 9)))
    return float(defined[inner - 1]), float(defined[-inner]), undefined


def _p_value(value: float, drawn: Values) -> float:
    if math.isnan(value):
        return math.nan
    defined = drawn[~np.isnan(drawn)]
    as_much = int((defined >= 2 * value - _ROUNDING).sum())
    return (as_much + 1) / (len(defined) + 1)
