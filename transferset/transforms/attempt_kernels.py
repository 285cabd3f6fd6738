"""The loops that give each digest of a row to the first attempt that has it."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import uint64

from transferset.compiled import inlined, kernel

#: Why an attempt, or an original, is left out: how many `times` its mark has.
REPEATED: Final = 1
LEAKED: Final = 2
SURPLUS: Final = 3

#: What is counted for each number of attempts.
ACCEPTED: Final = 0
IDS: Final = 4
COUNTED: Final = 5

#: Whose a digest is: an evaluation row's, an earlier round's, or one of this round.
LEAK: Final = np.uint64((1 << 64) - 1)
KNOWN: Final = np.uint64((1 << 64) - 2)

_32, _LOW = uint64(32), uint64(0xFFFFFFFF)


@kernel
def index_digests(digests: Any, table: Any) -> None:
    """Put different digests in an empty table."""
    last = uint64(len(table) - 1)
    for i in range(len(digests)):
        slot = digests[i, 1] & last
        while table[slot] != 0:
            slot = (slot + uint64(1)) & last
        table[slot] = i + 1


@inlined
def _comes_before(row: Any, place: Any, owner: Any, stride: Any) -> Any:
    """Whether an attempt comes before another: by its number, its row, its copy."""
    k, other = (place >> _32) % stride, (owner[1] >> _32) % stride
    return k < other or (k == other and (row < owner[0] or (row == owner[0] and place < owner[1])))


@kernel
def judge_digests(
    records: Any,
    stride: Any,
    used: Any,
    digests: Any,
    owners: Any,
    table: Any,
    counts: Any,
    out: Any,
) -> Any:
    """Give each digest to the first that has it; the others are left out.

    `table` holds the digests' numbers from 1. Originals are never repeated: they are rows already.
    """
    last, dropped = uint64(len(table) - 1), 0
    for i in range(len(records)):
        high, low, row, place = records[i, 0], records[i, 1], records[i, 2], records[i, 3]
        k = np.int64((place >> _32) % stride)
        slot = low & last  # of the lower half: the upper one chose the file
        while table[slot] != 0:
            known = table[slot] - 1
            if digests[known, 1] == low and digests[known, 0] == high:
                break
            slot = (slot + uint64(1)) & last
        if table[slot] == 0:
            digests[used, 0], digests[used, 1] = high, low
            owners[used, 0], owners[used, 1] = row, place
            used += 1
            table[slot] = used
        else:
            owner = owners[known]
            fate = LEAKED if owner[0] == LEAK else REPEATED
            if fate == REPEATED and owner[0] != KNOWN and _comes_before(row, place, owner, stride):
                row, owner[0] = owner[0], row
                place, owner[1] = owner[1], place
                k = np.int64((place >> _32) % stride)
            if fate == REPEATED and k == 0:  # an original that equals another one
                counts[0, ACCEPTED] += 1
                counts[0, IDS] += np.int64(place & _LOW)
                continue
            counts[k, fate] += 1
            out[dropped, 0], out[dropped, 1], out[dropped, 2] = row, place >> _32, fate
            dropped += 1
    return used, dropped


@kernel
def count_owners(owners: Any, stride: Any, counts: Any, kept: Any) -> Any:
    """Count the rows that have got a digest in this round; attempts are written to `kept`."""
    size = 0
    for i in range(len(owners)):
        row, place = owners[i, 0], owners[i, 1]
        if row < KNOWN:
            k = np.int64((place >> _32) % stride)
            counts[k, ACCEPTED] += 1
            counts[k, IDS] += np.int64(place & _LOW)
            if k > 0:
                kept[size, 0], kept[size, 1] = row, place
                size += 1
    return size
