"""Where, in order of their keys, the sizes of entries add up to a target: exact, by streaming.

Entries are seen in blocks, any number of times, and never held: a histogram over the next 16 bits
of the keys says in which bucket the target is passed, and only that bucket is kept and sorted
(radix selection; Munro & Paterson 1980, "Selection and sorting with limited storage", § 2, for the
passes). A histogram takes 1 MB, a kept bucket `MOST_KEPT` entries.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import uint64

from transferset.compiled import kernel

#: Entries: their keys (uint64), their sizes (int64 ≥ 0), and whatever else is to be carried along.
Columns = tuple[npt.NDArray[Any], ...]
Source = Callable[[], Iterator[Columns]]

#: A bucket of more entries is divided again, as long as there are bits.
MOST_KEPT: Final = 1 << 20

_BITS: Final = 16
_KEY_BITS: Final = 64


class Edge(NamedTuple):
    """The place where the running total passes a target.

    Attributes:
        below: Sum of the sizes of all entries whose keys come before those of `columns`.
        entries: Number of those entries.
        columns: The entries around the place, by key, equal keys in the order of the source: the
            total is at most the target before the first of them, and above it after the last.
            Empty if the target is never passed.
    """

    below: int
    entries: int
    columns: Columns


class _Bucket(NamedTuple):
    """Entries whose keys begin with `prefix`, which has `bits` bits."""

    prefix: int
    bits: int
    below: int
    entries: int
    held: int


def edges(source: Source, targets: Sequence[int]) -> list[Edge]:
    """Find the places where the running total, in order of the keys, passes each target.

    Args:
        source: Gives all entries, in blocks, again at every call.
        targets: Totals ≥ 0.

    Returns:
        The place of each target.
    """
    top = _histogram(source, _Bucket(0, 0, 0, 0, 0))
    return [_edge(source, top, target) for target in targets]


def _edge(source: Source, top: npt.NDArray[np.int64], target: int) -> Edge:
    bucket = _passed(top, _Bucket(0, 0, 0, 0, 0), target)
    while bucket and bucket.held > MOST_KEPT and bucket.bits < _KEY_BITS:
        bucket = _passed(_histogram(source, bucket), bucket, target)
    if bucket is None:
        return Edge(int(top[0].sum()), int(top[1].sum()), _nothing(source))
    return Edge(bucket.below, bucket.entries, _collect(source, bucket))


def _histogram(source: Source, within: _Bucket) -> npt.NDArray[np.int64]:
    """Sizes and numbers of the entries of a bucket, by the next bits of their keys."""
    found = np.zeros((2, 1 << _BITS), np.int64)
    for keys, sizes, *_ in source():
        _count(keys, sizes, np.uint64(within.prefix), within.bits, found)
    return found


@kernel
def _count(keys: Any, sizes: Any, prefix: Any, bits: int, found: Any) -> None:
    shift = uint64(64 - 16 - bits)
    for i in range(len(keys)):
        head = keys[i] >> shift
        if head >> uint64(16) == prefix:
            slot = head & uint64(0xFFFF)
            found[0, slot] += sizes[i]
            found[1, slot] += 1


def _passed(found: npt.NDArray[np.int64], within: _Bucket, target: int) -> _Bucket | None:
    """The bucket in which the total passes the target, if any."""
    totals = within.below + np.cumsum(found[0])
    slot = int(np.searchsorted(totals, target, "right"))
    if slot == len(totals):
        return None
    return _Bucket(
        within.prefix << _BITS | slot,
        within.bits + _BITS,
        int(totals[slot] - found[0, slot]),
        within.entries + int(found[1, :slot].sum()),
        int(found[1, slot]),
    )


def _collect(source: Source, bucket: _Bucket) -> Columns:
    shift, prefix = np.uint64(_KEY_BITS - bucket.bits), np.uint64(bucket.prefix)
    kept = []
    for columns in source():
        inside = np.flatnonzero(columns[0] >> shift == prefix)
        if len(inside):
            kept.append(tuple(column[inside] for column in columns))
    together = [np.concatenate(column) for column in zip(*kept, strict=True)]
    order = np.argsort(together[0], kind="stable")
    return tuple(column[order] for column in together)


def _nothing(source: Source) -> Columns:
    """Columns without entries."""
    for columns in source():
        return tuple(column[:0] for column in columns)
    return (np.zeros(0, np.uint64), np.zeros(0, np.int64))
