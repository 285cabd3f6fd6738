"""Counting words as BERT splits them, in bounded memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer

from transferset.errors import InputError, sentence

#: WordPiece gives up on longer words, so there is nothing to learn from them.
LONGEST_WORD = 100
#: Different strings between spaces before they are split into words (some 100 MB).
MOST_PENDING = 500_000
#: Different words before the rarest are forgotten (some 500 MB).
MOST_WORDS = 4_000_000
_SPACES = str.maketrans("\t\n\r", "   ")


class WordCounts:
    """Counts of words, normalised.

    Nothing that BERT's normalizer or pre-tokenizer does reaches across a space, so what stands
    between two spaces is counted first and split once, however often it occurs.

    Attributes:
        counts: By word.
        forgotten: Occurrences that are not in `counts`: of words too long, or so rare that memory
            was worth more (lossy counting, Manku and Motwani 2002, § 4.2, with a limit on the
            table's size in the place of one on the error).
    """

    def __init__(
        self,
        *,
        lowercase: bool,
        strip_accents: bool | None,
        most_pending: int = MOST_PENDING,
        most_words: int = MOST_WORDS,
    ) -> None:
        """Begin with nothing counted.

        Args:
            lowercase: Whether the text is lower-cased first.
            strip_accents: Whether accents go; None: as `lowercase` says.
            most_pending: See `MOST_PENDING`.
            most_words: See `MOST_WORDS`.
        """
        self.counts: Counter[str] = Counter()
        self.forgotten = 0
        self._normalizer = BertNormalizer(lowercase=lowercase, strip_accents=strip_accents)
        self._splitter = BertPreTokenizer()
        self._pending: Counter[str] = Counter()
        self._most_pending, self._most_words = most_pending, most_words
        self._floor = 0

    def add(self, texts: Iterable[str]) -> None:
        """Count the words of texts.

        Args:
            texts: Any Unicode but lone surrogates.

        Raises:
            InputError: A text holds a lone surrogate.
        """
        for text in texts:
            self._pending.update(text.translate(_SPACES).split(" "))
            if len(self._pending) > self._most_pending:
                self._settle()
        self._settle()

    def _settle(self) -> None:
        for text, count in self._pending.items():
            for word in self._split(text):
                if len(word) <= LONGEST_WORD:
                    self.counts[word] += count
                else:
                    self.forgotten += count
        self._pending.clear()
        while len(self.counts) > self._most_words:
            self._floor += 1
            rare = [word for word, count in self.counts.items() if count <= self._floor]
            self.forgotten += sum(self.counts.pop(word) for word in rare)

    def _split(self, text: str) -> list[str]:
        try:
            normal = self._normalizer.normalize_str(text)
        except UnicodeEncodeError as error:
            found = f"the lone surrogate U+{ord(text[error.start]):04X} in {text!r}"
            raise InputError(sentence("text that UTF-8 can hold", found)) from error
        return [word for word, _ in self._splitter.pre_tokenize_str(normal)]
