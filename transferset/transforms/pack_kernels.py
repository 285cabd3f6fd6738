"""Greedy packing in compiled loops: which rows join, and the joined rows themselves."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from transferset.compiled import kernel

#: How a row stands to the one before it: in another packed row, beside it, or after a [SEP].
APART: Final = 0
BESIDE: Final = 1
AFTER_SEP: Final = 2

#: Instead of the length of the open packed row: none is open.
NONE: Final = -1

Lengths = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@kernel
def join_rows(
    lengths: Lengths, starts: Flags, room: int, by_document: bool, held: int, joins: Any
) -> int:
    """Decide for each row whether it joins the packed row before it.

    A row that is too long joins nothing, and nothing joins it.

    Args:
        lengths: Ids of each row, without [CLS] and the last [SEP].
        starts: Whether a row is of another document than the row before it.
        room: Most such ids of a packed row.
        by_document: Rows of different documents do not join.
        held: Such ids in the packed row that is open, or `NONE`.
        joins: uint8[rows], gets `APART`, `BESIDE` or `AFTER_SEP`.

    Returns:
        `held` after the last row.
    """
    for i in range(len(lengths)):
        more = lengths[i] + starts[i]
        if held >= 0 and held + more <= room and not (by_document and starts[i]):
            joins[i] = AFTER_SEP if starts[i] else BESIDE
            held += more
        else:
            joins[i] = APART
            held = lengths[i] if lengths[i] <= room else NONE
    return held


def packed_lengths(lengths: Lengths, joins: npt.NDArray[np.uint8], room: int) -> tuple[Any, Any]:
    """The packed rows that come of some rows, of which the first is `APART`.

    Args:
        lengths: As for `join_rows`.
        joins: From `join_rows`.
        room: As for `join_rows`.

    Returns:
        For each packed row its first row, and its ids without [CLS] and the last [SEP]. What is cut
        into parts is cut into as few as fit, whose lengths differ by at most one.
    """
    firsts = np.flatnonzero(joins == APART)
    whole = np.add.reduceat(lengths + (joins == AFTER_SEP), firsts)
    parts = np.maximum(1, -(-whole // room))
    if len(firsts) == parts.sum():
        return firsts, whole
    number = np.arange(parts.sum()) - np.repeat(np.cumsum(parts) - parts, parts)
    whole, count = np.repeat(whole, parts), np.repeat(parts, parts)
    return np.repeat(firsts, parts), whole * (number + 1) // count - whole * number // count


@kernel
def fill_packs(ids: Any, offsets: Any, joins: Any, frame: Any, packed: Any, ends: Lengths) -> None:
    """Write the packed rows.

    Args:
        ids: Rows [CLS] … [SEP], one after the other.
        offsets: Where they begin and the last ends.
        joins: From `join_rows`; the first row is `APART`.
        frame: [CLS] and [SEP].
        packed: As `ids`, gets the packed rows.
        ends: Where these begin and the last ends.
    """
    for i in range(len(ends) - 1):
        packed[ends[i]] = frame[0]
        packed[ends[i + 1] - 1] = frame[1]
    number, place = -1, 0
    for i in range(len(joins)):
        if joins[i] == APART:
            number += 1
            place = ends[number] + 1
        elif joins[i] == AFTER_SEP:
            packed[place] = frame[1]
            place += 1
        j, stop = offsets[i] + 1, offsets[i + 1] - 1
        while j < stop:
            if place == ends[number + 1] - 1:  # a row that is cut goes on in the next one
                number += 1
                place = ends[number] + 1
            count = min(stop - j, ends[number + 1] - 1 - place)
            target, source = packed[place : place + count], ids[j : j + count]
            for k in range(count):  # on slices, which is twice as fast as with sums as indices
                target[k] = source[k]
            j += count
            place += count
