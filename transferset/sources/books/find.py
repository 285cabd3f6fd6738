"""`books find`: a catalogue, and the RDF that states rights and sizes, become a manifest.

Both are read as streams. What stays in memory is the books that may become entries.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path

from transferset.errors import UsageError, printable, sentence
from transferset.sources.books.catalog import entry_of, read_catalog
from transferset.sources.books.entries import PAUSE, BookEntry, BookManifest
from transferset.sources.books.gutenberg import (
    MAIN_SITE,
    PUBLIC_DOMAIN,
    TERMS,
    UNCHECKED,
    addresses,
    file_name,
    licence_of,
)
from transferset.sources.books.rdf import BadRdf, RdfBook, parse_rdf
from transferset.sources.books.rdf_files import read_rdf_files
from transferset.sources.books.select import DROPPED, BookFilters, Selection
from transferset.sources.wikimedia import check_mirror

_UNCHECKED_NOTE = (
    "Rights were not checked book by book, for no RDF was given: Project Gutenberg also has "
    "copyrighted books, which say so at their beginning."
)
_CHECKED_NOTE = "Rights are those that Project Gutenberg's RDF states for each book."
_NO_SIZE_NOTE = "No filter by size was applied, for only the RDF tells sizes."
_MAIN_SITE_NOTE = (
    "The addresses lead to Project Gutenberg's main site, which is for people and may block "
    f"robots; name a mirror ({TERMS})."
)


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found.

    Args:
        manifest: The books, by number.
        dropped: Rows that are not in it, by reason (`select.DROPPED`).
        rows: All rows: those of the manifest and those dropped.
        notes: Sentences that whoever asked should read.
    """

    manifest: BookManifest
    dropped: dict[str, int]
    rows: int
    notes: tuple[str, ...] = ()


def find_books_in(
    catalog: Path, filters: BookFilters, *, rdf: Path | None = None, mirror: str = MAIN_SITE
) -> Found:
    """Make a manifest of the books of a catalogue that pass filters.

    Args:
        catalog: `pg_catalog.csv`, or the same with gzip.
        filters: What a book has to be.
        rdf: Folder or archive of `pgN.rdf` files, which state rights and sizes. Without it,
            neither is checked book by book, and the notes and the manifest say so.
        mirror: Root of the server that the addresses lead to, with https.

    Returns:
        The manifest and an account of all rows. The same input gives the same result.

    Raises:
        InputError: The catalogue or the archive is damaged, or not what it should be.
        UsageError: There is no such file, or the mirror is no address.
    """
    root = check_mirror(mirror)
    if root.startswith("http:"):
        found = "http, while no catalogue states digests"
        raise UsageError(sentence("a mirror with https", found, root))
    search = _Search(filters, root)
    search.read_catalog(catalog)
    if rdf is None:
        search.guess_addresses()
    else:
        search.read_rdf(rdf)
    return search.result(rdf is not None)


@dataclass
class _Search:
    """What is known so far: the books that are left by number, and an account of the others."""

    filters: BookFilters
    root: str
    books: dict[int, BookEntry] = field(default_factory=dict)
    dropped: Counter[str] = field(default_factory=Counter)
    rows: int = 0
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.selection = Selection(self.filters)

    def read_catalog(self, catalog: Path) -> None:
        """Take the rows that pass."""
        for number, row in read_catalog(catalog):
            self.rows += 1
            if not row:
                self.note_first("malformed", f"The first malformed row is row {number}.")
                self.dropped["malformed"] += 1
                continue
            book = int(row["Text#"])
            reason = "duplicate" if book in self.books else self.selection.by_row(row)
            if reason is None:
                self.books[book] = entry_of(row)
            else:
                self.dropped[reason] += 1

    def note_first(self, reason: str, note: str) -> None:
        """Keep a note on the first of several that are dropped for one reason."""
        if not self.dropped[reason]:
            self.notes.append(note)

    def guess_addresses(self, but: frozenset[int] = frozenset()) -> None:
        """Give books whose files nobody listed the addresses that they usually have."""
        for number in self.books.keys() - but:
            self.locate(number, addresses(number, self.root, (), self.filters.formats))

    def locate(self, number: int, urls: list[str]) -> None:
        """Give a book its addresses, the best one first."""
        self.books[number] = replace(self.books[number], url=urls[0], alternatives=tuple(urls[1:]))

    def drop(self, number: int, reason: str) -> None:
        """Take a book out again."""
        del self.books[number]
        self.dropped[reason] += 1

    def read_rdf(self, rdf: Path) -> None:
        """Drop what the RDF of a book rules out, and state what it states."""
        known: set[int] = set()
        for number, name, data in read_rdf_files(rdf, self.books):
            if number in known:
                continue
            known.add(number)
            try:
                book = parse_rdf(data)
                if book.id != number:
                    raise BadRdf(f"book {book.id}")
            except BadRdf as error:
                found = printable(f"{name}: {error}")
                self.note_first("unreadable", f"The first unreadable RDF is {found}.")
                self.drop(number, "unreadable")
            else:
                self.judge(number, book)
        if self.filters.rights == "any":
            self.guess_addresses(but=frozenset(known))
        else:
            for number in self.books.keys() - known:
                self.drop(number, "rights_unknown")

    def judge(self, number: int, book: RdfBook) -> None:
        """Keep or drop a book by its RDF."""
        listed = {name for file in book.files if (name := file_name(number, file.url))}
        urls = addresses(number, self.root, listed, self.filters.formats) if listed else []
        reason = self.selection.by_rdf(book, bool(urls))
        if reason is not None:
            self.drop(number, reason)
            return
        entry = self.books[number]
        self.books[number] = replace(
            entry,
            author=entry.author or "; ".join(book.creators),
            licence=licence_of(book.rights),
            rights=book.rights,
            issued=entry.issued or book.issued,
        )
        self.locate(number, urls)

    def result(self, checked: bool) -> Found:
        """The books by number, up to the limit."""
        numbers = sorted(self.books)
        kept = numbers[: self.filters.limit]
        self.dropped["over_limit"] += len(numbers) - len(kept)
        rights = _CHECKED_NOTE if checked else _UNCHECKED_NOTE
        language = self.filters.language
        free = self.filters.rights == "public-domain"
        manifest = BookManifest(
            name=f"gutenberg-{language}",
            title=f"Project Gutenberg, {language}",
            language="mul" if language == "any" else language,
            licence=(PUBLIC_DOMAIN if free else "Stated for each book") if checked else UNCHECKED,
            mirror=self.root,
            pause=PAUSE,
            terms=TERMS,
            entries=tuple(self.books[number] for number in kept),
            note=rights,
        )
        return Found(manifest, self._account(), self.rows, tuple(self._notes(checked)))

    def _account(self) -> dict[str, int]:
        return {reason: self.dropped[reason] for reason in DROPPED if self.dropped[reason]}

    def _notes(self, checked: bool) -> list[str]:
        notes = list(self.notes)
        if not checked:
            notes.append(_UNCHECKED_NOTE)
            if self.filters.min_words:
                notes.append(_NO_SIZE_NOTE)
        if re.match(r"https://(www\.)?gutenberg\.org(:[0-9]+)?(/|$)", self.root):
            notes.append(_MAIN_SITE_NOTE)
        return notes
