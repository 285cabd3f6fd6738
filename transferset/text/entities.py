"""Character references, decoded exactly once, and characters that may not reach the output."""

from __future__ import annotations

import re
from html.entities import html5

_REFERENCE = re.compile(r"&(?:#([0-9]{1,7})|#[xX]([0-9a-fA-F]{1,6})|([A-Za-z][A-Za-z0-9]{1,30}));")
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff"
    "\U000e0000-\U000e007f\ufff9-\ufffc\ud800-\udfff\ufdd0-\ufdef"
    + "".join(
        f"{chr(plane * 0x10000 + 0xFFFE)}{chr(plane * 0x10000 + 0xFFFF)}" for plane in range(17)
    )
    + "]"
)


def _character(code: int) -> str:
    """The character that a number stands for; nothing for what no text may hold."""
    if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
        return ""
    character = chr(code)
    if character in "\t\n\r":
        return " "
    return _INVISIBLE.sub("", character)


def _decoded(match: re.Match[str]) -> str:
    decimal, hexadecimal, name = match.groups()
    if decimal:
        return _character(int(decimal))
    if hexadecimal:
        return _character(int(hexadecimal, 16))
    return html5.get(f"{name};", match[0])


def decode(text: str) -> str:
    """Decode character references once: `&amp;lt;` becomes `&lt;`, not `<`.

    As HTML5 names them, with the semicolon required as in MediaWiki. Surrogates, non-characters
    and controls decode to nothing.
    """
    if "&" not in text:
        return text
    return _REFERENCE.sub(_decoded, text.replace("&nbsp;", " "))


def printable(text: str) -> str:
    """Normalise spaces and drop what no reader sees and no text file may hold.

    Soft hyphens, zero-width spaces, direction marks, controls, lone surrogates and
    non-characters go; joiners (U+200C, U+200D) stay, because scripts spell with them; every kind
    of space becomes one plain space.
    """
    if text.isprintable():  # says all of the above at once, and several times faster
        return text
    return " ".join(_INVISIBLE.sub("", text).split())
