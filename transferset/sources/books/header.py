"""What the head of a text of Project Gutenberg says of its book."""

from __future__ import annotations

import re
from typing import Final

#: Bytes of a text that are looked at.
_HEAD: Final = 8192

_MARK = re.compile(r"project gutenberg", re.IGNORECASE)
_MEMBER = re.compile(r"^(Title|Author|Language)[ \t]*:[ \t]*(\S.*)$", re.MULTILINE)
_MORE = re.compile(r"\n[ \t]{2,}(\S[^\n:]*)$", re.MULTILINE)
_NUMBER = re.compile(r"\[?\be(?:book|text)[ \t]*#[ \t]*(\d{1,7})\]?", re.IGNORECASE)
_COPYRIGHTED = re.compile(r"this is a copyrighted project gutenberg", re.IGNORECASE)

#: Names of languages as the heads have them.
_LANGUAGES: Final = {
    "english": "en",
    "french": "fr",
    "german": "de",
    "finnish": "fi",
    "dutch": "nl",
    "italian": "it",
    "spanish": "es",
    "portuguese": "pt",
    "latin": "la",
    "greek": "el",
    "swedish": "sv",
    "danish": "da",
    "norwegian": "no",
    "hungarian": "hu",
    "polish": "pl",
    "czech": "cs",
    "russian": "ru",
    "esperanto": "eo",
    "catalan": "ca",
    "welsh": "cy",
    "irish": "ga",
    "chinese": "zh",
    "japanese": "ja",
    "tagalog": "tl",
}


def read_header(raw: bytes) -> dict[str, str]:
    """Members of the head of a text.

    Args:
        raw: The text, in any encoding that has ASCII in it.

    Returns:
        Out of `title`, `author`, `language`, `rights`, `identifier` what it states; nothing
        unless the head names Project Gutenberg, for a novel may begin with `Title:` too.
    """
    head = raw[:_HEAD]
    try:
        text = head.decode("utf-8-sig", "strict" if len(raw) <= _HEAD else "ignore")
    except UnicodeDecodeError:
        text = head.decode("latin-1")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not _MARK.search(text):
        return {}
    found: dict[str, str] = {}
    for match in _MEMBER.finditer(text):
        value = match[2].strip()
        end = match.end()
        while more := _MORE.match(text, end):  # a long title goes on, indented
            value, end = f"{value} {more[1].strip()}", more.end()
        found.setdefault(match[1].lower(), " ".join(value.split())[:4096])
    if number := _NUMBER.search(text):
        found["identifier"] = number[1].lstrip("0")
    if "language" in found:
        names = re.split(r"[,;/]| and ", found["language"].lower())
        found["language"] = "; ".join(filter(None, (_LANGUAGES.get(n.strip()) for n in names)))
    copyrighted = _COPYRIGHTED.search(text)
    found["rights"] = "Copyrighted" if copyrighted else "Public domain in the USA"
    return {name: value for name, value in found.items() if value}
