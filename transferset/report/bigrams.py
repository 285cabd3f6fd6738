"""Counting the n-grams of two sets side by side, in memory that is bounded.

One open-addressing table holds every n-gram type with its counts in both sets. When it is full it
keeps every second type, by hash: a sample of distinct types (Gibbons 2001, "Distinct sampling for
highly-accurate answers to distinct values queries and event reports", § 3), the same in both sets.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from numba import int64, uint64

from transferset.compiled import inlined, kernel
from transferset.errors import TransfersetError, sentence
from transferset.report.id_rows import ID_BITS, Counts, Pieces, Rows, id_batches
from transferset.shards import ShardSet

#: A table of 2**24 slots takes 268 MB; 12.5 million types fill it.
MOST_BITS: Final = 24

#: Ids are packed into one number, so longer n-grams have no exact key.
LONGEST: Final = 3

_FEWEST_BITS: Final = 12
_SLACK: Final = 4096  # slots after the last, so that probing never turns around
_BLOCK: Final = 1 << 18  # slots looked at together when the table is read
_TOKENS: Final = 1 << 20  # ids whose n-grams are listed together

#: Members of the state: types held, bits of the number of slots, halvings, n-grams of either set,
#: a table that cannot place a type, a count that would not fit.
_USED, _BITS, _HALVED, _SEEN, _CROWDED, _OVERFLOWN = 0, 1, 2, 3, 5, 6

_COUNT: Final = 0xFFFFFFFF  # a slot's second number holds two counts of 32 bits


class NgramTable:
    """Counts of n-grams in two sets, 0 and 1: runs of content tokens within a row.

    Runs end at special tokens, so that none reaches across a [SEP] or a [MASK]. Counting is exact
    until the table is full; `share` says which share of the types it then keeps.
    """

    def __init__(self, order: int, most_bits: int = MOST_BITS) -> None:
        """Make an empty table.

        Args:
            order: Length of the n-grams, 1 to 3.
            most_bits: The table has at most 2**most_bits slots of 16 bytes, 12 to 24.
        """
        self.order = order
        # never touched, never resident: the table grows within this memory
        self._slots = np.zeros(((1 << most_bits) + _SLACK, 2), np.uint64)
        self._state = np.zeros(8, np.int64)
        self._state[_BITS] = _FEWEST_BITS
        self._most_bits = most_bits

    def count(self, found: ShardSet, side: int, progress: Rows | None = None) -> None:
        """Add the n-grams of a set.

        Args:
            found: An open set with `input_ids`.
            side: 0 or 1, under which its counts stand.
            progress: Told of rows that were read.

        Raises:
            SetError: The set is damaged.
            TransfersetError: One n-gram occurs 2**32 times.
        """
        content = Pieces.of(found).content
        for batch in id_batches(found, progress):
            for part in batch.parts(_TOKENS):
                keys = np.empty(part.tokens, np.uint64)
                count = _read_keys(part.ids, part.offsets, content, self.order, keys)
                self._state[_SEEN + side] += count
                _add(keys[:count], side, self._slots, self._state, self._most_bits)
            self._require_room(found)

    def _require_room(self, found: ShardSet) -> None:
        at = str(found.root)
        if self._state[_OVERFLOWN]:
            raise TransfersetError(sentence("n-grams below 2³² occurrences", "one above", at))
        if self._state[_CROWDED]:  # takes ids that were chosen for it
            raise TransfersetError(sentence("ids whose hashes are spread", "crowded ones", at))

    @property
    def share(self) -> float:
        """Share of all types that the table holds, a power of ½; 1.0 is exact."""
        return float(0.5 ** int(self._state[_HALVED]))

    @property
    def types(self) -> int:
        """Types held, those of both sets together."""
        return int(self._state[_USED])

    def total(self, side: int) -> int:
        """N-grams in a set, exact: repeats counted, whether their types are held or not."""
        return int(self._state[_SEEN + side])

    def counts(self) -> Iterator[tuple[Counts, Counts]]:
        """The counts of the types held, in both sets, a block at a time.

        Yields:
            Two int64 arrays of one shape; at each place at least one is not 0.
        """
        end = (1 << int(self._state[_BITS])) + _SLACK
        for start in range(0, end, _BLOCK):
            block = self._slots[start : min(start + _BLOCK, end)]
            packed = block[block[:, 0] != 0, 1]
            yield _unpacked(packed, 0), _unpacked(packed, 32)


def _unpacked(packed: npt.NDArray[np.uint64], shift: int) -> Counts:
    return ((packed >> np.uint64(shift)) & np.uint64(_COUNT)).astype(np.int64)


@inlined
def _mixed(key: Any) -> Any:
    """A bijection of 64 bits under which each bit depends on all (MurmurHash3's finaliser)."""
    key ^= key >> uint64(33)
    key *= uint64(0xFF51AFD7ED558CCD)
    key ^= key >> uint64(33)
    key *= uint64(0xC4CEB9FE1A85EC53)
    return key ^ (key >> uint64(33))


@inlined
def _kept(key: Any, halved: Any) -> Any:
    # the top bits choose what is kept, the low ones the slot; two shifts, for 64 is not one
    return (key >> uint64(1)) >> uint64(63 - halved) == uint64(0)


@inlined
def _place(slots: Any, state: Any, key: Any) -> Any:
    """The slot of a type: its own, or the empty one where it would stand."""
    slot = int64(key & uint64((int64(1) << state[_BITS]) - 1))
    while slots[slot, 0] != key and slots[slot, 0] != uint64(0):
        slot += 1
    return slot


@kernel
def _store(slots: Any, state: Any, slot: Any, key: Any, packed: Any) -> None:
    if slot + 1 == (int64(1) << state[_BITS]) + _SLACK:  # the last slot stays empty: probes end
        state[_CROWDED] = 1
        return
    slots[slot, 0] = key
    slots[slot, 1] = packed
    state[_USED] += 1


@kernel
def _make_room(slots: Any, state: Any, most_bits: int) -> None:
    """Double the slots, or halve the types, in place.

    From the front, each type is taken out and put where it now belongs. That is never behind its
    old slot, except in the new half, where nothing stood; what stood in the slack goes last.
    """
    size = int64(1) << state[_BITS]
    rest = slots[size : size + _SLACK].copy()
    slots[size : size + _SLACK] = uint64(0)
    if state[_BITS] < most_bits:
        state[_BITS] += 1
    else:
        state[_HALVED] += 1
    state[_USED] = 0
    for slot in range(size):
        key, packed = slots[slot, 0], slots[slot, 1]
        slots[slot, 0] = uint64(0)
        if key != uint64(0) and _kept(key, state[_HALVED]):
            _store(slots, state, _place(slots, state, key), key, packed)
    for key, packed in rest:
        if key != uint64(0) and _kept(key, state[_HALVED]):
            _store(slots, state, _place(slots, state, key), key, packed)


@kernel
def _read_keys(ids: Any, offsets: Any, content: Any, order: int, keys: Any) -> Any:
    """Write a number for each n-gram, the same for the same ids and for no others."""
    window = (uint64(1) << uint64(ID_BITS * order)) - uint64(1)
    count = 0
    for row in range(len(offsets) - 1):
        run = 0
        key = uint64(0)
        for piece in ids[offsets[row] : offsets[row + 1]]:
            if not content[piece]:
                run = 0
                continue
            key = ((key << uint64(ID_BITS)) | uint64(piece)) & window
            run += 1
            if run >= order:
                keys[count] = _mixed(key + uint64(1))  # 0 marks an empty slot
                count += 1
    return count


@kernel
def _add(keys: Any, side: int, slots: Any, state: Any, most_bits: int) -> None:
    # apart from reading ids, so that the processor has many look-ups under way: twice as fast
    one = uint64(1) << uint64(32 * side)
    full = uint64(_COUNT) << uint64(32 * side)
    limit = (int64(3) << state[_BITS]) >> 2
    for key in keys:
        if not _kept(key, state[_HALVED]):
            continue
        slot = _place(slots, state, key)
        if slots[slot, 0] == key:
            if slots[slot, 1] & full == full:
                state[_OVERFLOWN] = 1
                return
            slots[slot, 1] += one
            continue
        _store(slots, state, slot, key, one)
        while state[_USED] > limit and not state[_CROWDED]:
            _make_room(slots, state, most_bits)
            limit = (int64(3) << state[_BITS]) >> 2
        if state[_CROWDED]:
            return
