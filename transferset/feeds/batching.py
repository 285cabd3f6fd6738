"""Which rows stand in which batch of an epoch, whoever reads it.

The batches are numbered. Number i is a function of the set, the seed, the epoch and the rule, never
of ranks or workers; who takes which is decided in `sharing`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, TypedDict

import numpy as np
import numpy.typing as npt

from transferset.errors import UsageError, sentence
from transferset.feeds.mapped import MappedRows
from transferset.feeds.order import BATCHES, WINDOW, EpochOrder, shuffle
from transferset.feeds.ragged import Ragged
from transferset.shards import ShardSet
from transferset.training.cuts import cut

Int64 = npt.NDArray[np.int64]

#: Bytes of a region, about: what is read at a time lies in so much of a set.
_REGION_BYTES: Final = 2 << 30

#: Kernels count in 64 bits.
_MOST: Final = 1 << 62

#: Batches, about, among which rows are sorted by length.
_POOL: Final = 64


class Place(NamedTuple):
    """Where in an epoch a batch stands, and from where on it can be found again.

    Attributes:
        epoch: From 0.
        number: Of the batch, among those of all ranks.
        window: The position where the rows begin that it was cut out of,
        first: and the number of the first batch that was.
    """

    epoch: int
    number: int
    window: int
    first: int


class Planned(NamedTuple):
    """A batch before it is read: the numbers of its rows in the set, int64[n], and its place."""

    rows: Int64
    place: Place


class Batch(NamedTuple):
    """A batch as numpy arrays.

    Attributes:
        rows: int64[n], their numbers in the set.
        columns: By name, see `MappedRows.gather`.
        place: Where in which epoch.
    """

    rows: Int64
    columns: dict[str, Ragged | npt.NDArray[Any]]
    place: Place


class Section(NamedTuple):
    """The batches that are cut out of the rows from one position to another.

    Attributes:
        epoch: From 0.
        window: The position where the rows begin.
        first: Number of the first batch.
        rows: int64[n], in the order of the batches.
        bounds: int64[batches + 1]; a batch is the rows from one to the next.
        last: Whether the epoch ends here.
    """

    epoch: int
    window: int
    first: int
    rows: Int64
    bounds: Int64
    last: bool

    @property
    def end(self) -> int:
        """The number after that of the last batch."""
        return self.first + len(self.bounds) - 1

    def batch(self, number: int) -> Planned:
        """A batch, first ≤ number < end."""
        start, stop = self.bounds[number - self.first : number - self.first + 2]
        # a copy: what waits somewhere must not hold all rows of the section
        rows = self.rows[start:stop].copy()
        return Planned(rows, Place(self.epoch, number, self.window, self.first))


@dataclass(frozen=True, slots=True)
class Batching:
    """How rows are put into batches: by their number, or by ids.

    Attributes:
        rows: Rows of each batch, ≥ 1, in the order of the epoch; the last may have fewer. Or
        tokens: most of rows × longest, ≥ 1, with rows of like lengths together; a longer row is a
            batch of its own.
        multiple: To which lengths are rounded up when they are counted, ≥ 1.
    """

    rows: int | None = None
    tokens: int | None = None
    multiple: int = 1

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises:
            UsageError: Not exactly one of `rows` and `tokens`, or a number below 1.
        """
        given = [size for size in (self.rows, self.tokens) if size is not None]
        if len(given) != 1:
            raise UsageError(sentence("one of rows and tokens", f"{len(given)}"))
        sizes = (given[0], self.multiple)
        if not all(isinstance(n, (int, np.integer)) and 1 <= n < _MOST for n in sizes):
            found = f"{given[0]} and a multiple of {self.multiple}"
            raise UsageError(sentence("rows or tokens of at least 1", found))


class _Ordering(TypedDict):
    """What decides the order of rows, see `EpochOrder`."""

    seed: int
    window: int
    region: int
    shuffle: bool


