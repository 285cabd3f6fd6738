"""Words that stand nearest to a word, by the cosine of their vectors."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from transferset.language_models.pieces import Pieces
from transferset.language_models.ranking import highest

if TYPE_CHECKING:
    from torch import Tensor

Matrix = npt.NDArray[np.float32]

#: Words whose neighbours are looked for at once.
_QUERIES: Final = 16


class Vectors(Protocol):
    """Vectors of words."""

    def candidates(self, pattern: str) -> tuple[list[str], npt.NDArray[np.int64], Matrix]:
        """Words that may be proposed.

        Args:
            pattern: What a lower-cased word must match.

        Returns:
            The words; the rows of their vectors; and the matrix of all vectors, of length 1.
        """
        ...

    def of(self, words: Sequence[str]) -> tuple[list[int], Matrix]:
        """Vectors of words.

        Returns:
            Which of the words have one, and these, of length 1, float32[words that have, d].
        """
        ...


def nearest(
    vectors: Vectors, words: Sequence[str], count: int, pattern: str
) -> dict[str, list[str]]:
    """The nearest other words of each word, from the nearest; of equally near ones the first.

    Args:
        vectors: Where they stand.
        words: Different words.
        count: How many are looked for.
        pattern: See `Vectors.candidates`.

    Returns:
        Neighbours by word, but for words without a vector.
    """
    import torch

    having, queries = vectors.of(words)
    if not having:
        return {}
    names, rows, matrix = vectors.candidates(pattern)
    same: dict[str, list[int]] = {}
    for place, name in enumerate(names):
        same.setdefault(name.lower(), []).append(place)
    all_vectors, picked = torch.from_numpy(matrix), torch.from_numpy(rows)
    found: dict[str, list[str]] = {}
    for start in range(0, len(having), _QUERIES):
        asked = [words[i] for i in having[start : start + _QUERIES]]
        scores = torch.from_numpy(queries[start : start + _QUERIES]) @ all_vectors.T
        scores = scores.index_select(1, picked)
        without(scores, [same.get(word.lower(), []) for word in asked])
        for word, best in zip(asked, highest(scores, count), strict=True):
            found[word] = [names[i] for i in best]
    return found


def without(scores: Tensor, places: Sequence[Sequence[int]]) -> None:
    """Take places of each row out of the choice, in place."""
    rows = [row for row, gone in enumerate(places) for _ in gone]
    scores[rows, [place for gone in places for place in gone]] = float("-inf")


def to_length_one(matrix: Any) -> Matrix:
    """Vectors of length 1; those without a direction stay zero."""
    lengths = np.linalg.norm(matrix.astype(np.float64), axis=1, keepdims=True)
    unit: Matrix = np.divide(matrix, lengths, where=lengths > 0, out=np.zeros(matrix.shape))
    return unit.astype(np.float32)


class PieceVectors:
    """A model's own embeddings; of several pieces their mean."""

    def __init__(self, pieces: Pieces, embeddings: Matrix) -> None:
        """Keep what is needed.

        Args:
            pieces: The model's tokenizer.
            embeddings: float32[ids, d], of its input.
        """
        self._pieces, self._embeddings = pieces, embeddings
        self.candidates = lru_cache(1)(self._candidates)

    def _candidates(self, pattern: str) -> tuple[list[str], npt.NDArray[np.int64], Matrix]:
        """See `Vectors`; the pieces that are whole words."""
        whole = self._pieces.whole_words(pattern)
        unit = to_length_one(self._embeddings[whole.ids])
        return whole.words, np.arange(len(whole.words)), unit

    def of(self, words: Sequence[str]) -> tuple[list[int], Matrix]:
        """See `Vectors`."""
        spelled = self._pieces.spell_words(words)
        having = [i for i, ids in enumerate(spelled) if ids]
        means = [self._embeddings[spelled[i]].mean(0, dtype=np.float64) for i in having]
        unit = to_length_one(np.array(means).reshape(len(having), self._embeddings.shape[1]))
        directed = np.flatnonzero(unit.any(1))
        return [having[i] for i in directed], unit[directed]


class WordVectors:
    """Vectors by word, from a file or a spaCy pipeline."""

    def __init__(self, rows: dict[str, int], matrix: Matrix) -> None:
        """Keep what is needed.

        Args:
            rows: The row of each word's vector.
            matrix: float32[rows, d], of length 1.
        """
        self._rows, self._matrix = rows, matrix
        self.candidates = lru_cache(1)(self._candidates)

    def _candidates(self, pattern: str) -> tuple[list[str], npt.NDArray[np.int64], Matrix]:
        """See `Vectors`; of words with one vector the first."""
        match = re.compile(pattern).fullmatch
        first: dict[int, str] = {}
        for word, row in self._rows.items():
            if match(word.lower()):
                first.setdefault(row, word)
        return list(first.values()), np.array(list(first), np.int64), self._matrix

    def of(self, words: Sequence[str]) -> tuple[list[int], Matrix]:
        """See `Vectors`; a word that has none takes that of its lower-cased form."""
        rows = [self._rows.get(word, self._rows.get(word.lower(), -1)) for word in words]
        having = [i for i, row in enumerate(rows) if row >= 0]
        return having, self._matrix[[rows[i] for i in having]]
