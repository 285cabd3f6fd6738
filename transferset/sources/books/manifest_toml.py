"""Manifests of books in TOML: 100,000 of them in seconds.

`tomllib` takes 14 s for 100,000 books (measured on one core), most of it for the plain
`key = "value"` lines that `write_books` writes. Such lines are recognised here by one regular
expression; a book with any other line goes to `tomllib` by itself, and a file that cannot be
cut into books goes there as a whole. All three readings give the same tables.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from transferset.errors import InputError, UsageError, sentence
from transferset.sources.books.entries import MOST_BYTES, BookManifest
from transferset.sources.books.manifest_tables import manifest_of
from transferset.toml import LONGEST_LINE, read_toml, too_deep

_HEAD = "[[book]]"
_PLAIN = r'"[^"\\\x00-\x1f\x7f]*"'
_LINE = re.compile(
    rf"([a-z0-9]+) = (?:({_PLAIN})|(0|[1-9][0-9]{{0,18}})|(\[{_PLAIN}(?:, {_PLAIN})*\]))"
)
_TEXT = re.compile(_PLAIN)


def read_books_toml(path: Path) -> BookManifest:
    """Read a manifest in TOML.

    Args:
        path: The file.

    Returns:
        The manifest.

    Raises:
        InputError: It is too large, or not TOML in UTF-8.
        UsageError: As `load_books`; also when it is a manifest of dumps.
        OSError: It cannot be read.
    """
    tables = _cut(path)
    if tables is None:
        tables = read_toml(path, MOST_BYTES)
    if "part" in tables and "book" not in tables:
        do = "give it to transferset build wiki"
        expected = 'a manifest of books ([corpus] kind = "books")'
        raise UsageError(sentence(expected, "a manifest of dumps ([[part]])", str(path), do))
    return manifest_of(tables, str(path))


def _cut(path: Path) -> dict[str, Any] | None:
    """The tables, read book by book; None where only reading the whole file can tell."""
    with path.open("rb") as file:
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise InputError(sentence(f"at most {MOST_BYTES:,} bytes", "more", str(path)))
    try:
        # as tomllib does before it reads
        lines = content.decode("utf-8").replace("\r\n", "\n").split("\n")
    except UnicodeDecodeError:
        return None
    if _HEAD not in lines or max(map(len, lines)) > LONGEST_LINE:
        return None
    # A line [[book]] inside a text of several lines cuts that text in two: both halves are
    # no TOML, and the whole file is read instead.
    starts = [number for number, line in enumerate(lines) if line == _HEAD]
    try:
        top = _checked("\n".join(lines[: starts[0]]))
        ends = [*starts[1:], len(lines)]
        books = [_book(lines[a + 1 : b]) for a, b in zip(starts, ends, strict=True)]
    except (ValueError, RecursionError):
        return None
    return None if "book" in top else {**top, "book": books}


def _book(lines: list[str]) -> dict[str, Any]:
    book: dict[str, Any] = {}
    for line in lines:
        found = _LINE.fullmatch(line)
        if found is None:
            if line:
                return _slowly(lines)
            continue
        key, text, digits, array = found.groups()
        if key in book:
            raise ValueError("a key twice")
        if text is not None:
            book[key] = text[1:-1]
        else:
            book[key] = int(digits) if digits else [t[1:-1] for t in _TEXT.findall(array)]
    return book


def _slowly(lines: list[str]) -> dict[str, Any]:
    tables = _checked("\n".join([_HEAD, *lines]))
    if list(tables) != ["book"] or len(tables["book"]) != 1:
        raise ValueError("more than one book")
    book: dict[str, Any] = tables["book"][0]
    return book


def _checked(text: str) -> dict[str, Any]:
    tables = tomllib.loads(text)
    if too_deep(tables):
        raise ValueError("too deep")
    return tables
