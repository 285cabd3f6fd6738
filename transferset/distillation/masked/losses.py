"""What a student loses on masked batches, and what of its teacher that takes.

What a loss of weight 0 would need is not computed: no teacher without a soft or a cosine loss, none
for a soft loss whose logits come with the rows, no teacher's head without a soft loss, no student's
head for a cosine loss alone.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor

from transferset.distillation.masked.batches import MaskedBatch, Masks
from transferset.distillation.masked.model import MaskedModel
from transferset.errors import UsageError, sentence
from transferset.students.losses import Top
from transferset.students.objectives import MaskedObjective, Part
from transferset.teachers.layout import check_lengths


class _Said(NamedTuple):
    """What a teacher said of a batch; None for what was not asked."""

    hidden: Tensor | None
    logits: Tensor | Top | None


class MaskedLosses:
    """The losses of a student, with the teacher that they take."""

    def __init__(
        self, student: MaskedModel, objective: MaskedObjective, teacher: MaskedModel | None
    ) -> None:
        """Take models.

        Args:
            student: Run as it is, in training or evaluation.
            objective: Which losses.
            teacher: Asked online, in evaluation; None for losses that take none, and for logits
                that come with the rows.
        """
        self._student, self._teacher, self.objective = student, teacher, objective
        if teacher is not None:
            teacher.model.eval().requires_grad_(False)

    def check(self, masks: Masks) -> None:
        """Refuse rows with which these losses cannot be computed.

        Raises:
            UsageError: A loss needs a teacher, or one of another shape or temperature.
            InputError: A row is longer than a model can read.
        """
        objective, teacher = self.objective, self._teacher
        if objective.soft and masks.temperature not in (None, objective.temperature):
            expected = f"logits labelled at temperature {objective.temperature:g}"
            do = "label the set again, or train at that temperature"
            raise UsageError(sentence(expected, f"{masks.temperature:g}", do=do))
        online = bool(objective.soft) and masks.temperature is None
        if teacher is None and (online or objective.cosine):
            lacking = "soft" if online else "cosine"
            do = f"name a --teacher, or set the weight --{lacking} to 0"
            raise UsageError(sentence(f"a teacher for the {lacking} loss", "none", do=do))
        check_lengths(masks.lengths, self._student.positions)
        if teacher is not None and (online or objective.cosine):
            self._check_teacher(teacher, online=online)
            check_lengths(masks.lengths, teacher.positions)

    def _check_teacher(self, teacher: MaskedModel, *, online: bool) -> None:
        own, theirs = self._student.hidden_size, teacher.hidden_size
        if self.objective.cosine and own != theirs:
            do = "set the weight --cosine to 0, or take a student of the teacher's size"
            raise UsageError(sentence(f"hidden states of {theirs:,} numbers", f"{own:,}", do=do))
        if online and self._student.size != teacher.size:
            do = "take a student with the teacher's vocabulary"
            expected = f"logits of {teacher.size:,} pieces"
            raise UsageError(sentence(expected, f"{self._student.size:,}", do=do))

    def parts(self, batch: MaskedBatch) -> dict[str, Part]:
        """The losses of some rows; those at masked positions are left out where there are none.

        Args:
            batch: Whole, or a part.
        """
        wanted = self._wanted(batch)
        if wanted is None:
            return {}
        student = self._student
        with _autocast(student.device):
            layout = student.layout(batch.rows)
            at = layout.places[student.tensor(batch.positions)]
            said = self._said(wanted, batch)
            hidden = student.hidden(layout)
            logits = (
                student.head(hidden.index_select(0, at)) if wanted.hard or wanted.soft else None
            )
            states = None
            if said.hidden is not None:
                states = (hidden.index_select(0, layout.places), said.hidden)
        return wanted.parts(logits, student.tensor(batch.targets), said.logits, states)

    def _wanted(self, batch: MaskedBatch) -> MaskedObjective | None:
        if len(batch.positions):
            return self.objective
        # nothing is masked: there are no logits to compare
        return replace(self.objective, hard=0, soft=0) if self.objective.cosine else None

    def _said(self, wanted: MaskedObjective, batch: MaskedBatch) -> _Said:
        offline = self._top(batch) if wanted.soft else None
        online = bool(wanted.soft) and offline is None
        teacher = self._teacher
        if teacher is None or not (online or wanted.cosine):
            return _Said(None, offline)
        with torch.inference_mode():
            layout = teacher.layout(batch.rows)
            hidden, logits = teacher.hidden(layout), None
            if online:
                at = layout.places[teacher.tensor(batch.positions)]
                logits = teacher.head(hidden.index_select(0, at))
        # a copy out of inference mode: autograd does not keep what was made in it; logits are
        # divided by a temperature first, which is a copy too
        states = hidden.index_select(0, layout.places) if wanted.cosine else None
        return _Said(states, offline if logits is None else logits)

    def _top(self, batch: MaskedBatch) -> Top | None:
        if batch.top is None:
            return None
        ids, logits, tail = (self._student.tensor(one) for one in batch.top)
        return Top(ids, logits, tail, self.objective.temperature)


def _autocast(device: torch.device) -> torch.autocast:
    return torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda")
