"""Single rows, as collators of others want them, that stay part of the batch they were read in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from transferset.errors import UsageError, sentence
from transferset.feeds.batching import Batch
from transferset.feeds.ragged import Ragged


class Row(Mapping[str, Any]):
    """A row of a set: its columns by name, as tensors or numbers.

    It is no `dict`, so that transformers' Trainer does not rebuild it without what a collator asks:
    the batch, with the row's number in the set and the epoch.

    Attributes:
        batch: That it was read in.
        at: Its place there.
    """

    __slots__ = ("at", "batch")

    def __init__(self, batch: Batch, at: int) -> None:
        """A view; nothing is copied."""
        self.batch, self.at = batch, at

    def __getitem__(self, name: str) -> Any:
        """A list of numbers as an int64 or float32 tensor, a number or a text as it is."""
        column = self.batch.columns[name]
        if isinstance(column, Ragged):
            return _tensor(column.row(self.at))
        value = column[self.at]
        if isinstance(value, np.ndarray):
            return _tensor(value)
        return value.item() if isinstance(value, np.generic) else value

    def __iter__(self) -> Iterator[str]:
        return iter(self.batch.columns)

    def __len__(self) -> int:
        return len(self.batch.columns)

    def __repr__(self) -> str:
        """Its number and columns."""
        return f"Row({self.number}, {', '.join(self)})"

    @property
    def number(self) -> int:
        """In the set, from 0."""
        return int(self.batch.rows[self.at])


def rows_of(batch: Batch) -> list[Row]:
    """The rows of a batch, in its order."""
    return [Row(batch, at) for at in range(len(batch.rows))]


def batch_of(examples: Batch | Sequence[Row] | Sequence[Batch]) -> Batch:
    """What a loader hands to a collator, as one batch.

    Args:
        examples: A batch, or rows, or one batch in a list (of a loader of batches of one).

    Raises:
        UsageError: Something else, or rows of different epochs.
    """
    if isinstance(examples, Batch):
        return examples
    if len(examples) == 1 and isinstance(examples[0], Batch):
        return examples[0]
    rows = [one for one in examples if isinstance(one, Row)]
    if not rows or len(rows) != len(examples):
        found = type(examples[0]).__name__ if len(examples) else "nothing"
        raise UsageError(sentence("rows of a ShardDataset, or one batch", found))
    first = rows[0].batch
    if len(first.rows) == len(rows) and all(
        row.batch is first and row.at == at for at, row in enumerate(rows)
    ):
        return first  # as it was gathered
    return _joined(rows)


def _joined(rows: list[Row]) -> Batch:
    """Rows of several batches as one."""
    first = rows[0].batch
    if any(row.batch.place.epoch != first.place.epoch for row in rows):
        raise UsageError(sentence("rows of one epoch", "rows of several"))
    columns = {
        name: _column([(row.batch.columns[name], row.at) for row in rows]) for name in first.columns
    }
    return Batch(np.array([row.number for row in rows]), columns, first.place)


def _column(values: list[tuple[Any, int]]) -> Ragged | npt.NDArray[Any]:
    if not isinstance(values[0][0], Ragged):
        return np.stack([column[at] for column, at in values])
    lists = [column.row(at) for column, at in values]
    offsets = np.append(0, np.cumsum([len(one) for one in lists]))
    return Ragged(np.concatenate(lists), offsets)


def _tensor(values: npt.NDArray[Any]) -> Any:
    import torch

    # embeddings take no uint16
    kind = np.float32 if values.dtype.kind == "f" else np.int64
    return torch.from_numpy(values.astype(kind))
