"""Rows of a CSV file from strangers: in UTF-8, bounded, each error with its row."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import BinaryIO, Final

from transferset.errors import InputError, sentence

#: Bytes of a row. The longest of Project Gutenberg's catalogue has some thousand; `csv` itself
#: refuses fields of more characters.
LONGEST_ROW: Final = 1 << 17


class _Lines:
    """Lines of a file, as `csv` wants them, while no row is longer than it may be."""

    def __init__(self, file: BinaryIO, at: str) -> None:
        self.row = 1
        self.room = LONGEST_ROW
        self._file = file
        self._at = at

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self._file.readline(self.room + 1)
        if not line:
            raise StopIteration
        self.room -= len(line)
        if self.room < 0:
            expected = f"rows of at most {LONGEST_ROW:,} bytes"
            raise self.wrong(expected, "a longer one", "is a quotation mark missing?")
        if b"\0" in line:
            raise self.wrong("text", "a NUL byte", "re-encode it as UTF-8")
        try:
            return line.decode("utf-8")
        except UnicodeDecodeError as error:
            found = f"the byte 0x{line[error.start]:02x}"
            raise self.wrong("UTF-8", found, "re-encode it (iconv -t UTF-8)") from None

    def done(self) -> None:
        """Note that a row is whole."""
        self.row += 1
        self.room = LONGEST_ROW

    def wrong(self, expected: str, found: str, do: str | None = None) -> InputError:
        """Make the error for the present row."""
        return InputError(sentence(expected, found, f"{self._at}, row {self.row}", do))


def read_rows(file: BinaryIO, at: str) -> Iterator[tuple[int, list[str]]]:
    """Rows of a CSV file (RFC 4180, with any line ends).

    Args:
        file: The file, buffered; a byte order mark is skipped.
        at: Its name, for messages.

    Yields:
        The row's number, the header being 1, and its fields; blank lines are left out.

    Raises:
        InputError: It is not CSV in UTF-8, or a row is longer than `LONGEST_ROW`.
    """
    lines = _Lines(file, at)
    # strict: a stray quotation mark is an error here, not a field that swallows rows
    reader = csv.reader(lines, strict=True)
    while True:
        try:
            fields = next(reader, None)
        except csv.Error as error:
            raise lines.wrong("CSV", str(error)) from None
        if fields is None:
            return
        if lines.row == 1 and fields:
            fields[0] = fields[0].removeprefix("\ufeff")
        if fields:
            yield lines.row, fields
        lines.done()
