"""Lines that are not prose, and lines that together are one paragraph.

Dropped: tables, headings, list items (`*`, `#`), definition lists and indented lines (`;`, `:`),
preformatted lines (a leading space), rows and headers of tables that were never closed.
An indented line is dropped like a list item: it is a reply, an example, a poem or a list without
bullets far more often than a quotation, and quotations have `{{quote}}` and `<blockquote>`. The
exceptions are a displayed formula, which is part of the sentence around it, and a quotation: long
sentences behind a colon. A paragraph that breaks off before a dropped line loses its unfinished
sentence.
"""

from __future__ import annotations

import re

from transferset.text.marks import GAP, HOLE, LITERAL
from transferset.text.passages import ends_like_a_sentence

MIN_QUOTATION = 100
"""Characters of markup from which on an indented line behind a colon is a quotation."""

_TABLE = re.compile(rf"\n[ \t:*#{GAP}]*+(?:(\{{\|)|\|\}}(?!\}}))")
_NO_PROSE = rf"(?:[*#:;|!= \t]|{GAP}++[*#:;|!=])[^\n]*+"
_DROPPED = re.compile(rf"\n(?:{_NO_PROSE}(?:\n{_NO_PROSE})*+|-----*+)")
_BLANK = re.compile(rf"\n[ \t{GAP}]++(?=\n)")
_MANY = re.compile(r"\n\n\n+")
_FORMULA = re.compile(rf"\n\n?:*+[ \t]*+({LITERAL}\d+{LITERAL}|{HOLE})([ .,;:]*+)(?=\n)")
_BROKEN_OFF = frozenset("abcdefghijklmnopqrstuvwxyz,]")
_LEADING = tuple("*#:;|!=")


def without_tables(text: str) -> str:
    """Cut every table from `{|` to its `|}`; one that is never closed loses its rows only."""
    if "{|" not in text:
        return text
    out: list[str] = []
    done = 0
    for start, stop in _table_spans(text):
        if start >= done:
            out += (text[done:start], f"{HOLE}\n" if text[start - 1] in _BROKEN_OFF else "\n")
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
        start = match.start()
        if not start or text[start - 1] in ".!?":
            continue
        if text.startswith(_LEADING, max(done, text.rfind("\n", done, start) + 1)):
            continue
        between = " " if start > done or out[-1] else ", "  # a formula right behind a formula
        tail = match[2].strip()
        out += (text[done:start], between, match[1], tail)
        done = match.end()
        rest = text[done : done + 3].lstrip("\n")
        if rest[:1].islower() and not tail.endswith("."):
            done += len(text[done : done + 3]) - len(rest)
            out.append(" ")
        elif rest[:1].isalnum() and not rest[0].islower():
            out.append("\n")  # a new sentence, so that a hole does not reach into it
    out.append(text[done:])
    return "".join(out)


class _Lines:
    """One pass over the runs of lines that are no prose."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.done = 0
        self.quoting = False

    def replacement(self, start: int, stop: int) -> str:
        """What stands for a run: a line break, quotations, a hole for a sentence it breaks off."""
        text, first = self.text, self.text[start + 1]
        if first == ":":
            # behind a colon, or behind a quotation
            before = text[max(self.done, start - 5) : start].rstrip(f" \n{GAP}")
            self.quoting = before.endswith(":") or (self.quoting and not before)
            quoted = _quotations(text[start + 1 : stop]) if self.quoting else ""
            if quoted:
                return quoted
        self.quoting = False
        broken = first in "*#:;" and text[start - 1] in _BROKEN_OFF
        return f"{HOLE}\n" if broken else "\n"

    def dropped(self) -> str:
        """The text without the runs."""
        out: list[str] = []
        for match in _DROPPED.finditer(self.text):
            start, stop = match.span()
            out += (self.text[self.done : start], self.replacement(start, stop))
            self.done = stop
        out.append(self.text[self.done :])
        return "".join(out)


def _quotations(run: str) -> str:
    """The lines of a run that are long and end like a sentence, each a paragraph."""
    kept: list[str] = []
    for line in run.split("\n"):
        line = line.removeprefix(":").strip(f" {GAP}")
        if len(line) < MIN_QUOTATION or line.startswith(_LEADING):
            break
        words_per_link = (line.count(" ") + 1) / (line.count("[[") or 1)
        if words_per_link > 6 and ends_like_a_sentence(line.rstrip("' ")):
            kept.append(f"\n\n{line}\n")
    return "".join(kept)


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
    text = _BLANK.sub("\n", _Lines(text).dropped())
    return "\n".join([block.replace("\n", " ") for block in text.split("\n\n") if block])