class BatchPlan:
    """The batches of every epoch; picklable.

    Attributes:
        settings: All that decides them, as JSON.
    """

    def __init__(
        self,
        found: ShardSet,
        batching: Batching,
        *,
        seed: int = 0,
        shuffle: bool = True,
        window: int = WINDOW,
    ) -> None:
        """Plan batches; nothing is read yet.

        Args:
            found: An open set.
            batching: The rule.
            seed: 0 ≤ seed < 2**64.
            shuffle: False is the order of the set; with `tokens` within windows by length.
            window: Rows that are shuffled with each other, ≥ 1, see `EpochOrder`.

        Raises:
            UsageError: A number is out of range, or ids are to be counted where there are none.
        """
        blocks = round(found.manifest.totals["bytes"] / _REGION_BYTES)
        region = max(1, -(-len(found) // max(1, blocks)))
        self._batching, self._rows = batching, len(found)
        self._order = _Ordering(seed=seed, window=window, region=region, shuffle=shuffle)
        self._lengths = MappedRows(found, ["input_ids"]) if batching.tokens else None
        self._counted: dict[int, int] = {}
        self.settings = {
            "set": found.manifest.digest,
            "rows": batching.rows,
            "tokens": batching.tokens,
            "multiple": batching.multiple,
            **self._order,
        }
        self.order(0)  # its checks

    def order(self, epoch: int) -> EpochOrder:
        """The order of an epoch's rows."""
        return EpochOrder(self._rows, epoch=epoch, **self._order)

    def sections(
        self, epoch: int, number: int = 0, known: Place | None = None
    ) -> Iterator[Section]:
        """The sections of an epoch, from that of a batch on, or the last one alone.

        Args:
            epoch: From 0.
            number: Of the first batch that is wanted.
            known: A batch of that epoch that is not behind it: where to begin to count when
                batches are cut by ids.
        """
        order = self.order(epoch)
        if self._lengths is None:
            yield from self._by_rows(order, self._batching.rows or 1, number)
        else:
            yield from self._by_tokens(order, self._lengths, number, known)

    def count(self, epoch: int) -> int:
        """Batches of an epoch; by ids the lengths of all rows are read for it, once an epoch."""
        if self._batching.rows:
            return -(-self._rows // self._batching.rows)
        if epoch not in self._counted:
            self._counted = {epoch: 0}
            for section in self.sections(epoch):
                self._counted[epoch] = section.end
        return self._counted[epoch]

    def holds(self, place: Place) -> bool:
        """Whether a place can be one of this plan; what stands before it is not counted."""
        if self._lengths is None:
            return True
        order = self.order(place.epoch)
        begins = place.window < order.count and order.bounds(place.window)[0] == place.window
        return begins and place.first <= place.number and (place.window > 0) == (place.first > 0)

    def _by_rows(self, order: EpochOrder, size: int, number: int) -> Iterator[Section]:
        total = -(-order.count // size)
        together = max(1, order.window // size)
        start = max(0, min(number, total - 1)) // together * together
        for first in range(start, total, together):
            begin, end = first * size, min((first + together) * size, order.count)
            bounds = np.append(np.arange(0, end - begin, size), end - begin)
            last = end == order.count
            yield Section(order.epoch, begin, first, order.rows(begin, end), bounds, last)

    def _by_tokens(
        self, order: EpochOrder, lengths: MappedRows, number: int, known: Place | None
    ) -> Iterator[Section]:
        window, first = (known.window, known.first) if known else (0, 0)
        while window < order.count:
            end = order.bounds(window)[1]
            rows = order.rows(window, end)
            rows, bounds = self._cut(order, window, rows, lengths.lengths(rows))
            last = end == order.count
            section = Section(order.epoch, window, first, rows, bounds, last)
            if last or number < section.end:
                yield section
            window, first = end, section.end

    def _cut(
        self, order: EpochOrder, address: int, rows: Int64, lengths: npt.NDArray[np.int32]
    ) -> tuple[Int64, Int64]:
        """Sort the rows of a window by length, pool by pool, and cut and shuffle batches."""
        tokens, multiple = self._batching.tokens or 1, self._batching.multiple
        padded = -(-np.maximum(lengths, 1) // multiple) * multiple
        width = _POOL * max(1, tokens // max(1, int(padded.mean())))
        turn = _by_length(padded, width)
        bounds = cut(np.ascontiguousarray(padded[turn], np.int32), width, tokens)
        if order.shuffle:
            batches = np.arange(len(bounds) - 1)
            shuffle(batches, address, order.seed, order.epoch, BATCHES)
            places, bounds = _reordered(bounds, batches)
            turn = turn[places]
        return rows[turn], bounds


def _by_length(lengths: npt.NDArray[np.int32], width: int) -> Int64:
    """An order of rows by length within pools of so many; equal ones stay as they are."""
    # numpy sorts short integers by radix, ten times as fast as others
    short = lengths.astype(np.uint16) if lengths.max(initial=0) < 2**16 else lengths
    pools = range(0, len(lengths), width)
    turns = [at + np.argsort(short[at : at + width], kind="stable") for at in pools]
    return np.concatenate(turns)


def _reordered(bounds: Int64, batches: Int64) -> tuple[Int64, Int64]:
    """The places of rows when batches stand in another order, and their new bounds."""
    sizes = np.diff(bounds)[batches]
    turned = np.append(0, np.cumsum(sizes))
    return np.repeat(bounds[batches] - turned[:-1], sizes) + np.arange(bounds[-1]), turned
