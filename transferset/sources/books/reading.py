"""Reading one book as its file has it."""

from __future__ import annotations

import hashlib

from transferset.errors import InputError, sentence
from transferset.sources.books.archive import Archive
from transferset.sources.books.header import read_header
from transferset.sources.books.raw import EBOOKS, MOST_BYTES, BookFile, RawBook


def read_book(book: BookFile) -> RawBook:
    """Read a book into memory.

    Args:
        book: From `located.find_books`.

    Returns:
        Its bytes or its text, and what the file says of it.

    Raises:
        InputError: The file is damaged, protected, or larger than 64 MiB.
    """
    raw = _bytes(book)
    digest = hashlib.sha256(raw).hexdigest()
    if book.name.lower().endswith(EBOOKS):
        from transferset.sources.books.ebook import read_epub

        return read_epub(raw, book.name, digest)
    return RawBook(raw, None, "book", digest, **read_header(raw))


def _bytes(book: BookFile) -> bytes:
    if book.member is not None:
        with Archive(book.path) as archive:
            return archive.read(book.member, MOST_BYTES)
    try:
        with book.path.open("rb") as file:
            raw = file.read(MOST_BYTES + 1)
    except OSError as error:
        found = error.strerror or "an error"
        raise InputError(sentence("a readable file", found, str(book.path))) from None
    if len(raw) > MOST_BYTES:
        do = "cut it into volumes"
        raise InputError(sentence(f"at most {MOST_BYTES:,} bytes", "more", str(book.path), do))
    return raw
