"""Whole batches as torch's iterable data: read, and collated, in the workers of a loader."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import torch
from torch.utils.data import IterableDataset, get_worker_info

from transferset.errors import UsageError, sentence
from transferset.feeds.batching import Batch, Place
from transferset.feeds.feed import Feed
from transferset.manifest import Json

Collate = Callable[[Batch], Any]


class Placed(NamedTuple):
    """What a worker sends: a collated batch, and which it is."""

    place: Place
    made: Any


class ShardBatches(IterableDataset[Any]):  # type: ignore[misc]
    """Batches of a rank, for `DataLoader(…, batch_size=None)` with any number of workers.

    Iterating gives the rest of the epoch; the next time the same epoch again unless `set_epoch` was
    called, for a worker knows no better (`feeds.Loader` goes on by itself). The state is right
    where batches are taken one by one: without workers, or with torchdata's
    `StatefulDataLoader`, which asks each worker after each batch. May be pickled.

    Attributes:
        feed: What is read; where it stands is where the next iteration begins.
        collate: Applied to each batch, in the worker.
    """

    def __init__(self, feed: Feed[Batch], collate: Collate | None = None) -> None:
        """Take a stream of batches, of `ShardDataset.batches` or `feeds.arrays`."""
        self.feed, self.collate = feed, collate
        self._epoch = torch.tensor(feed.epoch).share_memory_()
        self._state: Json | None = None

    def __len__(self) -> int:
        """Batches of this rank in the epoch; with `tokens` all lengths are read for it."""
        self.feed.set_epoch(self.epoch)
        return len(self.feed)

    def __iter__(self) -> Iterator[Any]:
        """Collated batches."""
        return (placed.made for placed in self.placed())

    def placed(self) -> Iterator[Placed]:
        """The same, each with its place."""
        if self._state is not None:  # what it was resumed from is behind it
            self.feed.restart()
        self.feed.set_epoch(self.epoch)
        self._state = self.feed.state_dict()
        return self._read()

    def _read(self) -> Iterator[Placed]:
        info = get_worker_info()
        worker, workers = (info.id, info.num_workers) if info else (0, 1)
        begin = self.feed.state_dict()
        known = {"worker": worker, "workers": workers} if info else {}
        for done, planned in enumerate(self.feed.planned(worker, workers), 1):
            place = planned.place
            batch = self.feed.make(planned)
            made = batch if self.collate is None else self.collate(batch)
            where = {"position": begin["position"] + done * workers}
            where |= {"window": place.window, "first": place.first}
            self._state = {**begin, **where, **known}
            yield Placed(place, made)

    @property
    def epoch(self) -> int:
        """Of the order, and of dynamic masks."""
        return int(self._epoch)

    def set_epoch(self, epoch: int) -> None:
        """Begin an epoch; the one that a state was loaded of goes on. Trainers call it."""
        if epoch != self.epoch:
            self._state = None
        self.feed.set_epoch(epoch)
        self._epoch.fill_(epoch)

    def state_dict(self) -> Json:
        """Epoch and batches given, as JSON; of a worker's share, when a worker is asked."""
        return self._state or self.feed.state_dict()

    def load_state_dict(self, state: Json) -> None:
        """Go on where a state was taken.

        Args:
            state: Of this stream as a whole, or of the same worker of as many.

        Raises:
            UsageError: It is of another set, order, rank or worker.
        """
        info = get_worker_info()
        own = (info.id, info.num_workers) if info else (None, None)
        told = (state.get("worker"), state.get("workers"))
        if told not in (own, (None, None)):
            expected = "the state of a whole stream" + (f", or of worker {own}" if info else "")
            do = "resume with as many workers, or use feeds.Loader"
            raise UsageError(sentence(expected, f"that of worker {told}", do=do))
        plain = {name: one for name, one in state.items() if name not in ("worker", "workers")}
        self.feed.load_state_dict(plain)
        self._epoch.fill_(self.feed.epoch)
        self._state = None
