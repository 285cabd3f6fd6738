"""Whether bytes above 127 make sense in a Western European language, and what else they may be.

Latin-1 and cp1252 decode nearly anything, so the text that they give has to be looked at: letters
with accents stand among plain ones, and signs do not stand inside words.
"""

from __future__ import annotations

import re
from typing import Final

SAMPLE: Final = 1 << 16
"""Bytes that are looked at: of the lines that hold any above 127, the first ones."""

MOST_HIGH: Final = 0.55
"""Share of accented letters in the words that hold one: French 0.3, Icelandic 0.35, Cyrillic 1."""

MOST_ODD: Final = 0.05
"""Share of the characters above 127 that may stand where no Western language puts them."""

_WORD: Final = re.compile(r"(?<![^\W\d_])[^\W\d_]++")
_ODD: Final = re.compile(
    # signs between letters; capitals with accents behind small letters; C1 controls;
    # Š š Ž ž Ÿ, which hardly a text in cp1252 holds, and many in cp1250 do
    "(?<=[^\\W\\d_])[ªº¹²³°±¼½¾¿¡£¤¥§©®¶µ¬¨¯¸×÷†‡ˆ‰‹›™€„‚ƒ•«»‘“”…˜](?=[^\\W\\d_])"
    "|(?<=[a-zß-öø-ÿ])[À-ÖØ-Þ]|[\x80-\x84\x86-\x9f]|[ŠšŽžŸÝý]"
)
_HIGH: Final = re.compile("[\x80-\uffff]")


def high_lines(raw: bytes) -> bytes:
    """Return the lines that hold a byte above 127, at most `SAMPLE` bytes of them.

    A character of an East Asian encoding is never cut: none has a line feed as a second byte.
    """
    kept: list[bytes] = []
    size = 0
    for line in raw.splitlines(keepends=True):
        if not line.isascii():
            kept.append(line)
            size += len(line)
            if size >= SAMPLE:
                break
    return b"".join(kept)


def looks_western(text: str) -> bool:
    """Whether a text that was read as cp1252 or Latin-1 can be meant so.

    Args:
        text: The lines that hold a character above 127.
    """
    text = text[:SAMPLE]
    high = len(_HIGH.findall(text))
    if len(_ODD.findall(text)) > MOST_ODD * high or _central_european(text):
        return False
    words = _WORD.findall(text)
    accented = [word for word in words if not word.isascii()]
    accents = sum(not c.isascii() for word in accented for c in word)
    return accents <= MOST_HIGH * sum(map(len, accented)) or accents <= 3


def _central_european(text: str) -> bool:
    """Hungarian (ő read as õ) and Romanian (ţ and ă read as þ and ã)."""
    if "þ" in text and "ð" not in text:
        return True
    return "õ" in text and "ã" not in text  # Portuguese has more ã than õ
