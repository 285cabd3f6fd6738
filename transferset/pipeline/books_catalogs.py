"""`books find`: a catalogue of books becomes a manifest in a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from transferset.errors import SetError, UsageError, sentence
from transferset.files import write_atomic, writing
from transferset.sources.books.find import Found, find_books_in
from transferset.sources.books.gutenberg import MAIN_SITE
from transferset.sources.books.manifest_writer import write_books
from transferset.sources.cache import default_cache

if TYPE_CHECKING:
    from transferset.sources.books.select import BookFilters
    from transferset.sources.downloads import Progress

#: Bytes of a catalogue that is downloaded, at most; all RDF of Project Gutenberg is 1.2 GB.
_LARGEST: Final = 4 << 30


def find_to_file(
    catalog: str,
    out: Path,
    filters: BookFilters,
    *,
    rdf: str | None,
    mirror: str | None,
    cache: Path | None,
    contact: str | None,
    force: bool,
    progress: Progress | None,
) -> Found:
    """Make a manifest out of a catalogue.

    Args:
        catalog: A file, or an address.
        out: The manifest to write.
        filters: What a book has to be.
        rdf: File, folder or address of RDF, or None.
        mirror: Server that the manifest's addresses lead to, or None.
        cache: Where downloads are kept, or None.
        contact: For the User-Agent of downloads.
        force: Replace what is there.
        progress: Told of downloads.

    Returns:
        The manifest, and an account of all rows.

    Raises:
        UsageError: `out` is no `.toml`, a file is missing, or no book is left.
        SetError: `out` is there, and force is not given.
        InputError: The catalogue is damaged.
        TransfersetError: Network or disk failed.
    """
    if out.suffix != ".toml":
        raise UsageError(sentence("an --out that ends in .toml", str(out)))
    if out.exists() and not force:
        do = "choose another --out, or --force to replace it"
        raise SetError(sentence("no file of that name", "one", str(out), do))
    here = [_at_hand(one, cache, contact, progress) for one in (catalog, rdf) if one is not None]
    found = find_books_in(
        here[0], filters, rdf=here[1] if len(here) > 1 else None, mirror=mirror or MAIN_SITE
    )
    if not found.manifest.entries:
        dropped = ", ".join(f"{n:,} {reason}" for reason, n in sorted(found.dropped.items()))
        expected = "a book that passes the filters"
        raise UsageError(sentence(expected, f"none (dropped: {dropped or 'nothing'})", catalog))
    with writing(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(out, write_books(found.manifest))
    return found


def _at_hand(
    place: str, cache: Path | None, contact: str | None, progress: Progress | None
) -> Path:
    """The file itself, downloaded if it is an address."""
    if not place.startswith(("http://", "https://")):
        return Path(place)
    from transferset.sources.downloads import download
    from transferset.sources.manners import Manners
    from transferset.sources.slots import RemoteFile
    from transferset.sources.web import Web

    if contact is None:
        do = "write --contact you@example.org, or download it yourself"
        raise UsageError(sentence("a contact for the owner of the server", "none", place, do))
    name = place.rstrip("/").rpartition("/")[2].partition("?")[0]
    file = RemoteFile(place, name, at_most=_LARGEST)
    folder = (cache or default_cache()) / "catalogs"
    # whoever writes an address on the command line vouches for its server
    with Web(contact=contact, named=(place,), manners=Manners(connections=1, pause=1.0)) as web:
        return download(file, folder, web, progress)
