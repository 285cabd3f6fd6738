"""Lines that are not prose, and lines that together are one paragraph.

Dropped: tables, headings, list items (`*`, `#`), definition lists and indented lines (`;`, `:`),
preformatted lines (a leading space), rows and headers of tables that were never closed.
An indented line is dropped like a list item: it is a reply, an example, a poem or a list without
bullets far more often than a quotation, and quotations have `{{quote}}` and `<blockquote>`. The
exceptions are a displayed formula, which is part of the sentence around it, and a quotation: long
sentences behind a colon. A paragraph that breaks off before a dropped line loses what is unfinished.
"""

from __future__ import annotations

import re

from transferset.text.marks import GAP, HOLE, LITERAL
from transferset.text.passages import ends_like_a_sentence

MIN_QUOTATION = 100
"""Characters of markup from which on an indented line behind a colon is a quotation."""

_TABLE = re.compile(rf"\n[ \t:*#{GAP}]*+(?:(\{{\|)|\|\}}(?!\}}))")
_DROPPED = re.compile(rf"\n(?:[*#:;|!= \t]|{GAP}++[*#:;|!=])[^\n]*+|\n-----*+")
_BLANK = re.compile(rf"\n[ \t{GAP}]++(?=\n)")
_MANY = re.compile(r"\n\n\n+")
_FORMULA = re.compile(rf"\n\n?:*+[ \t]*+({LITERAL}\d+{LITERAL}|{HOLE})([ .,;:]*+)(?=\n)")
# each begins with a plain character, since patterns that do are searched several times faster
_QUOTATION = re.compile(
    rf":[ {GAP}]*+\n(?:\n?:[ {GAP}]*+(?![:*#;|={{])[^\n]{{{MIN_QUOTATION},}}+(?=\n))++"
)
_BROKEN_OFF = re.compile(rf"\n(?<=[a-z,\]]\n)(?=[*#]|:(?![ :]*+[{LITERAL}{HOLE}])|\{{\|)")
_LEADING = tuple("*#:;|!=")


def without_tables(text: str) -> str:
    """Cut every table from `{|` to its `|}`; one that is never closed loses its rows only."""
    if "{|" not in text:
        return text
    out: list[str] = []
    done = 0
    for start, stop in _table_spans(text):
        if start >= done:
            out += (text[done:start], "\n")
            done = stop
    out.append(text[done:])
    return "".join(out)


def _table_spans(text: str) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    opened: list[int] = []
    for match in _TABLE.finditer(text):
        if match[1]:
            opened.append(match.start())
        elif opened:
            spans.append((opened.pop(), match.end()))
    spans.sort()
    return spans


def _with_displayed(text: str) -> str:
    """Join displayed formulas to the sentence that they end or interrupt."""
    out: list[str] = []
    done = 0
    for match in _FORMULA.finditer(text):
        before = text[done : match.start()]
        last_line = before[before.rfind("\n") + 1 :]
        if (
            last_line.startswith(_LEADING)
            or before.endswith((".", "!", "?"))
            or not (before or out)
        ):
            continue
        tail = match[2].strip()
        between = " " if before or out[-1] else ", "  # a formula right behind a formula
        out += (before, between, match[1], tail)
        done = match.end()
        rest = text[done : done + 3].lstrip("\n")
        if rest[:1].islower() and not tail.endswith("."):
            done += len(text[done : done + 3]) - len(rest)
            out.append(" ")
        elif (
            rest[:1].isalnum() and not rest[0].islower()
        ):  # a new sentence, so that a hole does not reach into it
            out.append("\n")
    out.append(text[done:])
    return "".join(out)


def _quotation(match: re.Match[str]) -> str:
    """Indented lines behind a colon: those that end like a sentence become paragraphs."""
    start = match.string.rfind("\n", 0, match.start()) + 1
    if match.string.startswith(_LEADING, start):  # the colon ends a list item
        return match[0]
    lead, *lines = match[0].split("\n")
    quoted = [f"\n{line[1:].strip()}\n" if _is_quotation(line) else line for line in lines]
    return "\n".join([lead, *quoted])


def _is_quotation(line: str) -> bool:
    words_per_link = (line.count(" ") + 1) / (line.count("[[") or 1)
    return words_per_link > 6 and ends_like_a_sentence(line.rstrip(f"' {GAP}"))


def paragraphs(text: str) -> str:
    """Keep the running text, one paragraph a line.

    Args:
        text: Wikitext without templates, tags and files.

    Returns:
        The paragraphs in order, still with links, quotes and marks.
    """
    text = _BROKEN_OFF.sub(f"{HOLE}\n", f"\n{text}\n")
    text = without_tables(text)
    if LITERAL in text or HOLE in text:
        text = _with_displayed(_MANY.sub("\n\n", _BLANK.sub("\n", text)))
    if "\n:" in text:
        text = _QUOTATION.sub(_quotation, text)
    text = _BLANK.sub("\n", _DROPPED.sub("\n", text))
    return "\n".join([block.replace("\n", " ") for block in text.split("\n\n") if block])
