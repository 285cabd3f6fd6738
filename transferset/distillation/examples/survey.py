"""One reading of a set before it is trained on: all that could go wrong later is told now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transferset.distillation.examples.classes import Places, places
from transferset.distillation.examples.mapped import matrix
from transferset.errors import SetError, UsageError, sentence
from transferset.reading import read_rows
from transferset.shards import ShardSet
from transferset.students.config import Task

Labels = npt.NDArray[np.int32] | npt.NDArray[np.float32]

#: The label of a row without a class, as `students.losses` has it, which imports torch.
UNLABELLED: Final = -100


@dataclass(frozen=True, slots=True)
class Survey:
    """What is known of each row of a set.

    Attributes:
        lengths: int32[rows], ids in the set; empty if they are not read.
        labels: int32[rows], classes of the task or `UNLABELLED`; of scores float32[rows] or nan.
    """

    lengths: npt.NDArray[np.int32]
    labels: Labels

    @property
    def labelled(self) -> int:
        """Rows that have a label."""
        if self.labels.dtype == np.float32:
            return int((~np.isnan(self.labels)).sum())
        return int((self.labels != UNLABELLED).sum())


def survey(found: ShardSet, task: Task, size: int | None, *, logits: bool) -> Survey:
    """Read a set through and check it.

    Args:
        found: An open set.
        task: Of the model; its classes are those of the labels that are given.
        size: Ids are below it; None if the set's ids are not read.
        logits: Whether the column `logits` is to be looked at.

    Raises:
        InputError: A class of the set is none of the model's.
        SetError: The set is damaged, or holds an id, a label or a logit that nobody can use.
        UsageError: The set has scores and the model classes, or the other way round.
    """
    labels = _Labels.of(found, task)
    lengths = [np.empty(0, np.int32)]
    given: list[Any] = [labels.none(0)]
    for first, batch in read_rows(found, 0, len(found)):
        if size is not None:
            lengths.append(_lengths(found, batch, first, size))
        if logits:
            _check_logits(found, batch, first)
        given.append(labels.read(batch, first))
    return Survey(np.concatenate(lengths), np.concatenate(given))


@dataclass(frozen=True, slots=True)
class _Labels:
    """Reads the column `label`.

    Attributes:
        found: The set.
        codes: The class of the model for each of the set's; None of scores.
        there: Whether there is such a column.
    """

    found: ShardSet
    codes: Places | None
    there: bool

    @classmethod
    def of(cls, found: ShardSet, task: Task) -> _Labels:
        kind = found.manifest.schema.get("label")
        if kind is None:
            return cls(found, None if task.classes is None else np.empty(0, np.int64), there=False)
        told = ("classes", "scores")
        if kind.startswith("float") != (task.classes is None):
            is_score = kind.startswith("float")
            wanted, had = told[not is_score], told[is_score]
            raise UsageError(sentence(f"labels that are {wanted}", had, str(found.root)))
        if task.classes is None:
            return cls(found, None, there=True)
        names = found.manifest.names.get("label") or [str(i) for i in range(len(task.classes))]
        return cls(found, places(names, task.classes, str(found.root)), there=True)

    def none(self, rows: int) -> Labels:
        """Labels of rows without any."""
        if self.codes is None:
            return np.full(rows, np.nan, np.float32)
        return np.full(rows, UNLABELLED, np.int32)

    def read(self, batch: pa.RecordBatch, first: int) -> Labels:
        """Labels of a batch, whose first row has that number."""
        labels = self.none(batch.num_rows)
        if not self.there:
            return labels
        column = batch.column("label")
        here = column.is_valid().to_numpy(zero_copy_only=False)
        values = column.drop_null().to_numpy(zero_copy_only=False)
        right = np.isfinite(values)
        if self.codes is not None:
            right = (values >= 0) & (values < len(self.codes))
        if not right.all():
            wrong = int(np.argmin(right))
            row = first + int(np.flatnonzero(here)[wrong])
            kind = "a finite score" if self.codes is None else f"a class below {len(self.codes)}"
            raise SetError(sentence(kind, str(values[wrong]), f"{self.found.root}, row {row:,}"))
        labels[here] = values if self.codes is None else self.codes[values]
        return labels


def _lengths(
    found: ShardSet, batch: pa.RecordBatch, first: int, size: int
) -> npt.NDArray[np.int32]:
    column = batch.column("input_ids")
    offsets = column.offsets.to_numpy()
    ids = column.values.to_numpy()[offsets[0] : offsets[-1]]
    if len(ids) and int(ids.max()) >= size:
        place = int(np.argmax(ids >= size))
        row = first + int(np.searchsorted(offsets - offsets[0], place, "right")) - 1
        at = f"{found.root}, row {row:,}"
        raise SetError(sentence(f"ids below the model's {size:,}", f"{ids[place]:,}", at))
    lengths: npt.NDArray[np.int32] = np.diff(offsets)
    if len(lengths) and not lengths.min():
        row = first + int(np.argmin(lengths))
        raise SetError(sentence("ids in every row", "none", f"{found.root}, row {row:,}"))
    return lengths


def _check_logits(found: ShardSet, batch: pa.RecordBatch, first: int) -> None:
    values = matrix(batch.column("logits"))
    right = np.isfinite(values).all(1)
    if not right.all():
        wrong = int(np.argmin(right))
        told = ", ".join(f"{value:g}" for value in values[wrong].tolist()[:4])
        do = "label the set again with `transferset label`"
        at = f"{found.root}, row {first + wrong:,}"
        raise SetError(sentence("finite logits", told, at, do))
