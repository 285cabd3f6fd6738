"""Cutting a derivation into tasks: ranges of rows of its origin."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import Final

from transferset.schema import BATCH_ROWS

#: Bytes of ids that one task surveys.
SURVEY_BYTES: Final = 64 << 20

#: Least places (if there are rows) at which ranges may be cut once a step has tied rows together.
MOST_CUTS: Final = 4096


def even(total: int, count: int) -> list[int]:
    """`count` ranges of nearly equal size: their `count + 1` bounds.

    Where there are enough rows, ranges begin where record batches do, so that none is read twice.
    """
    step = BATCH_ROWS if total >= count * BATCH_ROWS else 1
    return [*(total * i // count // step * step for i in range(count)), total]


def bounds(total: int, count: int, allowed: Sequence[int] | None) -> list[int]:
    """Bounds of `count` ranges over `total` rows.

    Args:
        total: Rows at the origin.
        count: Number of ranges.
        allowed: Where may be cut, ascending, from 0 to total; None is anywhere.

    Returns:
        `count + 1` bounds; ranges may be empty when there are fewer places than ranges.
    """
    wanted = even(total, count)
    if allowed is None:
        return wanted
    return [0, *(allowed[bisect_left(allowed, row)] for row in wanted[1:-1]), total]


def candidates(total: int, shards: int) -> list[int]:
    """Places offered to a step that ties rows together, fine enough for any number of shards."""
    return even(total, max(1, min(total, max(MOST_CUTS, shards))))
