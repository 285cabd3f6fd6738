"""The text of one content file of an EPUB: a paragraph, a heading, a line of verse a line.

Every character of the body that is not white space is either in the text or counted.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import StringIO
from itertools import groupby
from typing import Final, NamedTuple

from transferset.errors import InputError, sentence
from transferset.sources.books.epub_rules import BLOCKS, HEADINGS, Rule, rule_of
from transferset.sources.books.xhtml import Comment, Tag, tokens

#: How deep elements may stand in each other.
MOST_DEPTH: Final = 10_000

#: Three or more lines that `<br/>` ends are verse, an address, …, if none is longer than this;
#: otherwise they are a paragraph, cut where somebody's screen ended.
SHORT_LINE: Final = 60

#: What the beginning of an element ends, if that is still open right around it.
_ENDS: Final[Mapping[str, tuple[str, ...]]] = {
    "p": ("p",),
    "li": ("li", "p"),
    **dict.fromkeys(("dt", "dd"), ("dt", "dd", "p")),
    **dict.fromkeys(("td", "th"), ("td", "th", "p")),
    "tr": ("td", "th", "tr", "p"),
}

_LINE: Final = "\x01"
_SOFT_HYPHEN: Final = "\u00ad"
# The word joiner and its like show no space; hair spaces stand between quotes and around dashes.
_INVISIBLE: Final = re.compile(
    "[\0\x02-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u200b\u2060\ufeff\ufffd\ud800-\udfff]"
)
_HAIR: Final = "\u200a"
_NOTE_MARK: Final = re.compile(r"\s*(?:\[(?:\d{1,4}|[A-Za-z]{1,2}|[*†‡§]{1,3})\]|[*†‡§]{1,3})\s*")
_LONGEST_MARK: Final = 12


@dataclass(slots=True)
class Extracted:
    """What a content file holds.

    Args:
        blocks: Paragraphs, headings and stanzas; the lines of a stanza with line ends between.
        removed: Characters that are in no block, white space aside, by what they were.
        pictures: How many stood in it.
        linked: How many of the characters of its blocks are links to places of the book.
    """

    blocks: list[str] = field(default_factory=list)
    removed: Counter[str] = field(default_factory=Counter)
    pictures: int = 0
    linked: int = 0


def extract(text: str, at: str) -> Extracted:
    """Take the text out of a content file.

    Args:
        text: The file, decoded.
        at: What messages call it.

    Returns:
        Its text and what was left out of it.

    Raises:
        InputError: It declares entities, or its elements stand deeper than `MOST_DEPTH`.
    """
    reader = _Reader(at)
    for token in tokens(text, at):
        if isinstance(token, str):
            reader.text(token)
        elif isinstance(token, Comment):
            reader.found.removed["markup"] += visible(token.text)
        else:
            if token.opens:
                reader.start(token)
            if token.closes and not token.opens:
                reader.end(token.name)
    reader.finish()
    reader.found.removed = +reader.found.removed
    return reader.found


def visible(text: str) -> int:
    """Count the characters that are not white space."""
    return sum(map(len, text.split()))


class _Open(NamedTuple):
    """An open element: what it means with all around it, and where its text began."""

    rule: Rule
    skip: str
    verse: bool
    linked: bool
    began: int


_OUTSIDE = _Open(Rule("", "", False, False, False, False), "", False, False, 0)


@dataclass(slots=True)
class _Row:
    """The row of a table that is being read.

    Args:
        depth: How deep it stands.
        cells: The paragraphs of each cell.
    """

    depth: int
    cells: list[list[str]] = field(default_factory=list)

    def blocks(self) -> list[str]:
        """One line, unless the table only lays out a page: then what its cells hold."""
        if any(len(cell) > 1 for cell in self.cells):
            return [block for cell in self.cells for block in cell]
        line = " ".join(block.replace("\n", " ") for cell in self.cells for block in cell)
        return [line] if line else []


class _Reader:
    """Follows the tags of a file; `_text` is the paragraph that is being read."""

    def __init__(self, at: str) -> None:
        self.found = Extracted()
        self._at = at
        self._open = [_OUTSIDE]
        self._names: Counter[str] = Counter()
        self._text = StringIO()
        self._empty = True
        self._verse = False
        self._row: _Row | None = None

    def text(self, text: str) -> None:
        top = self._open[-1]
        if _LINE in text:
            text = self._without_line_marks(text)
        if top.skip:
            self.found.removed[top.skip] += visible(text)
            return
        if top.linked:
            self.found.linked += visible(text)
        if top.verse and "\n" in text and self._names["pre"]:
            self._verse = True
            text = text.replace("\r\n", "\n").replace("\n", _LINE)
        self._empty = False
        self._text.write(text)

    def _without_line_marks(self, text: str) -> str:
        self.found.removed["invisible"] += text.count(_LINE)
        return text.replace(_LINE, "")

    def start(self, tag: Tag) -> None:
        rule, top = rule_of(tag), self._open[-1]
        if rule.name in ("img", "svg") or (rule.name == "image" and not top.skip):
            self.found.pictures += 1
        while top.rule.name in _ENDS.get(rule.name, ()):  # HTML may leave out the end
            self.end(top.rule.name)
            top = self._open[-1]
        skip = top.skip or rule.skip or _mark(rule, top.rule)
        if not top.skip:
            self._boundary(rule, top)
        if not (rule.void or tag.closes):
            verse, linked = top.verse or rule.verse, top.linked or rule.link
            self._push(_Open(rule, skip, verse, linked, self._text.tell()))
            if not skip:
                self._enter_table(rule.name)

    def _boundary(self, rule: Rule, top: _Open) -> None:
        """End the paragraph or line before an element."""
        if rule.name == "br":
            self._verse |= top.verse
            self._text.write(_LINE)
            self._empty = False
        elif rule.block:
            self._end_paragraph()

    def _enter_table(self, name: str) -> None:
        """Note the rows and cells of a table; a table in a cell is but paragraphs."""
        depth = len(self._open) - 1
        if name == "tr" and self._row is None:
            self._row = _Row(depth)
        elif name in ("td", "th") and self._row and depth == self._row.depth + 1:
            self._row.cells.append([])

    def _push(self, element: _Open) -> None:
        if len(self._open) > MOST_DEPTH:
            expected = f"elements at most {MOST_DEPTH:,} deep"
            raise InputError(sentence(expected, "deeper ones", self._at))
        self._open.append(element)
        self._names[element.rule.name] += 1

    def end(self, name: str) -> None:
        """Close an element, and with it all that were left open in it."""
        if not self._names[name]:
            if name in BLOCKS and not self._open[-1].skip:
                self._end_paragraph()
            return
        while True:
            element = self._open.pop()
            self._names[element.rule.name] -= 1
            if not element.skip:
                self._close(element)
            if element.rule.name == name:
                return

    def _close(self, element: _Open) -> None:
        if element.rule.link:
            self._drop_mark(element.began)
        if element.rule.block:
            self._end_paragraph(element.rule.name in HEADINGS)
        if self._row and len(self._open) == self._row.depth:
            self.found.blocks += self._row.blocks()
            self._row = None

    def _drop_mark(self, began: int) -> None:
        """Take out a link that is nothing but the mark of a footnote."""
        length = self._text.tell() - began
        if not 0 < length <= _LONGEST_MARK:
            return
        self._text.seek(began)
        mark = self._text.read()
        if _NOTE_MARK.fullmatch(mark):
            self._text.truncate(began)
            self._text.seek(began)
            self.found.removed["footnote_mark"] += visible(mark)
            self.found.linked -= visible(mark)

    def _end_paragraph(self, heading: bool = False) -> None:
        if self._empty:
            return
        text = self._readable(self._text.getvalue())
        blocks = _blocks(text, heading, self._verse)
        (self._row.cells[-1] if self._row and self._row.cells else self.found.blocks).extend(blocks)
        self._text, self._empty, self._verse = StringIO(), True, False

    def _readable(self, text: str) -> str:
        if not text.isascii():
            self.found.removed["soft_hyphen"] += text.count(_SOFT_HYPHEN)
            text = text.replace(_SOFT_HYPHEN, "").replace(_HAIR, "")
        text, count = _INVISIBLE.subn("", text)
        self.found.removed["invisible"] += count
        return text

    def finish(self) -> None:
        """End the file: whatever is open ends with it."""
        while len(self._open) > 1:
            self.end(self._open[-1].rule.name)
        self._end_paragraph()


def _mark(rule: Rule, around: Rule) -> str:
    """`<sup><a href="#…">` and `<a href="#…"><sup>` are the mark of a footnote."""
    raised = (rule.link and around.name == "sup") or (rule.name == "sup" and around.link)
    return "footnote_mark" if raised else ""


def _blocks(text: str, heading: bool, verse: bool) -> list[str]:
    """Cut a paragraph at its `<br/>`s if they mean something: two in a row always do."""
    lines = [" ".join(line.split()) for line in text.split(_LINE)]
    if heading:
        lines = [" ".join(filter(None, lines))]
    found = []
    for full, group in groupby(lines, key=bool):
        block = list(group)
        if full:
            short = len(block) > 2 and max(map(len, block)) <= SHORT_LINE
            found.append(("\n" if verse or short else " ").join(block))
    return found
