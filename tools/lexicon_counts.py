"""Counts of words and tags for the lexicon tagger (see `tools/lexicon.py`)."""

from __future__ import annotations

import re
from collections import Counter, defaultdict

import numpy as np

from transferset.tagging.hmm_choices import FAINTEST
from transferset.tagging.hmm_model import BOUNDARY, CAPITAL
from transferset.tagging.hmm_words import LONGEST, SMALL, case_of

Pairs = list[tuple[str, str]]
_DIGIT = re.compile("[0-9]")


def shape(word: str) -> str:
    """Write a word as the table has it: every digit is 0."""
    return _DIGIT.sub("0", word)


class Counting:
    """Words by tag, and what follows what."""

    def __init__(self) -> None:
        """Begin with nothing counted."""
        self.trigrams: Counter[tuple[str, str, str]] = Counter()
        self._words: dict[str, Counter[str]] = defaultdict(Counter)
        self._capital: dict[str, bool] = {}

    def add(self, pairs: Pairs) -> None:
        """Count a text."""
        states = [BOUNDARY, BOUNDARY]
        for word, tag in pairs:
            self._words[shape(word)][tag] += 1
            states.append(self._state(shape(word), tag))
        states.append(BOUNDARY)
        self.trigrams.update(zip(states, states[1:], states[2:], strict=False))

    def _state(self, word: str, tag: str) -> str:
        if word not in self._capital:
            data = np.frombuffer(word.encode()[-LONGEST:], np.uint8)
            self._capital[word] = case_of(data, data.size) != SMALL
        return tag + CAPITAL if self._capital[word] else tag

    @property
    def words(self) -> dict[str, dict[str, int]]:
        """Words that fit the table, without tags too faint to be tried."""
        return {
            word: {tag: n for tag, n in counts.items() if n >= FAINTEST * max(counts.values())}
            for word, counts in self._words.items()
            if len(word.encode()) < LONGEST and word.isprintable() and " " not in word
        }

    @property
    def tags(self) -> tuple[str, ...]:
        """All tags, by name."""
        return tuple(sorted({tag for counts in self._words.values() for tag in counts}))
