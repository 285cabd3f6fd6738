"""Fitting a WordPiece vocabulary to texts of any language."""

from __future__ import annotations

import json
import string
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from transferset.errors import InputError, UsageError, sentence
from transferset.tokens.definition import BERT_SPECIALS, Definition, from_pieces
from transferset.tokens.merges import PREFIX, Symbols
from transferset.tokens.wordpiece import WordPiece
from transferset.tokens.words import WordCounts

#: [PAD] 0, [UNK] 100, [CLS] 101, [SEP] 102, [MASK] 103, where BERT has them; scripts rely on it.
RESERVED = (
    "[PAD]",
    *(f"[unused{i}]" for i in range(99)),
    *(BERT_SPECIALS[role] for role in ("unk", "cls", "sep", "mask")),
)
LEAST, MOST = 500, 1_000_000
#: Different words that pieces are learnt from, the most frequent ones (some 500 MB).
MOST_WORDS = 500_000
#: Share of all characters that the alphabet covers, and characters that it holds in any case.
COVERAGE, ALPHABET = 0.9998, 1000


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """A fitted vocabulary and what it was fitted on.

    Attributes:
        pieces: A piece's index is its id.
        lowercase: Whether text is lower-cased first.
        strip_accents: Whether accents go; None: as `lowercase` says.
        words: Words read.
        forgotten: Words read that did not take part: longer than 100 characters, or too rare to
            be remembered.
        characters: Characters in the alphabet.
        coverage: Share of all characters read that the alphabet covers.
    """

    pieces: tuple[str, ...]
    lowercase: bool
    strip_accents: bool | None
    words: int
    forgotten: int
    characters: int
    coverage: float

    def definition(self, name: str) -> Definition:
        """Return the tokenizer's definition.

        Args:
            name: What to call it.
        """
        return from_pieces(
            self.pieces, name, lowercase=self.lowercase, strip_accents=self.strip_accents
        )

    def tokenizer(self, name: str = "tokenizer.json") -> WordPiece:
        """Return the tokenizer.

        Args:
            name: What to call it.
        """
        return WordPiece(self.definition(name), origin="fitted")

    def save(self, folder: Path) -> None:
        """Write `tokenizer.json`, `vocab.txt` and `tokenizer_config.json`, as transformers reads.

        Args:
            folder: Made if missing; files of these names are replaced.
        """
        folder.mkdir(parents=True, exist_ok=True)
        config = {
            "do_lower_case": self.lowercase,
            "model_max_length": 512,
            "strip_accents": self.strip_accents,
            "tokenize_chinese_chars": True,
            "tokenizer_class": "BertTokenizer",
            **{f"{role}_token": piece for role, piece in BERT_SPECIALS.items()},
        }
        texts = {
            "vocab.txt": "".join(f"{piece}\n" for piece in self.pieces),
            "tokenizer_config.json": json.dumps(config, indent=2) + "\n",
            "tokenizer.json": self.definition("tokenizer.json").text,
        }
        for name, text in texts.items():
            unfinished = folder / f".{name}.tmp"
            unfinished.write_bytes(text.encode())
            unfinished.replace(folder / name)


