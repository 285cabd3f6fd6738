"""Rows of Project Gutenberg's catalogue, `pg_catalog.csv`: a row for each work.

It states neither rights nor sizes; these stand in the RDF (`rdf`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from transferset.errors import InputError, UsageError, sentence
from transferset.sources.books.entries import BookEntry, is_day
from transferset.sources.books.gutenberg import UNCHECKED, UNCHECKED_RIGHTS
from transferset.sources.books.streams import unpacked
from transferset.sources.books.table_rows import read_rows

#: Columns that are read; LoCC is not.
COLUMNS: Final = (
    "Text#",
    "Type",
    "Issued",
    "Title",
    "Language",
    "Authors",
    "Subjects",
    "Bookshelves",
)

#: Characters of a cell, less than a manifest takes; the longest subjects have some thousand.
LONGEST_CELL: Final = 16_000
_NUMBER = re.compile(r"[1-9][0-9]{0,8}")


def read_catalog(catalog: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Read a catalogue as a stream.

    Args:
        catalog: `pg_catalog.csv`, or the same with gzip.

    Yields:
        The row's number in the file, the header being 1, and its columns by name; none of them
        if it has other columns than the header, no number of a book, or a cell that is too long.

    Raises:
        InputError: It is damaged, not UTF-8, or lacks a column; the message names the row.
        UsageError: There is no such file.
    """
    at = str(catalog)
    try:
        file = catalog.open("rb")
    except OSError as error:
        found = error.strerror or str(error)
        raise UsageError(sentence("a catalogue pg_catalog.csv", found, at)) from None
    with file, unpacked(file, at) as stream:
        rows = read_rows(stream, at)
        header = next(rows, (1, [""]))[1]
        _check_header(header, at)
        for number, cells in rows:
            sound = len(cells) == len(header) and max(map(len, cells)) <= LONGEST_CELL
            row = dict(zip(header, cells, strict=True)) if sound else {"Text#": ""}
            yield number, row if _NUMBER.fullmatch(row["Text#"]) else {}


def _check_header(header: list[str], at: str) -> None:
    missing = [name for name in COLUMNS if name not in header]
    if missing:
        found = f"no column {missing[0]} in {','.join(header)[:100]!r}"
        do = "fetch the file again"
        raise InputError(sentence("Project Gutenberg's catalogue", found, f"{at}, row 1", do))


def entry_of(row: dict[str, str]) -> BookEntry:
    """What a row says of a book.

    Args:
        row: A row that is not empty.

    Returns:
        The book, as yet without an address; its rights are those that Project Gutenberg states
        for its books in general.
    """
    return BookEntry(
        id=int(row["Text#"]),
        url="",
        title=_line(row["Title"]),
        author=_authors(row["Authors"]),
        language=_line(row["Language"]),
        licence=UNCHECKED,
        rights=UNCHECKED_RIGHTS,
        subjects=_line(row["Subjects"]),
        issued=row["Issued"] if is_day(row["Issued"]) else "",
    )


def _line(text: str) -> str:
    # between title and subtitle there is a line end
    return " ".join(text.split())


def _authors(text: str) -> str:
    """The authors; editors, translators, … (`Name [Editor]`) only where there is no author."""
    names = [_line(name) for name in text.split(";") if name.strip()]
    return "; ".join([name for name in names if not name.endswith("]")] or names)
