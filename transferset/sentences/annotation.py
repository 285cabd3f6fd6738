"""What Kiss and Strunk's algorithm says about one token, before it looks at the next one.

T. Kiss, J. Strunk: Unsupervised Multilingual Sentence Boundary Detection.
Computational Linguistics 32(4), 2006: section 3 (what the form of a token says), section 4.1.1
(orthographic heuristic), section 4.3 (initials and ordinals).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Generic, TypeVar

NUMBER = "##number##"

#: Where and in which case a type was seen in training: bits of the orthographic context.
MID_UPPER = 4
BEGIN_LOWER = 16
ANY_UPPER = 2 | MID_UPPER | 8
ANY_LOWER = BEGIN_LOWER | 32 | 64

#: Tokens that never start a sentence.
INNER_PUNCTUATION = frozenset(";:,.!?")

#: What counts as a number.
NUMERIC = re.compile(r"-?[.,]?\d[\d,.\-]*\.?")
_INITIAL = re.compile(r"[^\W\d]\.")


class Outcome(IntEnum):
    """What the form of a token says (the first pass)."""

    NOTHING = 0
    BREAK = 1
    ABBREVIATION = 2
    ELLIPSIS = 3


@dataclass(frozen=True, slots=True)
class Token:
    """A token with all that the decisions ask of it."""

    text: str
    outcome: Outcome
    kind: str  # the type: lower case, numbers collapsed, no final period
    follower: str  # the type as seen from the token before: a period stays unless it is a break
    period: bool
    initial: bool
    upper: bool
    lower: bool

    @property
    def ordinal(self) -> bool:
        """Whether the rule for initials and numbers applies."""
        return self.initial or self.kind == NUMBER


def describe(text: str, outcome: Outcome) -> Token:
    """Describe a token whose form has been judged.

    Args:
        text: A token as the word pattern cut it; not empty.
        outcome: What its form says.

    Returns:
        The token with everything derived from its text.
    """
    kind = NUMBER if NUMERIC.fullmatch(text) else text.lower()
    bare = kind[:-1] if len(kind) > 1 and kind.endswith(".") else kind
    return Token(
        text=text,
        outcome=outcome,
        kind=bare,
        follower=bare if outcome == Outcome.BREAK else kind,
        period=text.endswith("."),
        initial=_INITIAL.fullmatch(text) is not None,
        upper=text[0].isupper(),
        lower=text[0].islower(),
    )


def starts_sentence(token: Token, context: Mapping[str, int]) -> bool | None:
    """Apply the orthographic heuristic (section 4.1.1).

    Args:
        token: The token after a possible end.
        context: Orthographic context of the types seen in training.

    Returns:
        True or False where case speaks, None where it does not.
    """
    if token.text in INNER_PUNCTUATION:
        return False
    seen = context.get(token.follower, 0)
    if token.upper and seen & ANY_LOWER and not seen & MID_UPPER:
        return True
    if token.lower and (seen & ANY_UPPER or not seen & BEGIN_LOWER):
        return False
    return None


def goes_on(one: Token, two: Token, context: Mapping[str, int]) -> bool:
    """Whether an initial or a number ends no sentence before `two` (section 4.3)."""
    verdict = starts_sentence(two, context)
    if verdict is None and one.initial and two.upper:
        return not context.get(two.follower, 0) & ANY_LOWER
    return verdict is False


_T = TypeVar("_T")


class Memo(dict[str, _T], Generic[_T]):
    """Results by short string; bounded, so that no corpus can fill the memory."""

    LIMIT = 1 << 16
    LONGEST = 60

    def keep(self, key: str, value: _T) -> _T:
        """Store and return a value, unless its key is long.

        Args:
            key: The string that was judged.
            value: The result for it.

        Returns:
            The value.
        """
        if len(key) <= self.LONGEST:
            if len(self) >= self.LIMIT:
                self.clear()
            self[key] = value
        return value
