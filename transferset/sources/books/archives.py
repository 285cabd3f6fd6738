"""ZIP archives of unknown origin: nothing is extracted to disk, nothing unpacks without bounds.

Python's zipfile reads the directory only. Members are unpacked here, since zipfile knows neither
overlapping members (Python 3.11) nor a bound on what one read may yield. What one member declares
is never believed: unpacking stops when it yields one byte more.
"""

from __future__ import annotations

import re
import stat
import struct
import zipfile
import zlib
from dataclasses import dataclass
from typing import BinaryIO, Final

from transferset.errors import InputError, sentence

#: Most members of an archive.
MOST_MEMBERS: Final = 20_000
#: Most bytes that are unpacked of one archive in all.
MOST_UNPACKED: Final = 512 << 20
#: Most bytes unpacked for each packed byte of a member of more than `FREE_BYTES`; prose has 2 to 4.
MOST_RATIO: Final = 200
#: Members that unpack to less may be packed as tightly as they like.
FREE_BYTES: Final = 1 << 20
#: Most bytes of an archive's directory, read as one piece by zipfile.
MOST_DIRECTORY: Final = 8 << 20

DAMAGED: Final = "the archive is damaged; fetch it again"
_SUSPICIOUS: Final = "unpack it yourself if you trust it"

_BLOCK: Final = 1 << 16
_ENCRYPTED: Final = 0x1 | 0x40 | 0x2000
_UTF8: Final = 0x800
_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
#: Signature, version, flags, method, time, date, CRC, sizes, lengths of name and extra field.
_LOCAL: Final = struct.Struct("<4s5H3L2H")
_DRIVE: Final = re.compile(r"[A-Za-z]:")


@dataclass(frozen=True, slots=True)
class Member:
    """One file in an archive, and where its packed bytes stand.

    Args:
        name: Its path in the archive, with slashes.
        start: Byte of the archive at which its packed bytes begin.
        packed: Their number.
        size: Bytes that they unpack to, as the archive declares.
        crc: CRC-32 of the unpacked bytes.
        deflated: Whether they are packed at all.
        link: Whether it is a symbolic link.
    """

    name: str
    start: int
    packed: int
    size: int
    crc: int
    deflated: bool
    link: bool


def members(file: BinaryIO, at: str) -> dict[str, Member]:
    """Read the directory of an archive and check every entry of it.

    Args:
        file: The archive, seekable.
        at: What messages call it.

    Returns:
        Its files by name, in the order of the directory, without its folders.

    Raises:
        InputError: It is no archive; it is damaged; it has too many members, or two of one name;
            a name leads out of it; members overlap, are encrypted or packed in another way.
    """
    try:
        archive = zipfile.ZipFile(_BoundedReads(file))
        infos, end = archive.infolist(), archive.start_dir
    except _TooLong:
        found = "a longer one"
        raise InputError(
            sentence(f"a directory of at most {MOST_DIRECTORY:,} bytes", found, at, _SUSPICIOUS)
        ) from None
    except _NOT_AN_ARCHIVE as error:
        found = str(error).rstrip(".") or type(error).__name__
        raise InputError(sentence("a ZIP archive", found, at, DAMAGED)) from None
    if len(infos) > MOST_MEMBERS:
        expected = f"at most {MOST_MEMBERS:,} members"
        raise InputError(sentence(expected, f"{len(infos):,}", at, _SUSPICIOUS))
    starts = _starts(file, infos, end, at)
    found_members: dict[str, Member] = {}
    for info, start in zip(infos, starts, strict=True):
        member = _member(info, start, at)
        if member.name in found_members:
            raise InputError(sentence("every name once", f"{member.name} twice", at, _SUSPICIOUS))
        found_members[member.name] = member
    return {name: member for name, member in found_members.items() if not name.endswith("/")}


class _TooLong(Exception):
    """zipfile asked for more bytes at once than a directory may have."""


class _BoundedReads:
    """What zipfile sees of a file; it reads the directory, as long as it claims to be, at once."""

    def __init__(self, file: BinaryIO) -> None:
        self.seek, self.tell, self._read = file.seek, file.tell, file.read
        self.seekable = file.seekable

    def read(self, size: int = -1) -> bytes:
        if size > MOST_DIRECTORY:
            raise _TooLong
        return self._read(size)


#: What zipfile raises on bytes that are no archive; found by changing bytes at random.
_NOT_AN_ARCHIVE = (
    zipfile.BadZipFile,
    struct.error,
    ValueError,
    OverflowError,
    OSError,
    NotImplementedError,
)


def _starts(file: BinaryIO, infos: list[zipfile.ZipInfo], end: int, at: str) -> list[int]:
    """Where each member's bytes begin; an error if any byte belongs to two of them.

    Archives that unpack to millions of times their size let members share bytes
    (D. Fifield, "A better zip bomb", WOOT 2019).
    """
    starts = [0] * len(infos)
    free = 0
    for index in sorted(range(len(infos)), key=lambda index: infos[index].header_offset):
        info = infos[index]
        if info.header_offset < free:
            raise InputError(
                sentence("members apart", "two that overlap", _inside(at, info), _SUSPICIOUS)
            )
        starts[index] = _after_header(file, info, at)
        free = starts[index] + info.compress_size
        if free > end:
            raise InputError(
                sentence("members before the directory", "one in it", _inside(at, info), DAMAGED)
            )
    return starts


