"""The cache: where it is, how large it may become, and what goes first."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import stat
import sys
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from blake3 import blake3

from transferset.errors import UsageError, sentence

#: Names the cache's folder.
FOLDER: Final = "TRANSFERSET_CACHE"

#: Bytes of shards in it that the store has too, like `200G`.
BYTES: Final = "TRANSFERSET_CACHE_BYTES"

#: Where `BYTES` is not set.
USUAL_BYTES: Final = 50_000_000_000

#: What never goes, though the store has it too: what says what a place holds.
KEPT: Final = ".json"

#: Permissions of what the store has too.
_READ_ONLY: Final = 0o444

#: Between asking for a path and opening the file it must not go: the last so many are held.
_HELD: Final = 2

_SIZE: Final = re.compile(r"(\d{1,15})([kKMGT]?)B?")

_held: deque[int] = deque()


def folder() -> Path:
    """The cache: `$TRANSFERSET_CACHE`, else the platform's folder; it need not exist yet.

    The platform's is `$XDG_CACHE_HOME/transferset` where that is set (XDG Base Directory
    Specification: a relative value is ignored), else `~/Library/Caches/transferset` on macOS and
    `~/.cache/transferset` elsewhere.
    """
    given = os.environ.get(FOLDER)
    if given:
        return Path(given).absolute()
    named = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if named.is_absolute():
        return named / "transferset"
    home = Path.home()
    base = home / "Library" / "Caches" if sys.platform == "darwin" else home / ".cache"
    return base / "transferset"


def most_bytes() -> int:
    """How many bytes of shards are kept.

    Raises:
        UsageError: `TRANSFERSET_CACHE_BYTES` is no size.
    """
    given = os.environ.get(BYTES)
    if not given:
        return USUAL_BYTES
    match = _SIZE.fullmatch(given.strip())
    if match is None:
        raise UsageError(sentence(f"{BYTES} as a size like 200G", given))
    return int(int(match[1]) * 1000 ** " kMGT".index(match[2].replace("K", "k") or " "))


def hold(path: Path) -> None:
    """Note that a file is used, and let no other process evict it until a few others were."""
    with contextlib.suppress(OSError):
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        status = os.fstat(handle)
        os.utime(handle, ns=(time.time_ns(), status.st_mtime_ns))  # mounts may not note reading
        _held.append(handle)
    with contextlib.suppress(IndexError):  # of two threads
        while len(_held) > _HELD:
            os.close(_held.popleft())


def settle(path: Path) -> None:
    """Mark a file as one that the store has too: such a one is read-only."""
    path.chmod(_READ_ONLY)


def settled(path: Path) -> bool:
    """Whether the store has a file too, as far as is known here."""
    try:
        return stat.S_IMODE(path.stat().st_mode) == _READ_ONLY
    except OSError:
        return False


@contextmanager
def waiting_lock(folder: Path, path: Path) -> Iterator[None]:
    """Hold one of a few locks for a path, waiting for whoever has it; the system frees it."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = folder / blake3(os.fsencode(path)).hexdigest()[:2]
    handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


@dataclass(frozen=True, slots=True, order=True)
class _Cached:
    used: int
    path: Path
    size: int


def make_room(root: Path, wanted: int) -> None:
    """Evict the least recently used files that the store has too, until `wanted` bytes more fit.

    Unlinking is safe: who has mapped or opened a file keeps it.

    Args:
        root: Folder of all places.
        wanted: Bytes that are about to come.
    """
    found = list(_cached(root))
    excess = sum(one.size for one in found) + wanted - most_bytes()
    for one in sorted(found):
        if excess <= 0:
            return
        excess -= one.size if _evict(one.path) else 0


def _cached(root: Path) -> Iterator[_Cached]:
    for folder, _, names in os.walk(root):
        for name in names:
            if not name.endswith(KEPT):
                path = Path(folder, name)
                with contextlib.suppress(OSError):  # another process was faster
                    status = path.stat()
                    if stat.S_IMODE(status.st_mode) == _READ_ONLY:
                        yield _Cached(status.st_atime_ns, path, status.st_size)


def _evict(path: Path) -> bool:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        path.unlink(missing_ok=True)
    except OSError:  # in use
        return False
    finally:
        os.close(handle)
    return True
