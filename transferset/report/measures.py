"""Counting a set's rows and tokens in one pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transferset.compiled import kernel
from transferset.manifest import Json
from transferset.report.column_batches import column_batches
from transferset.report.id_rows import Bools, Counts, IdBatch, Pieces, Rows, id_batches
from transferset.schema import COLUMNS
from transferset.shards import ShardSet

#: Percentiles of lengths that are shown.
PERCENTS: Final = (1, 5, 25, 50, 75, 95, 99)

_CONTENT: Final = 1  # bits of what a piece is
_STARTS_WORD: Final = 2
_SEPARATES: Final = 4


@dataclass(frozen=True, slots=True)
class Measures:
    """What one pass over a set counts; content leaves out [CLS] [SEP] [PAD] [MASK].

    Attributes:
        rows: Rows.
        tokens: Ids, specials included.
        content_tokens: Ids that are content, [UNK] included.
        unknown: Ids that are [UNK].
        lengths: int64[longest + 1], rows by number of content tokens.
        total_lengths: int64[longest + 1], rows by number of ids, specials included.
        token_counts: int64[vocabulary], occurrences of each id; 0 for specials.
        words: int64[most + 1], rows by number of words, None if unknown. A word begins at a
            content piece that the tokenizer marks, and at the first one of a row or after [SEP].
        first_seen: int64[vocabulary], how many content tokens stand before the first occurrence
            of each id; -1 if there is none.
        text_bytes: UTF-8 bytes of the columns `text` and `text_pair`, None without them.
        bytes: Bytes of the shards.
        columns: Names, in the order of the format.
    """

    rows: int
    tokens: int
    content_tokens: int
    unknown: int
    lengths: Counts
    total_lengths: Counts
    token_counts: Counts
    words: Counts | None
    first_seen: Counts
    text_bytes: int | None
    bytes: int
    columns: tuple[str, ...]

    @property
    def has_ids(self) -> bool:
        """Whether the set has `input_ids`: if not, everything that is counted in them is 0."""
        return "input_ids" in self.columns


def measure(found: ShardSet, word_start: Bools | None, progress: Rows | None = None) -> Measures:
    """Count a set's rows, tokens and words; memory is bounded by a batch and the vocabulary.

    Args:
        found: An open set.
        word_start: bool[vocabulary], whether a piece starts a word; None leaves words uncounted.
        progress: Told of rows that were read.

    Returns:
        The counts.

    Raises:
        UsageError: The set has ids, but names no tokenizer.
        SetError: It is damaged.
    """
    if "input_ids" not in found.manifest.schema:
        return _measure_texts(found, progress)
    pieces = Pieces.of(found)
    tally = _Tally(pieces, word_start)
    for batch in id_batches(found, progress):
        tally.add(batch)
    lengths, total_lengths, words = tally.histograms
    values = np.arange(len(total_lengths))
    texts = _texts(found.manifest.schema)
    return Measures(
        rows=int(lengths.sum()),
        tokens=int(values @ total_lengths),
        content_tokens=tally.position,
        unknown=int(tally.counts[pieces.unknown]),
        lengths=lengths,
        total_lengths=total_lengths,
        token_counts=tally.counts,
        words=None if word_start is None else words,
        first_seen=tally.first_seen,
        text_bytes=tally.text_bytes if texts else None,
        bytes=_bytes(found),
        columns=_names(found),
    )


def _measure_texts(found: ShardSet, progress: Rows | None) -> Measures:
    """What can be counted without ids: rows and bytes."""
    rows = text_bytes = 0
    for columns in column_batches(found, _texts(found.manifest.schema)):
        text_bytes += sum(map(_string_bytes, columns))
        rows += len(columns[0])
        if progress is not None:
            progress(len(columns[0]))
    none: Counts = np.zeros(0, np.int64)
    return Measures(
        rows=rows, tokens=0, content_tokens=0, unknown=0, lengths=none, total_lengths=none,
        token_counts=none, words=None, first_seen=none, text_bytes=text_bytes,
        bytes=_bytes(found), columns=_names(found),
    )  # fmt: skip


def _bytes(found: ShardSet) -> int:
    return sum(entry.bytes for entry in found.manifest.shards)


def _names(found: ShardSet) -> tuple[str, ...]:
    return tuple(name for name in COLUMNS if name in found.manifest.schema)


class _Tally:
    """Counts so far."""

    def __init__(self, pieces: Pieces, word_start: Bools | None) -> None:
        size = len(pieces.content)
        starts = np.zeros(size, np.bool_)
        if word_start is not None:  # a table may be longer or shorter than the vocabulary
            starts[: len(word_start)] = word_start[:size]
        self._kinds = (_CONTENT * pieces.content + _STARTS_WORD * starts).astype(np.uint8)
        self._kinds[pieces.separator] |= _SEPARATES
        self.counts: Counts = np.zeros(size, np.int64)
        self.first_seen: Counts = np.full(size, -1, np.int64)
        self.position = self.text_bytes = 0
        self.histograms: list[Counts] = [np.zeros(1, np.int64) for _ in range(3)]

    def add(self, batch: IdBatch) -> None:
        content = np.empty(batch.rows, np.int64)
        words = np.empty(batch.rows, np.int64)
        self.position = int(
            _count(
                batch.ids, batch.offsets, self._kinds, self.counts, self.first_seen, self.position,
                content, words,
            )
        )  # fmt: skip
        lengths = (content, np.diff(batch.offsets), words)
        self.histograms = [
            histogram_with(h, v) for h, v in zip(self.histograms, lengths, strict=True)
        ]
        for name in _texts(batch.columns.schema.names):
            self.text_bytes += _string_bytes(batch.columns.column(name))


@kernel
def _count(
    ids: Any, offsets: Any, kinds: Any, counts: Any, first_seen: Any, position: Any,
    content: Any, words: Any,
) -> Any:  # fmt: skip
    """Count the tokens of each id, and content tokens and words of each row."""
    for row in range(len(offsets) - 1):
        before = position
        started = 0
        fresh = 1
        for piece in ids[offsets[row] : offsets[row + 1]]:
            kind = kinds[piece]
            if kind & _CONTENT:
                seen = counts[piece]
                if seen == 0:
                    first_seen[piece] = position
                counts[piece] = seen + 1
                position += 1
                started += (kind >> 1) & 1 | fresh
                fresh = 0
            elif kind & _SEPARATES:
                fresh = 1
        content[row] = position - before
        words[row] = started
    return position


def histogram_with(histogram: Counts, values: npt.NDArray[Any]) -> Counts:
    """A histogram of values from 0 on, with more values counted."""
    more = np.bincount(values, minlength=len(histogram))
    more[: len(histogram)] += histogram
    return more


def _texts(columns: Any) -> list[str]:
    return [name for name in ("text", "text_pair") if name in columns]


def _string_bytes(column: pa.Array) -> int:
    _, offsets, _ = column.buffers()
    ends = np.frombuffer(offsets, np.int32, len(column) + 1, 4 * column.offset)
    return int(ends[-1]) - int(ends[0])


def quantiles(histogram: Counts, qs: Sequence[float]) -> list[int]:
    """Exact quantiles of the values in a histogram, by nearest rank (the lower one).

    Args:
        histogram: int64[most + 1], how often each value occurs; not all 0.
        qs: Shares, 0 ≤ q ≤ 1, of at most nine decimals; 0.5 is the median.

    Returns:
        For each q the smallest value such that at least q of all values are not above it; always
        a value that occurs.
    """
    ends = np.cumsum(histogram)
    total = int(ends[-1])
    # in whole numbers: 0.07 × 100 is above 7 in binary, and would be the eighth
    shares = [Fraction(q).limit_denominator(10**9) for q in qs]
    ranks = [max(1, -(-q.numerator * total // q.denominator)) for q in shares]
    return [int(i) for i in np.searchsorted(ends, ranks)]


def length_facts(histogram: Counts) -> Json | None:
    """Mean, extremes and percentiles of the lengths in a histogram; None of no rows."""
    present = np.flatnonzero(histogram)
    if not len(present):
        return None
    values = quantiles(histogram, [percent / 100 for percent in PERCENTS])
    return {
        "mean": mean(histogram),
        "min": int(present[0]),
        "max": int(present[-1]),
        "quantiles": dict(zip(map(str, PERCENTS), values, strict=True)),
    }


def mean(histogram: Counts) -> float:
    """Mean of the values in a histogram; 0 of none."""
    total = int(histogram.sum())
    return float(int(np.arange(len(histogram)) @ histogram) / total) if total else 0.0
