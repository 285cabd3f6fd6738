"""How many rows of each class go to each split: whole numbers that add up both ways.

Rows are dealt to the splits one after the other, and each row of a class has its window: the k-th
of n rows comes at a time from (k - 1)/n to k/n of the whole. Of the rows whose window is open the
one whose window closes first comes next. Such a deal exists for any sizes (Steiner & Yeomans 1993,
"Level schedules for mixed-model, just-in-time processes", theorem 1; the greedy choice is Glover's
for convex bipartite graphs), so that any first part of it has the rows of each class to within one.
It does not depend on the shares: a larger first split has of no class fewer rows. Largest
remainders would not give that (the Alabama paradox).

A split in the middle lies between two such parts and could be off by two. Where it is by more than
one, rows are moved between splits until each is within one, without changing any sum.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from transferset.compiled import kernel

Table = npt.NDArray[np.int64]


def allot(sizes: Table, shares: Sequence[Fraction], totals: Sequence[int]) -> Table:
    """Rows of each class in each split.

    Args:
        sizes: Rows of each class, int64[classes], each above 0; 2**30 in all at most.
        shares: Of each split, up to 1 in all.
        totals: Rows of each split, within one of its share of all; not more than all in all.

    Returns:
        int64[splits, classes] ≥ 0, whose rows add up to `totals`, and whose columns to at most
        `sizes`; each number is within one of its split's share of its class, unless no such table
        exists: then it is within two.
    """
    rest = int(sizes.sum()) - sum(totals)
    ends = np.cumsum([*totals, rest])
    dealt = np.diff(_deal(sizes, ends), axis=0, prepend=np.int64(0))
    exact = [[share * int(n) for n in sizes] for share in (*shares, 1 - sum(shares))]
    low = np.array([[max(0, -(-(e - 1) // 1)) for e in row] for row in exact], np.int64)
    high = np.array([[(e + 1) // 1 for e in row] for row in exact], np.int64)
    if not rest and sum(shares) == 1:
        high[-1] = 0
    else:  # nobody asked for a share of what is in no split
        low[-1], high[-1] = 0, sizes
    wrong: npt.NDArray[np.bool_] = np.any((dealt < low) | (dealt > high), axis=0)
    if wrong.any():
        found = _within(dealt, wrong, exact, low, high)
        dealt = dealt if found is None else found
    return dealt[:-1]


def _deal(sizes: Table, ends: Table) -> Table:
    """Rows of each class among the first `ends` rows of the deal, int64[ends, classes]."""
    found = np.zeros((len(ends), len(sizes)), np.int64)
    heaps = np.zeros((2, len(sizes)), np.int64)
    _deal_rows(sizes, ends, int(sizes.sum()), np.zeros_like(sizes), heaps[0], heaps[1], found)
    return found


@kernel
def _deal_rows(
    sizes: Any, ends: Any, total: int, given: Any, waiting: Any, ready: Any, found: Any
) -> None:
    """Deal rows until the last end.

    Of n rows of N, the k-th may take the places r = 1, … N with (k - 1)/n ≤ (r - 1/2)/N ≤ k/n. Two
    heaps hold the next row of each class: of the `waiting` the first place · classes + class, of
    the `ready` the last place.
    """
    classes, part, place = len(sizes), 0, 0
    closed, opened = 0, 0
    for c in range(classes):
        closed = _push(waiting, closed, c)  # all may begin
    while part < len(ends):
        if ends[part] == place:
            for c in range(classes):
                found[part, c] = given[c]
            part += 1
            continue
        place += 1
        while closed and waiting[0] // classes <= place:
            c = waiting[0] % classes
            closed = _pop(waiting, closed)
            last = (2 * total * (given[c] + 1) + sizes[c]) // (2 * sizes[c])
            opened = _push(ready, opened, last * classes + c)
        c = ready[0] % classes
        opened = _pop(ready, opened)
        given[c] += 1
        if given[c] < sizes[c]:
            first = -(-(2 * total * given[c] + sizes[c]) // (2 * sizes[c]))
            closed = _push(waiting, closed, first * classes + c)


@kernel
def _push(heap: Any, size: int, key: int) -> int:
    """Add a key to a binary heap with the least key first; gives its new size."""
    i = size
    while i > 0 and heap[(i - 1) // 2] > key:
        heap[i] = heap[(i - 1) // 2]
        i = (i - 1) // 2
    heap[i] = key
    return size + 1


@kernel
def _pop(heap: Any, size: int) -> int:
    """Take the least key out; gives the heap's new size."""
    size -= 1
    key, i = heap[size], 0
    while 2 * i + 1 < size:
        child = 2 * i + 1
        if child + 1 < size and heap[child + 1] < heap[child]:
            child += 1
        if heap[child] >= key:
            break
        heap[i] = heap[child]
        i = child
    heap[i] = key
    return size


def _within(
    dealt: Table, wrong: npt.NDArray[np.bool_], exact: Any, low: Table, high: Table
) -> Table | None:
    """A table between `low` and `high` with the sums of `dealt`; None if moves find none.

    The wrong classes are shared out anew, each by itself with the largest remainders; then rows
    are moved along the shortest ways from splits that have too many to those that have too few.
    """
    table = dealt.copy()
    for c in np.flatnonzero(wrong).tolist():
        table[:, c] = _remainders([row[c] for row in exact])
    over = table.sum(axis=1) - dealt.sum(axis=1)
    off = table - np.array([[float(e) for e in row] for row in exact])
    while over.any():
        way = _way(table, over, low, high)
        if way is None:
            return None
        for a, b in pairwise(way):
            free = (table[a] > low[a]) & (table[b] < high[b])
            c = int(np.argmax(np.where(free, off[a] - off[b], -np.inf)))
            table[[a, b], c] += (-1, 1)
            off[[a, b], c] += (-1, 1)
        over[[way[0], way[-1]]] += (-1, 1)
    return table


def _remainders(exact: Sequence[Fraction]) -> list[int]:
    """Whole numbers beside fractions with a whole sum: the largest remainders are rounded up."""
    whole = [int(e) for e in exact]
    order = sorted(range(len(exact)), key=lambda s: (whole[s] - exact[s], s))
    for s in order[: int(sum(exact)) - sum(whole)]:
        whole[s] += 1
    return whole


def _way(table: Table, over: Table, low: Table, high: Table) -> list[int] | None:
    """The shortest way by which a row can be moved from a split with too many to one with too few.

    Breadth-first, as for augmenting paths (Edmonds & Karp 1972, § 1.2): if there is none, no table
    has these sums.
    """
    start = int(np.argmax(over > 0))
    ways = [[start]]
    seen = {start}
    for way in ways:  # grows while it is walked
        a = way[-1]
        if over[a] < 0:
            return way
        for b in range(len(table)):
            if b not in seen and ((table[a] > low[a]) & (table[b] < high[b])).any():
                seen.add(b)
                ways.append([*way, b])
    return None
