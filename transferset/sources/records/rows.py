"""One record becomes one document: its text, its number, and what is known about it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from transferset.documents import About
from transferset.ledger import Reason

#: Largest text of a document, and longest line of JSON, in bytes.
MOST_BYTES: Final = 64 << 20

#: Longest title, author, …, in characters; what is longer is cut.
MOST_ABOUT: Final = 4096

#: Members of a record that fill a column of the documents table: the first that says something.
ABOUT: Final[Mapping[str, tuple[str, ...]]] = {
    "title": ("title",),
    "author": ("author", "authors"),
    "language": ("language", "lang"),
    "licence": ("licence", "license"),
    "url": ("url",),
    "subjects": ("subjects",),
}

#: The member that numbers a record.
ID: Final = "id"

#: Every member that is read besides the text.
KNOWN: Final = (ID, *(name for names in ABOUT.values() for name in names))

_DECIMAL = re.compile(r"0|[1-9][0-9]{0,19}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Document:
    """One document as its file has it.

    Args:
        doc_id: Its number, 0 ≤ doc_id < 2**64.
        rev_id: Its revision; 0, for records have none.
        text: Its text; bytes of an unknown encoding where the file is plain text.
        about: What else is known of it.
    """

    doc_id: int
    rev_id: int
    text: str | bytes
    about: About


class Unusable(ValueError):
    """A record that gives no document: the ledger's reason, and what was found in words."""

    def __init__(self, reason: Reason, found: str) -> None:
        super().__init__(found)
        self.reason, self.found = reason, found


def to_document(text: object, row: Mapping[str, Any], origin: Mapping[str, Any]) -> Document:
    """Make the document of a record.

    Args:
        text: What its field holds.
        row: Its other members; those of `KNOWN` are used.
        origin: `url` and `licence` of the file, used where the record has none.

    Returns:
        The document.

    Raises:
        Unusable: The text is null, empty, no string, or no Unicode.
    """
    if text is None:
        raise Unusable(Reason.NO_TEXT, "null")
    if not isinstance(text, str | bytes):
        raise Unusable(Reason.MALFORMED, f"{type(text).__name__} instead of a string")
    raw = encoded(text) if isinstance(text, str) else text
    if len(raw) > MOST_BYTES:
        raise Unusable(Reason.MALFORMED, f"a text of {len(raw):,} bytes")
    if not text or text.isspace():
        raise Unusable(Reason.NO_TEXT, "an empty text")
    digest = hashlib.sha256(raw)
    known = {column: _known(row, names) for column, names in ABOUT.items()}
    for column in ("url", "licence"):
        known[column] = known[column] or str(origin.get(column) or "")
    doc_id = number(row.get(ID))
    if doc_id is None:
        # what is known belongs to it: two records may share a text, and not its licence
        about = "".join(f"\0{name}\0{known[name]}" for name in sorted(known) if known[name])
        doc_id = first_bytes(hashlib.sha256(raw + encoded(about)).digest())
    return Document(doc_id, 0, text, About(**known, sha256=digest.hexdigest()))


def number(value: object) -> int | None:
    """The number of a record from what it calls its id; None if that names nothing.

    Args:
        value: A whole number from 0 to 2**64-1, also in decimal digits, is itself; of any other
            number or text the SHA-256 of its UTF-8 decides.
    """
    if isinstance(value, bool) or value is None or value == "":
        return None
    if isinstance(value, float):  # what pandas makes of whole numbers beside a missing one
        value = int(value) if value.is_integer() and abs(value) < 1 << 53 else None
    if isinstance(value, int) and 0 <= value < 1 << 64:
        return value
    if isinstance(value, str) and _DECIMAL.fullmatch(value) and int(value) < 1 << 64:
        return int(value)
    if isinstance(value, int | str):
        return first_bytes(hashlib.sha256(encoded(_plain(value))).digest())
    return None


def _plain(value: int | str) -> str:
    # hex, for Python writes no decimals of an int of more than 4,300 digits
    return value if isinstance(value, str) else str(value) if abs(value) < 1 << 999 else hex(value)


def first_bytes(digest: bytes) -> int:
    """The first eight bytes of a digest as a number, the most significant first."""
    return int.from_bytes(digest[:8], "big")


def encoded(text: str) -> bytes:
    """UTF-8 of a text.

    Raises:
        Unusable: It holds half of a surrogate pair, which is no character.
    """
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        found = f"half a surrogate pair (\\u{ord(text[error.start]):04x})"
        raise Unusable(Reason.MALFORMED, found) from None


def _known(row: Mapping[str, Any], names: tuple[str, ...]) -> str:
    for name in names:
        value = row.get(name)
        if not value:
            continue
        values = value if isinstance(value, list) else [value]
        texts = [" ".join(v[:MOST_ABOUT].split()) for v in values if isinstance(v, str)]
        if found := "; ".join([text for text in texts if text])[:MOST_ABOUT]:
            encoded(found)
            return found
    return ""
