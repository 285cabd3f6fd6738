"""Batches of a set as numpy arrays or Arrow record batches, without torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Unpack

import pyarrow as pa

from transferset.feeds.batching import Batch, Planned
from transferset.feeds.feed import Feed, Options
from transferset.feeds.mapped import MappedRows
from transferset.shards import ShardSet


@dataclass(frozen=True, slots=True)
class Gather:
    """Reads planned batches as numpy arrays; picklable."""

    reader: MappedRows

    def __call__(self, planned: Planned) -> Batch:
        """The rows of a batch."""
        return Batch(planned.rows, self.reader.gather(planned.rows), planned.place)


@dataclass(frozen=True, slots=True)
class GatherArrow:
    """Reads planned batches as Arrow has them; picklable."""

    reader: MappedRows

    def __call__(self, planned: Planned) -> pa.RecordBatch:
        """The rows of a batch."""
        return self.reader.arrow(planned.rows)


def opened(found: ShardSet | str | Path) -> ShardSet:
    """A set, or the one at a path.

    Raises:
        SetError: There is none, or it is damaged.
    """
    return found if isinstance(found, ShardSet) else ShardSet.open(found)


def arrays(
    found: ShardSet | str | Path,
    *,
    columns: Sequence[str] | None = None,
    **options: Unpack[Options],
) -> Feed[Batch]:
    """Batches of a set as numpy arrays.

    Args:
        found: A set, or where it is.
        columns: Names; None is what models learn from: ids, labels, logits.
        **options: See `Feed`: `rows` or `tokens`, `seed`, `rank`, `world_size`, …

    Returns:
        A stream of batches with exact state: `for batch in stream` reads an epoch.

    Raises:
        UsageError: An argument is out of range, or the set lacks a column.
        SetError: No set, or a damaged one.
    """
    of = opened(found)
    return Feed(of, Gather(MappedRows(of, columns)), **options)


def record_batches(
    found: ShardSet | str | Path,
    *,
    columns: Sequence[str] | None = None,
    **options: Unpack[Options],
) -> Feed[pa.RecordBatch]:
    """Batches of a set as Arrow record batches, in memory of their own.

    Args:
        found: A set, or where it is.
        columns: Names, of any columns; None is what models learn from.
        **options: See `Feed`.

    Returns:
        A stream of record batches with exact state.

    Raises:
        UsageError: An argument is out of range, or the set lacks a column.
        SetError: No set, or a damaged one.
    """
    of = opened(found)
    return Feed(of, GatherArrow(MappedRows(of, columns)), **options)
