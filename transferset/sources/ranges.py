"""Byte ranges of a stored file, read as pieces of XML."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from transferset.errors import InputError, sentence

_OWN_BYTES = 1 << 20
_AHEAD_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class Piece:
    """Consecutive bytes of XML.

    Attributes:
        data: The bytes, decompressed.
        at: Byte of the stored file at which their source begins.
        owned: Whether they belong to the range that is read, not to what follows it.
    """

    data: bytes
    at: int
    owned: bool


@dataclass(frozen=True, slots=True)
class Gap:
    """A place where damaged bytes were skipped on request."""

    at: int
    owned: bool


def read_at(file: BinaryIO, start: int, count: int) -> bytes:
    """Read up to `count` bytes from byte `start`; fewer at the end of the file."""
    file.seek(start)
    return file.read(count)


def read_plain(path: Path, start: int, stop: int) -> Iterator[Piece]:
    """Read an uncompressed file from `start`, past `stop` for as long as it is asked to.

    Args:
        path: The file.
        start: First byte of the range.
        stop: First byte after the range.

    Yields:
        Pieces of at most 1 MiB; those after `stop` are not owned.

    Raises:
        InputError: The file is shorter than it was when it was opened.
    """
    with path.open("rb") as file:
        at = start
        while at < stop:
            data = read_at(file, at, min(_OWN_BYTES, stop - at))
            if not data:
                raise InputError(
                    sentence(
                        f"{stop:,} bytes or more",
                        "the end of the file",
                        at=f"{path}, byte {at}",
                        do="do not change a dump while it is read",
                    )
                )
            yield Piece(data, at, owned=True)
            at += len(data)
        while data := read_at(file, at, _AHEAD_BYTES):
            yield Piece(data, at, owned=False)
            at += len(data)
