"""Which scores a task is judged by, and the macro score over tasks.

GLUE's scores by task are those of Wang et al. 2019 ("GLUE", table 1). Its macro score first takes
the mean of a task's scores, then the mean over tasks; so do the thesis' tables (van de Graaf 2021,
§ 4.4: the simple average of the tasks' scores, WNLI included).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, Literal, NamedTuple

import numpy as np

from transferset.errors import UsageError, sentence
from transferset.metrics import scores
from transferset.metrics.checking import Array, Values

Labels = Literal["class", "regression"]

#: The tasks that van de Graaf 2021, §§ 5.1.3 and 5.2.3, leaves out of the second macro score.
CORRELATED: Final = ("cola", "stsb")

_PARAPHRASES: Final = ("mrpc", "qqp")


@dataclass(frozen=True, slots=True)
class Metric:
    """One score of a task.

    Args:
        name: As in reports and JSON.
        score: From gold and predicted, [..., rows] each, to float64[...].
        counts: Whether it is one of those whose mean is the task's score in GLUE.
    """

    name: str
    score: Callable[[Array, Array], Values]
    counts: bool = False

    def __call__(self, gold: Array, predicted: Array) -> float:
        """The score of one series of rows; may be nan where its module says so.

        Args:
            gold: Codes of classes or scores, shape [rows].
            predicted: The same of the model.

        Raises:
            InputError: Not such arrays, of one shape, with at least one row.
        """
        return float(self.score(gold, predicted))


class Macro(NamedTuple):
    """Means over tasks.

    Attributes:
        all: Over all tasks; nan if a task's score is.
        without: Over those that are not CoLA or STS-B; nan if there are none.
    """

    all: float
    without: float


def metrics_of(labels: Labels, classes: int = 0, layout: str | None = None) -> tuple[Metric, ...]:
    """The scores of a task, the one by which models are chosen first.

    Of MRPC and QQP that is the mean of accuracy and F1, since either alone likes a model that
    gives one answer, and GLUE counts their mean.

    Args:
        labels: What the labels are.
        classes: How many there are, ≥ 1; not read for regression.
        layout: The layout that the set was built from, if known, with or without `glue-`.

    Returns:
        CoLA: Matthews, accuracy. MRPC and QQP: the mean of accuracy and F1 of class 1 (it is a
        paraphrase), accuracy, that F1. Regression: Pearson, Spearman. Else accuracy, macro F1.

    Raises:
        UsageError: Other labels, or no classes.
    """
    if labels not in ("class", "regression"):
        raise UsageError(sentence("labels that are class or regression", str(labels)))
    if labels == "regression":
        return (
            Metric("pearson", scores.pearson, counts=True),
            Metric("spearman", scores.spearman, counts=True),
        )
    if classes < 1:
        raise UsageError(sentence("at least one class", str(classes)))
    task = short_name(layout or "")
    if task == "cola":
        matthews = partial(scores.matthews, classes=classes)
        return Metric("matthews", matthews, counts=True), Metric("accuracy", scores.accuracy)
    if task in _PARAPHRASES and classes == 2:
        return _of_paraphrases()
    macro = partial(scores.f1_macro, classes=classes)
    return Metric("accuracy", scores.accuracy, counts=True), Metric("f1_macro", macro)


def task_score(metrics: Sequence[Metric], values: Sequence[float]) -> float:
    """A task's one score in GLUE: the mean of those of its scores that count.

    Args:
        metrics: As `metrics_of` gave them.
        values: Of each.

    Returns:
        The mean; nan if one of them is.
    """
    pairs = zip(metrics, values, strict=True)
    return _mean([value for metric, value in pairs if metric.counts])


def macro(task_scores: Mapping[str, float]) -> Macro:
    """GLUE's macro score, with and without CoLA and STS-B.

    Args:
        task_scores: The one score of each task by name, in any one unit; MNLI's is the mean of
            matched and mismatched.

    Returns:
        Both means.

    Raises:
        UsageError: There are no tasks.
    """
    if not task_scores:
        raise UsageError(sentence("scores of at least one task", "none"))
    others = [v for task, v in task_scores.items() if short_name(task) not in CORRELATED]
    return Macro(_mean(list(task_scores.values())), _mean(others))


def short_name(layout: str) -> str:
    """`sst2` of `glue-sst2`, whatever else as it is."""
    return layout.removeprefix("glue-")


def _of_paraphrases() -> tuple[Metric, ...]:
    f1 = partial(scores.f1, positive=1)
    return (
        Metric("accuracy_f1", _accuracy_f1),
        Metric("accuracy", scores.accuracy, counts=True),
        Metric("f1", f1, counts=True),
    )


def _accuracy_f1(gold: Array, predicted: Array) -> Values:
    f1 = scores.f1(gold, predicted, positive=1)
    return np.asarray((scores.accuracy(gold, predicted) + f1) / 2)


def _mean(values: Sequence[float]) -> float:
    # fsum: the same whatever the order of the tasks
    return math.fsum(values) / len(values) if values else math.nan
