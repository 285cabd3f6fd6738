"""Markdown in which nothing of a manifest can become markup."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from transferset.report.markup import shown

#: Longest text of a cell, in characters.
MOST_CELL: Final = 120

_HTML: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_SPECIAL: Final = re.compile(r"[\\`*{}\[\]<>|~$!#&]|(?<!\w)_|_(?!\w)")
_LEADING: Final = re.compile(r"^(\d{1,9}(?=[.)](?:\s|$))|(?=[-+=]))")

#: Renderers of GitHub's dialect make links of these without being asked.
_LINKS: Final = re.compile(r"(?i)(://|\bwww\.)")

#: An address that stands between angle brackets without ending them, or the cell of a table.
_ADDRESS: Final = re.compile(r"https?://[!#-;=?-\[\]_a-z~]+")


def md(value: object, limit: int = MOST_CELL) -> str:
    """A value as one line of Markdown that reads as it is, wherever in a line it stands.

    Args:
        value: Anything; control and direction characters are spelt out.
        limit: Longest text, in characters before escaping.
    """
    text = shown(value, limit)
    text = _SPECIAL.sub(lambda m: _HTML.get(m[0], f"\\{m[0]}"), text)
    text = _LINKS.sub(lambda m: f"{m[0][:-1]}&#{ord(m[0][-1])};", text)
    return _LEADING.sub(r"\1\\", text)


def code(value: object) -> str:
    """A digest, a version or a plain name in a code span; other text as `md` gives it."""
    plain = isinstance(value, str) and re.fullmatch(r"[\w.:+-]{1,160}", value, re.ASCII)
    return f"`{value}`" if plain else md(value)


def link(url: str) -> str:
    """A link that shows its address; text if it does not lead to the web."""
    return f"<{url}>" if len(url) <= 2000 and _ADDRESS.fullmatch(url) else md(url, 300)


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> str:
    """A table of GitHub's dialect.

    Args:
        heads: Markdown of the heads.
        rows: Markdown of the cells, as many as heads.
        left: So many columns are texts, the others numbers.
    """
    rule = ["---" if i < left else "---:" for i in range(len(heads))]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (heads, rule, *rows))


def items(texts: Sequence[str]) -> str:
    """A list with bullets."""
    return "\n".join(f"- {text}" for text in texts)
