"""From what stands in a task file to its examples, counted and judged row by row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

from transferset.errors import InputError, printable, sentence
from transferset.ledger import Ledger, Reason
from transferset.sources.tasks.labels import LabelReader, Tally

#: Malformed rows of a file that are named.
NAMED: Final = 5

_LEAVE: Final = "--skip-damaged leaves such rows out and counts them"


class Example(NamedTuple):
    """One row of a task.

    Args:
        row: Its line (where rows are lines; the first one of it) or row in the file, from 1.
        text: As the file has it, white space included.
        text_pair: The second text; None where texts are single.
        label: The name of its class, or its score; None where nothing is stated.
    """

    row: int
    text: str
    text_pair: str | None
    label: str | float | None


@dataclass(frozen=True, slots=True)
class Flaw:
    """Why a row gives no example: the parts of the sentence that says so.

    Args:
        expected: What should have been there.
        found: What was there instead.
        do: The remedy; empty for the usual one.
        reason: Under which the ledger counts the row.
        byte: Of the file where it is, from 0; None where that says nothing.
        rest: The line as far as it can be read, for whoever follows quotes over lines.
    """

    expected: str
    found: str
    do: str = ""
    reason: Reason = Reason.MALFORMED_ROW
    byte: int | None = None
    rest: str = ""


#: Text, second text, and label as written.
Values: TypeAlias = tuple[str, str | None, str | None]

#: A row's number and what stands in it.
Row: TypeAlias = tuple[int, Values | Flaw]


class TaskReader(Iterator[Example]):
    """The examples of one file, in order; made by `TaskFile.read`.

    Args:
        at: The file, for messages, and its name, for notes.
        unit: What its rows are called: `line` or `row`.
        rows: What stands in it.
        labels: Reads a label; None where labels are not wanted.
        ledger: Takes a count for each row that gives no example.
        skip_damaged: Whether such rows are left out; otherwise the first one ends the reading.
        others: Items that are no examples by what they are, as of Rasa's synonyms.

    Attributes:
        read_rows: Rows so far, malformed ones included.
        malformed: Those that gave no example.
        notes: The first of them, one sentence each.
        labels: How often each label came.
        others: See above; complete once all is read.

    Raises:
        InputError: While it is read: a row is malformed, or more than half of all are.
    """

    def __init__(
        self,
        at: tuple[str, str],
        unit: str,
        rows: Iterator[Row],
        labels: LabelReader | None,
        ledger: Ledger,
        skip_damaged: bool,
        others: Counter[str],
    ) -> None:
        self.read_rows = self.malformed = 0
        self.notes: list[str] = []
        self.labels, self.others = Tally(), others
        self._at, self._unit, self._label, self._ledger = at, unit, labels, ledger
        self._skip = skip_damaged
        self._examples = self._read(rows)

    def __next__(self) -> Example:
        """Return the next example."""
        return next(self._examples)

    def _read(self, rows: Iterator[Row]) -> Iterator[Example]:
        known: dict[str | None, str | float | None] = {None: None}
        for row, found in rows:
            self.read_rows += 1
            flaw = found if isinstance(found, Flaw) else _empty(found)
            if flaw is None:
                assert not isinstance(found, Flaw)
                text, pair, written = found
                try:
                    label = known[written]
                except KeyError:
                    flaw = self._learn(known, written)
                    label = known.get(written)
            if flaw is not None:
                self._leave(row, flaw)
                continue
            self.labels.add(label, row)
            yield Example(row, text, pair, label)
        self._judge()

    def _learn(
        self, known: dict[str | None, str | float | None], written: str | None
    ) -> Flaw | None:
        """Read a label that was not seen before."""
        if self._label is None or written is None:
            value: str | float | None = None
        else:
            try:
                value = self._label(written)
            except ValueError as error:
                do = self._label.remedy
                return Flaw(self._label.expected, str(error), do)
        if len(known) > Tally.MOST:
            known.clear()
            known[None] = None
        known[written] = value
        return None

    def _leave(self, row: int, flaw: Flaw) -> None:
        path, name = self._at
        place = f"{self._unit} {row}" + ("" if flaw.byte is None else f", byte {flaw.byte}")
        if not self._skip:
            do = f"{flaw.do or 'correct it'}, or {_LEAVE}"
            raise InputError(sentence(flaw.expected, flaw.found, f"{path}, {place}", do))
        self._ledger[flaw.reason] += 1
        self.malformed += 1
        if len(self.notes) < NAMED:
            note = f"expected {flaw.expected}, found {printable(flaw.found)}"
            self.notes.append(f"{printable(name)}, {place}: {note}")

    def _judge(self) -> None:
        if self.malformed * 2 > self.read_rows:
            what = f"{self.malformed:,} of {self.read_rows:,}, the first at {self.notes[0]}"
            do = "check --layout, --format and the columns"
            expected = "a file of which at most half of the rows are malformed"
            raise InputError(sentence(expected, what, self._at[0], do))


def _empty(values: Values) -> Flaw | None:
    text, pair, _ = values
    if not text or text.isspace():
        return EMPTY
    if pair is not None and (not pair or pair.isspace()):
        return Flaw("a second text", "an empty one", reason=Reason.EMPTY_ROW)
    return None


#: A row without a text.
EMPTY: Final = Flaw("a text", "an empty one", reason=Reason.EMPTY_ROW)
