"""`--augment`: variants by masking, POS-guided replacement, deletion, swapping and n-grams.

Tang et al. 2019, "Distilling task-specific knowledge from BERT into simple neural networks", § 3.2,
and Liu 2020, § 3.3, where "p_mask ∈ [p_mask, p_mask + p_pos)" is a slip for the word's draw.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transferset.philox import as_words
from transferset.steps import Augment
from transferset.transforms.augment_kernels import Attempted, Way, vary_side
from transferset.transforms.augment_words import SHAPES, Alnum, Tables, alnum_of
from transferset.transforms.buffers import flat
from transferset.transforms.protocol import Position, Setting, Surveyed
from transferset.transforms.unigram import alias_table
from transferset.transforms.variants import sides_of
from transferset.transforms.variation import Variation, pairs_code
from transferset.transforms.word_counts import (
    WordCounts,
    count_words,
    merge_word_counts,
)
from transferset.transforms.word_table import WordTable
from transferset.transforms.wording import Rows, Words

_TABLES: Final = "augment-tables.npz"


class AugmentRows(Variation):
    """Variants whose words are changed one by one; see `steps.Augment`."""

    def __init__(self, step: Augment, setting: Setting, fit: WordCounts | None = None) -> None:
        """Prepare.

        Args:
            step: What is done to words.
            setting: The set's.
            fit: Counts that replacements are drawn from; None are those of the rows themselves.
        """
        super().__init__(step, setting, Augmenting(step, setting, fit))


class Augmenting:
    """The way of varying of `augment`; see `variation.Strategy`."""

    def __init__(self, step: Augment, setting: Setting, fit: WordCounts | None = None) -> None:
        """See `AugmentRows`."""
        self._step, self._setting, self._counts = step, setting, fit

    def survey(self, at: Position) -> _Count:
        """Counts words by tag."""
        return _Count()

    def words(self, found: Surveyed) -> Iterator[pa.StringArray]:
        """Those of the rows and of the counts, and these in all shapes if case is to match."""
        for batch in found.batches():
            yield batch.column("word")
        counted = self._counted(found).words
        yield counted
        if self._step.match_case:
            for shape in range(SHAPES):
                yield pa.array([shaped(word, shape) for word in counted.to_pylist()], pa.string())

    def conclude(self, found: Surveyed, table: WordTable, folder: Path) -> None:
        """Write the counts, for people and other sets, and the tables that are drawn from."""
        counts = self._counted(found)
        counts.write(folder)
        tables = make_tables(counts, table, shapes=self._step.match_case)
        np.savez(folder / _TABLES, allow_pickle=False, **tables._asdict())

    def open(self, table: WordTable, folder: Path) -> Augmenter:
        """With the tables that `conclude` wrote."""
        with np.load(folder / _TABLES, allow_pickle=False) as found:
            tables = Tables(*(found[name] for name in Tables._fields))
        return Augmenter(self._step, tables, alnum_of(table.words))

    def _counted(self, found: Surveyed) -> WordCounts:
        if self._counts is None:
            self._counts = merge_word_counts(found.batches(), self._setting.tags)
        return self._counts


class _Count:
    """Counts the words of a range by their tags."""

    def add(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """See `Survey.add`."""
        counts = [
            count_words(batch.column("words" + end).flatten(), flat(batch, "pos" + end)[0])
            for end in sides_of(batch)
        ]
        return pa.concat_batches(counts)

    def finish(self) -> None:
        """See `Survey.finish`."""


class Augmenter:
    """Makes attempts; see `variants.Varier`."""

    def __init__(self, step: Augment, tables: Tables, alnum: Alnum) -> None:
        """Prepare.

        Args:
            step: What is done to words.
            tables: What replacements are drawn from.
            alnum: Which words would read as one.
        """
        self._step, self._tables, self._alnum = step, tables, alnum
        sums = np.cumsum([exactly(p) for p in (step.mask, step.pos, step.delete, step.swap)])
        limits = [limit(min(p, Fraction(1))) for p in (*sums, exactly(step.window))]
        mask, pos, delete, swap, window = limits
        self._way = Way(mask, pos, delete, swap, window, step.match_case)

    def variants(
        self, rows: Rows, first: int, stop: int, stride: int, at: Position
    ) -> tuple[Words, ...]:
        """See `variants.Varier`."""
        pairs, key = pairs_code(self._step, rows), as_words(at.key)
        made = []
        for side, (words, tags) in enumerate(zip(rows.sides, rows.tags, strict=True)):
            of = Attempted(first, stop, stride, side, pairs, *key)
            size = len(words.codes) * (stop - first)
            codes, space = np.empty(size, np.int32), np.empty(size, np.uint8)
            offsets = np.empty(len(rows) * (stop - first) + 1, np.int64)
            how, out = (self._way, self._tables, self._alnum), (codes, space, offsets)
            size = vary_side(words, tags, rows.row, rows.copy, of, *how, *out)
            made.append(Words(codes[:size], space[:size], offsets))
        return tuple(made)


def exactly(p: float) -> Fraction:
    """A probability as it was written: 0.1 is a tenth."""
    return Fraction(str(p))


def limit(p: Fraction) -> np.uint64:
    """The number of 32-bit words that mean yes; half to even."""
    return np.uint64(round(p * (1 << 32)))


def make_tables(counts: WordCounts, table: WordTable, *, shapes: bool) -> Tables:
    """What replacements are drawn from.

    Args:
        counts: By tag.
        table: All words.
        shapes: Also what shapes words have.
    """
    codes = table.codes(counts.words)
    columns, bits, drawn = [], [], []
    for tag in range(len(counts.tags)):
        places, numbers = counts.of(tag)
        found = alias_table(numbers) if len(places) else None
        columns.append(found.columns if found else np.zeros(0, np.uint64))
        bits.append(found.bits if found else np.uint64(0))
        drawn.append(codes[places])
    return Tables(
        np.concatenate([np.zeros(0, np.uint64), *columns]),
        _starts(columns),
        np.array(bits, np.uint64),
        np.concatenate([np.zeros(0, np.int32), *drawn]),
        _starts(drawn)[:-1],
        *(_shapes(counts, table) if shapes else _no_shapes()),
    )


def _starts(parts: Sequence[npt.NDArray[np.generic]]) -> npt.NDArray[np.int64]:
    return np.append(0, np.cumsum([len(part) for part in parts], dtype=np.int64))


def _no_shapes() -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int32]]:
    return np.zeros(0, np.uint8), np.zeros((0, SHAPES), np.int32)


def _shapes(
    counts: WordCounts, table: WordTable
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int32]]:
    shape = np.array([shape_of(word) for word in table.words.to_pylist()], np.uint8)
    known = np.full((len(table), SHAPES), -1, np.int32)
    codes, words = table.codes(counts.words), counts.words.to_pylist()
    for i in range(SHAPES):
        known[codes, i] = table.codes(pa.array([shaped(w, i) for w in words], pa.string()))
    return shape, known


def shape_of(word: str) -> int:
    """Whether a word is 0 lower, 1 Title, 2 UPPER, or 3 something else.

    A single capital is a title: `A` gives `The`, not `THE`. But `I` is a capital anywhere, so it
    says nothing of what stands in its place.
    """
    if word == "I":
        return SHAPES
    if word.islower():
        return 0
    if word[:1].isupper() and (len(word) == 1 or word[1:].islower()):
        return 1
    return 2 if word.isupper() else SHAPES


def shaped(word: str, shape: int) -> str:
    """A word in a shape below `SHAPES`."""
    return (word.lower(), word[:1].title() + word[1:].lower(), word.upper())[shape]
