"""Project Gutenberg's header, licence and credits around a book.

Markers are anchored at the start of a line. What stands between the last START and the first END
behind it is the book; a file of several books has several such pairs. What is outside goes only
where it reads like a licence: it has to name Gutenberg again and again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from transferset.text.books.characters import Removed, visible

CREDIT_LINES: Final = 30
"""Lines behind a START marker in which credits are looked for."""

#: What a marker holds; a scan for these is all that most texts need.
_NAMES: Final = ("utenberg", "UTENBERG", "SMALL PRINT", "Small Print", "small print")

_SHORT: Final = 2_000
_PER_MENTION: Final = 4_000  # characters; today's licence has 220 a mention, old headers 900

_MARKER: Final = re.compile(
    r"\n[ \t]*+(?:"
    r"(?P<start>\*{3} ?(?i:START OF (?:THE |THIS )?PROJECT GUTENBERG)"
    r"|\*(?i:END) ?\*{0,3} ?(?i:THE SMALL PRINT))"
    r"|\*{3} ?(?i:END OF (?:THE |THIS )?PROJECT GUTENBERG)"
    r"|(?i:(?:THE )?END OF (?:THE |THIS )?PROJECT GUTENBERG)"
    r")"
)
_CREDIT: Final = re.compile(
    r"(?i:produced|e-?text (?:was )?(?:prepared|produced|scanned)|this (?:e-?text|e-?book) was"
    r"|transcribed|scanned|digiti[sz]ed|prepared|proof-?read|html version|updated editions?"
    r"|(?:the )?project gutenberg|\[(?:e-?text|e-?book) #|transcriber['’]?s?['’]? notes?:?"
    r"|character set encoding|release date|this (?:file|edition) was (?:prepared|produced|first))\b"
)
_SURELY: Final = re.compile(
    r"(?i:distributed proofread|pgdp|gutenberg|https?:|www\.|e-?text|e-?book|volunteer"
    r"|internet archive|transcriber|html version|proof-?read|scanned by|[\w.]@[\w.])"
)
_SMALL: Final = frozenset(
    ["by", "and", "the", "of", "for", "from", "with", "in", "at", "a", "an", "to", "de", "la",
     "von", "van", "&", "edition"]
)  # fmt: skip
_MAX_CREDIT: Final = 1_200


@dataclass(slots=True)
class Stripped:
    """A text without licence and credits.

    Args:
        text: The rest.
        share: Share of the visible characters that went, 0 to 1.
        warnings: What the user should know about it.
    """

    text: str
    share: float = 0.0
    warnings: list[str] = field(default_factory=list)


def without_licence(text: str, removed: Removed, most_removed: float) -> Stripped:
    """Take out what Project Gutenberg put around a book.

    Args:
        text: With plain line ends.
        removed: `licence` and `credits` are counted here.
        most_removed: Share above which there is a warning, and credits stay.
    """
    if not any(word in text for word in _NAMES):
        return Stripped(text)
    kept, outside, warnings = _cut(text)
    total = max(1, visible(text))
    licence = sum(map(visible, outside))
    bodies, credit = kept, 0
    if any(starts for starts, _ in kept):
        bodies, credit = _without_credits(kept)
    if licence + credit > most_removed * total:
        bodies, credit = kept, 0
        warnings.append(
            f"the licence around the text is {licence / total:.1%} of the file, and more than "
            f"{most_removed:.0%}; credits were kept"
        )
    removed["licence"] += licence
    removed["credits"] += credit
    body = "\n\n".join(part for _, part in bodies) if outside else text
    if outside and "roject Gutenberg" in body:
        warnings.append("the text still names Project Gutenberg")
    return Stripped(body, (licence + credit) / total, warnings)


def _cut(text: str) -> tuple[list[tuple[bool, str]], list[str], list[str]]:
    """Cut at the markers: what is kept (and whether a START stands before it), what goes."""
    kept: list[tuple[bool, str]] = []
    outside: list[str] = []
    warnings: list[str] = []
    text = f"\n{text}"
    marks = [(0, 0, "")]
    marks += [(m.start(), _end(text, m), "end" if m["start"] is None else "start")
              for m in _MARKER.finditer(text)]  # fmt: skip
    marks.append((len(text), len(text), ""))
    for (left, after, kind), (right, _, following) in pairwise(marks):
        piece = text[after:right]
        outside.append(text[left:after])
        if _inside(kind, following):
            kept.append((kind == "start", piece))
        elif _like_a_licence(piece):
            outside.append(piece)
        else:
            kept.append((False, piece))
            warnings.append(
                f"{len(piece)} characters outside the markers of Project Gutenberg do not read "
                "like its licence and were kept"
            )
    return kept, [piece for piece in outside if piece], warnings


def _inside(before: str, behind: str) -> bool:
    """Whether the text between two marks is a book's: START to END, or the file's open end."""
    return (before, behind) in {("start", "end"), ("start", ""), ("", "end"), ("", "")}


def _end(text: str, marker: re.Match[str]) -> int:
    """Where a marker ends: with its line, or with the asterisks of one of the next two."""
    stop = text.find("\n", marker.end())
    if marker["start"] is None or "*" in text[marker.end() : stop] or stop < 0:
        return len(text) if stop < 0 else stop
    later = text.find("***", stop, stop + 200)
    if later < 0 or "\n\n" in text[stop:later]:
        return stop
    stop = text.find("\n", later)
    return len(text) if stop < 0 else stop


def _like_a_licence(piece: str) -> bool:
    if len(piece) <= _SHORT:
        return True
    return len(re.findall("gutenberg", piece, re.I)) * _PER_MENTION >= len(piece)


def _without_credits(kept: list[tuple[bool, str]]) -> tuple[list[tuple[bool, str]], int]:
    bodies, count = [], 0
    for starts, body in kept:
        rest = _behind_credits(body) if starts else body
        count += visible(body) - visible(rest)
        bodies.append((starts, rest))
    return bodies, count


def _behind_credits(body: str) -> str:
    """Leave out the paragraphs of the first lines that are credits as a whole."""
    head, lines = [], 0
    rest = body.lstrip("\n")
    while rest and lines < CREDIT_LINES:
        paragraph, gap, behind = rest.partition("\n\n")
        lines += paragraph.count("\n") + 2
        if not is_credit(paragraph):
            head.append(paragraph)
        rest = behind.lstrip("\n")
        if not gap:
            break
    return "\n\n".join([*head, rest])


def is_credit(paragraph: str) -> bool:
    """Whether a paragraph only says who made the file.

    It begins like credits, and either names what only such paragraphs name, or is nothing but
    names: `Produced by Sue Asscher and David Widger`, not `Produced by the heat of the sun, …`.
    """
    words = paragraph.split()
    if len(paragraph) > _MAX_CREDIT or not words or not _CREDIT.match(" ".join(words[:4])):
        return False
    if _SURELY.search(paragraph):
        return True
    return all(not word[0].islower() or word.strip(",.;:") in _SMALL for word in words[1:])
