"""A book before it is cleaned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

#: Bytes of the largest text that is read.
MOST_BYTES: Final = 64 << 20

#: Endings of what is a book.
TEXTS: Final = (".txt",)
EBOOKS: Final = (".epub",)
BOOKS: Final = (*TEXTS, *EBOOKS)


@dataclass(frozen=True, slots=True)
class BookFile:
    """Where a book is.

    Args:
        path: Its file.
        member: Its name in that file, if that is an archive of books.
        name: What recipes and messages call it: relative to the folder that the user named.
        bytes: Stored bytes.
    """

    path: Path
    member: str | None
    name: str
    bytes: int


@dataclass(frozen=True, slots=True)
class RawBook:
    """What a file says; texts are empty where it says nothing.

    Args:
        raw: Bytes in an unknown encoding, or None.
        text: The text, or None; one of the two is there.
        layout: `book` (hard wraps, as plain text has them) or `lines` (a paragraph a line).
        sha256: Of the book's own bytes, in hexadecimal.
        title: Its title.
        author: Its authors, parted by `; `.
        language: Codes, parted by `; `.
        rights: As it states them.
        identifier: Number of the work at Project Gutenberg.
        removed: What is not in the text, counted.
    """

    raw: bytes | None
    text: str | None
    layout: str
    sha256: str
    title: str = ""
    author: str = ""
    language: str = ""
    rights: str = ""
    identifier: str = ""
    removed: Mapping[str, int] = field(default_factory=dict)
