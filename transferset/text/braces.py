"""Templates, parser functions and parameters: pairs of braces, expanded innermost first.

Those without braces inside, which nearly all are, are expanded in one pass. Two more passes over
the runs of braces that are left, no recursion: the first pairs them as MediaWiki's preprocessor
does, the second expands.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from transferset.text.marks import GAP, GAP_AFTER, gap_at, masked, unmasked

MAX_DEPTH = 40
"""Templates nested deeper vanish, as in MediaWiki; keeps the work linear in the page's length."""

Expansion = Callable[[str], str]
"""From the text between the braces (inner ones expanded) to what the reader sees."""

_SIMPLE = re.compile(r"\{\{(?<!\{\{\{)(?!\{)([^{}]*+)\}\}(?!\})")
_OPENING = re.compile(
    r"\{\{+"
)  # apart, since a literal prefix makes each scan several times faster
_CLOSING = re.compile(r"\}\}+")


def brace_spans(text: str) -> list[tuple[int, int, int]]:
    """Pair the braces of a page.

    Returns:
        (start, stop, width) of each pair in the order of their starts; width 2 is a template,
        3 a parameter. Braces without a partner are in no pair.
    """
    spans: list[tuple[int, int, int]] = []
    opened: list[list[int]] = []
    runs = [match.span() for match in _OPENING.finditer(text)]
    runs += [match.span() for match in _CLOSING.finditer(text)]
    for start, stop in sorted(runs):
        if text[start] == "{":
            opened.append([start, stop - start])
            continue
        while opened and stop - start >= 2:
            first, count = opened[-1]
            width = min(stop - start, count, 3)
            spans.append((first + count - width, start + width, width))
            start += width
            opened[-1][1] = count - width
            if count - width < 2:
                opened.pop()
    spans.sort()
    return spans


class _Expander:
    """The state of the second pass."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.out: list[str] = []
        self.done = 0
        self.open: list[tuple[int, int, int, int, Expansion]] = []

    def close_before(self, position: int) -> None:
        """Expand every open pair that ends at or before `position`."""
        while self.open and self.open[-1][0] <= position:
            stop, start, width, base, expansion = self.open.pop()
            self.out.append(self.text[self.done : stop - width])
            inner = "".join(self.out[base:])
            del self.out[base:]
            self.out.append(masked(expansion(inner)) or gap_at(self.text, start))
            self.done = stop

    def enter(self, start: int, stop: int, width: int, expansion: Expansion | None) -> None:
        """Begin a pair, or cut it out whole."""
        self.out.append(self.text[self.done : start])
        if expansion is None or len(self.open) >= MAX_DEPTH:
            self.out.append(gap_at(self.text, start))
            self.done = stop
        else:
            self.open.append((stop, start, width, len(self.out), expansion))
            self.done = start + width


def parameter(inner: str) -> str:
    """`{{{name|default}}}` outside a template is its default, or nothing."""
    return inner.partition("|")[2]


def _without_simple(text: str, expand: Expansion) -> str:
    """Expand the templates that have no braces inside."""
    parts = _SIMPLE.split(text)
    behind = "\n"  # what stands before the page is like a line break
    for at in range(1, len(parts), 2):
        behind = parts[at - 1][-1:] or behind
        shown = expand(parts[at])
        parts[at] = masked(shown) if shown else GAP if behind in GAP_AFTER else ""
        behind = "}"
    return "".join(parts)


def expanded(
    text: str, find: Callable[[str, int, int], Expansion | None], expand: Expansion
) -> str:
    """Expand all templates of a page.

    Args:
        text: The page, without comments and extension tags.
        find: From (text, start, stop) of the inside of a pair of braces to its expansion; None
            when it vanishes.
        expand: From the inside of a pair of braces to what the reader sees, so that
            `expand(inner)` is `find(inner, 0, len(inner))(inner)`.

    Returns:
        The page without braces; those without a partner vanish, the text behind them stays.
    """
    text = _without_simple(text, expand)
    if "{" in text or "}" in text:  # one character is found several times faster than two
        text = _CLOSING.sub("", _OPENING.sub("", _without_nested(text, find)))
    return unmasked(text)


def _without_nested(text: str, find: Callable[[str, int, int], Expansion | None]) -> str:
    state = _Expander(text)
    for start, stop, width in brace_spans(text):
        if start < state.done:  # inside something that was cut out
            continue
        state.close_before(start)
        if width == 3:
            state.enter(start, stop, width, parameter)
        else:
            state.enter(start, stop, width, find(text, start + 2, stop - 2))
    state.close_before(len(text))
    state.out.append(text[state.done :])
    return "".join(state.out)
