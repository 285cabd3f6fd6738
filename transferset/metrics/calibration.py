"""Whether a model is as often right as it is sure."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from transferset.errors import UsageError, sentence
from transferset.metrics.checking import Array, class_codes, logit_rows, same_rows
from transferset.metrics.softmax import decide


class Bin(NamedTuple):
    """The rows with a confidence above `low` and up to `high`.

    Attributes:
        low: Exclusive, but for the first bin.
        high: Inclusive.
        rows: How many.
        confidence: Their mean confidence; None if there are none.
        accuracy: The share of them that is right; None if there are none.
    """

    low: float
    high: float
    rows: int
    confidence: float | None
    accuracy: float | None


class Calibration(NamedTuple):
    """Confidence against accuracy.

    Attributes:
        error: The expected calibration error, 0 to 1.
        table: The reliability table, from unsure to sure.
    """

    error: float
    table: list[Bin]


def calibration(gold: Array, logits: Array, bins: int = 15) -> Calibration:
    """Expected calibration error with bins of equal width.

    Guo et al. 2017 ("On calibration of modern neural networks", § 2; 15 bins as in their
    tables): the mean of |accuracy − confidence| over bins, weighted by their rows.

    Args:
        gold: integer[rows], codes of the true classes.
        logits: float[rows, C], finite; the confidence is the softmax of the predicted class at
            temperature 1.
        bins: How many, ≥ 1.

    Returns:
        The error and the table that it is of.

    Raises:
        InputError: Not such arrays, of as many rows, with at least one row.
        UsageError: No bins.
    """
    if bins < 1:
        raise UsageError(sentence("at least one bin", str(bins)))
    true = class_codes(gold, logit_rows(logits).shape[1], "gold classes")
    same_rows(true, logits[:, 0], "gold classes and rows of logits")
    predicted, confidence = decide(logits)
    edges = np.arange(bins + 1) / bins
    place = np.searchsorted(edges[1:-1], confidence, side="left")
    rows, sure, right = (
        np.bincount(place, weights, bins).tolist()
        for weights in (None, confidence, predicted == true)
    )
    table = [
        Bin(
            float(edges[i]), float(edges[i + 1]), int(rows[i]),
            sure[i] / rows[i] if rows[i] else None, right[i] / rows[i] if rows[i] else None,
        )
        for i in range(bins)
    ]  # fmt: skip
    error = sum(abs(a - b) for a, b in zip(right, sure, strict=True)) / len(true)
    return Calibration(error, table)
