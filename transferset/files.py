"""Files that exist whole or not at all, and the lock on a directory that is being written."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from types import TracebackType

from blake3 import blake3

from transferset.errors import TransfersetError, sentence

_TEMPORARY = ".tmp-"

#: Of the largest number of a process (Linux: `PID_MAX_LIMIT`).
_PROCESS_BITS = 22


class HashingFile:
    """A file under a temporary name that is digested while it is written.

    `commit` makes it durable and gives it its name; leaving the `with` block without a commit
    removes it. Arrow's writers accept it as a sink.
    """

    def __init__(self, path: Path, piece_bytes: int | None = None) -> None:
        """Open for writing.

        Args:
            path: The final name.
            piece_bytes: If given, also digest each piece of that many bytes.
        """
        self.path = path
        self.size = 0
        self.pieces: list[str] = []
        self._temporary = path.with_name(f"{path.name}{_TEMPORARY}{_writer()}")
        self._whole = blake3()
        self._piece = blake3()
        self._piece_bytes = piece_bytes
        self._room = piece_bytes or 0
        self._file = self._temporary.open("wb")
        self.closed = False

    def __enter__(self) -> HashingFile:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not self._file.closed:
            with contextlib.suppress(OSError):  # of a full disk, which the body has met already
                self._file.close()
            self._temporary.unlink(missing_ok=True)

    def write(self, data: bytes | memoryview) -> int:
        """Append bytes (any buffer)."""
        view = memoryview(data).cast("B")
        self._file.write(view)
        self._whole.update(view)
        self.size += len(view)
        if self._piece_bytes:
            self._digest_pieces(view, self._piece_bytes)
        return len(view)

    def _digest_pieces(self, view: memoryview, piece_bytes: int) -> None:
        while len(view) >= self._room:
            self._piece.update(view[: self._room])
            self.pieces.append(self._piece.hexdigest()[:16])
            view = view[self._room :]
            self._piece.reset()
            self._room = piece_bytes
        self._piece.update(view)
        self._room -= len(view)

    def flush(self) -> None:
        """For Arrow, which calls it; durability is `commit`'s business."""

    def tell(self) -> int:
        """Bytes written so far."""
        return self.size

    def close(self) -> None:
        """For Arrow, which calls it; only `commit` ends the file."""

    def digest(self) -> str:
        """The BLAKE3 digest of what was written so far, 64 hex digits."""
        return self._whole.hexdigest()

    def commit(self) -> str:
        """Make the file durable under its final name.

        Returns:
            The BLAKE3 digest of its bytes, 64 hex digits.
        """
        if self._piece_bytes and self._room < self._piece_bytes:
            self.pieces.append(self._piece.hexdigest()[:16])
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._temporary.replace(self.path)
        sync_directory(self.path.parent)
        return self._whole.hexdigest()


def _writer() -> int:
    """A number that is this process's alone, of all machines that may write to the same storage."""
    return (_machine() << _PROCESS_BITS) | os.getpid()


@lru_cache(maxsize=1)
def _machine() -> int:
    return int(blake3(socket.gethostname().encode()).hexdigest()[:8], 16)


def write_atomic(path: Path, data: bytes) -> str:
    """Write a small file whole or not at all.

    Args:
        path: Its final name.
        data: Its content.

    Returns:
        The BLAKE3 digest of the content.
    """
    with HashingFile(path) as sink:
        sink.write(data)
        return sink.commit()


def digest_file(path: Path) -> str:
    """BLAKE3 of a file, 64 hex digits."""
    digest = blake3(max_threads=1)
    digest.update_mmap(path)
    return digest.hexdigest()


def sync_directory(path: Path) -> None:
    """Make renames in a directory durable."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def is_temporary(path: Path) -> bool:
    """Tell whether a file has the temporary name of a writer that may have been killed."""
    stem, mark, pid = path.name.rpartition(_TEMPORARY)
    return bool(stem and mark) and pid.isdigit() and path.is_file() and not path.is_symlink()


class Held(TransfersetError):
    """A lock that another process holds; `holder` says which."""

    def __init__(self, holder: str, path: Path) -> None:
        super().__init__(sentence("a lock that is free", f"{holder} holding it", str(path)))
        self.holder = holder


@contextmanager
def lock(path: Path) -> Iterator[None]:
    """Hold the lock file at `path`; the system frees it when the process dies.

    The file stays behind: removing it would race.

    Raises:
        Held: Another process holds it.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(handle, 200, 0).decode("utf-8", "replace").strip()
            raise Held(holder or "another process", path) from None
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"process {os.getpid()} on {socket.gethostname()}".encode(), 0)
        yield
    finally:
        os.close(handle)


@contextmanager
def writing(path: Path, option: str = "--out") -> Iterator[None]:
    """Turn the system's refusal to write into one sentence.

    Args:
        path: What is being written, for the message.
        option: The option that names another place.

    Raises:
        TransfersetError: Disk full, no permission, not a directory, …
        MemoryError: The system has none left.
    """
    try:
        yield
    except OSError as error:
        if error.errno == errno.ENOMEM:
            raise MemoryError from error  # another place would not help
        reason = error.strerror or str(error)
        do = f"make room or name another {option}, and run the command again"
        where = str(error.filename or path)
        raise TransfersetError(sentence("a writable output", reason, where, do)) from error
