"""Learning a task, or several with one model: from labels, and from a teacher's logits.

Logits come from the column of a set, or from a teacher that is asked while its student learns. With
several tasks the encoder is shared and each batch is one task's (Liu 2020, §§ 4.1 and 4.3.2).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from transferset.distillation.examples.classes import columns
from transferset.distillation.examples.examples import Examples
from transferset.distillation.task.measuring import measure
from transferset.errors import UsageError, sentence
from transferset.students.config import Task
from transferset.students.objectives import TaskObjective, combined
from transferset.teachers.logits import positions_of
from transferset.training.batches import Batch
from transferset.training.learning import Part, learn
from transferset.training.loop import Learnt, Measured
from transferset.training.optimizer import Optimizer

#: Most classes of a task that an error names.
_SHOWN: Final = 4


class Online(NamedTuple):
    """A teacher that is asked while its student learns.

    Attributes:
        module: A text classifier; it is evaluated only.
        examples: The sets of the student as the teacher reads them, in their order; the student's
            own where both have the same ids; None for sets whose own logits are taken.
        tasks: Of the teacher, for each of the student's, or None likewise.
        at: Its directory, for messages.
    """

    module: nn.Module
    examples: Sequence[Examples | None]
    tasks: Sequence[int | None]
    at: str = "the teacher"

    def asked(self, task: int) -> tuple[Examples, int] | None:
        """What it reads for a task of the student, and its own number; None if it is not asked."""
        examples, number = self.examples[task], self.tasks[task]
        return None if examples is None or number is None else (examples, number)


class TaskLearner:
    """A model that learns tasks; see `training.loop.Learner`.

    Attributes:
        module: The model.
        optimizer: Of its parameters.
    """

    def __init__(
        self,
        module: nn.Module,
        examples: Sequence[Examples],
        objective: TaskObjective,
        optimizer: Optimizer,
        *,
        seed: int,
        clip: float | None = None,
        teacher: Online | None = None,
        held_out: Sequence[Examples] = (),
    ) -> None:
        """Take a model, which is going to be trained in place.

        Args:
            module: A text classifier.
            examples: Of each of its tasks.
            objective: What is learnt from a row.
            optimizer: Of the module's trained parameters.
            seed: Of the training.
            clip: Longest gradient; None is any.
            teacher: Gives logits, of the sets that it has; None takes those of all sets.
            held_out: Of each task, for `measure`; empty if there are none.

        Raises:
            UsageError: The sets have not what the losses need, or rows are too long for a model.
            InputError: The teacher's classes are not the model's.
        """
        self.module, self.optimizer = module, optimizer
        self._examples, self._held_out = tuple(examples), tuple(held_out)
        self._objective, self._seed, self._clip = objective, seed, clip
        self._teacher = teacher if objective.mse or objective.soft else None
        _require_one_each(module, examples, held_out)
        for task, one in enumerate(examples):
            _require(one, objective, online=self._asked(task) is not None)
        _require_short(module, [*examples, *held_out], "model")
        if self._teacher is not None:
            self._teacher.module.eval()
            read = [one for one in self._teacher.examples if one is not None]
            _require_short(self._teacher.module, read, "teacher")
        self._columns = [self._columns_of(task) for task in range(len(examples))]

    def learn(self, batch: Batch, at_once: int, rate: float, step: int) -> Learnt:
        """Make one step on the losses of a batch.

        Args:
            batch: Rows of one task.
            at_once: Most ids that go through the model at a time, padding included.
            rate: The learning rate.
            step: Its number, from 0.

        Raises:
            NotFinite: Loss or gradient is not.
            TransfersetError: There is no memory for one row.
        """
        examples, objective, rows = self._examples[batch.task], self._objective, batch.rows
        labels = self._tensor(examples.labels(rows)) if objective.hard else None
        counts = objective.counts(len(rows), labels)

        def part(which: slice) -> Part:
            student = self._student(examples, rows[which], batch.task)
            teacher = self._teachers(rows[which], batch.task)
            found = objective.parts(student, teacher, None if labels is None else labels[which])
            told = {name: _mean(one.total, counts[name]) for name, one in found.items()}
            return Part(combined(found, objective.weights, counts), told)

        lengths = examples.lengths[rows]
        taken = learn(
            self.optimizer,
            part,
            lengths,
            at_once,
            seed=self._seed,
            step=step,
            rate=rate,
            clip=self._clip,
            shrink="lower --length, or take a smaller model",
        )
        over = max(counts[name] for name, weight in objective.weights.items() if weight)
        tokens = int(lengths.sum(dtype=np.int64))
        return Learnt(taken.loss, over, tokens, taken.parts, taken.at_once, taken.short, counts)

    def measure(self) -> Measured | None:
        """Scores of the held-out rows; see `measuring.measure`."""
        return measure(self.module, self._held_out) if self._held_out else None

    def _student(self, examples: Examples, rows: npt.NDArray[np.int64], task: int) -> Tensor:
        kind = self._device.type
        with torch.autocast(kind, torch.bfloat16, enabled=kind == "cuda"):
            logits: Tensor = self.module(examples.take(rows), task)
        return logits

    def _teachers(self, rows: npt.NDArray[np.int64], task: int) -> Tensor | None:
        """Logits of the teacher in the order of the student's classes, float32[n, C]."""
        if not (self._objective.mse or self._objective.soft):
            return None
        asked = self._asked(task)
        if self._teacher is None or asked is None:
            return self._tensor(self._examples[task].logits(rows))
        examples, number = asked
        with torch.inference_mode():
            found: Tensor = self._teacher.module(examples.take(rows), number)
            found = found[:, self._columns[task]].to(self._device)
        return found.clone()  # of inference's tensors none may be kept for gradients

    def _asked(self, task: int) -> tuple[Examples, int] | None:
        return None if self._teacher is None else self._teacher.asked(task)

    def _columns_of(self, task: int) -> Any:
        asked = self._asked(task)
        if self._teacher is None or asked is None:
            return None
        given: Task = _tasks(self._teacher.module)[asked[1]]
        own, of = self._examples[task].task, str(self._examples[task].found.root)
        return torch.from_numpy(columns(given.classes, own.classes, self._teacher.at, of))

    @property
    def _device(self) -> torch.device:
        return next(self.module.parameters()).device

    def _tensor(self, array: npt.NDArray[Any]) -> Tensor:
        return torch.from_numpy(array).to(self._device)


