"""Sibling sets: every row, or every document, is in one of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transferset.errors import TransfersetError, sentence
from transferset.ledger import Ledger, Reason
from transferset.manifest import Json
from transferset.philox import as_words
from transferset.steps import Split
from transferset.steps.amounts import parse_shares
from transferset.transforms.buffers import addresses, keep
from transferset.transforms.keys import Keys, document_keys, row_keys
from transferset.transforms.protocol import Position, Setting, Surveyed
from transferset.transforms.strata import StrataSurvey, TakeStrata, cut_strata
from transferset.transforms.threshold import Columns, Edge, edges

#: Keys are below it.
_KEYS: Final = 1 << 64


class TakeSplit:
    """The splits in consecutive ranges of keys; see `steps.Split`.

    A key belongs to a document where rows have a `doc_id`, else to a `parent_row`, so that neither
    a document nor the copies of a row are torn apart. With classes each class has ranges of its
    own, see `strata`.
    """

    def __init__(self, step: Split, setting: Setting) -> None:
        self._shares = parse_shares(step.shares, "--split")
        self._stratify = step.stratify is not None

    def needs_survey(self, *, intact: bool) -> bool:
        """Always: only the rows show whether they have documents."""
        return True

    def survey(self, at: Position) -> UnitSurvey | StrataSurvey:
        """Write down how many rows each document has, or each row of a class."""
        return StrataSurvey(at) if self._stratify else UnitSurvey(at)

    def conclude(self, found: Surveyed, at: Position, folder: Path, *, intact: bool) -> Json:
        """Find the keys between which each split lies.

        Args:
            found: The surveys.
            at: Seed and step.
            folder: Not used.
            intact: Makes no difference.

        Returns:
            `splits`: for each name `rows` (exact), `tokens` (in proportion) and the keys `low` ≤
            key < `high`, or with classes `strata`: [class, low, high] of each; `rows` and `tokens`
            of all of them. The name of the one that `fitted` takes has to be put in as `take`.

        Raises:
            TransfersetError: A split would have no rows.
        """
        ends = list(accumulate(self._shares.values(), initial=Fraction(0)))
        targets = [round(end * found.rows) for end in ends[1:]]
        cut = self._cut_strata if self._stratify else self._cut_all
        splits = {}
        for name, (rows, where) in zip(self._shares, cut(found, targets), strict=True):
            if rows <= 0:
                raise TransfersetError(_too_small(name, self._shares, found.rows))
            tokens = round(found.tokens * rows / found.rows)
            splits[name] = {"rows": rows, "tokens": tokens, **where}
        total = {unit: sum(s[unit] for s in splits.values()) for unit in ("rows", "tokens")}
        return {**total, "splits": splits}

    def _cut_all(self, found: Surveyed, targets: Sequence[int]) -> Iterator[tuple[int, Json]]:
        found_edges = edges(lambda: _units(found), targets)
        cuts = [(0, 0), *map(_cut, found_edges, targets)]
        for (low, before), (high, after) in pairwise(cuts):
            yield after - before, {"low": low, "high": high}

    def _cut_strata(self, found: Surveyed, targets: Sequence[int]) -> Iterator[tuple[int, Json]]:
        totals = [b - a for a, b in pairwise([0, *targets])]
        for rows, ranges in cut_strata(found, list(self._shares.values()), totals, _cut):
            yield rows, {"strata": ranges}

    def fitted(self, model: Json, folder: Path) -> _TakeRange | _TakeClasses:
        """The step, ready to keep the rows of the split `model["take"]`."""
        split = model["splits"][model["take"]]
        if self._stratify:
            return _TakeClasses(TakeStrata(split["strata"]))
        return _TakeRange(int(split["low"]), int(split["high"]))


class UnitSurvey:
    """Writes down the key and the number of rows of each document, or of each `parent_row`."""

    def __init__(self, at: Position) -> None:
        self._at = at

    def add(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """See `Survey.add`."""
        keys, rows = np.unique(_unit_keys(batch, self._at), return_counts=True)
        return pa.RecordBatch.from_arrays(
            [pa.array(keys), pa.array(rows.astype(np.uint32))], names=["key", "rows"]
        )

    def finish(self) -> None:
        """See `Survey.finish`."""


class _TakeRange:
    """Keeps the rows whose keys are in a range."""

    def __init__(self, low: int, high: int) -> None:
        self._low, self._last = np.uint64(low), np.uint64(high - 1)

    def apply(self, batch: pa.RecordBatch, at: Position, ledger: Ledger) -> pa.RecordBatch:
        """See `Transformer.apply`."""
        keys = _unit_keys(batch, at)
        return _kept(batch, (keys >= self._low) & (keys <= self._last), ledger)


class _TakeClasses:
    """Keeps the rows whose keys are in the range of their class."""

    def __init__(self, strata: TakeStrata) -> None:
        self._strata = strata

    def apply(self, batch: pa.RecordBatch, at: Position, ledger: Ledger) -> pa.RecordBatch:
        """See `Transformer.apply`."""
        return _kept(batch, self._strata.wanted(batch, at), ledger)


def _kept(batch: pa.RecordBatch, wanted: npt.NDArray[np.bool_], ledger: Ledger) -> pa.RecordBatch:
    kept = keep(batch, wanted)
    ledger[Reason.OTHER_SPLIT] += batch.num_rows - kept.num_rows
    return kept


def _unit_keys(batch: pa.RecordBatch, at: Position) -> Keys:
    """The key of each row's document, or of its `parent_row`."""
    key = as_words(at.key)
    keys: Keys
    if "doc_id" not in batch.schema.names:
        rows, copies = addresses(batch)
        keys = row_keys(rows, np.zeros_like(copies), *key)
    else:
        part, source = (_code(batch, name) for name in ("part", "source"))
        keys = document_keys(part, source, batch.column("doc_id").to_numpy(), *key)
    return keys


def _code(batch: pa.RecordBatch, name: str) -> npt.NDArray[np.uint32]:
    if name not in batch.schema.names:
        return np.zeros(batch.num_rows, np.uint32)
    codes: npt.NDArray[np.uint32] = batch.column(name).to_numpy().astype(np.uint32)
    return codes


def _units(found: Surveyed) -> Iterator[Columns]:
    for batch in found.batches():
        keys, rows = (column.to_numpy() for column in batch.columns)
        yield keys, rows.astype(np.int64)


def _cut(edge: Edge, target: int) -> tuple[int, int]:
    """The key below which as near to `target` rows lie as whole units allow, and their number."""
    keys, sizes = edge.columns
    if not len(keys):
        return _KEYS, edge.below
    units, first = np.unique(keys, return_index=True)
    totals = edge.below + np.cumsum(np.add.reduceat(sizes, first))
    passed = int(np.searchsorted(totals, target, "right"))
    under = int(totals[passed - 1]) if passed else edge.below
    over = int(totals[passed])
    if target - under <= over - target:
        return int(units[passed]), under
    return int(units[passed]) + 1, over


def _too_small(name: str, shares: Mapping[str, Any], rows: int) -> str:
    expected = f"at least one row in {name!r}"
    found = f"none of {rows:,} rows at a share of {float(shares[name]):g}"
    return sentence(expected, found, "--split", "give it a larger share")
