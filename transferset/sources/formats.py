"""How a dump is stored, told by its first bytes, and what to do with what is not a dump."""

from __future__ import annotations

import re
from pathlib import Path

from transferset.errors import InputError, sentence
from transferset.sources.blocks import is_header

_EXPECTED = "a MediaWiki dump (.xml or .xml.bz2)"
_OTHER = (
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it with 7z, or fetch the .bz2 of the dump"),
    (b"\x1f\x8b", "gzip data", "unpack it with gunzip"),
    (b"\x28\xb5\x2f\xfd", "zstd data", "unpack it with unzstd"),
    (b"\xfd7zXZ\0", "xz data", "unpack it with unxz"),
    (b"PK\x03\x04", "a zip archive", "unpack it with unzip"),
    (b"%PDF", "a PDF", "name a file from dumps.wikimedia.org"),
    (b"\x89PNG", "an image", "name a file from dumps.wikimedia.org"),
)
_UTF8_BOM = b"\xef\xbb\xbf"
_WIDE = (b"\xff\xfe", b"\xfe\xff", b"<\0", b"\0<", b"\0\0")
_REENCODE = "re-encode it as UTF-8 (iconv -f UTF-16 -t UTF-8)"
_INDEX = re.compile(r"-multistream-index(\d*)\.txt")
_INDEX_LINE = re.compile(rb"\d+:\d+:")


def stored_file(path: Path) -> Path:
    """Return the dump that a user's path means.

    A multistream index is not needed for reading; who names it means the dump beside it.

    Raises:
        InputError: There is no such file.
    """
    twin = path.with_name(_INDEX.sub(r"-multistream\1.xml", path.name))
    if twin != path and twin.is_file():
        return twin
    if path.is_dir():
        raise wrong("a directory", str(path), "name the file itself")
    if not path.is_file():
        raise wrong("no file", str(path), "check the name")
    return path


def is_bzip2(path: Path) -> bool:
    """Tell a bzip2 file from plain XML by its first bytes.

    Raises:
        InputError: The file is neither, as far as its first bytes tell.
    """
    try:
        with path.open("rb") as file:
            head = file.read(4096)
    except OSError as error:
        found = error.strerror or "an unreadable file"
        raise wrong(found, str(path), "check its permissions") from error
    if is_header(head[:4]):
        return True
    if head[:3] == b"BZh":
        raise wrong("a damaged bzip2 header", f"{path}, byte 3", "fetch the file again")
    for magic, found, remedy in _OTHER:
        if head.startswith(magic):
            raise wrong(found, f"{path}, byte 0", remedy)
    check_text(head, path)
    return False


def check_text(head: bytes, path: Path) -> None:
    """Refuse what cannot be a MediaWiki export, by the first bytes of its text.

    Raises:
        InputError: They are empty, of another encoding, HTML, an index or no XML.
    """
    start = head.removeprefix(_UTF8_BOM).lstrip(b" \t\r\n")
    at = f"{path}, byte 0"
    if not start:
        raise wrong("an empty file", at, "fetch the file again")
    if start.startswith(_WIDE):
        raise wrong("UTF-16, UTF-32 or binary data", at, _REENCODE)
    if re.match(rb"<(!doctype\s+html|html|head|body)\b", start, re.IGNORECASE):
        raise wrong("an HTML page", at, "fetch the file again from dumps.wikimedia.org")
    if _INDEX_LINE.match(start):
        raise wrong("a multistream index", at, "name the dump itself, …-multistream.xml.bz2")
    if start.startswith(b"<!"):
        raise wrong("a DTD or comment", at, "remove it if the file can be trusted")
    if not start.startswith((b"<mediawiki", b"<?xml")):
        found = start[:40].decode("utf-8", "backslashreplace")
        raise wrong(found, at, "name a file from dumps.wikimedia.org")


def wrong(found: str, at: str, remedy: str) -> InputError:
    """Make the error for an input that is not a dump."""
    return InputError(sentence(_EXPECTED, found, at=at, do=remedy))
