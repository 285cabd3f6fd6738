"""A file on its way into the cache: NAME, NAME.part, NAME.json, NAME.bad, .NAME.lock.

`NAME` exists only when it is whole and its checksum is right. `NAME.part` is what has
arrived so far: its length is the only count of bytes, so that no second count can
disagree with it. `NAME.json` remembers which answer of which server `NAME.part` is a
piece of, and, for a finished file, size, modification time and digests as they were
checked, so that a file of 25 GB is not hashed at every start.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from blake3 import blake3

from transferset.files import write_atomic, writing
from transferset.storage.cache import folder

_HASHES: Mapping[str, Callable[[], Any]] = {
    "sha1": lambda: hashlib.sha1(usedforsecurity=False),
    "sha256": hashlib.sha256,
    "blake3": blake3,
}
#: Hexadecimal digits of each known digest.
DIGEST_LENGTHS: Mapping[str, int] = {"sha1": 40, "sha256": 64, "blake3": 64}


@dataclass(frozen=True, slots=True)
class Record:
    """The sidecar NAME.json.

    Args:
        url: Where the bytes come from.
        etag: Entity tag of the answer they are part of, if it had one.
        last_modified: Its Last-Modified, if it had one.
        size: Size of the whole file in bytes, as far as known.
        digests: Checked digests of the finished NAME; empty while it is not finished.
        mtime_ns: Modification time of NAME when they were checked, in nanoseconds.
        retrieved: Day of the answer they are part of, `YYYY-MM-DD` (UTC).
        content_type: Its Content-Type, if it had one.
    """

    url: str
    etag: str | None = None
    last_modified: str | None = None
    size: int | None = None
    digests: dict[str, str] = field(default_factory=dict)
    mtime_ns: int = 0
    retrieved: str | None = None
    content_type: str | None = None

    @classmethod
    def load(cls, path: Path) -> Record | None:
        """Read a sidecar; None when there is none or it is not one of ours."""
        try:
            record = cls(**json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError, RecursionError):
            return None  # worth nothing then: bytes are fetched or hashed again
        return record if record._plausible() else None

    def _plausible(self) -> bool:
        texts = [self.url, self.etag or "", self.last_modified or ""]
        texts += [self.retrieved or "", self.content_type or ""]
        return (
            all(isinstance(text, str) and text.isprintable() for text in texts)
            and all(text.isascii() for text in texts[1:])
            and isinstance(self.size, int | None)
            and isinstance(self.mtime_ns, int)
            and isinstance(self.digests, dict)
        )

    def save(self, path: Path) -> None:
        """Write the sidecar atomically."""
        write_atomically(path, json.dumps(asdict(self), indent=1) + "\n")


def write_atomically(path: Path, text: str) -> None:
    """Replace a small text file as a whole."""
    with on_disk(path):
        write_atomic(path, text.encode())


def digest_of(path: Path, algorithm: str) -> str:
    """Digest of a file, in hexadecimal.

    Args:
        path: A file.
        algorithm: `sha1`, `sha256` or `blake3`.
    """
    with on_disk(path), path.open("rb") as file:
        return str(hashlib.file_digest(file, _HASHES[algorithm]).hexdigest())


def on_disk(path: Path) -> AbstractContextManager[None]:
    """Turn a full, missing or read-only disk into the project's error."""
    return writing(path, "--cache")


def remove(path: Path) -> None:
    """Remove a file if it is there."""
    with on_disk(path), contextlib.suppress(FileNotFoundError):
        path.unlink()


def default_cache() -> Path:
    """The cache folder of this program, see `storage.cache.folder`."""
    return folder()
