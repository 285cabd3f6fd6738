"""Project Gutenberg's RDF of one book: rights, creators and files."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from transferset.sources.books.entries import is_day

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

#: Bytes of the RDF of one book; real ones have some 20 KB.
LARGEST_RDF: Final = 1 << 20
#: Characters of its rights, and of its creators; a manifest takes no more.
LONGEST_TEXT: Final = 4096

_DC = "{http://purl.org/dc/terms/}"
_PG = "{http://www.gutenberg.org/2009/pgterms/}"
_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"


class BadRdf(ValueError):
    """It is not the RDF of a book; the message says why."""


@dataclass(frozen=True, slots=True)
class RdfFile:
    """A file of a book.

    Args:
        url: Its address.
        size: In bytes, as stated; None if it is not.
        formats: Media types; of a zipped text both.
    """

    url: str
    size: int | None
    formats: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RdfBook:
    """What the RDF of a book says; texts are empty where it says nothing.

    Args:
        id: Number of the book.
        rights: `dcterms:rights` of the book. The licence of the RDF itself (`cc:license`) is
            another matter and is not read.
        creators: Names of its authors.
        issued: Date `YYYY-MM-DD`.
        downloads: Counted in the last 30 days.
        files: Its files, in their order.
    """

    id: int
    rights: str
    creators: tuple[str, ...]
    issued: str
    downloads: int | None
    files: tuple[RdfFile, ...]


def parse_rdf(data: bytes) -> RdfBook:
    """Read the RDF of one book.

    Args:
        data: XML without a DTD, of at most `LARGEST_RDF` bytes.

    Returns:
        What it says.

    Raises:
        BadRdf: It is too large, not XML, has a DTD, is not of exactly one book, or its rights or
            creators are far too long.
    """
    books = _root(data).findall(f"{_PG}ebook")
    if len(books) != 1:
        raise BadRdf(f"{len(books)} books")
    book = books[0]
    about = re.fullmatch(r"(?:\S*/)?ebooks/([0-9]{1,9})", book.get(f"{_RDF}about", ""))
    if about is None:
        raise BadRdf("a book without its number")
    rights = _joined(book.findall(f"{_DC}rights"))
    creators = tuple(map(_name, book.findall(f"{_DC}creator/{_PG}agent/{_PG}name")))
    if max(len(rights), len("; ".join(creators))) > LONGEST_TEXT:
        raise BadRdf(f"rights or creators of more than {LONGEST_TEXT:,} characters")
    issued = _text(book.findtext(f"{_DC}issued"))
    return RdfBook(
        id=int(about.group(1)),
        rights=rights,
        creators=creators,
        issued=issued if is_day(issued) else "",
        downloads=_number(book.findtext(f"{_PG}downloads")),
        files=tuple(map(_file, book.findall(f"{_DC}hasFormat/{_PG}file"))),
    )


def _root(data: bytes) -> Element:
    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import ParseError, fromstring

    if len(data) > LARGEST_RDF:
        raise BadRdf(f"more than {LARGEST_RDF:,} bytes")
    try:
        root: Element = fromstring(data, forbid_dtd=True)
    except DefusedXmlException:
        raise BadRdf("a DTD") from None
    except (ParseError, ValueError, LookupError) as error:
        raise BadRdf(f"no XML ({error})") from None
    return root


def _file(element: Element) -> RdfFile:
    formats = element.findall(f"{_DC}format/{_RDF}Description/{_RDF}value")
    return RdfFile(
        url=element.get(f"{_RDF}about", ""),
        size=_number(element.findtext(f"{_DC}extent")),
        formats=tuple(_name(one).partition(";")[0].lower() for one in formats),
    )


def _joined(elements: list[Element]) -> str:
    return "; ".join(dict.fromkeys(filter(None, map(_name, elements))))


def _name(element: Element) -> str:
    return _text(element.text)


def _text(text: str | None) -> str:
    return " ".join((text or "").split())


def _number(text: str | None) -> int | None:
    digits = _text(text)
    return int(digits) if re.fullmatch(r"[0-9]{1,12}", digits) else None
