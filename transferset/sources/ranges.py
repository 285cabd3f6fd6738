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
    """

    data: bytes
    at: int


@dataclass(frozen=True, slots=True)
class Gap:
    """A place where damaged bytes were skipped on request."""

    at: int


def read_at(file: BinaryIO, start: int, count: int) -> bytes:
    """Read up to `count` bytes from byte `start`; fewer at the end of the file."""
    file.seek(start)
    return file.read(count)


class PlainReader:
    """Reads the bytes `start` to `stop` of an uncompressed file, and what follows.

    Use it as a context; `BlockReader` is the same for bzip2.
    """

    trace = None

    def __init__(self, path: Path, start: int, stop: int) -> None:
        self._path, self._start, self._stop = path, start, stop

    def __enter__(self) -> PlainReader:
        self._file: BinaryIO = self._path.open("rb")
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def own(self) -> Iterator[Piece]:
        """Give the range in pieces of at most 1 MiB.

        Raises:
            InputError: The file is shorter than it was when it was opened.
        """
        at = self._start
        while at < self._stop:
            data = read_at(self._file, at, min(_OWN_BYTES, self._stop - at))
            if not data:
                where = f"{self._path}, byte {at}"
                remedy = "do not change a dump while it is read"
                expected = f"{self._stop:,} bytes or more"
                raise InputError(sentence(expected, "the end of the file", where, remedy))
            yield Piece(data, at)
            at += len(data)

    def ahead(self) -> Iterator[Piece]:
        """Give what follows the range."""
        at = self._stop
        while data := read_at(self._file, at, _AHEAD_BYTES):
            yield Piece(data, at)
            at += len(data)
