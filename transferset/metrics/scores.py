"""Scores of predictions: accuracy, F1, Matthews, Pearson, Spearman.

Rows lie along the last axis, so that one call scores many resamples: arrays [..., rows] give
float64[...], two vectors one number. Where a definition divides 0 by 0 we do as scikit-learn and
SciPy, which GLUE's scripts call: precision, recall, F1 and Matthews are 0.0, a correlation with
something constant is nan.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from transferset.errors import InputError, UsageError, sentence
from transferset.metrics.checking import (
    Array,
    Codes,
    Values,
    class_codes,
    real_scores,
    same_rows,
)


class Tally(NamedTuple):
    """All that scores of classes need: memory grows with classes, not with their square.

    Attributes:
        hits: int64[..., C], rows of a class that were predicted to be of it.
        gold: int64[..., C], rows of a class.
        predicted: int64[..., C], rows predicted to be of it.
    """

    hits: Codes
    gold: Codes
    predicted: Codes


def accuracy(gold: Array, predicted: Array) -> Values:
    """Share of rows predicted right.

    Args:
        gold: integer[..., rows], codes of the true classes.
        predicted: integer[..., rows], codes of the predicted ones.

    Returns:
        float64[...], 0 to 1.

    Raises:
        InputError: Not such arrays, of one shape, with at least one row.
    """
    most = np.iinfo(np.int64).max
    same_rows(gold, predicted, "gold and predicted")
    found = class_codes(predicted, most, "predicted classes")
    return np.asarray((class_codes(gold, most, "gold classes") == found).mean(axis=-1))


def tally(gold: Array, predicted: Array, classes: int) -> Tally:
    """Count hits, gold and predicted rows of each class.

    Args:
        gold: integer[..., rows], codes of the true classes.
        predicted: integer[..., rows], codes of the predicted ones.
        classes: How many there are, ≥ 1.

    Returns:
        The counts.

    Raises:
        InputError: Not such arrays, of one shape, with at least one row.
    """
    same_rows(gold, predicted, "gold and predicted")
    true = class_codes(gold, classes, "gold classes")
    found = class_codes(predicted, classes, "predicted classes")
    return Tally(
        _count(true, classes, true == found), _count(true, classes), _count(found, classes)
    )


def precision(counts: Tally) -> Values:
    """Of the rows predicted to be of a class, the share that is; 0.0 if there are none.

    Returns:
        float64[..., C].
    """
    return _ratio(counts.hits, counts.predicted)


def recall(counts: Tally) -> Values:
    """Of the rows of a class, the share predicted to be of it; 0.0 if there are none.

    Returns:
        float64[..., C].
    """
    return _ratio(counts.hits, counts.gold)


def f1_by_class(counts: Tally) -> Values:
    """2·hits / (gold + predicted): the harmonic mean of precision and recall.

    Returns:
        float64[..., C]; 0.0 for a class that has no hits, also if it occurs nowhere.
    """
    return _ratio(2 * counts.hits, counts.gold + counts.predicted)


def f1(gold: Array, predicted: Array, positive: int, classes: int = 2) -> Values:
    """F1 of one class.

    Args:
        gold: integer[..., rows], codes of the true classes.
        predicted: integer[..., rows], codes of the predicted ones.
        positive: The class, 0 ≤ positive < classes.
        classes: How many there are.

    Returns:
        float64[...], 0 to 1; 0.0 if the class was neither there nor predicted.

    Raises:
        InputError: Not such arrays, of one shape, with at least one row.
        UsageError: There is no such class.
    """
    if not 0 <= positive < classes:
        raise UsageError(sentence(f"a positive class from 0 to {classes - 1}", str(positive)))
    return f1_by_class(tally(gold, predicted, classes))[..., positive]


def f1_macro(gold: Array, predicted: Array, classes: int) -> Values:
    """Mean F1 of the classes that occur in gold or predicted, as scikit-learn has it.

    A class that a model never predicts and that no row has says nothing of the model.

    Args:
        gold: integer[..., rows], codes of the true classes.
        predicted: integer[..., rows], codes of the predicted ones.
        classes: How many there are.

    Returns:
        float64[...], 0 to 1.

    Raises:
        InputError: Not such arrays, of one shape, with at least one row.
    """
    counts = tally(gold, predicted, classes)
    present = (counts.gold + counts.predicted > 0).sum(axis=-1)
    return np.asarray(f1_by_class(counts).sum(axis=-1) / present)


def f1_micro(gold: Array, predicted: Array, classes: int) -> Values:
    """F1 of the hits and rows of all classes together.

    With one label a row it is the accuracy; Sučík 2020 reports it under this name.

    Args:
        gold: integer[..., rows], codes of the true classes.
        predicted: integer[..., rows], codes of the predicted ones.
        classes: How many there are.

    Returns:
        float64[...], 0 to 1.

    Raises:
        InputError: Not such arrays, of one shape, with at least one row.
    """
    counts = tally(gold, predicted, classes)
    both = counts.gold.sum(axis=-1) + counts.predicted.sum(axis=-1)
    return np.asarray(2 * counts.hits.sum(axis=-1) / both)


def f1_weighted(gold: Array, predicted: Array, classes: int) -> Values:
    """Mean F1 of the classes, each weighted by its gold rows.

    Args:
        gold: integer[..., rows], codes of the true classes.
        predicted: integer[..., rows], codes of the predicted ones.
        classes: How many there are.

    Returns:
        float64[...], 0 to 1.

    Raises:
        InputError: Not such arrays, of one shape, with at least one row.
    """
    counts = tally(gold, predicted, classes)
    weighted = (f1_by_class(counts) * counts.gold).sum(axis=-1)
    return np.asarray(weighted / counts.gold.sum(axis=-1))


def matthews(gold: Array, predicted: Array, classes: int) -> Values:
    """Matthews correlation of two classes, the R_K statistic of more.

    Matthews 1975 for two; Gorodkin 2004 ("Comparing two K-category assignments by a K-category
    correlation coefficient") for K, which is the same at K = 2.

    Args:
        gold: integer[..., rows], codes of the true classes.
        predicted: integer[..., rows], codes of the predicted ones.
        classes: How many there are.

    Returns:
        float64[...], up to 1, with two classes from −1; 0.0 if gold or predicted is one class.

    Raises:
        InputError: Not such arrays, of one shape, with at least one row.
    """
    counts = tally(gold, predicted, classes)
    # exact: squares of less than 3 · 10⁹ rows fit into int64, so a spread of 0 is seen as 0
    rows = counts.gold.sum(axis=-1)
    together = rows * counts.hits.sum(axis=-1) - (counts.gold * counts.predicted).sum(axis=-1)
    spread, other = (rows**2 - (side**2).sum(axis=-1) for side in (counts.gold, counts.predicted))
    return np.asarray(np.clip(_ratio(together, np.sqrt(spread.astype(float) * other)), -1, 1))


def pearson(gold: Array, predicted: Array) -> Values:
    """Correlation of two series of numbers.

    Args:
        gold: float[..., rows], finite.
        predicted: float[..., rows], finite.

    Returns:
        float64[...], −1 to 1; nan if either is constant (so also of one row).

    Raises:
        InputError: Not such arrays, of one shape, with at least one row.
    """
    same_rows(gold, predicted, "gold and predicted")
    x = _direction(real_scores(gold, "gold scores"))
    y = _direction(real_scores(predicted, "predicted scores"))
    return np.asarray(np.clip((x * y).sum(axis=-1), -1.0, 1.0))


def spearman(gold: Array, predicted: Array) -> Values:
    """Pearson's correlation of the ranks; equal values share the mean of their ranks.

    Args:
        gold: float[..., rows], finite.
        predicted: float[..., rows], finite.

    Returns:
        float64[...], −1 to 1; nan if either is constant (so also of one row).

    Raises:
        InputError: Not such arrays, of one shape, with at least one row.
    """
    same_rows(gold, predicted, "gold and predicted")
    true, found = real_scores(gold, "gold scores"), real_scores(predicted, "predicted scores")
    return pearson(ranks(true), ranks(found))


def ranks(values: Values) -> Values:
    """Ranks along the last axis from 1, the mean rank for equal values.

    Args:
        values: float64[..., rows].

    Returns:
        float64[..., rows].

    Raises:
        InputError: There are no rows.
    """
    if not values.size:
        raise InputError(sentence("scores of at least one row", "none"))
    order = np.argsort(values, axis=-1)
    ordered = np.take_along_axis(values, order, axis=-1)
    new = np.ones(values.shape, bool)
    new[..., 1:] = ordered[..., 1:] != ordered[..., :-1]
    starts = np.append(np.flatnonzero(new), new.size)  # runs of equals, over all resamples
    first, equals = starts[:-1] % values.shape[-1] + 1, np.diff(starts)
    shared = np.repeat(first + (equals - 1) / 2, equals).reshape(values.shape)
    result = np.empty(values.shape)
    np.put_along_axis(result, order, shared, axis=-1)
    return result


def _direction(values: Values) -> Values:
    """Centred and of length 1; nan where constant."""
    low, high = values.min(axis=-1, keepdims=True), values.max(axis=-1, keepdims=True)
    centred = values - values.mean(axis=-1, keepdims=True)
    # by the largest first: squares of the very small and the very large would be lost
    largest = np.abs(centred).max(axis=-1, keepdims=True)
    # a mean is rounded, so what is constant need not be 0 when centred
    varied = (low < high) & (largest > 0)
    scaled = np.divide(centred, largest, out=np.full_like(centred, np.nan), where=varied)
    return np.asarray(scaled / np.sqrt((scaled**2).sum(axis=-1, keepdims=True)))


def _count(codes: Codes, classes: int, where: npt.NDArray[np.bool_] | None = None) -> Codes:
    """Rows of each class, int64[..., C], of those rows alone if given."""
    series = codes.reshape(-1, codes.shape[-1])
    cells = series + np.arange(len(series))[:, None] * classes
    chosen = cells.ravel() if where is None else cells[where.reshape(series.shape)]
    counts = np.bincount(chosen, minlength=len(series) * classes)
    return counts.astype(np.int64, copy=False).reshape(*codes.shape[:-1], classes)


def _ratio(over: Array, under: Array) -> Values:
    result = np.zeros(np.shape(over))
    np.divide(over, under, out=result, where=np.asarray(under) > 0)
    return result
