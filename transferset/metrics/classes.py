"""What a model makes of each class."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from transferset.errors import UsageError, sentence
from transferset.metrics.checking import Array, Codes, Values, class_codes, same_rows
from transferset.metrics.scores import f1_by_class, precision, recall, tally

#: Most classes of a confusion matrix: 2,048² counts are 32 MB.
MOST: Final = 2048


class ByClass(NamedTuple):
    """Scores of each class, shape [C] each; 0.0 where they would be 0/0, as in scikit-learn.

    Attributes:
        precision: Share of the rows predicted to be of the class that are.
        recall: Share of the rows of the class that were predicted to be.
        f1: Their harmonic mean.
        support: Rows of the class.
        predicted: Rows predicted to be of it.
    """

    precision: Values
    recall: Values
    f1: Values
    support: Codes
    predicted: Codes


def by_class(gold: Array, predicted: Array, classes: int) -> ByClass:
    """Precision, recall, F1 and support of each class.

    Args:
        gold: integer[rows], codes of the true classes.
        predicted: integer[rows], codes of the predicted ones.
        classes: How many there are, ≥ 1; also those that do not occur get a row.

    Returns:
        The scores by code.

    Raises:
        InputError: Not such arrays, of one shape, with at least one row.
    """
    counts = tally(gold, predicted, classes)
    return ByClass(
        precision(counts), recall(counts), f1_by_class(counts), counts.gold, counts.predicted
    )


def confusion(gold: Array, predicted: Array, classes: int) -> Codes:
    """Which class is taken for which.

    Args:
        gold: integer[rows], codes of the true classes.
        predicted: integer[rows], codes of the predicted ones.
        classes: How many there are, 1 to 2,048.

    Returns:
        int64[C, C]: a row for each true class, a column for each predicted one.

    Raises:
        InputError: Not such arrays, of one shape, with at least one row.
        UsageError: Too many classes.
    """
    if not 1 <= classes <= MOST:
        raise UsageError(sentence(f"1 to {MOST} classes of a confusion matrix", str(classes)))
    same_rows(gold, predicted, "gold and predicted")
    true = class_codes(gold, classes, "gold classes")
    cells = true * classes + class_codes(predicted, classes, "predicted classes")
    counts = np.bincount(cells, minlength=classes * classes).astype(np.int64, copy=False)
    return counts.reshape(classes, classes)
