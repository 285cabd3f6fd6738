"""In which order an epoch reads the rows of a set: shuffled window by window.

Rows are stored in blocks. An epoch shuffles the regions of a set, the blocks of a region, and the
rows of a window, which is some blocks; each draw is addressed by seed, epoch and place. So a set of
any size is shuffled in the memory of a window, what is read at a time lies near, and the row at any
position is known without those before it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import uint64

from transferset.compiled import kernel
from transferset.errors import UsageError, sentence
from transferset.philox import as_words, block
from transferset.rng import step_key
from transferset.schema import BATCH_ROWS

Int64 = npt.NDArray[np.int64]

#: Rows that are shuffled with each other.
WINDOW: Final = 100 * BATCH_ROWS

#: The ordinal of feeds: no step of a derivation has it.
FEEDS: Final = 0xFFFF_FFFA

#: The kinds of draws of a feed.
_REGIONS: Final = 0
_BLOCKS: Final = 1
_ROWS: Final = 2
BATCHES: Final = 3

#: Regions and windows that are kept: a batch may reach from one into the next.
_KEPT: Final = 2

_1, _32 = uint64(1), uint64(32)


class _Region(NamedTuple):
    """A region as an epoch reads it.

    Attributes:
        blocks: int64[blocks], their numbers in the set, in the order of reading.
        starts: int64[windows + 1], positions where windows begin and the last ends.
    """

    blocks: Int64
    starts: Int64


@dataclass(slots=True)
class EpochOrder:
    """A bijection from the positions of an epoch to the rows of a set.

    Attributes:
        count: Rows of the set.
        seed: 0 ≤ seed < 2**64.
        epoch: 0 ≤ epoch < 2**32.
        window: Rows in which every order is equally likely, ≥ 1; whole blocks of 10,000 rows, as
            they are stored, so it is rounded up.
        region: Rows out of which a window takes its blocks, rounded up likewise; None is all.
        shuffle: False is the order of the set.
    """

    count: int
    seed: int = 0
    epoch: int = 0
    window: int = WINDOW
    region: int | None = None
    shuffle: bool = True
    _regions: Int64 = field(init=False, repr=False)
    _starts: Int64 = field(init=False, repr=False)
    _laid: dict[int, _Region] = field(default_factory=dict, init=False, repr=False)
    _drawn: dict[int, Int64] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        """Order the regions.

        Raises:
            UsageError: An attribute is out of range.
        """
        for name, value in (("window", self.window), ("region", self.region)):
            if value is not None and value < 1:
                raise UsageError(sentence(f"a {name} of at least 1 row", f"{value:,}"))
        if not 0 <= self.epoch < 2**32:
            raise UsageError(sentence("an epoch from 0 to 2**32 - 1", f"{self.epoch:,}"))
        if not 0 <= self.seed < 2**64:
            raise UsageError(sentence("a seed from 0 to 2**64 - 1", f"{self.seed:,}"))
        size = self._region_blocks * BATCH_ROWS
        self._regions = np.arange(-(-self.count // size))
        if self.shuffle:
            shuffle(self._regions, 0, self.seed, self.epoch, _REGIONS)
        sizes = np.minimum(size, self.count - self._regions * size)
        self._starts = np.append(0, np.cumsum(sizes))

    def rows(self, start: int, stop: int) -> Int64:
        """The rows at some positions.

        Args:
            start: First position.
            stop: The position after the last, 0 ≤ start ≤ stop ≤ count.

        Returns:
            int64[stop - start].
        """
        pieces = []
        while start < stop:
            first, end = self.bounds(start)
            pieces.append(self._window(first)[start - first : stop - first])
            start = end
        return np.concatenate(pieces) if pieces else np.empty(0, np.int64)

    def bounds(self, position: int) -> tuple[int, int]:
        """Where the window of a position begins and ends.

        Args:
            position: 0 ≤ position < count.
        """
        starts = self._region(position).starts
        place = int(np.searchsorted(starts, position, "right"))
        return int(starts[place - 1]), int(starts[place])

    @property
    def _region_blocks(self) -> int:
        """Blocks of every region but that of the set's end."""
        return max(1, -(-(self.region or self.count) // BATCH_ROWS))

    def _region(self, position: int) -> _Region:
        """The region that a position lies in."""
        ordinal = int(np.searchsorted(self._starts, position, "right")) - 1
        if ordinal not in self._laid:
            _make_room(self._laid)
            self._laid[ordinal] = self._lay(ordinal)
        return self._laid[ordinal]

    def _lay(self, ordinal: int) -> _Region:
        begin, size = int(self._regions[ordinal]) * self._region_blocks, self._region_blocks
        blocks = np.arange(begin, min(begin + size, -(-self.count // BATCH_ROWS)))
        if self.shuffle:
            shuffle(blocks, begin, self.seed, self.epoch, _BLOCKS)
        ends = np.cumsum(np.minimum(BATCH_ROWS, self.count - blocks * BATCH_ROWS))
        width = -(-self.window // BATCH_ROWS)
        last = np.append(np.arange(width, len(blocks), width), len(blocks)) - 1
        return _Region(blocks, self._starts[ordinal] + np.append(0, ends[last]))

    def _window(self, first: int) -> Int64:
        """The rows of the window that begins at a position."""
        if first not in self._drawn:
            _make_room(self._drawn)
            self._drawn[first] = self._draw(first)
        return self._drawn[first]

    def _draw(self, first: int) -> Int64:
        region = self._region(first)
        width = -(-self.window // BATCH_ROWS)
        place = int(np.searchsorted(region.starts, first)) * width
        blocks = region.blocks[place : place + width, None] * BATCH_ROWS
        rows = (blocks + np.arange(BATCH_ROWS)).ravel()
        rows = rows[rows < self.count]
        if self.shuffle:
            shuffle(rows, first, self.seed, self.epoch, _ROWS)
        return rows


def shuffle(values: Int64, address: int, seed: int, epoch: int, kind: int) -> None:
    """Put values in an order drawn by address.

    Args:
        values: int64[n], changed in place.
        address: Of the first draw; the next has the next one.
        seed: The user's seed.
        epoch: From 0.
        kind: Which of a feed's draws; those of kinds are independent.
    """
    key = as_words(step_key(seed, FEEDS))
    _shuffle(values, np.uint64(address), np.uint32(epoch), np.uint32(kind), *key)


def _make_room(kept: dict[int, Any]) -> None:
    if len(kept) == _KEPT:
        del kept[next(iter(kept))]


@kernel
def _shuffle(values: Int64, address: Any, epoch: Any, kind: Any, k0: Any, k1: Any) -> None:
    """Fisher and Yates' shuffle, from the first place on (Knuth, TAOCP 2, § 3.4.2, algorithm P)."""
    for place in range(_1, uint64(len(values))):
        high, low, _, _ = block(address + place, epoch, kind, k0, k1)
        # floor(word · n / 2**64) of a word of 64 bits: no place is favoured by more than n / 2**64
        n = place + _1
        other = (uint64(high) * n + ((uint64(low) * n) >> _32)) >> _32
        values[place], values[other] = values[other], values[place]
