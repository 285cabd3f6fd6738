"""Manifests of books as a table: a `.csv` whose header names its columns."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from transferset.errors import InputError, UsageError, sentence
from transferset.sources.books.entries import MOST_BYTES, PAUSE, BookManifest
from transferset.sources.books.manifest_tables import entries_of
from transferset.sources.books.table_rows import read_rows

#: Its columns; `url`, and one of `licence` and `rights`, are needed.
COLUMNS: Final = (
    "url",
    "licence",
    "rights",
    "id",
    "title",
    "author",
    "language",
    "subjects",
    "sha256",
)


def read_csv(path: Path) -> BookManifest:
    """Read a manifest in CSV.

    Args:
        path: The file.

    Returns:
        The manifest. It is named after the file; language and licence are those of its books if
        they agree.

    Raises:
        InputError: It is too large, not CSV in UTF-8, or a row has other columns than the header.
        UsageError: As `load_books`.
        OSError: It cannot be read.
    """
    if path.stat().st_size > MOST_BYTES:
        raise InputError(sentence(f"at most {MOST_BYTES:,} bytes", "more", str(path)))
    numbers: list[int] = []
    with path.open("rb") as file:
        entries = entries_of(
            _tables(read_rows(file, str(path)), str(path), numbers),
            None,
            lambda ordinal: f"{path}, row {numbers[ordinal - 1]}",
        )
    if not entries:
        raise UsageError(sentence("a row for each book", "none", str(path)))
    return BookManifest(
        name=re.sub(r"[^A-Za-z0-9_-]+", "-", path.stem).strip("-_")[:64] or "books",
        title=path.stem,
        language=_common([entry.language for entry in entries], "mul"),
        licence=_common([entry.licence for entry in entries], "stated for each book"),
        mirror=None,
        pause=PAUSE,
        terms=None,
        entries=entries,
    )


def _common(values: Sequence[str], several: str) -> str:
    return values[0] if len(set(values)) == 1 and values[0] else several


def _tables(
    rows: Iterator[tuple[int, list[str]]], at: str, numbers: list[int]
) -> Iterator[dict[str, Any]]:
    header = [name.strip() for name in next(rows, (1, []))[1]]
    _check_header(header, at)
    for number, cells in rows:
        place = f"{at}, row {number}"
        if len(cells) != len(header):
            found = f"{len(cells)}"
            raise InputError(sentence(f"{len(header)} columns as in the header", found, place))
        numbers.append(number)
        pairs = zip(header, map(str.strip, cells), strict=True)
        yield {name: _value(name, cell, place) for name, cell in pairs if cell}


def _value(name: str, cell: str, place: str) -> str | int:
    if name != "id":
        return cell
    if not re.fullmatch(r"[0-9]{1,19}", cell):
        raise UsageError(sentence("a number", cell, f"{place}, id"))
    return int(cell)


def _check_header(header: list[str], at: str) -> None:
    if "Text#" in header:
        do = "make a manifest of it with transferset books find"
        raise UsageError(sentence("a manifest of books", "a catalogue", at, do))
    for name in header:
        if name not in COLUMNS:
            near = difflib.get_close_matches(name, COLUMNS, n=1, cutoff=0.5)
            do = f"did you mean {near[0]!r}?" if near else "remove it"
            expected = f"columns out of {', '.join(COLUMNS)}"
            raise UsageError(sentence(expected, repr(name), f"{at}, row 1", do))
        if header.count(name) > 1:
            raise UsageError(sentence("every column once", repr(name), f"{at}, row 1"))
    if "url" not in header:
        raise UsageError(sentence("a column url", ", ".join(header), f"{at}, row 1"))
    if not {"licence", "rights"} & set(header):
        found = ", ".join(header)
        raise UsageError(sentence("a column licence or rights", found, f"{at}, row 1"))
