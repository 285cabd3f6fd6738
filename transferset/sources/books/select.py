"""Which rows of a catalogue become entries of a manifest, and why the others do not."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from transferset.errors import UsageError, sentence
from transferset.sources.books.gutenberg import FORMATS, TEXT, is_free
from transferset.sources.books.rdf import RdfBook

#: Why a row of the catalogue is not in the manifest, in the order in which it is asked. A row is
#: counted under the first reason that holds.
DROPPED: Final[Mapping[str, str]] = {
    "malformed": "the row has other columns than the header, no number, or far too long a cell",
    "duplicate": "an earlier row has the same number",
    "other_type": "it is no text: a sound, an image, a collection, …",
    "other_language": "the catalogue names another language",
    "other_author": "no author has a name of --author in it",
    "other_subject": "no subject or bookshelf has a word of --subject in it",
    "excluded_subject": "a subject or bookshelf has a word of --exclude-subject in it",
    "rights_unknown": "the RDF has nothing on the book",
    "unreadable": "the RDF of the book is damaged, too large or of another book",
    "other_licence": "the RDF does not state that it is in the public domain in the USA",
    "no_format": "the RDF lists no file in the wanted format",
    "too_few_words": "the size of its text tells that it has fewer words than --min-words",
    "over_limit": "--limit books with smaller numbers are in the manifest",
}

#: Bytes of English text for one word and what follows it; Project Gutenberg's licence is in it.
BYTES_PER_WORD: Final = 6
#: The size is a rough measure: a book is dropped only when it is this far below.
TOLERANCE: Final = 0.8

RIGHTS: Final = ("public-domain", "any")


@dataclass(frozen=True, slots=True)
class BookFilters:
    """What a book of the catalogue has to be.

    Args:
        language: Code that is among its languages (`en` is also `en-GB`), or `any`.
        rights: `public-domain` (in the USA) or `any`.
        subjects: One of these texts is part of a subject or bookshelf, in any case; none: all.
        exclude_subjects: None of these is.
        authors: One of these texts is part of an author's name; none: all.
        formats: Out of `text/plain` and `application/epub+zip`, the preferred one first.
        min_words: Words that it has at least, as far as the RDF tells; 0: any.
        limit: At most so many books, those with the smallest numbers; None: all.

    Raises:
        UsageError: A value is not one of these.
    """

    language: str = "en"
    rights: str = "public-domain"
    subjects: tuple[str, ...] = ()
    exclude_subjects: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    formats: tuple[str, ...] = (TEXT,)
    min_words: int = 20_000
    limit: int | None = None

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*", self.language):
            raise UsageError(sentence("a language such as en, or any", self.language))
        _check_among(self.rights, RIGHTS)
        for value in self.formats:
            _check_among(value, FORMATS)
        if not self.formats:
            raise UsageError(sentence(f"a format out of {', '.join(FORMATS)}", "none"))
        words = (*self.subjects, *self.exclude_subjects, *self.authors)
        if not all(map(str.strip, words)):
            raise UsageError(sentence("a text to look for in subjects and authors", "a blank one"))
        if self.min_words < 0 or (self.limit is not None and self.limit < 1):
            raise UsageError(sentence("a number of words and of books", "a negative one"))


def _check_among(value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        near = difflib.get_close_matches(value, known, n=1)
        do = f"did you mean {near[0]!r}?" if near else None
        raise UsageError(sentence(f"one of {', '.join(known)}", repr(value), do=do))


class Selection:
    """Filters, made ready for many rows.

    Args:
        filters: The filters.
    """

    def __init__(self, filters: BookFilters) -> None:
        self._filters = filters
        self._language = "" if filters.language == "any" else filters.language.lower()
        self._subjects = [folded(text) for text in filters.subjects]
        self._excluded = [folded(text) for text in filters.exclude_subjects]
        self._authors = [folded(text) for text in filters.authors]

    def by_row(self, row: Mapping[str, str]) -> str | None:
        """Why a row of the catalogue is dropped; None if it is not.

        Args:
            row: Its columns by name.
        """
        if row["Type"] != "Text":
            return "other_type"
        if not self._speaks(row["Language"]):
            return "other_language"
        if self._authors and not _among(self._authors, folded(row["Authors"])):
            return "other_author"
        subjects = folded(f"{row['Subjects']}; {row['Bookshelves']}")
        if self._subjects and not _among(self._subjects, subjects):
            return "other_subject"
        return "excluded_subject" if _among(self._excluded, subjects) else None

    def _speaks(self, languages: str) -> bool:
        wanted = self._language
        spoken = [one.strip().lower() for one in languages.split(";")]
        return not wanted or any(f"{one}-".startswith(f"{wanted}-") for one in spoken)

    def by_rdf(self, book: RdfBook, has_file: bool) -> str | None:
        """Why a book is dropped for its rights, format or length; None if it is not.

        Args:
            book: What its RDF says.
            has_file: Whether that lists a file in a wanted format.
        """
        if self._filters.rights == "public-domain" and not is_free(book.rights):
            return "other_licence"
        if not has_file:
            return "no_format"
        size = text_bytes(book)
        if size is not None and size / BYTES_PER_WORD < TOLERANCE * self._filters.min_words:
            return "too_few_words"
        return None


def text_bytes(book: RdfBook) -> int | None:
    """Bytes of the largest plain text of a book, unpacked; None if its RDF states none."""
    sizes = [file.size for file in book.files if set(file.formats) == {TEXT} and file.size]
    return max(sizes, default=None)


def folded(text: str) -> str:
    """A text as it is compared: composed characters, no case, single spaces."""
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())


def _among(wanted: list[str], text: str) -> bool:
    return any(one in text for one in wanted)
