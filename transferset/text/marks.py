"""Private characters that stand for what was taken out, until the text is repaired.

They are C0 controls, which XML 1.0 cannot carry; `WikitextCleaner` takes them out of any input, so
each one that a later stage meets was left by an earlier stage.
"""

from __future__ import annotations

import re

GAP = "\x01"
"""Something invisible or unknown was taken out here; repair spaces and punctuation around it."""

HOLE = "\x02"
"""A value that the reader sees and that cannot be told; its sentence goes."""

LITERAL = "\x03"
"""Opens and closes the number of a text that no further stage may look into."""

SOUND = "\x04"
"""Opens and closes a pronunciation: kept in running text, cut inside parentheses."""

BAR = "\x05"
"""A `|` that came out of a template, and so separates no arguments."""

EQUALS = "\x06"
"""A `=` that came out of a template, and so names no argument."""

LEFT_BRACE = "\x07"
RIGHT_BRACE = "\x08"
"""Braces that came out of a template, and so open and close none."""

ALL = GAP + HOLE + LITERAL + SOUND + BAR + EQUALS + LEFT_BRACE + RIGHT_BRACE

_ANY = re.compile(f"[{ALL}]")
_LITERAL = re.compile(rf"{LITERAL}(\d+){LITERAL}")
GAP_AFTER = frozenset(" \n\t\u00a0([{\"'“‘«„,;:/–—-=|*#" + GAP)
"""What a removal has to stand behind for repair to be needed."""


def without_marks(text: str) -> str:
    """Take the private characters out of an input that holds them."""
    if any(mark in text for mark in ALL):
        return _ANY.sub("", text)
    return text


def gap_at(text: str, start: int) -> str:
    """Say what a removal at `start` leaves: a mark, or nothing where no repair can be needed.

    A word or a full stop right before the removed thing keeps its right neighbour as it was, and
    that is the case for nine references of ten.
    """
    return GAP if start == 0 or text[start - 1] in GAP_AFTER else ""


def masked(text: str) -> str:
    """Hide the bars, equals signs and braces of an expansion from the templates around it."""
    text = text.replace("|", BAR).replace("=", EQUALS)
    if "{" in text or "}" in text:
        return text.replace("{", LEFT_BRACE).replace("}", RIGHT_BRACE)
    return text


def unmasked(text: str) -> str:
    """Give `masked` characters back."""
    text = text.replace(BAR, "|").replace(EQUALS, "=")
    return text.replace(LEFT_BRACE, "{").replace(RIGHT_BRACE, "}")


def literal(text: str, literals: list[str]) -> str:
    """Put `text` where no stage looks and return its place-holder."""
    literals.append(text)
    return f"{LITERAL}{len(literals) - 1}{LITERAL}"


def with_literals(text: str, literals: list[str]) -> str:
    """Put the texts of `literals` back."""
    if LITERAL not in text:
        return text
    return _LITERAL.sub(lambda m: literals[int(m[1])], text).replace(LITERAL, "")
