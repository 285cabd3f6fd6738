"""Where the RDF of many books lies: a folder, or Project Gutenberg's `rdf-files.tar.bz2` or `.zip`.

Nothing is extracted to disk, and only members named `pgN.rdf` are read. The tar reader is ours:
`tarfile` reads a header's stated length into memory, however long it says it is.
"""

from __future__ import annotations

import io
import os
import re
import zipfile
from collections.abc import Container, Iterator
from pathlib import Path
from typing import BinaryIO, Final

from transferset.errors import InputError, UsageError, sentence
from transferset.sources.books.rdf import LARGEST_RDF
from transferset.sources.books.streams import (
    limit_of,
    opened_zip,
    unpacked,
    unpacked_member,
)

#: Members of an archive.
MOST_MEMBERS: Final = 1_000_000
_NAME = re.compile(r"(?:.*/)?pg([0-9]{1,9})\.rdf")
_BLOCK: Final = 512
_KINDS = "a folder, .tar.bz2, .tar.zip or .zip of pgN.rdf files"


def read_rdf_files(source: Path, wanted: Container[int]) -> Iterator[tuple[int, str, bytes]]:
    """Read the RDF of some books.

    Args:
        source: A folder, searched with what is in it; or a `.tar`, `.tar.gz`, `.tar.bz2`,
            `.tar.zip` or `.zip`, told by its first bytes.
        wanted: Numbers of the books.

    Yields:
        A book's number, the file's name, and its bytes: at most `LARGEST_RDF` + 1, so that one
        too many tells that it is too large. In the order of the source.

    Raises:
        UsageError: There is no such source.
        InputError: The archive is damaged, leads out of itself, or unpacks to too much.
    """
    try:
        if source.is_dir():
            yield from _in_folder(source, wanted)
            return
        file = source.open("rb")
    except OSError as error:
        found = error.strerror or str(error)
        raise UsageError(sentence(_KINDS, found, str(source))) from None
    with file:
        magic = file.read(4)
        file.seek(0)
        if magic == b"PK\3\4":
            yield from _in_zip(file, str(source), wanted)
        else:
            yield from _in_tar(unpacked(file, str(source)), str(source), wanted)


def _in_folder(folder: Path, wanted: Container[int]) -> Iterator[tuple[int, str, bytes]]:
    # links are not followed: they may lead in a circle, or to a pipe
    for root, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            number = _number(name)
            path = Path(root) / name
            if number in wanted and path.is_file() and not path.is_symlink():
                with path.open("rb") as file:
                    yield number, str(path), file.read(LARGEST_RDF + 1)


def _number(name: str) -> int:
    match = _NAME.fullmatch(name)
    return int(match.group(1)) if match else -1


def _in_zip(file: BinaryIO, at: str, wanted: Container[int]) -> Iterator[tuple[int, str, bytes]]:
    left = limit_of(file)
    with opened_zip(file, at) as archive:
        members = archive.infolist()
        _check_count(len(members), at)
        for member in members:
            name = f"{at}, {member.filename}"
            _check_name(member.filename, at)
            if _number(member.filename) in wanted:
                data = _member(archive, member, left, name)
                left -= len(data)
                yield _number(member.filename), name, data
            elif member.filename.endswith(".tar"):
                stream = unpacked_member(archive, member, left, name)
                yield from _in_tar(stream, name, wanted)
                return  # the published archive has this one member


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, left: int, at: str) -> bytes:
    with unpacked_member(archive, member, left, at) as stream:
        return stream.read(LARGEST_RDF + 1)


def _in_tar(
    stream: io.BufferedReader, at: str, wanted: Container[int]
) -> Iterator[tuple[int, str, bytes]]:
    """Members of a tar archive (POSIX.1-2017, pax, "ustar Interchange Format")."""
    for count in range(MOST_MEMBERS + 1):
        _check_count(count, at)
        header = stream.read(_BLOCK)
        if len(header) == _BLOCK and not any(header):
            while stream.read(1 << 18):  # to the end, where checksums of the compression stand
                pass
            return
        name, size, is_file = _tar_header(header, at)
        rest = size + -size % _BLOCK
        if is_file and _number(name) in wanted:
            data = stream.read(min(size, LARGEST_RDF + 1))
            rest -= len(data)
            yield _number(name), f"{at}, {name}", data
        _skip(stream, rest, at)


def _tar_header(header: bytes, at: str) -> tuple[str, int, bool]:
    if len(header) < _BLOCK:
        raise InputError(sentence(_KINDS, "a tar archive without its end", at))
    stated = _octal(header[148:156])
    if stated != sum(header) - sum(header[148:156]) + 8 * ord(" "):
        raise InputError(sentence(_KINDS, "no tar header", at))
    size = _octal(header[124:136])
    if size is None:
        raise InputError(sentence("a tar member with a size", "none", at))
    parts = [_until_nul(header[:100])]
    if header[257:262] == b"ustar" and header[345]:
        parts.insert(0, _until_nul(header[345:500]))
    name = "/".join(parts)
    _check_name(name, at)
    return name, size, header[156:157] in (b"0", b"\0")


def _until_nul(field: bytes) -> str:
    return field.partition(b"\0")[0].decode("utf-8", "backslashreplace")


def _octal(field: bytes) -> int | None:
    digits = field.strip(b" \0")
    return int(digits, 8) if re.fullmatch(rb"[0-7]{1,12}", digits) else None


def _skip(stream: io.BufferedReader, count: int, at: str) -> None:
    while count:
        got = len(stream.read(min(count, 1 << 18)))
        if not got:
            raise InputError(sentence(_KINDS, "a tar archive without its end", at))
        count -= got


def _check_name(name: str, at: str) -> None:
    if name.startswith("/") or ".." in name.split("/") or "\\" in name:
        expected = "an archive whose members lie inside it"
        raise InputError(sentence(expected, repr(name), at, "do not trust this file"))


def _check_count(count: int, at: str) -> None:
    if count > MOST_MEMBERS - 1:
        raise InputError(sentence(f"less than {MOST_MEMBERS:,} members", "more", at))