def fit_vocabulary(
    texts: Iterable[str],
    size: int = 30_522,
    *,
    language: str = "en",
    lowercase: bool | None = None,
    min_count: int = 2,
) -> Vocabulary:
    """Fit a WordPiece vocabulary; the same texts in the same order give the same vocabulary.

    Args:
        texts: Any Unicode but lone surrogates.
        size: Most pieces, 500 to 1,000,000; 104 of them are BERT's special and unused ones.
        language: Code of the texts' language. English loses its accents with its capitals, as in
            BERT; elsewhere they are letters and stay.
        lowercase: Whether text is lower-cased first; None: only English is.
        min_count: Occurrences that a learnt piece must have, ≥ 1.

    Returns:
        The vocabulary; smaller than `size` where the texts have no more to learn.

    Raises:
        UsageError: `size` is out of range.
        InputError: There is no word in the texts, or a lone surrogate.
    """
    if not LEAST <= size <= MOST:
        raise UsageError(sentence(f"a vocabulary size from {LEAST} to {MOST}", str(size)))
    english = language.lower().partition("-")[0] == "en"
    lowercase = english if lowercase is None else lowercase
    strip_accents = None if english else False
    words = WordCounts(lowercase=lowercase, strip_accents=strip_accents)
    words.add(texts)
    if not words.counts:
        raise InputError(sentence("text to fit a vocabulary to", "not one word"))
    characters, coverage = choose_alphabet(words.counts, size)
    pieces = learn(words.counts, characters, size, min_count, lowercase=lowercase)
    return Vocabulary(
        pieces=tuple(pieces),
        lowercase=lowercase,
        strip_accents=strip_accents,
        words=words.counts.total() + words.forgotten,
        forgotten=words.forgotten,
        characters=len(characters),
        coverage=coverage,
    )


def choose_alphabet(words: Counter[str], size: int) -> tuple[set[str], float]:
    """Choose the characters that can be spelt.

    The most frequent ones: as many as cover `COVERAGE` of the text, at least `ALPHABET` (or a
    quarter of the vocabulary), at most half of the vocabulary.

    Args:
        words: Counts of words.
        size: Pieces of the vocabulary.

    Returns:
        The characters, and the share of the text that they cover.
    """
    counts: Counter[str] = Counter()
    for word, count in words.items():
        for character in word:
            counts[character] += count
    ranked = sorted(counts, key=lambda character: (-counts[character], character))
    covered = np.cumsum([counts[character] for character in ranked])
    enough = int(np.searchsorted(covered, COVERAGE * covered[-1])) + 1
    room = size - len(RESERVED) - len(ascii_pieces(lowercase=False))
    kept = min(max(enough, min(ALPHABET, size // 4)), room // 2, len(ranked))
    return set(ranked[:kept]), float(covered[kept - 1] / covered[-1])


def learn(
    words: Counter[str], characters: set[str], size: int, min_count: int, *, lowercase: bool
) -> list[str]:
    """Learn pieces.

    Args:
        words: Counts of words.
        characters: The alphabet; a word with any other character has no spelling.
        size: Most pieces.
        min_count: Occurrences that a learnt piece must have.
        lowercase: Whether there are no capitals.

    Returns:
        The vocabulary: reserved pieces, characters in the order of their code, learnt pieces in
        the order in which they were learnt.
    """
    able = [word for word in words if characters.issuperset(word)]
    spelt = sorted(able, key=lambda word: (-words[word], word))[:MOST_WORDS]
    seen = {piece for word in spelt for piece in _spell(word)}
    pieces = [*RESERVED, *sorted(seen | ascii_pieces(lowercase))]
    number = {piece: i for i, piece in enumerate(pieces)}
    lengths = np.array([len(word) for word in spelt], np.int64)
    spelling = (number[piece] for word in spelt for piece in _spell(word))
    symbols = Symbols(
        pieces,
        np.fromiter(spelling, np.int64, int(lengths.sum())),
        lengths,
        np.array([words[word] for word in spelt], np.int64),
    )
    while len(pieces) < size and symbols.merge_most_frequent(min_count):
        pass
    return pieces


def ascii_pieces(lowercase: bool) -> set[str]:
    """Return what spells any ASCII text; in every vocabulary, for texts yet to come.

    Args:
        lowercase: Whether there are no capitals.
    """
    letters = string.digits + string.ascii_lowercase + ("" if lowercase else string.ascii_uppercase)
    return {*string.punctuation, *letters, *(PREFIX + letter for letter in letters)}


def _spell(word: str) -> list[str]:
    return [word[0], *(PREFIX + character for character in word[1:])]
