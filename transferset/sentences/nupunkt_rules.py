r"""nupunkt's decisions, looked up only where a sentence could end.

An own implementation of what nupunkt 0.8.0 (MIT licence, ALEA Institute) decides by default,
`nupunkt.sent_tokenize(text)`; it descends from Kiss and Strunk (2006), see `annotation`. The
model comes from the installed package. Differences from Punkt that matter here: closing
punctuation is transparent, so that the word after a quote decides; an ellipsis ends a sentence
before a capital; titles never do; abbreviations that end a sentence in four of five cases do;
`!` and `?` inside a quotation go on before a lower-case word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from transferset.errors import UsageError, sentence
from transferset.sentences.annotation import (
    NUMERIC,
    Memo,
    Outcome,
    Token,
    describe,
    goes_on,
    starts_sentence,
)
from transferset.sentences.candidates import CandidateSplitter, Span, pieces, realigned
from transferset.sentences.nupunkt_context import (
    CERTAIN,
    CLOSERS,
    CLOSING,
    ENDS,
    ENUMERATOR,
    ENUMERATOR_END,
    FOLLOWED,
    TOKENS,
    boundaries,
    matched,
    tokens_around,
)

#: The release whose decisions these are.
RELEASE = "0.8.0"

_IGNORED = str.maketrans("", "", ".'’&")
_SPACES = re.compile(r"\s*")
_ENDING = frozenset(".?!")
_ELLIPSIS = re.compile(r"\.\.$|…$|\.\s+\.\s+\.")
_TITLES = frozenset(
    [
        "mr",
        "mrs",
        "ms",
        "dr",
        "prof",
        "hon",
        "rev",
        "gen",
        "lt",
        "col",
        "capt",
        "sgt",
        "gov",
        "sen",
        "rep",
        "messrs",
        "mme",
        "mlle",
    ]
)
_GOES_ON_AFTER_ELLIPSIS = frozenset(
    ["I", "I'm", "I'll", "I'd", "I've", "I’m", "I’ll", "I’d", "I’ve"]
)
_RATE = 0.8
_RATE_COUNT = 20


@dataclass(frozen=True, slots=True)
class Model:
    """What nupunkt learned.

    Attributes:
        abbreviations: Lower case, without the final period.
        collocations: Pairs of types that belong together across a period.
        starters: Types that often start a sentence.
        context: Orthographic context by type.
        finishing: Abbreviations that end a sentence before a capital.
    """

    abbreviations: frozenset[str]
    collocations: frozenset[tuple[str, str]]
    starters: frozenset[str]
    context: dict[str, int]
    finishing: frozenset[str]


def load() -> Model:
    """Load nupunkt's default model.

    Returns:
        A copy: nupunkt shares one mutable instance between all callers.

    Raises:
        UsageError: Another release of nupunkt is installed.
    """
    import nupunkt

    if nupunkt.__version__ != RELEASE:
        found = f"nupunkt {nupunkt.__version__}"
        do = f"pip install nupunkt=={RELEASE}"
        raise UsageError(sentence(f"nupunkt {RELEASE}", found, do=do))
    learned = nupunkt.load("default").parameters
    rates = learned.abbrev_break_rates.items()
    return Model(
        abbreviations=frozenset(learned.abbrev_types),
        collocations=frozenset(learned.collocations),
        starters=frozenset(learned.sent_starters),
        context=dict(learned.ortho_context),
        finishing=frozenset(k for k, (n, b) in rates if n >= _RATE_COUNT and b / n >= _RATE),
    )


class NupunktSplitter(CandidateSplitter):
    """Splits as `nupunkt.sent_tokenize` does.

    Args:
        model: What was learned, see `load`.
    """

    quotation_continues = True

    def __init__(self, model: Model) -> None:
        super().__init__(ENDS, CLOSERS, FOLLOWED)
        self._model = model
        self._first_of_pair = frozenset(first for first, _ in model.collocations)
        self._special = model.abbreviations | self._first_of_pair
        self._tokens: Memo[Token] = Memo()
        self._next: Memo[Token | None] = Memo()
        self._contexts: Memo[bool] = Memo()

    def _skipped(self, passage: str) -> int:
        found = ENUMERATOR.match(passage)
        return found.end() if found and found.end() <= ENUMERATOR_END else 0

    def _learn(self, word: str) -> Token | bool:
        if self._is_ordinary(word):
            return True
        word = word.split()[-1]
        if len(word) == 1:
            return False  # white space before the end character: an ellipsis may begin earlier
        tokens = [self._token(text) for text in TOKENS(word) if not CLOSING.issuperset(text)]
        if any(self._ends(one, two) for one, two in pairwise(tokens)):
            return True
        last = tokens[-1]
        certain = last.outcome == Outcome.BREAK and not (
            last.ordinal or last.kind in self._first_of_pair
        )
        return certain or last

    def _is_ordinary(self, word: str) -> bool:
        """Whether a word is nothing but letters and unknown to the model: the common case."""
        bare = word[:-1]
        return (
            bare.isalpha()
            and len(bare) > 1
            and bare.lower() not in self._special
            and word[-1] != "…"
        )

    def _ends_before(self, token: Token, follower: str) -> bool:
        if follower in self._next:
            two = self._next[follower]
        else:
            texts = (text for text in TOKENS(follower) if not CLOSING.issuperset(text))
            first = next(texts, None)
            two = self._next.keep(follower, self._token(first) if first else None)
        return token.outcome == Outcome.BREAK if two is None else self._ends(token, two)

    def _token(self, text: str) -> Token:
        token = self._tokens.get(text)
        return token or self._tokens.keep(text, describe(text, self._outcome(text)))

    def _outcome(self, text: str) -> Outcome:
        if text in _ENDING:
            return Outcome.BREAK
        if _ELLIPSIS.search(text):
            return Outcome.ELLIPSIS
        if not text.endswith("."):
            return Outcome.NOTHING
        bare = text[:-1].lower()
        known = self._model.abbreviations
        if _may_abbreviate(text) and (
            bare in known or ("." in bare and bare.replace(".", "") in known)
        ):
            return Outcome.ABBREVIATION
        return Outcome.BREAK

    def _ends(self, one: Token, two: Token, new_paragraph: bool = False) -> bool:
        if one.outcome == Outcome.NOTHING:
            return False
        if one.outcome == Outcome.ELLIPSIS:
            return two.upper and two.text not in _GOES_ON_AFTER_ELLIPSIS
        if not one.period or (new_paragraph and two.upper):
            return True
        abbreviation = one.outcome == Outcome.ABBREVIATION
        if abbreviation and one.kind in _TITLES and two.upper:
            return False
        if (one.kind, two.follower) in self._model.collocations:
            return False
        if abbreviation and not one.initial and self._starts_after(one, two):
            return True
        if one.ordinal and goes_on(one, two, self._model.context):
            return False
        return not abbreviation

    def _starts_after(self, abbreviation: Token, two: Token) -> bool:
        model = self._model
        if two.upper and (abbreviation.kind in model.finishing or two.follower in model.starters):
            return True
        return starts_sentence(two, model.context) is True

    def exact(self, passage: str) -> list[str]:
        """Split any text, following nupunkt step by step.

        Args:
            passage: Any text.

        Returns:
            The sentences, stripped, none empty.
        """
        trailing = self._trailing
        return pieces(passage, realigned(passage, self._spans(passage), trailing))

    def _spans(self, text: str) -> Iterator[Span]:
        start = 0
        for at, before, after in boundaries(text):
            if self._breaks(before, after):
                yield start, at + 1
                start = matched(_SPACES, text, at + 1)
        stop = len(text.rstrip())
        if start < stop:
            yield start, stop

    def _breaks(self, before: str, after: str) -> bool:
        key = f"{len(before)} {before}{after}"
        known = self._contexts.get(key)
        if known is None:
            known = self._contexts.keep(key, self._holds_break(before, after))
        return known

    def _holds_break(self, before: str, after: str) -> bool:
        if ("!" in before or "?" in before) and CERTAIN.search(before + after):
            return True
        known = [
            (self._token(text), new_paragraph, inside)
            for text, new_paragraph, inside in tokens_around(before, after)
        ]
        for (one, _, _), (two, new_paragraph, _) in pairwise(known):
            if self._ends(one, two, new_paragraph):
                return True
        last, _, inside = known[-1]
        return inside and last.outcome == Outcome.BREAK


def _may_abbreviate(text: str) -> bool:
    """Whether a token consists of letters and some digits, with inner periods, `'` and `&`."""
    if NUMERIC.fullmatch(text):
        return False
    bare = text.translate(_IGNORED)
    digits = sum(map(str.isdigit, bare))
    letters = sum(map(str.isalpha, bare))
    return letters > 0 and letters >= digits and letters + digits == len(bare)
