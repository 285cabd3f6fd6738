"""The rows that a model gets wrong: those worth reading first."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from transferset.metrics.checking import Array, class_codes, logit_rows, real_scores, same_rows
from transferset.metrics.softmax import decide


class Mistake(NamedTuple):
    """A row with the wrong class.

    Attributes:
        row: Its number, from 0.
        gold: Code of the true class.
        predicted: Code of the predicted one.
        confidence: Softmax probability of the predicted class.
    """

    row: int
    gold: int
    predicted: int
    confidence: float


class Mistakes(NamedTuple):
    """All mistakes in brief.

    Attributes:
        rows: How many rows have the wrong class.
        surest: Those with the highest confidence, highest first; labels that are wrong show here.
        least_sure: Those with the lowest, lowest first. Of few mistakes some stand in both.
    """

    rows: int
    surest: list[Mistake]
    least_sure: list[Mistake]


class Deviation(NamedTuple):
    """A row with a wrong score.

    Attributes:
        row: Its number, from 0.
        gold: The true score.
        predicted: The predicted one.
        error: Predicted less true.
    """

    row: int
    gold: float
    predicted: float
    error: float


def mistakes(gold: Array, logits: Array, most: int = 10) -> Mistakes:
    """The most and the least confident mistakes of a classifier.

    Args:
        gold: integer[rows], codes of the true classes.
        logits: float[rows, C], finite.
        most: How many of each, ≥ 0.

    Returns:
        The mistakes; of equal confidence the earlier row is first.

    Raises:
        InputError: Not such arrays, of as many rows, with at least one row.
    """
    true = class_codes(gold, logit_rows(logits).shape[1], "gold classes")
    same_rows(true, logits[:, 0], "gold classes and rows of logits")
    predicted, confidence = decide(logits)
    wrong = np.flatnonzero(predicted != true)
    rising = wrong[np.argsort(confidence[wrong], kind="stable")]
    falling = wrong[np.argsort(-confidence[wrong], kind="stable")]
    surest, least_sure = (
        [
            Mistake(row, int(true[row]), int(predicted[row]), float(confidence[row]))
            for row in order[:most].tolist()
        ]
        for order in (falling, rising)
    )
    return Mistakes(len(wrong), surest, least_sure)


def largest_errors(gold: Array, predicted: Array, most: int = 10) -> list[Deviation]:
    """The rows whose scores are furthest off.

    Args:
        gold: float[rows], the true scores, finite.
        predicted: float[rows], the predicted ones, finite.
        most: How many, ≥ 0.

    Returns:
        The largest error first, of equal ones the earlier row.

    Raises:
        InputError: Not such arrays, of one shape, with at least one row.
    """
    same_rows(gold, predicted, "gold and predicted")
    true, found = real_scores(gold, "gold scores"), real_scores(predicted, "predicted scores")
    error = found - true
    order = np.argsort(-np.abs(error), kind="stable")[:most].tolist()
    return [Deviation(row, float(true[row]), float(found[row]), float(error[row])) for row in order]
