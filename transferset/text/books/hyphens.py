"""Words that a hyphen at the end of a line cuts in two."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import Final

from transferset.text.books.characters import Removed

_LONGEST: Final = 40
_BEHIND: Final = re.compile(r"\n *+([^\W_]++)?")
_TOKEN: Final = re.compile(r"[^\W\d_]++(?:-[^\W\d_]++)*+")
_EDGES: Final = "\"'“”‘’«»()[]{}_=~*.,;:!?—–"
_LINKS: Final = frozenset(["and", "or", "to", "und", "oder", "bis", "et", "ou"])


@dataclass(frozen=True, slots=True)
class _Cut:
    """A hyphen, where the next word begins, and the two parts of the word in small letters."""

    at: int
    after: int
    left: str
    right: str
    small: bool

    @property
    def one(self) -> str:
        return self.left + self.right

    @property
    def two(self) -> str:
        return f"{self.left}-{self.right}"


def without_wrapped_hyphens(text: str, removed: Removed) -> str:
    """Put the parts of words together that line ends cut.

    The hyphen goes when the word stands elsewhere in the text in one piece more often than with a
    hyphen, and stays when it is the other way round. Where neither is found, what most of the
    text's other cases are decides (a text of today's Project Gutenberg cuts only at hyphens of
    compounds), and in the end a small letter means one word. A hyphen behind a dash or a space is
    left alone.
    """
    cuts = _cuts(text) if "-\n" in text else []
    if not cuts:
        return text
    forms = _counts(text, cuts)
    votes = sum((forms[c.one] > forms[c.two]) - (forms[c.one] < forms[c.two]) for c in cuts)
    out: list[str] = []
    done = 0
    for cut in cuts:
        joined = _is_one(cut, forms, votes)
        if joined is None:
            continue
        removed["hyphen"] += joined
        out += (text[done : cut.at], "" if joined else "-")
        done = cut.after
    out.append(text[done:])
    return "".join(out)


def _cuts(text: str) -> list[_Cut]:
    found: list[_Cut] = []
    at = text.find("-\n")
    while at >= 0:
        if text[at - 1 : at].isalnum() and (match := _BEHIND.match(text, at + 1)) and match[1]:
            left = text[max(0, at - _LONGEST) : at].split()[-1].strip(_EDGES).rpartition("--")[2]
            right = match[1]
            found.append(_Cut(at, match.start(1), left.lower(), right.lower(), right[0].islower()))
        at = text.find("-\n", at + 1)
    return found


def _counts(text: str, cuts: list[_Cut]) -> Counter[str]:
    """How often the two forms of each word stand in the text, in one pass over it."""
    wanted = {form for cut in cuts for form in (cut.one, cut.two)}
    return Counter(filter(wanted.__contains__, _TOKEN.findall(text.lower())))


def _is_one(cut: _Cut, forms: Counter[str], votes: int) -> bool | None:
    """Whether the hyphen goes; None where even the space stays: `two-` `and three-act plays`."""
    one, two = forms[cut.one], forms[cut.two]
    if one != two:
        return one > two
    if cut.right in _LINKS:
        return None
    return cut.small and cut.left[-1:].isalpha() and votes >= 0
