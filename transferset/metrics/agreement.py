"""How far a student answers as its teacher does, be it right or wrong."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from transferset.metrics.checking import Array, logit_rows, real_scores, same_rows
from transferset.metrics.scores import pearson, spearman
from transferset.metrics.softmax import blocks, log_softmax


class Agreement(NamedTuple):
    """Two classifiers on the same rows.

    Attributes:
        decisions: Share of rows for which both decide for the same class, 0 to 1.
        kl: KL(teacher‖student) of the softmaxes at temperature 1 in nats, the mean over rows.
        pearson: Correlation of all logits as they are, rows × classes; nan if either's are all
            equal. Unlike the others it changes when a constant is added to a row's logits.
    """

    decisions: float
    kl: float
    pearson: float


class ScoreAgreement(NamedTuple):
    """Two models of scores on the same rows.

    Attributes:
        pearson: Correlation of the scores; nan if either's are constant.
        spearman: That of their ranks.
        distance: Mean absolute difference.
    """

    pearson: float
    spearman: float
    distance: float


def agreement(teacher: Array, student: Array) -> Agreement:
    """Compare the logits of two classifiers.

    Args:
        teacher: float[rows, C], finite.
        student: float[rows, C], finite.

    Returns:
        The agreement.

    Raises:
        InputError: Not such arrays, of one shape, with at least one row.
    """
    logit_rows(teacher, "the teacher's logits")
    logit_rows(student, "the student's logits")
    same_rows(teacher, student, "logits of teacher and student")
    kl = np.empty(len(teacher))
    for block in blocks(teacher):
        p, q = log_softmax(teacher[block]), log_softmax(student[block])
        kl[block] = (np.exp(p) * (p - q)).sum(axis=1)
    same = teacher.argmax(axis=1) == student.argmax(axis=1)
    # rounding can take the divergence of equal distributions below 0
    mean = max(0.0, float(kl.mean()))
    return Agreement(float(same.mean()), mean, float(pearson(teacher.ravel(), student.ravel())))


def score_agreement(teacher: Array, student: Array) -> ScoreAgreement:
    """Compare the scores of two models of regression.

    Args:
        teacher: float[rows], finite.
        student: float[rows], finite.

    Returns:
        The agreement.

    Raises:
        InputError: Not such arrays, of one shape, with at least one row.
    """
    same_rows(teacher, student, "scores of teacher and student")
    one = real_scores(teacher, "the teacher's scores")
    other = real_scores(student, "the student's scores")
    return ScoreAgreement(
        float(pearson(one, other)), float(spearman(one, other)), float(np.abs(one - other).mean())
    )
