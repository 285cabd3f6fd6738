"""Templates, parser functions and parameters: pairs of braces, expanded innermost first.

Two passes over the runs of braces, no recursion: the first pairs them as MediaWiki's
preprocessor does, the second expands. What lies inside a template that vanishes is not looked at.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from transferset.text.marks import gap_at, masked, unmasked

MAX_DEPTH = 40
"""Templates nested deeper vanish, as in MediaWiki; keeps the work linear in the page's length."""

Expansion = Callable[[str], str]
"""From the text between the braces (inner ones expanded) to what the reader sees."""

_OPENING = re.compile(
    r"\{\{+"
)  # apart, since a literal prefix makes each scan several times faster
_CLOSING = re.compile(r"\}\}+")
_STRAY = re.compile(r"\{\{+|\}\}+")


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


def expanded(text: str, find: Callable[[str, int, int], Expansion | None]) -> str:
    """Expand all templates of a page.

    Args:
        text: The page, without comments and extension tags.
        find: From (text, start, stop) of the inside of a pair of braces to its expansion; None
            when it vanishes.

    Returns:
        The page without braces; those without a partner vanish, the text behind them stays.
    """
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
    result = unmasked("".join(state.out))
    if "{" in result or "}" in result:  # one character is found several times faster than two
        return _STRAY.sub("", result)
    return result
