"""What the documents of a set are, counted in one pass over their table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from transferset.report.tally import Tally

_DATE: Final = r"^\d{4}-\d\d-\d\d$"


@dataclass(slots=True)
class DocumentCounts:
    """Counts over a documents table; bounded, however many documents there are.

    Attributes:
        documents: All of them.
        rows: That these documents have in the set.
        licences: By licence in words.
        authors: By author, as the catalogue writes them.
        languages: By language code.
        retrieved: First and last date of retrieval, empty where none is stated.
    """

    documents: int = 0
    rows: int = 0
    licences: Tally = field(default_factory=Tally)
    authors: Tally = field(default_factory=Tally)
    languages: Tally = field(default_factory=Tally)
    retrieved: tuple[str, str] = ("", "")

    def add(self, batch: pa.RecordBatch) -> None:
        """Count the documents of a batch; it has the columns of `documents.SCHEMA`."""
        rows = batch.column("rows")
        self.documents += batch.num_rows
        self.rows += pc.sum(rows).as_py() or 0
        self.licences.add(batch.column("licence"), rows)
        self.authors.add(batch.column("author"), rows)
        self.languages.add(batch.column("language"), rows)
        self._date(batch.column("retrieved"))

    def _date(self, dates: pa.Array) -> None:
        known = dates.filter(pc.match_substring_regex(dates, _DATE))
        if len(known):
            ends = pc.min_max(known).as_py()
            first, last = self.retrieved
            self.retrieved = (min(first or ends["min"], ends["min"]), max(last, ends["max"]))


#: What card and Croissant take: the table, its counts, or nothing where a set has no table.
Documents = Iterable[pa.RecordBatch] | DocumentCounts | None


def count_documents(documents: Documents) -> DocumentCounts | None:
    """Count a documents table.

    Args:
        documents: Its batches; counts are given back, so that one pass serves several readers.

    Returns:
        The counts; None for a set without a table.
    """
    if documents is None or isinstance(documents, DocumentCounts):
        return documents
    counts = DocumentCounts()
    for batch in documents:
        counts.add(batch)
    return counts
