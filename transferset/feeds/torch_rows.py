"""A set as torch's map-style data: rows by number, and the shuffled rows of a rank one by one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch.utils.data import Dataset

from transferset.feeds.batching import Batch, Place, Planned
from transferset.feeds.feed import Even, Feed, Options
from transferset.feeds.mapped import MappedRows
from transferset.feeds.order import WINDOW
from transferset.feeds.plain import Gather, opened
from transferset.feeds.rows import Row, rows_of
from transferset.feeds.torch_batches import Collate, ShardBatches
from transferset.manifest import Json
from transferset.shards import ShardSet

#: Rows that are read at a time when they are wanted one by one.
_TOGETHER: Final = 256


class ShardDataset(Dataset[Row]):  # type: ignore[misc]
    """Rows of a set for torch; they stay in mapped files until they are asked for.

    `dataset[i]` is row i of the set, whatever the rank: samplers choose. Iterating gives the rows
    of this rank in the order of the epoch, and can be stopped and resumed at any row. `batches`
    gives whole batches, which is quicker. May be pickled, forked and spawned.

    Attributes:
        found: The set.
        seed: Of the order.
    """

    def __init__(
        self,
        set: ShardSet | str | Path,
        *,
        columns: Sequence[str] | None = None,
        seed: int = 0,
        epoch: int = 0,
        rank: int = 0,
        world_size: int = 1,
        shuffle: bool = True,
        window: int = WINDOW,
    ) -> None:
        """Open a set; nothing is read yet.

        Args:
            set: The set, or its directory.
            columns: That rows have; None for those that models learn from.
            seed: Of the order, 0 ≤ seed < 2**64.
            epoch: Of the order, and of dynamic masks, from 0.
            rank: Of this process, 0 ≤ rank < world_size.
            world_size: Processes that share an epoch, ≥ 1.
            shuffle: False is the order of the set.
            window: Rows that are shuffled with each other, ≥ 1.

        Raises:
            SetError: There is no set, or it is damaged.
            UsageError: A column that the set lacks, or a number is out of range.
        """
        self.found, self.seed = opened(set), seed
        self._rows = MappedRows(self.found, columns)
        self._options: Options = {
            "seed": seed, "shuffle": shuffle, "window": window,
            "rank": rank, "world_size": world_size,
        }  # fmt: skip
        one: Options = {**self._options, "rows": 1, "epoch": epoch}
        self._feed = Feed(self.found, _as_planned, **one)
        # shared, so that workers that live through epochs see what `set_epoch` was told
        self._epoch = torch.tensor(epoch).share_memory_()

    def __len__(self) -> int:
        """Rows of the set."""
        return len(self.found)

    def __getitem__(self, index: int) -> Row:
        """Row `index` of the set; from −1 down the last ones."""
        if not -len(self) <= index < len(self):
            raise IndexError(f"expected rows 0 to {len(self) - 1}, found {index}")
        return self.__getitems__([index])[0]

    def __getitems__(self, indices: Sequence[int]) -> list[Row]:
        """Some rows, read at once; torch's loaders ask for batches so."""
        numbers = np.asarray(indices, np.int64)
        rows = np.where(numbers < 0, numbers + len(self), numbers)
        return rows_of(Batch(rows, self._rows.gather(rows), Place(self.epoch, 0, 0, 0)))

    def __iter__(self) -> Iterator[Row]:
        """The rest of the epoch for this rank; the next time the next epoch."""
        self._feed.set_epoch(self.epoch)
        turn, waiting = self._feed.turn, list[Planned]()
        for planned in self._feed.planned():
            waiting.append(planned)
            if len(waiting) == _TOGETHER:
                yield from self._given(waiting, turn)
                waiting = []
        yield from self._given(waiting, turn)
        self._feed.ended(turn)
        self._epoch.fill_(self._feed.epoch)

    def _given(self, planned: Sequence[Planned], turn: int) -> Iterator[Row]:
        if planned:
            rows = np.concatenate([one.rows for one in planned])
            batch = Batch(rows, self._rows.gather(rows), planned[0].place)
            for row, one in zip(rows_of(batch), planned, strict=True):
                self._feed.delivered(one.place, turn)
                yield row

    @property
    def epoch(self) -> int:
        """Of the order, and of dynamic masks."""
        return int(self._epoch)

    def set_epoch(self, epoch: int) -> None:
        """Begin an epoch; the one that is being read goes on where it is. Trainers call it."""
        self._feed.set_epoch(epoch)
        self._epoch.fill_(epoch)

    def state_dict(self) -> Json:
        """Epoch and rows that iterating gave, as JSON."""
        self._feed.set_epoch(self.epoch)
        return self._feed.state_dict()

    def load_state_dict(self, state: Json) -> None:
        """Go on where a state was taken.

        Raises:
            UsageError: It is of another set, order or rank.
        """
        self._feed.load_state_dict(state)
        self._epoch.fill_(self._feed.epoch)

    def batches(
        self,
        *,
        rows: int | None = None,
        tokens: int | None = None,
        multiple: int = 1,
        even: Even | None = None,
        collate: Collate | None = None,
    ) -> ShardBatches:
        """Whole batches of this rank, for `feeds.Loader` or torch's `DataLoader`.

        Args:
            rows: Rows of a batch, ≥ 1; or
            tokens: most ids of a batch, padding included, ≥ 1, with rows of like lengths together.
            multiple: To which a collator pads, for `tokens`.
            even: "pad" or "drop" gives all ranks equally many, see `feeds.Feed`.
            collate: Makes a batch what the loader gives; None leaves arrays.

        Raises:
            UsageError: Not one of rows and tokens, or a number is out of range.
        """
        size: Options = {"rows": rows, "tokens": tokens, "multiple": multiple, "even": even}
        options: Options = {**self._options, **size, "epoch": self.epoch}
        return ShardBatches(Feed(self.found, Gather(self._rows), **options), collate)


def _as_planned(planned: Planned) -> Planned:
    return planned