def _after_header(file: BinaryIO, info: zipfile.ZipInfo, at: str) -> int:
    raw_name = info.orig_filename.encode("utf-8" if info.flag_bits & _UTF8 else "cp437")
    file.seek(info.header_offset)
    header = file.read(_LOCAL.size)
    if len(header) == _LOCAL.size:
        signature, _, flags, method, *_, name_length, extra_length = _LOCAL.unpack(header)
        if (
            signature == b"PK\3\4"
            and method == info.compress_type
            and (flags ^ info.flag_bits) & _ENCRYPTED == 0
            and file.read(name_length) == raw_name
        ):
            return int(info.header_offset + _LOCAL.size + name_length + extra_length)
    raise InputError(
        sentence("the header of the member", "something else", _inside(at, info), DAMAGED)
    )


def _inside(at: str, info: zipfile.ZipInfo) -> str:
    return f"{at}, {info.orig_filename}"


def _member(info: zipfile.ZipInfo, start: int, at: str) -> Member:
    name = _name(info)
    where = f"{at}, {name}"
    if leads_out(name):
        raise InputError(sentence("a name inside the archive", repr(name), at, _SUSPICIOUS))
    if info.flag_bits & _ENCRYPTED:
        raise InputError(sentence("readable members", "an encrypted one", where, "unlock it first"))
    if info.compress_type not in _METHODS:
        found = f"method {info.compress_type}"
        raise InputError(
            sentence("members stored or deflated", found, where, "pack it again with `zip`")
        )
    link = stat.S_ISLNK(info.external_attr >> 16)
    deflated = info.compress_type == zipfile.ZIP_DEFLATED
    return Member(name, start, info.compress_size, info.file_size, info.CRC, deflated, link)


def _name(info: zipfile.ZipInfo) -> str:
    if info.flag_bits & _UTF8:
        return info.orig_filename
    try:  # many programs write UTF-8 and do not say so
        return info.orig_filename.encode("cp437").decode("utf-8")
    except UnicodeDecodeError:
        return info.orig_filename


def leads_out(name: str) -> bool:
    """Whether a name could mean a file elsewhere, to some program or other."""
    absolute = name.startswith("/") or _DRIVE.match(name) is not None
    return absolute or "\\" in name or "\0" in name or ".." in name.split("/") or not name


def unpack(file: BinaryIO, member: Member, most: int, at: str) -> bytes:
    """Unpack one member into memory.

    Args:
        file: The archive.
        member: As `members` gave it.
        most: Bytes that it may have.
        at: What messages call the archive.

    Returns:
        Its bytes, of the declared size and CRC.

    Raises:
        InputError: It is too large or too tightly packed, or damaged.
    """
    where = f"{at}, {member.name}"
    if member.size > most:
        raise InputError(sentence(f"at most {most:,} bytes", f"{member.size:,}", where))
    if member.size > max(FREE_BYTES, MOST_RATIO * member.packed):
        found = f"{member.size:,} in {member.packed:,}"
        expected = f"at most {MOST_RATIO} bytes in each packed byte"
        raise InputError(sentence(expected, found, where, _SUSPICIOUS))
    try:
        file.seek(member.start)
        data = _inflated(file, member) if member.deflated else file.read(member.packed)
    except (zlib.error, OSError) as error:
        raise InputError(sentence("sound packed bytes", str(error), where, DAMAGED)) from None
    if len(data) != member.size or (member.packed != member.size and not member.deflated):
        found = f"{'more' if len(data) > member.size else 'less'}"
        raise InputError(sentence(f"{member.size:,} bytes", found, where, DAMAGED))
    if zlib.crc32(data) != member.crc:
        found = f"{zlib.crc32(data):08x}"
        raise InputError(sentence(f"the CRC {member.crc:08x}", found, where, DAMAGED))
    return data


def _inflated(file: BinaryIO, member: Member) -> bytes:
    """Inflate to at most one byte more than declared."""
    engine = zlib.decompressobj(-zlib.MAX_WBITS)
    data = bytearray()
    left = member.packed
    while left and not engine.eof:
        packed = file.read(min(_BLOCK, left))
        if not packed:
            break
        left -= len(packed)
        while packed and len(data) <= member.size:
            data += engine.decompress(packed, member.size + 1 - len(data))
            packed = engine.unconsumed_tail
        if len(data) > member.size:
            return bytes(data)
    if not engine.eof or left or engine.unused_data:
        raise zlib.error("its packed bytes end at another place")
    return bytes(data)


class Archive:
    """An archive that is open for reading, with a bound on what is unpacked of it in all."""

    def __init__(self, file: BinaryIO, at: str) -> None:
        """Read and check its directory; see `members`."""
        self.at = at
        self.members = members(file, at)
        self._file = file
        self._left = MOST_UNPACKED

    def read(self, name: str, most: int) -> bytes:
        """Unpack one member.

        Args:
            name: Of the member.
            most: Bytes that it may have.

        Returns:
            Its bytes.

        Raises:
            InputError: There is none of that name; see also `unpack`.
        """
        member = self.members.get(name)
        if member is None:
            raise InputError(sentence("the file in the archive", "none", f"{self.at}, {name}"))
        data = unpack(self._file, member, min(most, self._left), self.at)
        self._left -= len(data)
        return data
