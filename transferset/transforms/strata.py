"""Splits by class: which keys of each class lie in which split."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transferset.errors import UsageError, sentence
from transferset.philox import as_words
from transferset.transforms.allotment import allot
from transferset.transforms.buffers import addresses
from transferset.transforms.keys import row_keys
from transferset.transforms.protocol import Position, Surveyed
from transferset.transforms.threshold import MOST_KEPT, Columns, Edge, edges

#: The stratum of rows without a label; codes of classes are not below 0.
NO_LABEL: Final = -1

#: Most classes; more are no classes but numbers.
MOST_CLASSES: Final = 1 << 16

#: Most rows: products of two numbers of rows are made in 64 bits.
MOST_ROWS: Final = 1 << 30

Codes = npt.NDArray[np.int64]

#: Class, and the first key and the one after the last.
Range = list[int]

#: The key below which as near to a number of rows lie as units allow, and the rows below it.
Cut = Callable[[Edge, int], tuple[int, int]]


class StrataSurvey:
    """Writes down the key, class and number of rows of each `parent_row`."""

    def __init__(self, at: Position) -> None:
        self._at = at
        self._last: tuple[int, int] | None = None

    def add(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """See `Survey.add`.

        Raises:
            UsageError: Rows have documents or no classes, or copies of a row have several.
        """
        codes = strata_of(batch)
        rows, _ = addresses(batch)
        self._require_one_class(rows, codes)
        first = np.flatnonzero(np.diff(rows, prepend=~rows[:1]))
        counts = np.diff(first, append=len(rows)).astype(np.uint32)
        columns = [_keys(rows[first], self._at), codes[first], counts]
        return pa.RecordBatch.from_arrays(
            [pa.array(column) for column in columns], names=["key", "stratum", "rows"]
        )

    def _require_one_class(self, rows: npt.NDArray[np.uint64], codes: Codes) -> None:
        """Copies of a row, which stand together, must not be torn apart."""
        torn = (rows[1:] == rows[:-1]) & (codes[1:] != codes[:-1])
        before = self._last
        if before is not None and len(rows) and int(rows[0]) == before[0]:
            torn = np.append(torn, int(codes[0]) != before[1])
        if torn.any():
            do = "derive the variants from the splits, or keep their labels with --keep-label"
            expected = "one label for all copies of a row with --stratify label"
            raise UsageError(sentence(expected, "several", do=do))
        if len(rows):
            self._last = (int(rows[-1]), int(codes[-1]))

    def finish(self) -> None:
        """See `Survey.finish`."""


class TakeStrata:
    """Keeps the rows whose keys are in the range of their class."""

    def __init__(self, ranges: Sequence[Range]) -> None:
        kept = sorted((code, low, high) for code, low, high in ranges if low < high)
        self._codes = np.array([code for code, _, _ in kept], np.int64)
        self._low = np.array([low for _, low, _ in kept], np.uint64)
        self._last = np.array([high - 1 for _, _, high in kept], np.uint64)

    def wanted(self, batch: pa.RecordBatch, at: Position) -> npt.NDArray[np.bool_]:
        """Whether each row is in the split."""
        rows, codes = addresses(batch)[0], strata_of(batch)
        if not len(self._codes):
            return np.zeros(len(rows), np.bool_)
        place = np.minimum(np.searchsorted(self._codes, codes), len(self._codes) - 1)
        keys = _keys(rows, at)
        inside: npt.NDArray[np.bool_] = self._codes[place] == codes
        inside &= (keys >= self._low[place]) & (keys <= self._last[place])
        return inside


def strata_of(batch: pa.RecordBatch) -> Codes:
    """The class of each row, `NO_LABEL` where it has none.

    Raises:
        UsageError: There is no label, or it is a number, or rows have documents.
    """
    names = batch.schema.names
    if "doc_id" in names:
        do = "leave out one of the two: a document can hold rows of several classes"
        raise UsageError(sentence("rows without doc_id for --stratify label", "documents", do=do))
    if "label" not in names:
        expected, do = "a column label for --stratify label", "--keep-label keeps it through steps"
        raise UsageError(sentence(expected, ", ".join(names), do=do))
    column = batch.column("label")
    if not pa.types.is_integer(column.type):
        found = "numbers, as of a regression"
        raise UsageError(sentence("classes as label for --stratify label", found))
    codes: Codes = column.fill_null(NO_LABEL).to_numpy()
    return np.maximum(codes, NO_LABEL)


def _keys(rows: npt.NDArray[np.uint64], at: Position) -> Any:
    """The keys that `split` gives rows without documents."""
    return row_keys(rows, np.zeros(len(rows), np.uint32), *as_words(at.key))


def cut_strata(
    found: Surveyed, shares: Sequence[Fraction], totals: Sequence[int], cut: Cut
) -> list[tuple[int, list[Range]]]:
    """Find, for each split, the keys of each class between which its rows lie.

    Args:
        found: What `StrataSurvey` wrote down.
        shares: Of each split.
        totals: Rows of each split, as if there were no classes.
        cut: Of one class.

    Returns:
        For each split its rows, and the ranges of all classes.

    Raises:
        UsageError: Too many classes or rows.
    """
    sizes, units = _sizes(found)
    codes = sorted(sizes)
    if not codes:
        return [(0, []) for _ in shares]
    table = allot(np.array([sizes[code] for code in codes]), shares, totals)
    splits: list[tuple[int, list[Range]]] = [(0, []) for _ in shares]
    ends = dict(zip(codes, np.cumsum(table, axis=0).T.tolist(), strict=True))
    for code, places in _edges(found, units, ends):
        cuts = [(0, 0), *map(cut, places, ends[code])]
        for i, ((low, before), (high, after)) in enumerate(pairwise(cuts)):
            rows, ranges = splits[i]
            splits[i] = (rows + after - before, [*ranges, [code, low, high]])
    return splits


def _sizes(found: Surveyed) -> tuple[Counter[int], Counter[int]]:
    """Rows, and units of rows, of each class."""
    sizes: Counter[int] = Counter()
    units: Counter[int] = Counter()
    for batch in found.batches():
        _, strata, rows = (column.to_numpy() for column in batch.columns)
        codes, place = np.unique(strata, return_inverse=True)
        for code, size, count in zip(
            codes.tolist(), np.bincount(place, rows), np.bincount(place), strict=True
        ):
            sizes[code] += int(size)
            units[code] += int(count)
        if len(sizes) > MOST_CLASSES:
            raise UsageError(sentence(f"up to {MOST_CLASSES:,} classes for --stratify", "more"))
    if sizes.total() > MOST_ROWS:
        found_rows = f"{sizes.total():,}"
        raise UsageError(sentence(f"up to {MOST_ROWS:,} rows for --stratify", found_rows))
    return sizes, units


def _edges(
    found: Surveyed, units: Counter[int], ends: dict[int, list[int]]
) -> Iterator[tuple[int, list[Edge]]]:
    """The place of each end in its class; small classes are read together, large ones streamed."""
    for group in _groups(units):
        if len(group) == 1:
            code = group[0]
            yield code, edges(lambda code=code: _of(found, code), ends[code])  # type: ignore[misc]
            continue
        held = _held(found, group)
        for code in group:
            columns = held[code]
            yield code, edges(lambda columns=columns: iter([columns]), ends[code])  # type: ignore[misc]


def _groups(units: Counter[int]) -> Iterator[list[int]]:
    """Classes that are held together: of up to `MOST_KEPT` units in all, or of one class."""
    group: list[int] = []
    held = 0
    for code in sorted(units):
        if group and held + units[code] > MOST_KEPT:
            yield group
            group, held = [], 0
        group.append(code)
        held += units[code]
    yield group


def _of(found: Surveyed, code: int) -> Iterator[Columns]:
    for batch in found.batches():
        keys, strata, rows = (column.to_numpy() for column in batch.columns)
        inside = strata == code
        yield keys[inside], rows[inside].astype(np.int64)


def _held(found: Surveyed, group: Sequence[int]) -> dict[int, Columns]:
    """The entries of some classes."""
    parts = []
    for batch in found.batches():
        keys, strata, rows = (column.to_numpy() for column in batch.columns)
        inside = (strata >= group[0]) & (strata <= group[-1])
        parts.append((strata[inside], keys[inside], rows[inside].astype(np.int64)))
    strata, keys, rows = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.argsort(strata, kind="stable")
    bounds = np.searchsorted(strata[order], [*group, group[-1] + 1])
    return {
        code: (keys[order[a:b]], rows[order[a:b]])
        for code, (a, b) in zip(group, pairwise(bounds.tolist()), strict=True)
    }
