"""A student's logits of many rows, as everyone else asks for them."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import torch

from transferset.errors import UsageError, sentence
from transferset.students.rows import Rows, rows_of, take
from transferset.students.student import Student

#: Ids of a batch, padding included, and its most rows.
_IDS: Final = 1 << 14
_ROWS: Final = 512


class StudentClassifier:
    """One task of a student.

    Attributes:
        classes: In the order of the logits; None for a score.
        tokenizer_sha256: Of the file that says what the ids mean.
    """

    def __init__(self, student: Student, task: int = 0) -> None:
        """Take a student, which is read only.

        Args:
            student: Any.
            task: Which of its tasks.
        """
        self._student, self._task = student, task
        found = student.config.tasks[task]
        self.classes = None if found.classes is None else list(found.classes)
        self.tokenizer_sha256 = student.config.vocabulary.sha256

    def logits(
        self, ids: npt.NDArray[np.integer], offsets: npt.NDArray[np.integer], pair: bool
    ) -> npt.NDArray[np.float32]:
        """Logits of rows.

        Args:
            ids: Shape [n].
            offsets: Shape [rows + 1].
            pair: Whether each row is a pair.

        Returns:
            float32[rows, C], in the order of the rows.

        Raises:
            InputError: An id or an offset is out of range.
            UsageError: The student was made for the other layout.
        """
        task = self._student.config.tasks[self._task]
        if pair != task.pair:
            told = ("single texts", "pairs")
            raise UsageError(sentence(f"{told[task.pair]} for this student", told[pair]))
        rows = rows_of(ids, offsets)
        found = np.empty((len(rows.lengths), task.outputs), np.float32)
        training = self._student.training
        device = next(self._student.parameters()).device
        try:
            self._student.eval()
            with (
                torch.inference_mode(),
                torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"),
            ):
                for which in batches(rows):
                    logits = self._student(take(rows, which), self._task)
                    found[which] = logits.cpu().numpy()
        finally:
            self._student.train(training)
        return found


def batches(rows: Rows) -> list[npt.NDArray[np.int64]]:
    """Numbers of rows in batches of like lengths, from the longest."""
    lengths = rows.lengths
    order = np.argsort(-lengths, kind="stable")
    found, start = [], 0
    while start < len(order):
        most = min(_ROWS, max(1, _IDS // max(1, int(lengths[order[start]]))))
        found.append(order[start : start + most])
        start += most
    return found
