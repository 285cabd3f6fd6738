"""How much rows repeat each other, themselves, and other rows."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from transferset.report.generated_rows import Text
from transferset.report.id_rows import Counts
from transferset.report.ngrams import Keys, KeySet, ngram_keys, once_a_row, row_keys


def distinct(text: Text, order: int) -> float | None:
    """Distinct-n: different n-grams to all n-grams.

    Li et al. 2016, "A diversity-promoting objective function for neural conversation models", who
    divide by all tokens. It falls with the number of tokens: compare texts of one size.

    Args:
        text: Rows.
        order: Length of the n-grams, ≥ 1.

    Returns:
        A share, 0 to 1; None without n-grams.
    """
    known, total = KeySet(len(text.ids)), 0
    for part in text.blocks():
        keys, _ = ngram_keys(part.ids, part.offsets, order)
        known.add(keys)
        total += len(keys)
    return known.different / total if total else None


def self_repetition(text: Text, order: int = 4) -> float | None:
    """The mean over all rows of ln(1 + k), where k n-grams of the row stand in another row too.

    After Salkar et al. 2022, "Self-repetition in abstractive neural summarizers". An n-gram counts
    once a row. It grows with the number and the length of rows: compare texts of one size.

    Args:
        text: Rows.
        order: Length of the n-grams; theirs is 4.

    Returns:
        From 0 on; None without rows.
    """
    repeated = [counts for counts, _ in _elsewhere(text, order)]
    if not text.rows:
        return None
    return float(sum(float(np.log1p(counts).sum()) for counts in repeated) / text.rows)


def share_elsewhere(text: Text, order: int) -> float | None:
    """Share of the rows' different n-grams that stand in another, different row of the same text.

    Rows that are equal are looked at once: otherwise all their n-grams would stand in another.
    """
    _, first = np.unique(row_keys(text.ids, text.offsets), return_index=True)
    found = _elsewhere(text.only(np.sort(first)), order)
    return _ratio([(int(counts.sum()), total) for counts, total in found])


def _elsewhere(text: Text, order: int) -> Iterable[tuple[Counts, int]]:
    """Of each block of rows how many n-grams of each row stand in others, and all n-grams."""
    known = KeySet(len(text.ids))
    for part in text.blocks():
        known.add(_once(part, order)[0])  # once a row: what is marked stands in two
    return (_marked(known, *_once(part, order)) for part in text.blocks())


def _once(part: Text, order: int) -> tuple[Keys, Counts]:
    return once_a_row(*ngram_keys(part.ids, part.offsets, order))


def _marked(known: KeySet, keys: Keys, starts: Counts) -> tuple[Counts, int]:
    ends: Counts = np.append(0, np.cumsum(known.marked(keys)))
    return ends[starts[1:]] - ends[starts[:-1]], len(keys)


def repetition(text: Text, order: int = 4) -> float | None:
    """Share of the n-grams that stand earlier in the same row; None without n-grams."""
    found = []
    for part in text.blocks():
        keys, starts = ngram_keys(part.ids, part.offsets, order)
        total = len(keys)
        found.append((total - len(once_a_row(keys, starts)[0]), total))
    return _ratio(found)


def share_within(text: Text, others: Iterable[Text], order: int) -> float | None:
    """Share of the rows' different n-grams that stand in rows of another text.

    Args:
        text: Rows.
        others: All rows of the other text, part by part.
        order: Length of the n-grams.
    """
    known = KeySet(len(text.ids))
    for part in text.blocks():
        known.add(_once(part, order)[0])
    known.forget_marks()
    for other in others:
        known.mark(ngram_keys(other.ids, other.offsets, order)[0])
    counts = (_marked(known, *_once(part, order)) for part in text.blocks())
    return _ratio([(int(found.sum()), total) for found, total in counts])


def rows_within(text: Text, others: Iterable[Text]) -> int:
    """How many rows are rows of another text."""
    known = KeySet(text.rows)
    keys = row_keys(text.ids, text.offsets)
    known.add(keys)
    known.forget_marks()
    for other in others:
        known.mark(row_keys(other.ids, other.offsets))
    return int(known.marked(keys).sum())


def repeated_rows(text: Text) -> int:
    """How many rows are equal to an earlier one."""
    known = KeySet(text.rows)
    known.add(row_keys(text.ids, text.offsets))
    return text.rows - known.different


def _ratio(parts: Iterable[tuple[int, int]]) -> float | None:
    counted = list(parts)
    total = sum(count for _, count in counted)
    return sum(part for part, _ in counted) / total if total else None
