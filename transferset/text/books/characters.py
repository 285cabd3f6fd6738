"""Line ends, characters that no reader sees, and how removals are counted.

Whatever a stage takes out it counts in characters that are not white space. White space is not
counted, since all of it may change: so what stands in the passages and what was counted are
together exactly what stood in the text.
"""

from __future__ import annotations

import re
from collections import Counter

from transferset.text.entities import printable

#: Characters that were taken out, white space aside, by what they were.
Removed = Counter[str]

PAGE = "\f"
"""The end of a printed page; a paragraph may go on behind it."""

_CONTROLS = (*range(9), *range(14, 32), 127)
_BLANK = " \u00a0\u2003\u3000"
_SPACES = " \t\n\v\f\r\x1c\x1d\x1e\x1f\x85\u00a0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)
_EAST_ASIAN = "[\u2e80-\u30ff\u3400-\u9fff\uf900-\ufaff\uff00-\uffef]"
_EAST_ASIAN_WRAP = re.compile(f"\n(?<={_EAST_ASIAN}\n) *+(?={_EAST_ASIAN})")


def visible(text: str) -> int:
    """Count the characters that are not white space."""
    if len(text) < 200:
        return len("".join(text.split()))
    spaces = _SPACES[:10] if text.isascii() else _SPACES
    return len(text) - sum(text.count(space) for space in spaces)


def with_plain_lines(text: str, removed: Removed) -> str:
    r"""Make every line end `\n`, and lines end where their last word ends.

    Knows CRLF, CR, vertical tabs, U+0085, U+2028 and U+2029; form feeds stay. Byte order marks
    and soft hyphens go, a soft hyphen at the end of a line with that end.
    """
    if "\r" in text:  # scans for one character are far faster than for two
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    for end in ("\v", "\x85", "\u2028"):
        if end in text:
            text = text.replace(end, "\n")
    text = text.replace("\u2029", "\n\n")
    for mark in ("\ufeff", "\ufffd", "\0"):
        if mark in text:
            removed["invisible"] += text.count(mark)
            text = text.replace(mark, "")
    text = text.replace("\t", "    ")
    if any(f"{space}\n" in text for space in _BLANK):
        text = "\n".join([line.rstrip(_BLANK) for line in text.split("\n")])
    return _without_soft_hyphens(text, removed) if "\u00ad" in text else text


def _without_soft_hyphens(text: str, removed: Removed) -> str:
    removed["soft_hyphen"] += text.count("\u00ad")
    first, *lines = text.split("\u00ad\n")
    text = first + "".join(line.lstrip(_BLANK) for line in lines)
    return text.replace("\u00ad", "")


def has_tight_dashes(text: str) -> bool:
    """Whether most dashes inside the lines of a text have no space behind them: `so--and`."""
    dashes = spaced = 0
    for dash in ("--", "—"):
        dashes += text.count(dash) - text.count(f"{dash}\n")
        spaced += text.count(f"{dash} ")
    return dashes > 2 * spaced


def joined(lines: str, tight: bool) -> str:
    """Put the lines of a paragraph on one.

    No space comes between East Asian characters, nor, where dashes are tight, behind a dash.
    """
    if "\n" not in lines:
        return lines
    if not lines.isascii():
        lines = _EAST_ASIAN_WRAP.sub("", lines)
    if tight:
        lines = lines.replace("--\n", "--").replace("—\n", "—")
    return lines.replace("\n", " ")


def passages(text: str, removed: Removed) -> list[str]:
    """Cut a text at its line ends, normalise spaces and take out what no reader sees."""
    pieces = [piece.strip() for piece in text.split("\n")]
    if "  " in text:
        pieces = [_single_spaced(piece) if "  " in piece else piece for piece in pieces]
    if not (text.isascii() and holds_no_control(text)):  # a hundred times faster than to look here
        pieces = [_readable(piece, removed) for piece in pieces]
    return [piece for piece in pieces if piece]


def holds_no_control(text: str | bytes) -> bool:
    """Whether no C0 control but white space stands in a text."""
    if isinstance(text, bytes):
        return not any(code in text for code in _CONTROLS)
    return not any(chr(code) in text for code in _CONTROLS)


def _single_spaced(text: str) -> str:
    while "  " in text:  # halves every run of spaces; far faster than splitting at them
        text = text.replace("  ", " ")
    return text


def _readable(text: str, removed: Removed) -> str:
    if text.isprintable():
        return text
    clean = printable(text)
    removed["invisible"] += visible(text) - visible(clean)
    return clean
