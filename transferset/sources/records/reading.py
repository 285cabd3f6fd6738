"""Reading a part of a file: documents, counts of what gave none, and where that was."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from transferset.errors import InputError, printable, sentence
from transferset.ledger import Ledger, Reason
from transferset.manifest import Json
from transferset.sources.records.rows import Document, Unusable, to_document

#: Bytes of a part.
PART_BYTES: Final = 8 << 20

#: Unusable records of a file that are named.
NAMED: Final = 5

#: A file of at least so many records may not have more than half of them malformed.
ENOUGH: Final = 20


@dataclass(frozen=True, slots=True)
class RecordPart:
    """A range of a file.

    Args:
        ordinal: Its place among the file's parts.
        start: First byte (JSON lines, plain text), row (Parquet) or record batch (Arrow).
        stop: The first one after it.
    """

    ordinal: int
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Note:
    """A record that gave no document.

    Args:
        row: Its row or line, counted from the first of the part, which is 0.
        byte: Where its line begins; None where records are not lines.
        found: What was found, in words.
    """

    row: int
    byte: int | None
    found: str


@dataclass(frozen=True, slots=True)
class Found:
    """What stands at one place of a file.

    Args:
        text: What the field of the text holds.
        row: The record's other members.
        byte: Where its line begins; None where records are not lines.
        problem: Why there is no record; text and row mean nothing then.
        blank: Whether there is nothing at all, as on an empty line.
    """

    text: object = None
    row: Mapping[str, Any] = field(default_factory=dict)
    byte: int | None = None
    problem: Unusable | None = None
    blank: bool = False


class RecordReader(Iterator[Document]):
    """The documents of one part, in order; made by `RecordFile.read`.

    Args:
        part: The range.
        found: What stands in it.
        origin: See `RecordFile`.
        ledger: Takes a count for each record that gives no document.

    Attributes:
        notes: The first records that gave none.
    """

    def __init__(
        self, part: RecordPart, found: Iterator[Found], origin: Mapping[str, Any], ledger: Ledger
    ) -> None:
        self.notes: list[Note] = []
        self._part, self._origin, self._ledger = part, origin, ledger
        self._rows = self._records = self._malformed = 0
        self._first: Note | None = None
        self._documents = self._read(found)

    def __next__(self) -> Document:
        """Return the next document."""
        return next(self._documents)

    @property
    def summary(self) -> Json:
        """What `RecordFile.check` needs to know of this part, as JSON; once all is read."""
        return {
            "part": self._part.ordinal,
            "rows": self._rows,
            "records": self._records,
            "malformed": self._malformed,
            "first": self._first and [self._first.row, self._first.byte, self._first.found],
            "notes": [[note.row, note.byte, note.found] for note in self.notes],
        }

    def _read(self, found: Iterator[Found]) -> Iterator[Document]:
        for item in found:
            self._records += not item.blank
            document = None if item.blank else self._document(item)
            self._rows += 1
            if document is not None:
                yield document

    def _document(self, item: Found) -> Document | None:
        try:
            if item.problem is not None:
                raise item.problem
            return to_document(item.text, item.row, self._origin)
        except Unusable as error:
            self._note(error, Note(self._rows, item.byte, printable(error.found)))
            return None

    def _note(self, error: Unusable, note: Note) -> None:
        self._ledger[error.reason] += 1
        if len(self.notes) < NAMED:
            self.notes.append(note)
        if error.reason is Reason.MALFORMED:
            self._malformed += 1
            self._first = self._first or note


def check_parts(summaries: Sequence[Json], name: str, at: str) -> list[str]:
    """Judge a file of which all parts were read.

    Args:
        summaries: Of its parts, in order.
        name: The file's name, for the notes.
        at: Its path, for the error.

    Returns:
        The first records that gave no document, as `NAME, line L, byte B: what was found` (lines
        are counted from 1) or `NAME, row R: what was found` (rows are counted from 0).

    Raises:
        InputError: More than half of the file is malformed.
    """
    notes, firsts, before = [], [], 0
    for summary in summaries:
        notes += [(before, *note) for note in summary["notes"]]
        firsts += [(before, *summary["first"])] if summary["first"] else []
        before += summary["rows"]
    records = sum(s["records"] for s in summaries)
    malformed = sum(s["malformed"] for s in summaries)
    if records >= ENOUGH and malformed * 2 > records:
        place, found = _place(*firsts[0])
        expected = "records of which at most half are malformed"
        what = f"{malformed:,} of {records:,}, the first {found}"
        raise InputError(sentence(expected, what, f"{at}, {place}", "check --format and --field"))
    return [f"{name}, {': '.join(_place(*note))}" for note in notes[:NAMED]]


def _place(before: int, row: int, byte: int | None, found: str) -> tuple[str, str]:
    at = before + row
    return (f"row {at}" if byte is None else f"line {at + 1}, byte {byte}"), found
