"""Which rows are a document: those of one that follow each other.

A document is known by the part (in a mix), the source and the id of its rows; see `documents`. Its
rows must stand together and in the order of their sentences, as in a set that was not shuffled.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transferset.errors import UsageError, sentence
from transferset.manifest import Json
from transferset.storage.mounts import present

#: The columns that say to which document a row belongs, and where in it.
COLUMNS: Final = ("part", "source", "doc_id", "sentence")

#: A run of rows of one document: its first row, and what the document is known by.
RUN: Final = np.dtype([("row", "<i8"), ("part", "<u8"), ("source", "<u8"), ("doc_id", "<u8")])

#: What to do about rows that are no documents.
_DO: Final = "build the set with --no-shuffle, or export with --document row"

_KEYS: Final = COLUMNS[:3]

_BLOCK: Final = 1 << 16

Key = tuple[int, int, int]


class Runs:
    """Finds the runs of a range of rows, a record batch at a time."""

    def __init__(self, where: str) -> None:
        """Begin.

        Args:
            where: The set, for messages.
        """
        self._where = where
        self._first: Json | None = None
        self._last: Json | None = None

    def __call__(self, batch: pa.RecordBatch, first: int) -> npt.NDArray[Any]:
        """The runs that begin in some rows; those that follow the rows of the last call.

        Args:
            batch: With `doc_id`, and others of `COLUMNS`.
            first: Number of its first row.

        Returns:
            Of type `RUN`. The first row of a range begins a run, whatever stands before it.

        Raises:
            UsageError: The sentences of a document are not in order.
        """
        rows = np.empty(batch.num_rows, RUN)
        rows["row"] = np.arange(first, first + batch.num_rows)
        for name in _KEYS:
            rows[name] = batch.column(name).to_numpy() if name in batch.schema.names else 0
        keys = rows[list(_KEYS)]
        begins = np.append(True, keys[1:] != keys[:-1])
        if self._last is not None:
            begins[0] = tuple(self._last["key"]) != keys[0].item()
        sentences = self._sentences(batch, first, begins)
        ends = [{"key": list(keys[i].item()), "sentence": int(sentences[i])} for i in (0, -1)]
        self._first = self._first or ends[0]
        self._last = ends[1]
        found: npt.NDArray[Any] = rows[begins]
        return found

    def _sentences(
        self, batch: pa.RecordBatch, first: int, begins: npt.NDArray[np.bool_]
    ) -> npt.NDArray[np.int64]:
        if "sentence" not in batch.schema.names:
            return np.zeros(batch.num_rows, np.int64)
        sentences: npt.NDArray[np.int64] = batch.column("sentence").to_numpy().astype(np.int64)
        before = np.append(self._last["sentence"] if self._last else -1, sentences[:-1])
        wrong = (sentences < before) & ~begins
        if wrong.any():
            place = int(np.argmax(wrong))
            raise _disorder(int(sentences[place]), int(before[place]), self._where, first + place)
        return sentences

    def result(self) -> Json:
        """What joining ranges needs of this one: what its first and last rows are."""
        return {"first": self._first, "last": self._last}


def _disorder(found: int, before: int, where: str, row: int) -> UsageError:
    told = f"sentence {found} after {before}"
    at = f"{where}, row {row:,}"
    return UsageError(sentence("sentences of a document in their order", told, at, _DO))


def joined(ranges: Sequence[tuple[Path, Json]], where: str) -> Iterator[npt.NDArray[Any]]:
    """The runs of ranges that follow each other: one that goes on in the next is one.

    Args:
        ranges: Of each the file of its runs, and `Runs.result`.
        where: The set, for messages.

    Raises:
        UsageError: The sentences of a document are not in order.
    """
    before: Json | None = None
    for path, result in ranges:
        runs = np.fromfile(present(path), RUN)
        if before is not None and before["key"] == result["first"]["key"]:
            if result["first"]["sentence"] < before["sentence"]:
                found = result["first"]["sentence"]
                raise _disorder(found, before["sentence"], where, int(runs["row"][0]))
            runs = runs[1:]
        before = result["last"]
        yield runs


def require_once(runs: npt.NDArray[Any], where: str) -> None:
    """Refuse documents whose rows are scattered.

    Args:
        runs: All runs of a set; takes some 100 bytes a document for a moment.
        where: The set, for messages.

    Raises:
        UsageError: A document has two runs.
    """
    order = np.lexsort([runs[name] for name in ("row", *_KEYS)])
    keys = runs[list(_KEYS)][order]
    again = np.flatnonzero(keys[1:] == keys[:-1])
    if len(again):
        row = int(runs["row"][order[again + 1]].min())
        place = int(np.searchsorted(runs["row"], row))
        found = f"document {int(runs['doc_id'][place])} once more"
        at = f"{where}, row {row:,}"
        raise UsageError(sentence("the rows of a document together", found, at, _DO))
