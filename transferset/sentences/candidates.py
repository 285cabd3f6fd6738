"""Cutting a passage by looking only at the places where a sentence could end.

Punkt and nupunkt judge a boundary from the word that carries the sentence-end character and
from the next word, nothing else. So one pattern finds the candidates, and what a word says is
remembered by the word: most words end a sentence whatever follows them. The pattern knows three
kinds of candidates:

    plain       end character, spaces, then the next sentence               `lastindex` None
    closed      end character, closing quotes or brackets (group 1), spaces `lastindex` 1
    irregular   everything else (`?!`, `. . .`, `.)—`, other white space …)  `lastindex` 2

One irregular candidate sends its passage through `exact`, which follows the library step by
step. The tests compare both ways with the libraries themselves.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Iterator

from transferset.sentences.annotation import Memo, Token

#: `_weigh` returns the end of the sentence, or one of these.
GOES_ON = 0
IRREGULAR = -1

_WORD = re.compile(r"\S+")

Span = tuple[int, int]


class CandidateSplitter(ABC):
    """The loop over candidates; the decisions are the subclass's.

    Args:
        ends: Characters that may end a sentence.
        closers: Closing quotes and brackets, as the inside of a character class.
        candidate: Pattern of what follows an end character at every candidate of the library.
    """

    #: Whether a lower-case letter after a closing quote continues the sentence.
    quotation_continues = False

    def __init__(self, ends: Collection[str], closers: str, candidate: str) -> None:
        self._other_ends = tuple(sorted(set(ends) - {"."}))
        ends = re.escape("".join(sorted(ends)))
        follow = (
            # What follows can neither belong to an ellipsis or `?!` nor move to the sentence
            # before (see `realigned`).
            rf"(?: ++(?=[^\s{ends}{closers}]|[{closers}]++[^\s\-])"
            rf"|([{closers}]++) ++(?=[^\s{ends}])"
            # The last end of a passage changes nothing.
            rf"|(?![{closers}]*+\s*+\Z){candidate}())"
        )
        self._find = re.compile(rf"[{ends}]{follow}").finditer
        # A pattern that starts with one character is searched several times as fast.
        self._find_periods = re.compile(rf"\.{follow}").finditer
        self._trailing = re.compile(rf"[{closers}]+?(?:\s+|(?=--)|$)", re.MULTILINE)
        self._known: Memo[Token | bool] = Memo()

    @abstractmethod
    def exact(self, passage: str) -> list[str]:
        """Split any text with the library's decisions, at the library's pace."""

    @abstractmethod
    def _learn(self, word: str) -> Token | bool:
        """Judge a word with an end character: True ends, False is irregular, else it depends."""

    @abstractmethod
    def _ends_before(self, token: Token, follower: str) -> bool:
        """Judge a token that needs the next word (or the closing punctuation) to decide."""

    def _skipped(self, passage: str) -> int:
        """Return the place before which no end character counts."""
        return 0

    def split(self, passage: str) -> list[str]:
        """Split a passage.

        Args:
            passage: A paragraph; a line break in it is legal, and slower.

        Returns:
            The sentences in order, stripped, none empty.
        """
        if "\n" in passage:
            return self.exact(passage)
        sentences = []
        start = seen = 0
        space_before = passage.rfind
        known = self._known.get
        for match in self._candidates(passage):
            at, after = match.span()
            word = passage[space_before(" ", seen, at) + 1 : at + 1]
            seen = after - 1  # a space, so that the next search finds one and is short
            rule = known(word)
            if rule is True and match.lastindex is None:
                stop = at + 1
            else:
                stop = self._weigh(passage, match, word, rule)
                if stop == GOES_ON:
                    continue
                if stop == IRREGULAR:
                    return self.exact(passage)
            sentences.append(passage[start:stop])
            start = after
        rest = passage[start:].rstrip()
        if rest:
            sentences.append(rest)
        if sentences:
            sentences[0] = sentences[0].lstrip()
        return sentences

    def _candidates(self, passage: str) -> Iterator[re.Match[str]]:
        for mark in self._other_ends:
            if mark in passage:
                return self._find(passage, self._skipped(passage))
        return self._find_periods(passage, self._skipped(passage))

    def _weigh(
        self, passage: str, match: re.Match[str], word: str, rule: Token | bool | None
    ) -> int:
        if match.lastindex == 2:
            return IRREGULAR
        if rule is None:
            rule = self._known.keep(word, self._learn(word))
        if rule is False:
            return IRREGULAR
        closed = match.lastindex == 1
        after = match.end()
        if closed and self.quotation_continues and passage[after].islower():
            return GOES_ON
        if rule is not True and not self._ends_before(rule, self._follower(passage, match)):
            return GOES_ON
        return match.end(1) if closed else match.start() + 1

    def _follower(self, passage: str, match: re.Match[str]) -> str:
        return word_at(passage, match.end())


def word_at(text: str, at: int) -> str:
    """Return what stands at `at`, up to white space."""
    found = _WORD.match(text, at)
    return found.group() if found else ""


def realigned(text: str, spans: Iterable[Span], trailing: re.Pattern[str]) -> Iterator[Span]:
    """Move closing punctuation at the start of a span to the span before.

    Args:
        text: The text that was split.
        spans: Ranges of characters, ascending.
        trailing: Pattern of what moves.

    Yields:
        Ranges without what moved; ranges of which nothing is left are dropped.
    """
    previous: Span | None = None
    for span in spans:
        if previous is not None:
            moved = trailing.match(text, *span)
            if moved:
                yield previous[0], span[0] + len(moved.group().rstrip())
                span = (moved.end(), span[1])
            elif previous[0] < previous[1]:
                yield previous
        previous = span
    if previous is not None and previous[0] < previous[1]:
        yield previous


def pieces(text: str, spans: Iterable[Span]) -> list[str]:
    """Return the stripped texts of the spans, without empty ones."""
    return [piece for start, stop in spans if (piece := text[start:stop].strip())]
