"""Counting which texts are most frequent in a stream, in bounded memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

#: Different texts that are held; up to so many everything is exact.
CAPACITY: Final = 1 << 15

#: Texts are told apart by so many first characters.
LONGEST: Final = 200


@dataclass(frozen=True, slots=True)
class Counted:
    """A text, and the documents and rows that have it."""

    text: str
    documents: int
    rows: int


class Tally:
    """Documents and rows by a text that they have.

    With more than `capacity` different texts it is the summary of Misra and Gries ("Finding
    repeated elements", 1982), merged as in Agarwal and others ("Mergeable summaries", 2012): rows
    are then too low by at most `lost`, which is at most all rows / (capacity + 1), so that no text
    with a larger share is missing.

    Attributes:
        lost: By how many rows a count may be too low; 0 means that all are exact.
        unstated: Documents and rows without a text, exact.
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        """Nothing is counted.

        Args:
            capacity: Different texts to hold, ≥ 1.
        """
        self.lost = 0
        self.unstated = Counted("", 0, 0)
        self._capacity = capacity
        self._cut = False
        self._held = _table(pa.array([], pa.string()), pa.array([], pa.uint64()))
        self._waiting: list[pa.Table] = []
        self._count = 0

    def add(self, texts: pa.Array, rows: pa.Array) -> None:
        """Count documents.

        Args:
            texts: string[n]; white space around them does not count.
            rows: Of each document, unsigned [n].
        """
        plain = pc.utf8_trim_whitespace(pc.fill_null(texts, ""))
        plain = pc.utf8_slice_codeunits(plain, 0, LONGEST)
        table = _table(plain, rows.cast(pa.uint64()))
        stated = pc.not_equal(plain, "")
        self._without(table.filter(pc.invert(stated)))
        self._waiting.append(_grouped(table.filter(stated)))
        self._count += self._waiting[-1].num_rows
        if self._count >= 2 * self._capacity:
            self._settle()

    @property
    def exact(self) -> bool:
        """Whether nothing was ever left out."""
        self._settle()
        return not self._cut

    @property
    def distinct(self) -> int:
        """Different texts that are held; all there are if `exact`."""
        self._settle()
        return int(self._held.num_rows)

    def top(self, most: int) -> list[Counted]:
        """The texts with most rows, then documents, in descending order, ties by text."""
        self._settle()
        order = [("rows", "descending"), ("documents", "descending"), ("text", "ascending")]
        return [Counted(**one) for one in self._held.sort_by(order).slice(0, most).to_pylist()]

    def _without(self, table: pa.Table) -> None:
        rows = pc.sum(table["rows"]).as_py() or 0
        old = self.unstated
        self.unstated = Counted("", old.documents + table.num_rows, old.rows + rows)

    def _settle(self) -> None:
        if not self._waiting:
            return
        held = _grouped(pa.concat_tables([self._held, *self._waiting]))
        self._waiting, self._count = [], 0
        if held.num_rows > self._capacity:
            self._cut = True
            ranked = held["rows"].combine_chunks().sort("descending")
            least = ranked[self._capacity].as_py()
            self.lost += least
            held = held.filter(pc.greater(held["rows"], least))
            fewer = pc.subtract(held["rows"], pa.scalar(least, pa.uint64()))
            held = held.set_column(held.schema.get_field_index("rows"), "rows", fewer)
        self._held = held


def _table(texts: pa.Array, rows: pa.Array) -> pa.Table:
    ones = pa.repeat(pa.scalar(1, pa.uint64()), len(texts))
    return pa.table({"text": texts, "documents": ones, "rows": rows})


def _grouped(table: pa.Table) -> pa.Table:
    # one thread: the order of equal counts must not depend on which one was first
    groups = table.group_by("text", use_threads=False)
    summed = groups.aggregate([("documents", "sum"), ("rows", "sum")])
    return summed.select(["text", "documents_sum", "rows_sum"]).rename_columns(
        ["text", "documents", "rows"]
    )
