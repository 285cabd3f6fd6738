"""A remote file and its place in the cache: is it there, is it right, where to go on."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from transferset.errors import InputError, UsageError, sentence
from transferset.sources.cache import DIGEST_LENGTHS, Record, digest_of, on_disk, remove

_LARGEST = 1 << 40
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+,=@-]{0,199}")
_TEMPORARY = (".part", ".json", ".bad", ".lock", ".new")


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """What is to be fetched, and how we know that it is right.

    Args:
        url: Absolute address.
        name: File name in the cache: letters, digits and `._+,=@-`, at most 200.
        size: Expected bytes, if known.
        digests: Expected digests in hexadecimal by algorithm (`sha1`, `sha256`, `blake3`).
        at_most: Most bytes accepted when the size is not known.
        remember: Digests that are taken and kept on record when none is expected.

    Raises:
        UsageError: A name that is not simple, an unknown algorithm, a wrong digest length.
    """

    url: str
    name: str
    size: int | None = None
    digests: Mapping[str, str] = field(default_factory=dict)
    at_most: int = _LARGEST
    remember: tuple[str, ...] = ("blake3",)

    def __post_init__(self) -> None:
        check_name(self.name)
        for algorithm, digest in self.digests.items():
            check_digest(algorithm, digest)


def check_name(name: str) -> str:
    """Return a name that is safe in any folder.

    Raises:
        UsageError: It has a separator, is hidden, too long, or looks like a temporary file.
    """
    if not _NAME.fullmatch(name) or name.endswith(_TEMPORARY):
        raise UsageError(sentence("a plain file name", repr(name), do="give it another name"))
    return name


def check_digest(algorithm: str, digest: str) -> str:
    """Return a digest in lower-case hexadecimal.

    Raises:
        UsageError: The algorithm is unknown or the digest is not one of its length.
    """
    digits = DIGEST_LENGTHS.get(algorithm)
    if digits is None or not re.fullmatch(rf"[0-9a-fA-F]{{{digits}}}", digest):
        expected = f"a digest out of {', '.join(DIGEST_LENGTHS)} in hexadecimal"
        raise UsageError(sentence(expected, f"{algorithm} {digest!r}"))
    return digest.lower()


class Slot:
    """The place of one file in the cache.

    Args:
        folder: The folder.
        file: What belongs there.
    """

    def __init__(self, folder: Path, file: RemoteFile) -> None:
        self.file = file
        self.path = folder / file.name
        self.part = folder / f"{file.name}.part"
        self.bad = folder / f"{file.name}.bad"
        self.sidecar = folder / f"{file.name}.json"

    def is_good(self) -> bool:
        """Whether the finished file is there and right; hashes only what is not on record."""
        if not self.path.is_file():
            return False
        stat = self.path.stat()
        record = Record.load(self.sidecar)
        fresh = record is not None and (record.size, record.mtime_ns) == (
            stat.st_size,
            stat.st_mtime_ns,
        )
        known = dict(record.digests) if record is not None and fresh else {}
        if self.file.size not in (None, stat.st_size):
            return False
        if not self.file.digests:
            return bool(known) and record is not None and record.url == self.file.url
        return self._matches(known, stat.st_mtime_ns)

    def _matches(self, known: dict[str, str], mtime_ns: int) -> bool:
        found = dict(known)
        for algorithm, expected in self.file.digests.items():
            if algorithm not in found:
                found[algorithm] = digest_of(self.path, algorithm)
            if found[algorithm] != expected.lower():
                return False
        if found != known:
            size = self.path.stat().st_size
            Record(self.file.url, size=size, digests=found, mtime_ns=mtime_ns).save(self.sidecar)
        return True

    def digests(self) -> dict[str, str]:
        """Checked digests of the finished file."""
        record = Record.load(self.sidecar)
        return dict(record.digests) if record is not None else {}

    def arrived(self) -> int:
        """Bytes of the part file that may be continued; 0 when it has to start anew."""
        record = Record.load(self.sidecar)
        have = self.part.stat().st_size if self.part.is_file() else 0
        if record is None or not have or have > (self.file.size or self.file.at_most):
            return 0
        # The checksum will tell whether pieces of two servers fit; without one, only an
        # unchanged answer of the same server may be continued.
        same = record.url == self.file.url and _validator(record) is not None
        return have if same or self.file.digests else 0

    def is_whole(self, have: int) -> bool:
        """Whether `have` bytes are all that there are, so that only the check is missing."""
        record = Record.load(self.sidecar)
        size = self.file.size if record is None or self.file.size is not None else record.size
        return bool(have) and have == size

    def question(self, have: int) -> dict[str, str]:
        """Request headers that continue after `have` bytes."""
        record = Record.load(self.sidecar)
        if not have or record is None:
            return {}
        headers = {"Range": f"bytes={have}-"}
        validator = _validator(record) if record.url == self.file.url else None
        return headers | ({"If-Range": validator} if validator else {})

    def begin(self, headers: Mapping[str, str], start: int, total: int | None) -> None:
        """Note which answer the part file is a piece of from now on.

        Args:
            headers: Headers of the answer.
            start: Where its body goes; 0 discards what has arrived.
            total: Size of the whole file if known.
        """
        before = Record.load(self.sidecar)
        if start == 0:
            # First: bytes of an older answer must never stand beside the new validator.
            remove(self.part)
            before = None
        if before is None or before.url != self.file.url:
            before = Record(self.file.url)
        etag = _plain(headers.get("etag")) or before.etag
        modified = _plain(headers.get("last-modified")) or before.last_modified
        kind = _plain(headers.get("content-type")) or before.content_type
        day = datetime.now(UTC).date().isoformat()
        Record(self.file.url, etag, modified, total, retrieved=day, content_type=kind).save(
            self.sidecar
        )

    def changed(self, headers: Mapping[str, str]) -> bool:
        """Whether an answer is of another state of the file than what has arrived."""
        record = Record.load(self.sidecar)
        if record is None or record.url != self.file.url or record.etag is None:
            return False
        return (_plain(headers.get("etag")) or record.etag) != record.etag

    def start_over(self) -> None:
        """Forget what has arrived."""
        remove(self.part)
        remove(self.sidecar)

    def accept(self) -> None:
        """Check the part file and make it the file.

        Raises:
            InputError: Its size or a digest is wrong; it is moved aside as NAME.bad.
        """
        size = self.part.stat().st_size
        if self.file.size not in (None, size):
            raise self._reject(f"{self.file.size} bytes", f"{size} bytes")
        found = {
            name: digest_of(self.part, name) for name in self.file.digests or self.file.remember
        }
        for algorithm, expected in self.file.digests.items():
            if found[algorithm] != expected.lower():
                raise self._reject(f"{algorithm} {expected.lower()}", found[algorithm])
        with on_disk(self.path):
            self.part.replace(self.path)
        record = Record.load(self.sidecar) or Record(self.file.url)
        mtime_ns = self.path.stat().st_mtime_ns
        replace(record, size=size, digests=found, mtime_ns=mtime_ns).save(self.sidecar)

    def _reject(self, expected: str, found: str) -> InputError:
        with on_disk(self.bad):
            self.part.replace(self.bad)
        remove(self.sidecar)
        do = f"the file was set aside as {self.bad.name}; run again, or name another --mirror"
        return InputError(sentence(expected, found, str(self.path), do))


def _plain(value: str | None) -> str | None:
    # It goes back to the server in a header of ours.
    return value if value and value.isascii() and value.isprintable() else None


def _validator(record: Record) -> str | None:
    """What If-Range may carry: a strong ETag, else the date (RFC 9110, 13.1.5)."""
    if record.etag is not None and not record.etag.startswith("W/"):
        return record.etag
    return record.last_modified
