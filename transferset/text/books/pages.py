"""Rules between sections, page numbers, and sentences that go on behind a page's end."""

from __future__ import annotations

import re
from typing import Final

from transferset.text.books.characters import PAGE, Removed, visible

# possessive throughout: a line is read once, whatever it holds
_RULE: Final = re.compile(
    r"\n *+(?:(?:[-=_~+|—–─━═] *+){2,}+|(?:[*#•·⁂◆✦❦§] *+)++|(?:[.…] *+){3,}+"
    r"|[*#~=_.—–-][*#~=_.—– -]++)(?=[\n\f])"
)
_NUMBER: Final = re.compile(r"\n *+(?:\d{1,4}|([-–—]) ?\d{1,4} ?\1|\[\d{1,4}\])(?=[\n\f])")
_ENDED: Final = frozenset(".!?…:\"”’'»)]*")


def without_rules(text: str, removed: Removed) -> str:
    """Turn lines of `* * *`, `-----`, `=====` and their kin into blank lines.

    One that stands alone is a section's end; one inside a paragraph parts it.
    """

    def cut(match: re.Match[str]) -> str:
        removed["rule"] += visible(match[0])
        return "\n\n"

    return _RULE.sub(cut, f"\n{text}\n")[1:-1]


def without_numbers(text: str, removed: Removed) -> str:
    """Turn numbers that stand alone between blank lines (`12`, `- 12 -`) into ends of pages."""

    def cut(match: re.Match[str]) -> str:
        start, end = match.span()
        around = text[start - 1 : start] + text[end : end + 2]
        if around[:1] not in ("\n", PAGE) or around[1:] not in ("\n\n", "\n", "\n\f", "\f\n", "\f"):
            return match[0]
        removed["page_number"] += visible(match[0])
        return f"\n{PAGE}"

    text = f"{text}\n"
    return _NUMBER.sub(cut, text)[:-1]


def without_pages(text: str) -> str:
    """Join what a page's end cuts apart, and nothing else.

    A sentence goes on when no mark of punctuation that can end one stands before the page's end
    and a small letter behind it.
    """
    if PAGE not in text:
        return text
    first, *parts = text.split(PAGE)
    out = [first.rstrip(" \n")]
    for part in parts:
        part = part.strip("\n") if part.strip() else ""
        if not part:
            continue
        left = out[-1]
        goes_on = left and left[-1] not in _ENDED and part.lstrip(" \n")[:1].islower()
        out += ["\n" if goes_on else "\n\n", part.rstrip(" \n")]
    return "".join(out)
