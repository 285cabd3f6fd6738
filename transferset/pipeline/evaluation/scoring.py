"""Scores with their intervals, beside those of a teacher on the same rows."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from transferset.manifest import Json
from transferset.metrics.bootstrap import Interval, intervals
from transferset.metrics.tasks import Metric
from transferset.pipeline.evaluation.params import LEVEL, EvaluateParams

Array = npt.NDArray[Any]


def compared(
    metrics: Sequence[Metric],
    gold: Array,
    ours: Array,
    theirs: Array | None,
    params: EvaluateParams,
) -> list[Json]:
    """Scores of a model, and what is left of its teacher's.

    Model and teacher are scored on the same resamples, so that what makes rows hard for both does
    not widen the interval of their difference, or of their ratio (paired bootstrap).

    Args:
        metrics: The scores wanted.
        gold: What is right, shape [rows], at least one.
        ours: Of the model, shape [rows].
        theirs: Of the teacher, or None.
        params: Resamples and seed.

    Returns:
        Of each score `name`; `value`, `low`, `high`, `undefined`, see `metrics.bootstrap.Interval`;
        and of the `teacher`, the `difference` (model less teacher) and the `retention` (model by
        teacher, undefined where the teacher's is not above 0) the same four, or null.
    """
    pairs = [_Pair(metric, gold, ours, theirs) for metric in metrics]
    rows = np.arange(len(gold))  # resampled instead of labels: a score may need two predictions
    found = iter(
        intervals(
            [one for pair in pairs for one in pair.scores()],
            rows,
            rows,
            seed=params.seed,
            resamples=params.resamples,
            level=LEVEL,
        )
    )
    return [
        _told(metric.name, *(next(found) for _ in pair.scores()))
        for metric, pair in zip(metrics, pairs, strict=True)
    ]


def number(value: float) -> float | None:
    """A number as JSON has it: null for what is not defined."""
    return float(value) if math.isfinite(value) else None


class _Pair:
    """One score of two systems, computed once for each lot of rows."""

    def __init__(self, metric: Metric, gold: Array, ours: Array, theirs: Array | None) -> None:
        self._metric, self._gold = metric, gold
        self._sides = [ours] if theirs is None else [ours, theirs]
        self._rows: Array | None = None
        self._found: list[Array] = []

    def scores(self) -> list[Metric]:
        """Ours; with a teacher also theirs, the difference, the ratio; all of numbers of rows."""
        kinds: list[Callable[..., Array]] = [lambda ours: ours]
        if len(self._sides) > 1:
            kinds = [lambda a, _: a, lambda _, b: b, lambda a, b: a - b, _ratio]
        return [Metric(self._metric.name, self._of(kind)) for kind in kinds]

    def _of(self, kind: Callable[..., Array]) -> Callable[[Array, Array], Array]:
        return lambda rows, _: kind(*self._both(rows))

    def _both(self, rows: Array) -> list[Array]:
        if rows is not self._rows:
            gold = self._gold[rows]
            self._found = [self._metric.score(gold, side[rows]) for side in self._sides]
            self._rows = rows
        return self._found


def _ratio(ours: Array, theirs: Array) -> Array:
    kept = np.full(np.shape(theirs), np.nan)
    np.divide(ours, theirs, out=kept, where=np.asarray(theirs) > 0)
    return kept


def _told(name: str, ours: Interval, *more: Interval) -> Json:
    beside = dict(zip(("teacher", "difference", "retention"), more, strict=False))
    return {
        "name": name,
        **_interval(ours),
        **{
            key: _interval(beside[key]) if key in beside else None
            for key in ("teacher", "difference", "retention")
        },
    }


def _interval(one: Interval) -> Json:
    return {
        "value": number(one.value),
        "low": number(one.low),
        "high": number(one.high),
        "undefined": one.undefined,
    }
