"""Manifests of books, in TOML or as a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from transferset.errors import UsageError, sentence
from transferset.sources.books.entries import BookManifest
from transferset.sources.books.manifest_csv import read_csv
from transferset.sources.books.manifest_toml import read_books_toml

_READERS: Final[Mapping[str, Callable[[Path], BookManifest]]] = {
    ".toml": read_books_toml,
    ".csv": read_csv,
}


def load_books(path: Path) -> BookManifest:
    """Read a manifest of books.

    Args:
        path: A `.toml` or `.csv` file of at most 256 MiB and 250,000 books.

    Returns:
        The manifest; addresses are whole.

    Raises:
        InputError: It is not TOML or CSV in UTF-8.
        UsageError: A key or column is unknown or missing, a value not one it can have, a book
            stands twice or states neither licence nor rights.
    """
    read = _READERS.get(path.suffix.lower())
    if read is None:
        raise UsageError(sentence("a manifest .toml or .csv", path.suffix or "none", str(path)))
    try:
        return read(path)
    except OSError as error:
        found = error.strerror or str(error)
        raise UsageError(sentence("a manifest of books", found, str(path))) from None
