"""Comparing two sets row by row, by the ids themselves: what is found here is proved."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from transferset.compiled import kernel
from transferset.report.comparing_labels import LabelChanges, LabelComparison
from transferset.report.id_rows import IdBatch, Pieces, Rows, id_batches, rows_of
from transferset.schema import TEACHER
from transferset.shards import ShardSet

#: Places of what is counted, in the order of `RowByRow`'s members.
_SAME, _PERMUTED, _WITHIN, _SAME_LENGTH, _IDS, _IN_PLACE = range(6)


@dataclass(frozen=True, slots=True)
class RowByRow:
    """Row i of A beside row i of B, of two sets with as many rows.

    Attributes:
        equal_columns: Other columns that are equal in every row, codes by their names.
        rows: Rows of each.
        same: Pairs of rows that are equal.
        permuted: Pairs that differ in the order of content tokens only: the same ids as often,
            and [CLS] [SEP] [PAD] [MASK] at the same positions.
        within: Pairs in which the row of B is that of A, or what is left if ids of it are deleted.
        same_length: Pairs of rows with as many ids.
        ids: Ids of either side of those pairs.
        ids_in_place: Those of them that are equal at their position.
        labels: How many labels differ; None unless both sets have classes, or both have scores.
    """

    equal_columns: tuple[str, ...]
    rows: int
    same: int
    permuted: int
    within: int
    same_length: int
    ids: int
    ids_in_place: int
    labels: LabelChanges | None = None


def row_by_row(a: ShardSet, b: ShardSet, progress: Rows | None = None) -> RowByRow | None:
    """Compare row i of A with row i of B, for all i.

    Args:
        a: An open set with `input_ids`.
        b: Another one of the same tokenizer.
        progress: Told of rows that were read: those of both sets, once.

    Returns:
        What was found; None if one set has more rows.

    Raises:
        SetError: A set is damaged.
    """
    if rows_of(a) != rows_of(b):
        return None
    content = Pieces.of(a).content
    counts: Any = np.zeros(6, np.int64)
    balance = np.zeros(len(content), np.int64)
    equal = _comparable(a, b)
    labels = LabelComparison.of(a, b)
    every = bool(equal or labels)
    batches = (id_batches(found, progress, every_column=every) for found in (a, b))
    for mine, its in _aligned(*batches):
        _compare(mine.ids, mine.offsets, its.ids, its.offsets, content, balance, counts)
        equal = _still_equal(mine, its, equal)
        if labels is not None:
            labels.add(mine.columns.column("label"), its.columns.column("label"))
    changes = labels.changes if labels is not None else None
    if changes is not None and not changes.changed:
        equal.append("label")
    return replace(RowByRow(tuple(equal), rows_of(a), *counts.tolist()), labels=changes)


def _comparable(a: ShardSet, b: ShardSet) -> list[str]:
    """Columns that both have and whose values mean the same in both; labels are looked at apart."""
    shared = [name for name in a.manifest.schema if name in b.manifest.schema]
    tags = a.manifest.names.get("pos") == b.manifest.names.get("pos")
    teachers = a.manifest.teacher == b.manifest.teacher
    apart = {"input_ids", "label", *(() if tags else ("pos", "pos_pair"))}
    apart |= set(() if teachers else TEACHER)
    return [name for name in shared if name not in apart]


def _aligned(a: Iterator[IdBatch], b: Iterator[IdBatch]) -> Iterator[tuple[IdBatch, IdBatch]]:
    """Parts of as many rows, however the sets are sharded."""
    mine, its = next(a, None), next(b, None)
    while mine is not None and its is not None:
        rows = min(mine.rows, its.rows)
        yield mine.part(0, rows), its.part(0, rows)
        mine = mine.part(rows, mine.rows) if mine.rows > rows else next(a, None)
        its = its.part(rows, its.rows) if its.rows > rows else next(b, None)


def _still_equal(mine: IdBatch, its: IdBatch, names: list[str]) -> list[str]:
    a, b = mine.columns, its.columns
    return [name for name in names if a.column(name).equals(b.column(name))]


@kernel
def _equal(a: Any, b: Any) -> bool:
    i = 0
    while i < min(len(a), len(b)) and a[i] == b[i]:
        i += 1
    return i == len(a) == len(b)


@kernel
def _permuted(a: Any, b: Any, content: Any, balance: Any) -> bool:
    """Whether rows of one length hold the same ids as often, with specials where they were."""
    for i in range(len(a)):
        if a[i] != b[i] and not (content[a[i]] and content[b[i]]):
            return False
    for i in range(len(a)):
        balance[a[i]] += 1
        balance[b[i]] -= 1
    even = True
    for i in range(len(a)):
        even = even and balance[a[i]] == 0 and balance[b[i]] == 0
    for i in range(len(a)):
        balance[a[i]] = 0
        balance[b[i]] = 0
    return even


@kernel
def _within(b: Any, a: Any) -> bool:
    """Whether `b` is left of `a` when ids are deleted; taking the first that fits is enough."""
    found = 0
    for i in range(len(a)):
        if found < len(b) and a[i] == b[found]:
            found += 1
    return found == len(b)


@kernel
def _compare(
    a_ids: Any, a_offsets: Any, b_ids: Any, b_offsets: Any, content: Any, balance: Any,
    counts: Any,
) -> None:  # fmt: skip
    for row in range(len(a_offsets) - 1):
        a = a_ids[a_offsets[row] : a_offsets[row + 1]]
        b = b_ids[b_offsets[row] : b_offsets[row + 1]]
        if len(a) != len(b):
            counts[_WITHIN] += len(b) < len(a) and _within(b, a)
            continue
        in_place = 0
        for i in range(len(a)):
            in_place += a[i] == b[i]
        counts[_SAME_LENGTH] += 1
        counts[_IDS] += len(a)
        counts[_IN_PLACE] += in_place
        if in_place == len(a):
            counts[_SAME] += 1
            counts[_WITHIN] += 1
        else:
            counts[_PERMUTED] += _permuted(a, b, content, balance)


def occurs_in_order(part: ShardSet, whole: ShardSet, progress: Rows | None = None) -> bool:
    """Whether the rows of one set occur among those of another, in the same order.

    The first row that fits is taken for each: if any choice works, that one does.

    Args:
        part: An open set with `input_ids`.
        whole: Another one of the same tokenizer.
        progress: Told of rows that were read; fewer than those of both sets if a row is missing.

    Raises:
        SetError: A set is damaged.
    """
    if rows_of(part) > rows_of(whole):
        return False
    wanted, searched = id_batches(part, progress), id_batches(whole, progress)
    want, search = next(wanted, None), next(searched, None)
    while want is not None and search is not None:
        i, j = _advance(search.ids, search.offsets, want.ids, want.offsets)
        want = want.part(j, want.rows) if j < want.rows else next(wanted, None)
        search = search.part(i, search.rows) if i < search.rows else next(searched, None)
    return want is None


@kernel
def _advance(a_ids: Any, a_offsets: Any, b_ids: Any, b_offsets: Any) -> Any:
    """Find rows of B among those of A until either ends; gives how many of each were passed."""
    i = j = 0
    while i < len(a_offsets) - 1 and j < len(b_offsets) - 1:
        a = a_ids[a_offsets[i] : a_offsets[i + 1]]
        j += _equal(a, b_ids[b_offsets[j] : b_offsets[j + 1]])
        i += 1
    return i, j
