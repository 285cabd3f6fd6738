"""Marks of italics, bold and spaced type: `_word_`, `=word=`, `~word~`."""

from __future__ import annotations

import re
from typing import Final

from transferset.text.books.characters import Removed

# From a mark that no word touches on its left to the next one, which no word touches on its right;
# not across a blank line. Each mark is read once: a pair never reaches over a third mark.
_PAIRS: Final = tuple(
    re.compile(
        rf"{m}(?<![^\W_]{m})(?<!{m}{m})(?=[^\s{m}])"
        rf"([^{m}\n]*+(?:\n(?!\n)[^{m}\n]*+)*+)(?<=\S){m}(?![^\W_]|{m})"
    )
    for m in "_=~"
)


def without_emphasis(text: str, removed: Removed) -> str:
    """Take out pairs of marks at the edges of words; `snake_case` and `a = b` stay."""
    for mark, pair in zip("_=~", _PAIRS, strict=True):
        if mark in text:
            text, count = pair.subn(r"\1", text)
            removed["emphasis"] += 2 * count
    return text
