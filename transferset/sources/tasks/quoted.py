"""Rows of CSV: fields that may be in quotes (RFC 4180), then also over several lines.

Python's own reader is not used: it takes a quote that is never closed for text up to the end of
the file, loses line numbers, and its limit of a field's length belongs to the whole process.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Final

from transferset.sources.tasks.lines import MOST_BYTES, Batch, Numbered, numbered
from transferset.sources.tasks.reading import Flaw

_QUOTE: Final = '"'
_DOUBLE: Final = "write quotes inside of a field twice, or say --no-quoting"


class _Row:
    """A row that grows line by line.

    Attributes:
        fields: Those that are complete.
    """

    def __init__(self, separator: str) -> None:
        self.fields: list[str] = []
        self._separator = separator
        self._open: list[str] | None = None  # what the last field holds so far

    def add(self, line: str) -> bool:
        """Read one more line; whether the row ends with it.

        Raises:
            ValueError: Something stands behind a field's last quote; the message says what.
        """
        at = 0
        while True:
            if self._open is None and line.startswith(_QUOTE, at):
                self._open, at = [], at + 1
            if self._open is None:
                end = line.find(self._separator, at)
                if end < 0:
                    self.fields.append(line[at:].removesuffix("\r"))
                    return True
                self.fields.append(line[at:end])
                at = end + 1
                continue
            at = self._close(self._open, line, at)
            if self._open is not None:
                return False
            if line[at:] in ("", "\r"):
                return True
            if line[at] != self._separator:
                raise ValueError(line[at:])
            at += 1

    def _close(self, held: list[str], line: str, at: int) -> int:
        """Read on in a quoted field; where the line goes on behind it."""
        while (end := line.find(_QUOTE, at)) >= 0:
            held.append(line[at:end])
            if not line.startswith(_QUOTE, end + 1):
                self.fields.append("".join(held))
                self._open = None
                return end + 1
            held.append(_QUOTE)
            at = end + 2
        held.append(line[at:] + "\n")
        return len(line)


def rows(batches: Iterable[Batch], separator: str) -> Iterator[tuple[int, list[str] | Flaw]]:
    """Read rows; after a malformed one, reading goes on at the line after its first.

    Args:
        batches: Lines with the carriage returns of their ends.
        separator: Of fields, one character.

    Yields:
        The number of a row's first line, and its fields.
    """
    again: deque[Numbered] = deque()
    fresh = numbered(batches)
    while True:
        number, line = again.popleft() if again else next(fresh, (0, ""))
        if not number:
            return
        if _QUOTE in _readable(line):
            lines, found = _row(line, separator, again, fresh)
            yield number, found
            again.extendleft(reversed(lines))
        elif isinstance(line, Flaw):
            yield number, line
        else:
            yield number, line.removesuffix("\r").split(separator)


def _readable(line: str | Flaw) -> str:
    return line.rest if isinstance(line, Flaw) else line


def _row(
    line: str | Flaw,
    separator: str,
    again: deque[Numbered],
    fresh: Iterator[Numbered],
) -> tuple[list[Numbered], list[str] | Flaw]:
    """Lines that are to be read again, and the fields of the row."""
    row, size = _Row(separator), len(_readable(line))
    flaw = line if isinstance(line, Flaw) else None
    lines: list[Numbered] = []
    try:
        whole = row.add(_readable(line))
        while not whole:
            number, more = again.popleft() if again else next(fresh, (0, ""))
            if not number:
                return lines, Flaw("a closing quote", "the end of the file", _DOUBLE)
            lines.append((number, more))
            if isinstance(more, Flaw):
                flaw = flaw or more
            size += len(_readable(more)) + 1
            if size > MOST_BYTES:
                found = f"none within {MOST_BYTES:,} characters"
                return lines, Flaw("a closing quote", found, _DOUBLE)
            whole = row.add(_readable(more))
    except ValueError as error:
        expected = "a separator or the line's end after a closing quote"
        return lines, Flaw(expected, str(error)[:40], _DOUBLE)
    return [], flaw or row.fields
