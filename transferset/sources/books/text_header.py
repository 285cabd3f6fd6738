"""What the header of a Project Gutenberg text says of the book."""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from transferset.sources.books.opf import MOST_FIELD, cleaned

#: Bytes at the start of a text in which the header is looked for.
HEADER_BYTES: Final = 8 << 10

COPYRIGHTED: Final = "Copyrighted. Read the copyright notice inside this book for details."
"""As Project Gutenberg's catalogue states it."""

_SIGN: Final = re.compile(r"project gutenberg", re.IGNORECASE)
_BODY: Final = re.compile(r"^\*{3} ?START OF", re.IGNORECASE | re.MULTILINE)
_FIELD: Final = re.compile(
    r"^(Title|Author|Language): *([^\n]*+)((?:\n[ \t]++[^\s:][^\n]*+)*+)", re.MULTILINE
)
_NUMBER: Final = re.compile(r"\[(?:eBook|Etext) #([1-9]\d{0,6})\]", re.IGNORECASE)
_COPYRIGHTED: Final = re.compile(r"\bCOPYRIGHTED Project Gutenberg")

#: The languages of 999 in 1,000 of its books, as the header names them.
_LANGUAGES: Final[Mapping[str, str]] = {
    "english": "en", "french": "fr", "finnish": "fi", "german": "de", "dutch": "nl",
    "italian": "it", "spanish": "es", "portuguese": "pt", "hungarian": "hu", "chinese": "zh",
    "greek": "el", "swedish": "sv", "esperanto": "eo", "latin": "la", "danish": "da",
    "tagalog": "tl", "catalan": "ca", "polish": "pl", "norwegian": "no", "japanese": "ja",
    "welsh": "cy", "czech": "cs", "icelandic": "is", "russian": "ru", "hebrew": "he",
    "afrikaans": "af", "bulgarian": "bg", "serbian": "sr", "romanian": "ro", "irish": "ga",
    "friulian": "fur", "telugu": "te", "frisian": "fy", "galician": "gl", "breton": "br",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Header:
    """What a header says; texts are empty where it says nothing.

    Args:
        title: Title of the book.
        author: Authors, joined by `; `.
        language: BCP 47 code of the first language.
        rights: `COPYRIGHTED`, or empty: a header does not state the public domain.
        identifier: Number at Project Gutenberg.
    """

    title: str = ""
    author: str = ""
    language: str = ""
    rights: str = ""
    identifier: str = ""


def read_header(raw: bytes) -> Header:
    """Read the header of a plain text.

    Args:
        raw: The text, of which only the first `HEADER_BYTES` are looked at.

    Returns:
        What it says; nothing if it does not name Project Gutenberg.
    """
    head = _lenient(raw[:HEADER_BYTES]).replace("\r\n", "\n").replace("\r", "\n")
    body = _BODY.search(head)
    if body:
        head = head[: body.end()]
    if not _SIGN.search(head):
        return Header()
    fields: dict[str, list[str]] = {}
    for name, first, rest in _FIELD.findall(head):
        fields.setdefault(name, []).extend([first, *rest.split("\n")])
    number = _NUMBER.search(head)
    language = re.split(r"[,;/]| and ", " ".join(fields.get("Language", [])))[0].strip()
    return Header(
        title=_joined(fields.get("Title", []), " "),
        author=_joined(fields.get("Author", []), "; "),
        language=_LANGUAGES.get(language.lower(), ""),
        rights=COPYRIGHTED if _COPYRIGHTED.search(head) else "",
        identifier=number.group(1) if number else "",
    )


def _lenient(head: bytes) -> str:
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return head.decode("utf-16", "ignore")
    try:  # the cut may go through a character
        return codecs.getincrementaldecoder("utf-8-sig")().decode(head)
    except UnicodeDecodeError:
        return head.decode("latin-1")


def _joined(lines: list[str], between: str) -> str:
    return between.join(filter(None, map(cleaned, lines)))[:MOST_FIELD]
