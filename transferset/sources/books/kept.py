"""A book in the folder: which files may be it, and what is on record of it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from transferset.sources.books.looks import suffix_of
from transferset.sources.cache import Record, digest_of
from transferset.sources.slots import RemoteFile, Slot


class Entry(Protocol):
    """What a manifest says of a book."""

    @property
    def id(self) -> int | None:
        """Number of the work in its catalogue."""

    @property
    def title(self) -> str:
        """Its title."""

    @property
    def url(self) -> str:
        """Where it is."""

    @property
    def alternatives(self) -> tuple[str, ...]:
        """Where the same text may be if it is not there."""

    @property
    def sha256(self) -> str | None:
        """Digest of the file, if it is known."""

    @property
    def size(self) -> int | None:
        """Its bytes, if they are known."""


@dataclass(frozen=True, slots=True)
class FetchedBook:
    """A book that is on disk.

    Args:
        path: The file.
        url: The address that had it.
        sha256: Digest of its bytes.
        size: Their number.
        retrieved: Day of the answer, `YYYY-MM-DD` (UTC); of a file that the user put there,
            the day on which it was last changed.
        etag: Its entity tag, if it had one.
        last_modified: Its Last-Modified, if it had one.
        content_type: Its Content-Type, if it had one.
    """

    path: Path
    url: str
    sha256: str
    size: int
    retrieved: str
    etag: str | None = None
    last_modified: str | None = None
    content_type: str | None = None


def stem_of(entry: Entry) -> str:
    """File name of a book without its suffix: the number of the work and a digest of its address.

    The number alone would let two catalogues overwrite each other's books.
    """
    digest = hashlib.sha256(entry.url.encode("utf-8", "surrogatepass")).hexdigest()
    return digest[:32] if entry.id is None else f"{entry.id}-{digest[:12]}"


def slots_of(entry: Entry, folder: Path, stem: str, at_most: int) -> list[Slot]:
    """The places that a book may have in the cache, one an address, in the order of trying."""
    digests = {} if entry.sha256 is None else {"sha256": entry.sha256}
    slots = []
    for url in dict.fromkeys((entry.url, *entry.alternatives)):
        name = stem + suffix_of(url.partition("?")[0].partition("#")[0])
        file = RemoteFile(url, name, entry.size, digests, at_most, ("sha256",))
        slots.append(Slot(folder, file))
    return slots


def at_hand(slots: list[Slot]) -> FetchedBook | None:
    """A book that is in the cache, whole and right; nothing is asked."""
    return next((fetched(slot) for slot in slots if slot.is_good()), None)


def fetched(slot: Slot) -> FetchedBook:
    """What is on record of a finished file."""
    record = Record.load(slot.sidecar) or Record(slot.file.url)
    stat = slot.path.stat()
    changed = datetime.fromtimestamp(stat.st_mtime, UTC).date().isoformat()
    return FetchedBook(
        slot.path,
        record.url,
        record.digests.get("sha256") or digest_of(slot.path, "sha256"),
        stat.st_size,
        record.retrieved or changed,
        record.etag,
        record.last_modified,
        record.content_type,
    )
