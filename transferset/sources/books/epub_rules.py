"""What each element of a book in XHTML means for its text."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final, NamedTuple

from transferset.sources.books.xhtml import Tag, attributes_of


class Rule(NamedTuple):
    """What an element means.

    Args:
        name: Of the element.
        skip: What its text is counted as; empty if it belongs to the book.
        block: Whether it begins and ends a paragraph.
        verse: Whether its lines are lines.
        link: Whether it is a link to a place in the book.
        void: Whether it has no inside.
    """

    name: str
    skip: str
    block: bool
    verse: bool
    link: bool
    void: bool


_VOID: Final = frozenset(
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source",
     "track", "wbr"]
)  # fmt: skip
BLOCKS: Final = frozenset(
    ["address", "article", "aside", "blockquote", "body", "caption", "center", "dd", "details",
     "dialog", "dir", "div", "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form",
     "h1", "h2", "h3", "h4", "h5", "h6", "head", "header", "hgroup", "hr", "html", "li",
     "main", "menu", "nav", "ol", "p", "pre", "section", "summary", "table", "tbody", "td",
     "tfoot", "th", "thead", "tr", "ul"]
)  # fmt: skip
HEADINGS: Final = frozenset(["h1", "h2", "h3", "h4", "h5", "h6"])

#: Elements whose text is none of the book, and what it is counted as.
_NAMES: Final[Mapping[str, str]] = {
    **dict.fromkeys(("head", "script", "style", "template"), "head"),
    **dict.fromkeys(("audio", "canvas", "iframe", "object", "svg", "video"), "picture"),
    "math": "formula",
    "nav": "contents",
    **dict.fromkeys(("rt", "rp"), "ruby"),
    "figcaption": "caption",
}

#: The same by what `epub:type` or `role` says; the latter with `doc-` before it.
_TYPES: Final[Mapping[str, str]] = {
    "pagebreak": "page_number",
    **dict.fromkeys(("noteref", "backlink"), "footnote_mark"),
    **dict.fromkeys(
        ("toc", "toc-brief", "landmarks", "page-list", "pagelist", "loi", "lot"), "contents"
    ),
    **dict.fromkeys(("imprint", "colophon", "copyright-page"), "licence"),
}

#: The same by class, as Project Gutenberg and its volunteers write them.
_CLASSES: Final[Mapping[str, str]] = {
    **dict.fromkeys(("pagenum", "pageno", "pagenumber"), "page_number"),
    **dict.fromkeys(("fnanchor", "noteref", "footnote-ref"), "footnote_mark"),
    "caption": "caption",
    "pg-boilerplate": "licence",
}
_IDS: Final[Mapping[str, str]] = {"pg-header": "licence", "pg-footer": "licence"}

_VERSE: Final = frozenset(
    ["poem", "poetry", "verse", "stanza", "song", "hymn", "lyrics", "linegroup", "z3998:poem",
     "z3998:verse", "z3998:song", "z3998:hymn", "z3998:lyrics"]
)  # fmt: skip

#: Longest attributes whose rule is remembered.
_REMEMBERED: Final = 200


def rule_of(tag: Tag) -> Rule:
    """What an opening tag means, apart from where it stands."""
    if len(tag.attributes) > _REMEMBERED or len(tag.name) > _REMEMBERED:
        return _rule(tag.name, tag.attributes)
    return _remembered(tag.name, tag.attributes)


def _rule(name: str, written: str) -> Rule:
    attributes = attributes_of(written) if written else {}
    types = {t.lower() for t in attributes.get("epub:type", "").split()}
    types |= {t.lower().removeprefix("doc-") for t in attributes.get("role", "").split()}
    classes = {c.lower() for c in attributes.get("class", "").split()}
    return Rule(
        name=name,
        skip=_skip(name, types, classes, attributes),
        block=name in BLOCKS,
        verse=name == "pre" or not _VERSE.isdisjoint(types | classes),
        link=name == "a" and "#" in attributes.get("href", ""),
        void=name in _VOID,
    )


def _skip(name: str, types: set[str], classes: set[str], attributes: Mapping[str, str]) -> str:
    if name in _NAMES:
        return _NAMES[name]
    for words, table in ((types, _TYPES), (classes, _CLASSES), ({attributes.get("id")}, _IDS)):
        for word in table:
            if word in words:
                return table[word]
    hidden = attributes.get("hidden")
    return "" if hidden is None or hidden == "until-found" else "hidden"


_remembered = lru_cache(maxsize=4096)(_rule)
