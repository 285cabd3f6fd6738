"""Where Project Gutenberg and its mirrors keep a book, and how they state its rights.

Two layouts are in use. The main site and some mirrors have `files/1342/1342-0.txt`; the
mirrors of the collection itself have one folder a digit, `1/3/4/1342/1342-0.txt` (`0/7/` for a
number of one digit). Both may have the generated files, `cache/epub/1342/pg1342.txt`, which are
always UTF-8. Of the collection's own files `-0` is UTF-8, `-8` Latin-1, none ASCII.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

#: The main site. It is for people: see `TERMS`.
MAIN_SITE: Final = "https://www.gutenberg.org"
#: Where Project Gutenberg says how robots may ask.
TERMS: Final = "https://www.gutenberg.org/policy/robot_access.html"

TEXT: Final = "text/plain"
EPUB: Final = "application/epub+zip"
FORMATS: Final = (TEXT, EPUB)

#: Licence in words of a book that is free in the USA.
PUBLIC_DOMAIN: Final = "Public domain in the USA"
#: Licence in words where only the catalogue was read, which does not state it.
UNCHECKED: Final = "Public domain in the USA unless the book says otherwise"
UNCHECKED_RIGHTS: Final = (
    "as Project Gutenberg states: public domain in the USA unless the book says otherwise"
)
UNSTATED: Final = "Not stated; see the book"

_GENERATED = {TEXT: ("pg{}.txt",), EPUB: ("pg{}.epub", "pg{}-images.epub", "pg{}-images-3.epub")}
_SUFFIXES = ("-0", "-8", "")
_SERVED = {
    "txt.utf-8": "pg{}.txt",
    "epub.noimages": "pg{}.epub",
    "epub.images": "pg{}-images.epub",
    "epub3.images": "pg{}-images-3.epub",
}
_URL = re.compile(r"https?://(?:www\.)?gutenberg\.org/(ebooks|cache/epub|files)/(\S{1,100})")


def addresses(number: int, mirror: str, listed: Iterable[str], formats: Iterable[str]) -> list[str]:
    """Addresses of a book on a mirror, the best one first.

    Args:
        number: Of the book.
        mirror: Root of the mirror, without a slash at its end.
        listed: Names of its files as `file_name` gives them; none if nobody listed them.
        formats: Out of `FORMATS`, the preferred one first.

    Returns:
        Addresses of the files listed in one of the formats; without a list, of all that there
        may be. With a list, none if the book has no file in the formats.
    """
    known = set(listed)
    found = []
    for kind in formats:
        generated = [name.format(number) for name in _GENERATED[kind]]
        own = [f"{number}{suffix}.txt" for suffix in _SUFFIXES] if kind == TEXT else []
        if known:
            generated = [name for name in generated if name in known]
            own = [name for name in own if name in known]
        else:
            own = [name for name in own if not name.endswith("-8.txt")]
        found += [f"{mirror}/cache/epub/{number}/{name}" for name in generated]
        found += [f"{mirror}/files/{number}/{name}" for name in own]
        found += [f"{mirror}/{digit_path(number)}/{name}" for name in own]
    return found


def digit_path(number: int) -> str:
    """Folder of a book on mirrors with one folder a digit: `1/3/4/1342`."""
    digits = str(number)
    return "/".join([*(digits[:-1] or "0"), digits])


def file_name(number: int, url: str) -> str | None:
    """Name of the book's file that an address of its RDF means.

    Args:
        number: Of the book.
        url: The address, on the main site.

    Returns:
        `1342-0.txt`, `pg1342.txt`, …; None if it is no text or EPUB of this book, whatever the
        address says of itself.
    """
    match = _URL.fullmatch(url)
    if match is None:
        return None
    folder, rest = match.groups()
    if folder == "ebooks":
        served = _SERVED.get(rest.removeprefix(f"{number}."))
        return served.format(number) if served and rest.startswith(f"{number}.") else None
    own, _, name = rest.partition("/")
    names = [name.format(number) for kind in FORMATS for name in _GENERATED[kind]]
    if folder == "files":
        names = [f"{number}{suffix}.txt" for suffix in _SUFFIXES]
    return name if own == str(number) and name in names else None


def is_free(rights: str) -> bool:
    """Whether a statement of rights says that the book is in the public domain in the USA."""
    return rights.strip().rstrip(".").casefold() == PUBLIC_DOMAIN.casefold()


def licence_of(rights: str) -> str:
    """Licence in words of a book with these rights, as its RDF states them."""
    if is_free(rights):
        return PUBLIC_DOMAIN
    stated = rights.strip()
    return stated if stated and stated.casefold() != "none" else UNSTATED
