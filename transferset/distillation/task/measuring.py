"""What a model makes of held-out rows."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
from torch import nn

from transferset.distillation.examples.examples import Examples
from transferset.distillation.examples.survey import UNLABELLED
from transferset.distillation.examples.tasks import order_of
from transferset.errors import UsageError, sentence
from transferset.metrics.tasks import task_score
from transferset.teachers.logits import Logits
from transferset.training.loop import Measured

Int64 = npt.NDArray[np.int64]

#: Rows whose ids are held at a time.
_ROWS: Final = 1 << 13


def measure(module: nn.Module, held_out: Sequence[Examples]) -> Measured:
    """Scores of a model on labelled rows; others are left out.

    Args:
        module: A text classifier; it is evaluated, and left as it was.
        held_out: Of each of its tasks.

    Returns:
        The metrics of each task and `loss`, cross-entropy or squared error, as `NAME`, or as
        `TASK/NAME` if there are several tasks; and the mean of the tasks' scores in GLUE.

    Raises:
        UsageError: Of a task no row has a label.
    """
    values: dict[str, float] = {}
    scores = []
    for task, examples in enumerate(held_out):
        found = scored(examples, *labelled(module, examples, task))
        prefix = f"{examples.task.name}/" if len(held_out) > 1 else ""
        values |= {f"{prefix}{name}": value for name, value in found.items()}
        metrics = examples.metrics
        scores.append(task_score(metrics, [found[metric.name] for metric in metrics]))
    return Measured(values, math.fsum(scores) / len(scores))


def scored(
    examples: Examples, logits: npt.NDArray[np.float32], labels: npt.NDArray[np.generic]
) -> Mapping[str, float]:
    """The metrics of a task by name, and `loss`.

    Args:
        examples: Whose task it is.
        logits: float32[rows, C].
        labels: As `Examples.labels` gives them, all of them there.
    """
    if examples.task.classes is None:
        predicted, loss = logits[:, 0], _squared_error(logits, labels)
    else:
        loss = _cross_entropy(logits, labels)
        order = order_of(examples.found, examples.task)
        labels, predicted = np.argsort(order)[labels.astype(np.int64)], logits[:, order].argmax(1)
    if not np.isfinite(logits).all():  # of a training that went astray: the worst there is
        return {**{metric.name: math.nan for metric in examples.metrics}, "loss": math.nan}
    return {**{metric.name: metric(labels, predicted) for metric in examples.metrics}, "loss": loss}


def labelled(
    module: nn.Module, examples: Examples, task: int = 0
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.generic]]:
    """Logits and labels of the rows that have a label, in order.

    Raises:
        UsageError: No row has one.
    """
    labels = examples.labels(np.arange(len(examples)))
    there = ~np.isnan(labels) if examples.task.classes is None else labels != UNLABELLED
    if not there.any():
        at = str(examples.found.root)
        raise UsageError(sentence("labelled rows to measure a model by", "none", at))
    return predictions(module, examples, task, np.flatnonzero(there)), labels[there]


def predictions(
    module: nn.Module, examples: Examples, task: int = 0, rows: Int64 | None = None
) -> npt.NDArray[np.float32]:
    """A model's logits.

    Args:
        module: A text classifier.
        examples: As it reads them.
        task: Of the module.
        rows: int64[n], which; None is all.

    Returns:
        float32[n, C], in the order of the rows.
    """
    which = np.arange(len(examples)) if rows is None else rows
    classifier = Logits(module, task)
    found = [np.empty((0, examples.task.outputs), np.float32)]
    for some in _portions(which):
        taken = examples.take(some)
        found.append(classifier.logits(taken.ids, taken.offsets, examples.task.pair))
    return np.concatenate(found)


def _portions(rows: Int64) -> Iterator[Int64]:
    for start in range(0, len(rows), _ROWS):
        yield rows[start : start + _ROWS]


def _cross_entropy(logits: npt.NDArray[np.float32], labels: npt.NDArray[np.generic]) -> float:
    wide = logits.astype(np.float64)
    wide -= wide.max(1, keepdims=True)
    given = wide[np.arange(len(wide)), labels.astype(np.int64)]
    return float((np.log(np.exp(wide).sum(1)) - given).mean())


def _squared_error(logits: npt.NDArray[np.float32], labels: npt.NDArray[np.generic]) -> float:
    return float(np.square(logits[:, 0].astype(np.float64) - labels.astype(np.float64)).mean())
