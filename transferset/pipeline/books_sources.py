"""Where the books of a build are: folders and files as they are, manifests fetched first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from transferset import demo
from transferset.errors import TransfersetError, sentence
from transferset.files import digest_file
from transferset.manifest import Json, digest_json
from transferset.pipeline.books_plan import BookSource
from transferset.sources.books.local import BookFile, find_books

if TYPE_CHECKING:
    from transferset.sources.books.entries import BookManifest
    from transferset.sources.downloads import Progress

#: The source that needs no files: the books that the package carries.
DEMO: Final = "demo"

#: They are ours and free.
DEMO_LICENCE: Final = "CC0-1.0"

#: Endings of what is a manifest, not a book.
MANIFESTS: Final = (".toml", ".csv")

#: What a manifest says of a book that the documents table shows.
_STATED: Final = ("id", "title", "author", "language", "licence", "subjects")


@dataclass(frozen=True, slots=True)
class Place:
    """Where downloads go and who asks for them.

    Attributes:
        cache: The folder of all downloads.
        contact: E-mail or web address of the user; needed to fetch.
        named: Servers that may have private addresses.
        progress: Told of every block that arrives.
        offline: Ask no server; books that are not in the cache are unavailable.
        revalidate: Ask whether books of the cache have changed.
    """

    cache: Path
    contact: str | None = None
    named: tuple[str, ...] = ()
    progress: Progress | None = None
    offline: bool = False
    revalidate: bool = False


def locate(
    inputs: Sequence[str], place: Place, language: str, limit: int | None
) -> list[BookSource]:
    """Find the books of a build, fetching those that a manifest names.

    Args:
        inputs: Folders, files, manifests; each is a source.
        place: For downloads.
        language: Of the build.
        limit: Only the first books, this many in all.

    Returns:
        The sources in order.

    Raises:
        UsageError: There is no such place, no book in it, or no contact to fetch with.
        InputError: A file is not what its manifest says.
        TransfersetError: Network or disk failed; run again to resume.
    """
    sources: list[BookSource] = []
    for code, given in enumerate(inputs):
        left = None if limit is None else limit - sum(len(s.books) for s in sources)
        if left == 0:
            break
        if given == DEMO:
            sources.append(_of_files(code, demo.books(), language, left, {"licence": DEMO_LICENCE}))
        elif Path(given).suffix.lower() in MANIFESTS:
            sources.append(_of_manifest(code, Path(given), place, left))
        else:
            sources.append(_of_files(code, Path(given), language, left))
    return sources


def _of_files(
    code: int, path: Path, language: str, limit: int | None, about: Json | None = None
) -> BookSource:
    skipped: Counter[str] = Counter()
    files = find_books([path], skipped)[:limit]
    digests = {path: digest_file(path) for path in dict.fromkeys(book.path for book in files)}
    books = [_task(book, digests[book.path], about or {}) for book in files]
    origin = _origin(code, path.resolve().name, language, books)
    return BookSource({**origin, "skipped": dict(sorted(skipped.items()))}, tuple(books))


def _of_manifest(code: int, path: Path, place: Place, limit: int | None) -> BookSource:
    from transferset.sources.books.manifests import load_books

    manifest = load_books(path)
    manifest = replace(manifest, entries=manifest.entries[:limit])
    files, unavailable = fetch(manifest, place)
    books = []
    for entry, file in zip(manifest.entries, files, strict=True):
        if file is None:
            continue
        stated = {name: getattr(entry, name) for name in _STATED}
        stated |= {"url": file.url, "retrieved": file.retrieved}
        name = f"{entry.id}{file.path.suffix}" if entry.id is not None else file.path.name
        for book in find_books([file.path]):
            named = replace(book, name=name + (f"/{book.member}" if book.member else ""))
            books.append(_task(named, file.sha256, stated))
    origin = _origin(code, path.name, manifest.language, books)
    origin |= {"name": manifest.name, "title": manifest.title, "terms": manifest.terms}
    return BookSource(origin, tuple(books), tuple(unavailable))


def fetch(manifest: BookManifest, place: Place) -> tuple[Sequence[Any], list[Json]]:
    """Make the books of a manifest local.

    Args:
        manifest: The manifest.
        place: For downloads.

    Returns:
        What is there now, one an entry, None for what could not be had; and why.

    Raises:
        TransfersetError: As `sources.books.fetch.fetch_books`; or no book could be had.
    """
    from transferset.sources.books.book_manners import POLITE, BookManners
    from transferset.sources.books.fetch import fetch_books

    folder = place.cache / "books" / manifest.name
    # only of a server that the user names may a manifest ask faster than we think polite
    pause = manifest.pause if place.named else max(manifest.pause, POLITE.pause)
    fetched = fetch_books(
        manifest.entries,
        folder,
        contact=place.contact or ("offline@localhost" if place.offline else ""),
        named=place.named,
        manners=BookManners(pause=pause),
        progress=place.progress,
        offline=place.offline,
        revalidate=place.revalidate,
    )
    unavailable: list[Json] = [
        {
            "url": one.url,
            "title": manifest.entries[one.index].title,
            # without the day, so that the same books give the same set tomorrow
            "reason": "there is no such file" if one.reason.startswith("404") else one.reason,
        }
        for one in fetched.unavailable
    ]
    if not any(fetched.files) and not place.offline:
        found = f"none of {len(fetched.files)}, the first: {fetched.unavailable[0].reason}"
        raise TransfersetError(sentence("a book", found, manifest.name, "check the manifest"))
    return fetched.files, unavailable


def _task(book: BookFile, digest: str, about: Json) -> Json:
    return {
        "path": str(book.path),
        "member": book.member,
        "name": book.name,
        "bytes": book.bytes,
        "packed": asdict(book.packed) if book.packed is not None else None,
        "digest": digest,
        "about": about,
    }


def _origin(code: int, name: str, language: str, books: Sequence[Json]) -> Json:
    stated = [{k: book[k] for k in ("name", "digest", "about")} for book in books]
    return {
        "code": code,
        "file": name,
        "language": language,
        "books": len(books),
        "bytes": sum(book["bytes"] for book in books),
        "blake3": digest_json(stated),
        "licence": None,
        "url": None,
    }
