"""Compressed files from strangers, read as streams: whole or an error, and never without end."""

from __future__ import annotations

import bz2
import gzip
import io
import os
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, Final, Protocol

from transferset.errors import InputError, sentence

#: A file may unpack to so many times its size, or to so many bytes. RDF is repetitive: 15,000
#: made-up ones of one pattern shrink 200-fold with bzip2; real ones vary more.
MOST_RATIO: Final = 1000
SMALL: Final = 64 << 20
#: And never to more.
MOST_UNPACKED: Final = 8 << 30
#: Bytes of a zip archive's directory.
LARGEST_DIRECTORY: Final = 64 << 20

_DAMAGE = (EOFError, OSError, zlib.error, zipfile.BadZipFile, NotImplementedError, RuntimeError)
_AGAIN = "fetch the file again"


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


class Bounded(io.RawIOBase):
    """What a stream unpacks to, up to a limit; damage becomes the project's error.

    Args:
        source: Gives at most as many bytes as asked, none at its end.
        limit: Bytes that it may give.
        at: The file, for messages.
    """

    def __init__(self, source: _Readable, limit: int, at: str) -> None:
        self._source = source
        self._limit = self._left = limit
        self._at = at

    def readable(self) -> bool:
        """It can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer as far as the next read of the source goes."""
        try:
            data = self._source.read(len(buffer))
        except _DAMAGE as error:
            found = str(error) or type(error).__name__
            raise InputError(sentence("whole compressed data", found, self._at, _AGAIN)) from None
        self._left -= len(data)
        if self._left < 0:
            expected = f"at most {self._limit:,} bytes when unpacked"
            raise InputError(sentence(expected, "more", self._at))
        buffer[: len(data)] = data
        return len(data)


class _Bzip2:
    """All streams of a bzip2 file. `bz2.open` ends without a word at a damaged later stream."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._stream = bz2.BZ2Decompressor()

    def read(self, size: int) -> bytes:
        while True:
            data = b""
            if self._stream.eof:
                data = self._stream.unused_data or self._file.read(1 << 16)
                if not data:
                    return b""
                self._stream = bz2.BZ2Decompressor()
            elif self._stream.needs_input:
                data = self._file.read(1 << 16)
                if not data:
                    raise EOFError("its end is missing")
            if unpacked := self._stream.decompress(data, size):
                return unpacked


def limit_of(file: BinaryIO) -> int:
    """Bytes that a file may unpack to."""
    size = os.fstat(file.fileno()).st_size
    return min(MOST_UNPACKED, max(SMALL, MOST_RATIO * size))


def unpacked(file: BinaryIO, at: str) -> io.BufferedReader:
    """Read a file that may be compressed with gzip or bzip2, as its first bytes tell.

    Args:
        file: The file, at its start.
        at: Its name, for messages.

    Returns:
        The unpacked bytes; reading raises InputError for damage, missing ends and for more than
        `limit_of` bytes.
    """
    magic = file.read(3)
    file.seek(0)
    source: _Readable = file
    if magic[:2] == b"\x1f\x8b":
        source = gzip.GzipFile(fileobj=file)
    elif magic == b"BZh":
        source = _Bzip2(file)
    return io.BufferedReader(Bounded(source, limit_of(file), at), 1 << 18)


@contextmanager
def opened_zip(file: BinaryIO, at: str) -> Iterator[zipfile.ZipFile]:
    """Open a zip archive for `unpacked_member`.

    Args:
        file: The file.
        at: Its name, for messages.

    Yields:
        The archive.

    Raises:
        InputError: It is damaged, or its directory is larger than `LARGEST_DIRECTORY`.
    """
    _check_directory(file, at)
    try:
        archive = zipfile.ZipFile(file)
    except (*_DAMAGE, ValueError) as error:
        raise InputError(sentence("a zip archive", str(error), at, _AGAIN)) from None
    with archive:
        yield archive


def _check_directory(file: BinaryIO, at: str) -> None:
    """Look at the stated size first: `zipfile` reads the directory into memory as a whole."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - (1 << 16) - 98))
    tail = file.read()
    file.seek(0)
    # zip file format (APPNOTE.TXT) 4.3.16: end of central directory; 4.3.14: that of zip64
    sizes = [
        int.from_bytes(tail[end + start : end + stop], "little")
        for magic, start, stop in ((b"PK\5\6", 12, 16), (b"PK\6\6", 40, 48))
        if (end := tail.rfind(magic)) >= 0
    ]
    if max(sizes, default=0) > LARGEST_DIRECTORY:
        expected = f"a zip archive with a directory of at most {LARGEST_DIRECTORY:,} bytes"
        raise InputError(sentence(expected, f"{max(sizes):,}", at, _AGAIN))


def unpacked_member(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, limit: int, at: str
) -> io.BufferedReader:
    """Read a member of a zip archive.

    Args:
        archive: From `opened_zip`.
        member: Which one.
        limit: Bytes that it may unpack to, whatever it states.
        at: Archive and member, for messages.

    Raises:
        InputError: It is encrypted, or packed by another method than deflate.
    """
    if member.flag_bits & 1:
        raise InputError(sentence("a member that is not encrypted", "an encrypted one", at))
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        found = f"method {member.compress_type}"
        raise InputError(sentence("a member stored or deflated", found, at, "pack it again"))
    try:
        source = archive.open(member)
    except (*_DAMAGE, ValueError) as error:
        raise InputError(sentence("a whole member", str(error), at, _AGAIN)) from None
    return io.BufferedReader(Bounded(source, limit, at), 1 << 18)
