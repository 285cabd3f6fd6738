"""HTML and SVG in which everything that is not markup of our own is escaped by construction."""

from __future__ import annotations

import html
import unicodedata
from typing import Final

#: Longest text that a page shows of anything that a manifest says, in characters.
MOST_SHOWN: Final = 300

#: Joiners are not printable, but words of Persian, Hindi and others are misspelt without them.
_JOINERS: Final = "\u200c\u200d"

#: Elements without content, which HTML writes without an end tag.
_VOID: Final = frozenset({"meta", "link", "br", "col"})


class Html(str):
    """Text that is markup already."""

    __slots__ = ()


def shown(value: object, limit: int = MOST_SHOWN) -> str:
    """A value as one line of visible text: control and direction characters are spelt out.

    Args:
        value: Anything; its `str` is shown.
        limit: Longest result, in characters.

    Returns:
        Text, not yet escaped for HTML.
    """
    raw = value if isinstance(value, str) else _plain(value)
    visible = "".join(
        c if c.isprintable() or c in _JOINERS else c.encode("unicode_escape").decode("ascii")
        for c in raw[: limit + 1]
    )
    return visible if len(visible) <= limit else visible[: limit - 1] + "…"


def _plain(value: object) -> str:
    """A number; of what could be of any size only the kind is told."""
    if isinstance(value, int | float) and not abs(value) >= 1e18:
        return f"{value:,}"
    return type(value).__name__ if value is not None else ""


def el(name: str, /, *children: str | None, **attributes: str | float | None) -> Html:
    """An element; children that are not `Html` are escaped, None is left out.

    Args:
        name: Tag.
        children: Text or markup.
        attributes: `class_` is written `class`, `stroke_width` is `stroke-width`, None is left out.
    """
    pairs = (
        f' {key.strip("_").replace("_", "-")}="{_attribute(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    start = f"<{name}{''.join(pairs)}>"
    return Html(start if name in _VOID else f"{start}{join(*children)}</{name}>")


def join(*children: str | None) -> Html:
    """Children one after the other, escaped where they are not markup."""
    return Html(
        "".join(
            child if isinstance(child, Html) else html.escape(child)
            for child in children
            if child is not None
        )
    )


def _attribute(value: str | float) -> str:
    if isinstance(value, float):
        return f"{value:.2f}".rstrip("0").rstrip(".")
    return html.escape(str(value))


#: Narrow and broad characters; widths are those of DejaVu Sans, one of the widest fonts.
_NARROW: Final = frozenset("iljtfrI.,;:'|!()[]·-/ ")
_BROAD: Final = frozenset("mMW@%…—")


def width(text: str, size: float) -> float:
    """About how wide a text is, never much too little.

    Args:
        text: One line.
        size: Font size in px.

    Returns:
        Width in px.
    """
    return size * sum(map(_width, text))


def _width(character: str) -> float:
    if character in _NARROW:
        return 0.41
    if character in _BROAD:
        return 1.0
    if character.isascii():
        return 0.79 if character.isupper() or character in "w+<=>~#" else 0.64
    if unicodedata.combining(character):
        return 0.0
    return 1.05 if unicodedata.east_asian_width(character) in "WF" else 0.72


def short(name: str, limit: int = 36) -> str:
    """A long name without its middle: names of derived sets differ at their end."""
    if len(name) <= limit:
        return name
    head = (limit - 1) // 3
    return f"{name[:head]}…{name[head + 1 - limit :]}"


def fit_name(name: str, room: float, size: float) -> str:
    """The longest `short` name of a set that fits into `room` px."""
    limit = len(name)
    while limit > 4 and width(short(name, limit), size) > room:
        limit -= 1
    return short(name, limit)


def fit(text: str, room: float, size: float) -> str:
    """Cut a text that would not fit into `room` px, with an ellipsis."""
    if width(text, size) <= room:
        return text
    used = width("…", size)
    for i, character in enumerate(text):
        used += size * _width(character)
        if used > room:
            return text[:i].rstrip() + "…"
    return text


def wrap(text: str, room: float, size: float, most: int) -> list[str]:
    """Break a text into at most `most` lines of `room` px; what is left over is cut."""
    lines: list[str] = []
    line = ""
    words = text.split(" ")
    for i, word in enumerate(words):
        longer = f"{line} {word}" if line else word
        if line and width(longer, size) > room:
            lines.append(line)
            line = word
        else:
            line = longer
        if len(lines) == most - 1:
            line = " ".join([line, *words[i + 1 :]])
            break
    return [fit(one, room, size) for one in [*lines, line]]
