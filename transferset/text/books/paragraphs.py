"""Which lines belong together: prose is joined, verse and headings are not.

A typesetter breaks a line of prose where the next word does not fit, a poet breaks it earlier and
begins the next with a capital or an indentation. So what decides is whether the first word of a
line would have stood on the line before, in the width to which the text is wrapped.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from transferset.text.books.characters import has_tight_dashes, joined
from transferset.text.books.lines import (
    ends_sentence,
    is_heading,
    is_item,
    is_numbered_heading,
    opens,
    pauses,
)

SHORT: Final = 0.8
"""A line is short when the next word would have ended within this share of the width."""

FAR_SHORT: Final = 0.5
"""Short enough to end a paragraph without a full stop: `Dear Sir,`."""

MOSTLY: Final = 0.8
"""Share of the lines of a block that have to begin alike for it to be verse."""

VERSE: Final = 0.7
"""Share of lines beginning with a capital in a text that is verse or lists throughout: 0.2 in
prose."""

_WIDTH_AT: Final = 0.9
_LOOKED_AT: Final = 400


@dataclass(frozen=True, slots=True)
class Setting:
    """How a text is set.

    Args:
        width: Characters of its full lines.
        margin: Spaces before most of its lines.
        verse: Whether it is verse or lists throughout.
        tight: Whether its dashes stand between words without a space, see `has_tight_dashes`.
    """

    width: int
    margin: int
    verse: bool
    tight: bool


def setting_of(text: str, blocks: list[str]) -> Setting:
    """Measure a text.

    Args:
        text: With plain line ends.
        blocks: The same, cut at blank lines; at most 800 of them, evenly spread, are looked at.
    """
    step = max(1, len(blocks) // _LOOKED_AT)
    seen = [_lines(block.strip("\n")) for block in blocks[::step]]
    lines = [line for part in seen for line in part if line]
    if not lines:
        return Setting(0, 0, False, False)
    lengths = sorted(map(len, lines))
    width = lengths[min(int(_WIDTH_AT * len(lengths)), len(lengths) - 1)]
    margin = sorted(map(_indent, lines))[len(lines) // 10]
    following = [line for part in seen for line in part[1:]]
    verse = len(following) > 5 and sum(map(opens, following)) >= VERSE * len(following)
    return Setting(width - margin, margin, verse, has_tight_dashes(text))


def paragraphs(text: str) -> list[str]:
    """Cut a text into paragraphs, headings and stanzas.

    Args:
        text: With plain line ends, without pages' ends.

    Returns:
        One string a paragraph or heading; the lines of a stanza stay apart in one string.
    """
    blocks = text.split("\n\n")
    setting = setting_of(text, blocks)
    least = SHORT * setting.width
    out: list[str] = []
    for block in blocks:
        block = block.strip("\n")
        if "\n" not in block:
            out.append(block)
            continue
        lines = block.split("\n")
        if (
            setting.verse
            or setting.margin
            or "\n " in block
            or block[0] == " "
            or lines[0].isupper()
            or is_item(lines[1])
            or min(map(len, lines[:-1])) < least
        ):
            out += _parts(lines, setting)
        else:
            out.append(joined(block, setting.tight))
    return out


def _lines(block: str) -> list[str]:
    """The first lines of a block, never much of one that is no block at all."""
    return block[:8192].split("\n")[:50]


def _parts(lines: list[str], setting: Setting) -> list[str]:
    """Cut a block that is not plainly one paragraph of full lines."""
    if setting.margin:
        lines = [line[min(setting.margin, _indent(line)) :] for line in lines]
    ends = [len(left) + 1 + _first(right) for left, right in pairwise(lines)]
    if _is_verse(lines, ends, setting):
        return ["\n".join(lines)]
    parts = [[lines[0]]]
    for end, (left, right) in zip(ends, pairwise(lines), strict=True):
        if _parted(left, right, end, setting.width):
            parts.append([right])
        else:
            parts[-1].append(right.lstrip(" "))
    return [joined("\n".join(part), setting.tight) for part in parts]


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _first(line: str) -> int:
    """Length of a line's first word."""
    return len(line.split(None, 1)[0])


def _is_verse(lines: list[str], ends: list[int], setting: Setting) -> bool:
    """Whether the lines of a block stand each for itself: verse, lists, tables, signatures."""
    capitals = sum(map(opens, lines[1:])) / len(ends)
    short = sum(end <= SHORT * setting.width for end in ends) / len(ends)
    if sum("   " in line.strip() for line in lines) * 2 > len(lines):
        return True  # columns of a table
    if all(map(is_item, lines)):
        return True
    if setting.verse and capitals >= VERSE:
        return True
    indented = all(line[0] == " " for line in lines)
    if not indented and _says_little(lines):
        return False
    if capitals >= MOSTLY:
        return short >= 0.5 or (short > 0 and (indented or (capitals == 1 and len(ends) > 3)))
    return short >= 0.5 and (indented or (len(ends) > 1 and short == 1)) and not _fills(lines, ends)


def _says_little(lines: list[str]) -> bool:
    """Whether a block is two lines that may go on: the first may just end with `Mr.`."""
    return len(lines) == 2 and not pauses(lines[0]) and not is_item(lines[1])


def _fills(lines: list[str], ends: list[int]) -> bool:
    """Whether lines fill a column of their own: prose does, however narrow, and verse does not."""
    own = max(map(len, lines))
    return 2 * sum(end > own for end in ends) >= len(ends)


def _parted(left: str, right: str, end: int, width: int) -> bool:
    """Whether a paragraph ends between two lines that no blank line parts."""
    if end <= width and is_heading(left):
        return True
    if not opens(right):
        return False
    if ends_sentence(left) and (end <= SHORT * width or is_numbered_heading(right)):
        return True
    if _indent(right) > _indent(left) + 1 and pauses(left):
        return True
    return end <= FAR_SHORT * width and pauses(left)
