"""What a manifest of books holds; `manifests` reads it, `manifest_writer` writes it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Final

#: Books in a manifest. Project Gutenberg's catalogue has some 90,000 rows.
MOST_BOOKS: Final = 250_000
#: Bytes of a manifest.
MOST_BYTES: Final = 256 << 20
#: Seconds between two requests where a manifest does not say.
PAUSE: Final = 2.0


@dataclass(frozen=True, slots=True)
class BookEntry:
    """One book of a manifest.

    Args:
        id: Number of the work in its catalogue, 0 to 2**63 − 1; None if it has none.
        url: Its address.
        title: Title, empty if unknown, as are the texts below.
        author: Authors, separated by `; `.
        language: Codes of its languages, separated by `; `.
        licence: In words, as the table of documents shows it; never empty.
        rights: As the source states them.
        subjects: Subjects, separated by `; `.
        issued: Date `YYYY-MM-DD`.
        sha256: Of the file's bytes, in hexadecimal.
        size: Of the file, in bytes.
        alternatives: Further addresses of the same text, to be asked in turn on a 404.
    """

    id: int | None
    url: str
    title: str = ""
    author: str = ""
    language: str = ""
    licence: str = ""
    rights: str = ""
    subjects: str = ""
    issued: str = ""
    sha256: str | None = None
    size: int | None = None
    alternatives: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BookManifest:
    """A manifest of books; the text of `manifest_tables` tells the fields."""

    name: str
    title: str
    language: str
    licence: str
    mirror: str | None
    pause: float
    terms: str | None
    entries: tuple[BookEntry, ...]
    note: str = ""


def is_day(value: object) -> bool:
    """Whether it is a date `YYYY-MM-DD`."""
    if not isinstance(value, str) or not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        return False
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True
