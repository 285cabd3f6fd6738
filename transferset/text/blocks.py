"""Lines that are not prose, and lines that together are one paragraph.

Dropped: tables, headings, list items (`*`, `#`), definition lists and indented lines (`;`, `:`),
preformatted lines (a leading space), rows and headers of tables that were never closed.
An indented line is dropped like a list item: it is a reply, an example, a poem or a list without
bullets far more often than a quotation, and quotations have `{{quote}}` and `<blockquote>`. The
exception is a displayed formula, which is part of the sentence around it.
"""

from __future__ import annotations

import re

from transferset.text.marks import GAP, HOLE, LITERAL

_TABLE = re.compile(rf"\n[ \t:*#{GAP}]*+(?:(\{{\|)|\|\}}(?!\}}))")
_DROPPED = re.compile(rf"\n(?:[*#:;|!= \t]|{GAP}++[*#:;|!=])[^\n]*+|\n-----*+")
_BLANK = re.compile(rf"\n[ \t{GAP}]++(?=\n)")
_MANY = re.compile(r"\n\n\n+")
_FORMULA = re.compile(rf"\n\n?:*+[ \t]*+({LITERAL}\d+{LITERAL}|{HOLE})([ .,;:]*+)(?=\n)")
_LEADING = frozenset("*#:;|!=")


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
        if last_line[:1] in _LEADING or before[-1:] in ".!?" or not (before or out):
            continue
        tail = match[2].strip()
        out += (before, " ", match[1], tail)
        done = match.end()
        rest = text[done : done + 3].lstrip("\n")
        if rest[:1].islower() and not tail.endswith("."):
            done += len(text[done : done + 3]) - len(rest)
            out.append(" ")
    out.append(text[done:])
    return "".join(out)


def paragraphs(text: str) -> str:
    """Keep the running text, one paragraph a line.

    Args:
        text: Wikitext without templates, tags and files.

    Returns:
        The paragraphs in order, still with links, quotes and marks.
    """
    text = without_tables(f"\n{text}\n")
    if LITERAL in text or HOLE in text:
        text = _with_displayed(_MANY.sub("\n\n", _BLANK.sub("\n", text)))
    text = _BLANK.sub("\n", _DROPPED.sub("\n", text))
    return "\n".join([block.replace("\n", " ") for block in text.split("\n\n") if block])
