"""Does what arrived look like a book, or like a page that says "not now"?"""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

_HEAD = 4096
_COMMENT = rb"(?:<!--.*?-->\s*)*+"  # possessive: else many comments take for ever
_PAGE = re.compile(
    rb"\s*(?:<\?xml[^>]*>\s*)?" + _COMMENT + rb"<(?:!doctype\s+html|html|head|body)\b",
    re.IGNORECASE | re.DOTALL,
)


def suffix_of(path: str) -> str:
    """The suffix under which an address is kept: `.epub`, `.zip`, else `.txt`.

    Args:
        path: Path of the address; endings such as `.epub.noimages` and `.epub3.images` are
            those of Project Gutenberg.
    """
    name = path.rpartition("/")[2].lower()
    if re.search(r"\.epub3?(?:\.|$)", name):
        return ".epub"
    return ".zip" if name.endswith(".zip") else ".txt"


def not_a_book(path: Path) -> str | None:
    """What a file is instead of a book, in a few words; None if it may be one."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if not head:
        return "nothing at all"
    if _PAGE.match(_plain(head)):
        return "an HTML page instead of the book"
    packed = ".epub" in path.name or ".zip" in path.name
    return "no zip archive" if packed and not zipfile.is_zipfile(path) else None


def _plain(head: bytes) -> bytes:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return head.decode("utf-16", "ignore").encode()
    return head.removeprefix(b"\xef\xbb\xbf")