def matched_tasks(teacher: Sequence[Task], student: Sequence[Task]) -> list[int]:
    """The teacher's task for each of a student's: the only one, else that of the same name.

    Raises:
        UsageError: There is none.
    """
    if len(teacher) == len(student) == 1:
        return [0]
    known = {task.name: place for place, task in enumerate(teacher)}
    missing = [task.name for task in student if task.name not in known]
    if missing:
        expected = f"a teacher of the tasks {', '.join(task.name for task in student)}"
        raise UsageError(sentence(expected, f"one of {', '.join(known)}"))
    return [known[task.name] for task in student]


def _mean(total: Tensor, count: int) -> Tensor | float:
    return total.detach() / count if count else math.nan


def _tasks(module: nn.Module) -> tuple[Task, ...]:
    found: tuple[Task, ...] = module.tasks
    return found


def _require_one_each(
    module: nn.Module, examples: Sequence[Examples], held_out: Sequence[Examples]
) -> None:
    """Refuse sets whose labels and logits would stand for other outputs than the heads'."""
    wanted = [task.classes for task in _tasks(module)]
    for given in (examples, held_out or examples):
        found = [one.task.classes for one in given]
        if found != wanted:
            expected = f"a set opened for each task of the model, {_told(wanted)}"
            raise UsageError(sentence(expected, _told(found)))


def _told(tasks: Sequence[Sequence[str] | None]) -> str:
    return "; ".join("a score" if one is None else ", ".join(one[:_SHOWN]) for one in tasks)


def _require(examples: Examples, objective: TaskObjective, *, online: bool) -> None:
    """Refuse a set that has not what the losses need."""
    at = str(examples.found.root)
    if objective.hard and not examples.labelled:
        do = "learn from a teacher's logits, with --hard 0"
        raise UsageError(sentence("labelled rows for a hard loss", "none", at, do))
    if (objective.mse or objective.soft) and not (online or examples.has_logits):
        do = "label it with `transferset label`, or name a --teacher"
        raise UsageError(sentence("a teacher's logits", "none", at, do))
    if objective.soft and examples.task.classes is None:
        do = "take the squared error, with --mse 1 --soft 0"
        raise UsageError(sentence("classes for a soft loss", "a score", at, do))


def _require_short(module: nn.Module, examples: Sequence[Examples], what: str) -> None:
    most = positions_of(module)
    for one in examples:
        longest = int(one.lengths.max(initial=0))
        if most is not None and longest > most:
            expected, do = f"rows of at most the {what}'s {most:,} ids", f"lower --length to {most}"
            raise UsageError(sentence(expected, f"one of {longest:,}", str(one.found.root), do))
