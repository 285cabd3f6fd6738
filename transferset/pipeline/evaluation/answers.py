"""What a model, and its teacher, answer to the rows of a set."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from transferset.distillation.examples.classes import columns
from transferset.distillation.examples.examples import Examples, open_examples
from transferset.distillation.examples.survey import UNLABELLED
from transferset.distillation.examples.tasks import is_pair, order_of
from transferset.errors import InputError, UsageError, sentence
from transferset.pipeline.evaluation.models import Judged
from transferset.pipeline.evaluation.pairing import teacher_task
from transferset.pipeline.evaluation.params import EvaluateParams
from transferset.shards import ShardSet

if TYPE_CHECKING:
    from transferset.students.config import Task

Array = npt.NDArray[Any]
Int64 = npt.NDArray[np.int64]
Logits = npt.NDArray[np.float32]

#: Where a teacher's logits are from.
MODEL, COLUMN = "model", "logits"

#: Rows that are asked at a time; the same as `distillation.measuring`, whose batches these are.
_ROWS: Final = 1 << 13


@dataclass(frozen=True, slots=True)
class Side:
    """A model and the set as it reads it.

    Attributes:
        judged: The model.
        number: Of its head.
        examples: The set's rows.
        order: int64[C], its logits in the order of the answers' classes.
    """

    judged: Judged
    number: int
    examples: Examples
    order: Int64

    def logits(self, rows: Int64) -> Logits:
        """Its logits of some rows.

        Raises:
            InputError: One is no number.
        """
        from transferset.distillation.task.measuring import predictions

        found = predictions(self.judged.opened.model, self.examples, self.number, rows)
        wrong = ~np.isfinite(found).all(1)
        if wrong.any():
            row = int(rows[np.argmax(wrong)])
            at = f"{self.judged.path}, row {row:,} of {self.examples.found.root}"
            raise InputError(sentence("finite logits", "others", at))
        return found[:, self.order]


@dataclass(frozen=True, slots=True)
class Answers:
    """Answers to rows of a set.

    Attributes:
        task: The model's, with the classes in the order of the answers: the set's where it has
            all of them, for scores like F1 are those of one of them.
        ours: The model.
        theirs: The teacher; None if there is none, or the set has its logits.
        rows: int64[n], numbers of the rows that were asked.
        labels: Of these rows, codes in that order, or scores.
        labelled: bool[n], which of them have a label.
        logits: float32[n, C], the model's.
        taught: float32[n, C], the teacher's; None if there is none.
        source: Where the teacher's are from, `MODEL` or `COLUMN`; None if there is none.
    """

    task: Task
    ours: Side
    theirs: Side | None
    rows: Int64
    labels: Array
    labelled: npt.NDArray[np.bool_]
    logits: Logits
    taught: Logits | None
    source: str | None


def ask(
    found: ShardSet,
    number: int,
    model: Judged,
    teacher: Judged | None,
    params: EvaluateParams,
    folder: Path,
    told: Callable[[int], None],
) -> Answers:
    """Ask a model, and its teacher, about the rows of a set.

    All rows are asked where there is a teacher, else those that have a label.

    Args:
        found: The set.
        number: Of the model's task.
        model: What is judged.
        teacher: None for the logits that the set has, if it has some.
        params: Length.
        folder: For ids that are made anew.
        told: Told of rows that were answered.

    Raises:
        UsageError: The set has neither labels nor a teacher's logits, and there is no teacher; it
            has not what a model reads.
        InputError: Its classes, or the teacher's, are others than the model's; a logit is no
            number.
        SetError: It is damaged.
    """
    own = teacher is None and _has_logits(found)
    _require_something(found, teacher is not None or own)
    ours = _side(found, model, number, params, folder, logits=own)
    task = ours.examples.task
    order = order_of(found, task)
    theirs = None
    if teacher is not None:
        place = teacher_task(teacher.tasks, task, teacher.path)
        # before the set is read, which may fit the teacher as little, but is not what is wrong
        given = columns(teacher.tasks[place].classes, task.classes, teacher.path)
        side = _side(found, teacher, place, params, folder, logits=False)
        theirs = replace(side, order=given[order])
    ours = replace(ours, order=order)
    labels, there = _labels(ours.examples, order)
    source = MODEL if theirs else COLUMN if own else None
    rows = np.arange(len(labels)) if source else np.flatnonzero(there)
    if not len(rows):
        raise UsageError(_nothing(found))
    logits = _portions(ours.logits, rows, told)
    taught = _portions(theirs.logits, rows, told) if theirs else None
    if own:
        taught = ours.examples.logits(rows)[:, order]
    classes = None if task.classes is None else tuple(task.classes[i] for i in order)
    return Answers(
        replace(task, classes=classes),
        ours,
        theirs,
        rows,
        labels[rows],
        there[rows],
        logits,
        taught,
        source,
    )


def _side(
    found: ShardSet,
    judged: Judged,
    number: int,
    params: EvaluateParams,
    folder: Path,
    *,
    logits: bool,
) -> Side:
    task = judged.tasks[number]
    if not judged.states_layout:
        task = replace(task, pair=is_pair(found))
    reading = judged.reading(found, params.length)
    examples = open_examples(found, task, reading, folder, logits=logits)
    return Side(judged, number, examples, np.arange(task.outputs))


def _has_logits(found: ShardSet) -> bool:
    return "logits" in found.manifest.schema and found.manifest.teacher is not None


def _require_something(found: ShardSet, taught: bool) -> None:
    """Before a model has read a row."""
    if not len(found) or not (taught or "label" in found.manifest.schema):
        raise UsageError(_nothing(found))


def _nothing(found: ShardSet) -> str:
    expected = "rows with labels, or a teacher's logits of some"
    return sentence(expected, "none", str(found.root), "name a --teacher, or another set")


def _labels(examples: Examples, order: Int64) -> tuple[Array, npt.NDArray[np.bool_]]:
    """Labels of all rows, classes as places in an order; and which are there."""
    labels = examples.labels(np.arange(len(examples)))
    if examples.task.classes is None:
        return labels, ~np.isnan(labels)
    there = labels != UNLABELLED
    return np.where(there, np.argsort(order)[np.where(there, labels, 0)], UNLABELLED), there


def _portions(
    logits: Callable[[Int64], Logits], rows: Int64, told: Callable[[int], None]
) -> Logits:
    found = []
    for start in range(0, len(rows), _ROWS):
        some = rows[start : start + _ROWS]
        found.append(logits(some))
        told(len(some))
    return np.concatenate(found)
