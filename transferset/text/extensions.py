"""Comments, `<nowiki>` and extension tags: found first, since nothing inside them is wikitext.

The rules are those of MediaWiki's preprocessor: one scan from left to right; a tag ends at the
next `>`, its content at the first closing tag; an unclosed comment runs to the end of the page;
an unclosed tag is no tag, so the text behind it stays.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from transferset.text.entities import decode
from transferset.text.formulas import chemistry, formula
from transferset.text.marks import HOLE, gap_at, literal

Handler = Callable[[str, str, list[str]], str]
"""(attributes, content, literals) → what stands in the text instead."""


def _block(_attributes: str, _content: str, _literals: list[str]) -> str:
    return "\n\n"


def _nowiki(_attributes: str, content: str, literals: list[str]) -> str:
    return literal(decode(content), literals) if content else ""


def _code(attributes: str, content: str, literals: list[str]) -> str:
    inline = "inline" in attributes and "\n" not in content.strip()
    return literal(decode(content.strip()), literals) if inline else "\n\n"


def _math(_attributes: str, content: str, literals: list[str]) -> str:
    readable = formula(content)
    return HOLE if readable is None else literal(readable, literals)


def _chemistry(_attributes: str, content: str, literals: list[str]) -> str:
    readable = chemistry(content)
    return HOLE if readable is None else literal(readable, literals)


_BLOCKS = (
    "references gallery timeline score hiero imagemap graph mapframe templatedata inputbox poem "
    "categorytree pre includeonly"
)
_INVISIBLES = "ref maplink templatestyles indicator section languages"

#: What each extension tag becomes; None: it vanishes and leaves a gap.
TAGS: dict[str, Handler | None] = {
    **dict.fromkeys(_INVISIBLES.split()),
    **dict.fromkeys(_BLOCKS.split(), _block),
    "nowiki": _nowiki,
    "source": _code,
    "syntaxhighlight": _code,
    "math": _math,
    "ce": _chemistry,
    "chem": _chemistry,
}

#: A comment, a whole reference without tags inside, which most are, or the name of any other tag.
_OPENER = re.compile(
    r"<(?:(!--)|ref(?:\s[^<>]*+)?>(?:(?<=/>)|[^<]*+</ref>)"
    rf"|((?i:{'|'.join(TAGS)}))(?=[\s/>]))"
)
_CLOSERS = {
    name: re.compile("</" + "".join(f"[{c}{c.upper()}]" for c in name) + r"\s*+>") for name in TAGS
}


def _comment(text: str, start: int) -> tuple[str, int]:
    """Where a comment ends; one that has lines to itself takes one line break along."""
    end = text.find("-->", start + 4)
    if end < 0:
        return "", len(text)
    end += 3
    alone = (start == 0 or text[start - 1] == "\n") and text.startswith("\n", end)
    return gap_at(text, start), end + alone


class _Scan:
    """One pass over one page; remembers which closing tags no longer occur."""

    def __init__(self, text: str, literals: list[str]) -> None:
        self.text = text
        self.literals = literals
        self.missing: set[str] = set()

    def tag(self, start: int, name: str) -> tuple[str, int] | None:
        """What the tag at `start` becomes and where it ends; None when it is no tag."""
        inside = start + 1 + len(name)
        end = -1 if ">" in self.missing else self.text.find(">", inside)
        if end < 0:
            self.missing.add(">")
            return None
        if self.text[end - 1] == "/":
            return self.replaced(start, name, self.text[inside : end - 1], ""), end + 1
        closer = None if name in self.missing else _CLOSERS[name].search(self.text, end + 1)
        if closer is None:
            self.missing.add(name)
            return None
        if TAGS[name] is None:
            return gap_at(self.text, start), closer.end()
        content = self.text[end + 1 : closer.start()]
        return self.replaced(start, name, self.text[inside:end], content), closer.end()

    def replaced(self, start: int, name: str, attributes: str, content: str) -> str:
        """What stands for a tag and its content."""
        handler = TAGS[name]
        return handler(attributes, content, self.literals) if handler else gap_at(self.text, start)


def without_extensions(text: str, literals: list[str]) -> str:
    """Take comments and extension tags out of a page.

    Args:
        text: The page's wikitext.
        literals: Receives the texts that later stages must not look into.

    Returns:
        The rest, with marks (see `marks`) where something was removed.
    """
    tag, search = _Scan(text, literals).tag, _OPENER.search
    out: list[str] = []
    done = 0
    match = search(text)
    while match:
        start = match.start()
        kind = match.lastindex
        if kind is None:
            out += (text[done:start], gap_at(text, start))
            done = match.end()
            match = search(text, done)
            continue
        found = tag(start, match[2].lower()) if kind == 2 else _comment(text, start)
        if found is None:
            match = search(text, match.end())
            continue
        out += (text[done:start], found[0])
        done = found[1]
        match = search(text, done)
    out.append(text[done:])
    return "".join(out)
