"""Archives that are not trusted: names and sizes are checked, and nothing is ever unpacked to disk.

Sizes that an archive states are not believed: bytes are counted while they are read.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from transferset.errors import InputError, printable, sentence

#: Members of an archive.
MOST_MEMBERS: Final = 20_000

#: Unpacked bytes of all members that are read.
MOST_UNPACKED: Final = 512 << 20

#: Unpacked bytes for one stored byte, of members above a mebibyte.
MOST_RATIO: Final = 200

_SMALL: Final = 1 << 20
_BLOCK: Final = 1 << 18
_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED: Final = 0x1


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an archive: its name, and the stored bytes of it."""

    name: str
    bytes: int


class Archive:
    """A zip archive; use it as a context manager."""

    def __init__(self, source: Path | bytes, name: str | None = None) -> None:
        """Open and check the directory of an archive.

        Args:
            source: A file, or the bytes of one.
            name: For messages.

        Raises:
            InputError: It is damaged, no zip, has too many members, names that lead outside,
                members that overlap, or encrypted ones.
        """
        self._at = name or (str(source) if isinstance(source, Path) else "an archive")
        self._unpacked = 0
        try:
            file = io.BytesIO(source) if isinstance(source, bytes) else source
            self._zip = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
            raise self._bad("a zip archive", str(error)) from None
        try:
            self._check()
        except BaseException:
            self._zip.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._zip.close()

    def _bad(self, expected: str, found: str, member: str | None = None) -> InputError:
        at = self._at if member is None else f"{self._at}, member {printable(member, 200)}"
        return InputError(sentence(expected, printable(found, 200), at, "get the file again"))

    def _check(self) -> None:
        members = self._zip.infolist()
        if len(members) > MOST_MEMBERS:
            raise self._bad(f"at most {MOST_MEMBERS:,} members", f"{len(members):,}")
        seen: set[str] = set()
        for member in members:
            _require_inside(self, member.filename)
            if member.filename in seen:
                raise self._bad("every name once", "one twice", member.filename)
            seen.add(member.filename)
        # Members that share bytes unpack to far more than the archive holds (Fifield 2019).
        end = 0
        for member in sorted(members, key=lambda m: m.header_offset):
            if member.header_offset < end:
                raise self._bad("members side by side", "one inside another", member.filename)
            end = member.header_offset + 30 + member.compress_size

    def members(self) -> Iterator[Member]:
        """Its files, in the order of its directory; folders are left out."""
        for member in self._zip.infolist():
            if not member.is_dir():
                yield Member(member.filename, member.compress_size)

    def has(self, name: str) -> bool:
        """Whether there is such a file."""
        return name in self._zip.NameToInfo

    def read(self, name: str, at_most: int) -> bytes:
        """Unpack one file in memory.

        Args:
            name: Of the member.
            at_most: Bytes that it may have.

        Returns:
            Its bytes, whose checksum was right.

        Raises:
            InputError: There is none, it is damaged, encrypted, packed in another way than
                deflate, larger than allowed, or packed tighter than text can be.
        """
        member = self._zip.NameToInfo.get(name)
        if member is None:
            raise self._bad("a member of that name", "none", name)
        if member.flag_bits & _ENCRYPTED:
            raise self._bad("a member that anybody can read", "an encrypted one", name)
        if member.compress_type not in _METHODS:
            raise self._bad("deflate", f"method {member.compress_type}", name)
        found = bytearray()
        try:
            with self._zip.open(member) as file:
                while block := file.read(_BLOCK):
                    found += block
                    self._unpacked += len(block)
                    self._require_bounds(member, len(found), at_most)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError) as error:
            raise self._bad("a member as it was packed", str(error), name) from None
        return bytes(found)

    def _require_bounds(self, member: zipfile.ZipInfo, size: int, at_most: int) -> None:
        name = member.filename
        if size > at_most:
            raise self._bad(f"at most {at_most:,} bytes", "more", name)
        if self._unpacked > MOST_UNPACKED:
            raise self._bad(f"at most {MOST_UNPACKED:,} bytes of all members", "more", name)
        if size > max(_SMALL, MOST_RATIO * member.compress_size):
            raise self._bad(f"at most {MOST_RATIO} bytes for each stored one", "more", name)


def _require_inside(archive: Archive, name: str) -> None:
    parts = name.split("/")
    drive = len(name) > 1 and name[1] == ":"
    if not name or name.startswith("/") or drive or ".." in parts or set(name) & set("\\\0"):
        raise archive._bad("names inside of the archive", repr(name))
