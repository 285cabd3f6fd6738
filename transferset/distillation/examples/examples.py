"""The examples of a task: rows of a set, with their labels and a teacher's logits.

Ids and logits stay on disk, mapped; a row costs some ten bytes of memory.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from transferset.distillation.examples.classes import Places, columns
from transferset.distillation.examples.cutting import cut, cut_length
from transferset.distillation.examples.mapped import IdRows, MappedIds, MappedMatrix, mapped_logits
from transferset.distillation.examples.reading import IDS, Reading, how_read
from transferset.distillation.examples.spill import spilled
from transferset.distillation.examples.survey import Survey, survey
from transferset.distillation.examples.tasks import is_pair, metrics_for
from transferset.errors import SetError, UsageError, sentence
from transferset.ledger import Ledger, Reason
from transferset.shards import ShardSet
from transferset.students.config import Task
from transferset.students.rows import Rows

Int64 = npt.NDArray[np.int64]
Labels = npt.NDArray[np.int64] | npt.NDArray[np.float32]


class Examples:
    """Rows by number.

    Attributes:
        found: The set.
        task: Of the model.
        how: In which way its rows are read, see `reading.WAYS`.
        lengths: int32[rows], ids of each after the cut.
        labelled: Rows that have a label.
        cut_rows: Rows that were longer.
        ledger: What was cut off them, in ids.
        metrics: By which a model is judged on it.
    """

    def __init__(
        self,
        found: ShardSet,
        task: Task,
        reading: Reading,
        survey: Survey,
        rows: IdRows,
        logits: MappedMatrix | None,
    ) -> None:
        """Take what `open_examples` found.

        Args:
            found: The set.
            task: Of the model.
            reading: How it reads.
            survey: Of the set.
            rows: Its rows, uncut.
            logits: A teacher's, in the order of the task's classes.
        """
        self.found, self.task, self.how = found, task, how_read(found, reading)
        self.metrics = metrics_for(found, task)
        self._rows, self._labels, self._logits = rows, survey.labels, logits
        self._length, self._separator = reading.length, reading.vocabulary.separator
        whole = survey.lengths if self.how == IDS else rows.lengths()
        self.lengths = cut_length(whole, reading.length)
        self.labelled = survey.labelled
        self.cut_rows = int((whole > reading.length).sum())
        off = int(whole.sum(dtype=np.int64) - self.lengths.sum(dtype=np.int64))
        self.ledger = Ledger({Reason.TRUNCATED: off} if off else {})

    def __len__(self) -> int:
        """Rows."""
        return len(self.lengths)

    @property
    def has_logits(self) -> bool:
        """Whether a teacher's logits are there."""
        return self._logits is not None

    def take(self, rows: Int64) -> Rows:
        """Ids of some rows.

        Args:
            rows: int64[n], their numbers.

        Returns:
            The rows in that order, none longer than the model reads.
        """
        return cut(self._rows.take(rows), self._length, self._separator)

    def labels(self, rows: Int64) -> Labels:
        """Labels of some rows.

        Args:
            rows: int64[n], their numbers.

        Returns:
            int64[n], classes in the order of the task's, `survey.UNLABELLED` for none; of scores
            float32[n], nan for none.
        """
        found: Any = self._labels[rows]
        labels: Labels = found if found.dtype == np.float32 else found.astype(np.int64)
        return labels

    def logits(self, rows: Int64) -> npt.NDArray[np.float32]:
        """A teacher's logits of some rows, float32[n, C], in the order of the task's classes.

        Raises:
            UsageError: The examples were opened without.
        """
        if self._logits is None:
            raise UsageError(_no_logits(self.found))
        return self._logits.take(rows)


def open_examples(
    found: ShardSet, task: Task, reading: Reading, folder: Path, *, logits: bool = False
) -> Examples:
    """Open a set as examples of a task; it is read through once, and checked.

    Args:
        found: An open set.
        task: Of the model that reads it.
        reading: How that model reads.
        folder: Where ids that are made anew are kept, and found again by a later run.
        logits: Whether the column `logits` is wanted.

    Raises:
        UsageError: Ids, texts or logits are lacking, or the task is of pairs and the set is not.
        InputError: Its classes are not the model's.
        SetError: The set is damaged: bytes, ids, labels or logits are not what they should be.
    """
    how = how_read(found, reading)
    kinds = ("single texts", "pairs")
    if is_pair(found) != task.pair:
        given = kinds[not task.pair]
        raise UsageError(sentence(f"{kinds[task.pair]} for this model", given, str(found.root)))
    picked = _picked(found, task) if logits else None
    size = reading.vocabulary.size if how == IDS else None
    known = survey(found, task, size, logits=logits)
    rows: IdRows = MappedIds(found) if how == IDS else spilled(found, reading, folder)
    matrix = None if picked is None else mapped_logits(found, picked)
    return Examples(found, task, reading, known, rows, matrix)


def _picked(found: ShardSet, task: Task) -> Places:
    """Which of a set's logits stands for each of a task's outputs."""
    teacher, at = found.manifest.teacher, str(found.root)
    if "logits" not in found.manifest.schema or teacher is None:
        raise UsageError(_no_logits(found))
    picked = columns(teacher["classes"], task.classes, at)
    width = found.schema.field("logits").type.list_size
    if width != len(picked):
        raise SetError(sentence(f"{len(picked)} logits a row", str(width), at))
    return picked


def _no_logits(found: ShardSet) -> str:
    do = "label it with `transferset label`, or name a --teacher"
    return sentence("a column logits", "none", str(found.root), do)
