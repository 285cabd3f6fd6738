"""A loader whose state counts the batches that were handed out, whatever workers read ahead."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from multiprocessing.context import BaseContext
from typing import Any

from torch.utils.data import DataLoader, IterableDataset

from transferset.errors import UsageError, sentence
from transferset.feeds.torch_batches import Collate, Placed, ShardBatches
from transferset.manifest import Json


class Loader:
    """Batches of one rank, epoch after epoch, read by workers.

    Each iteration gives the rest of an epoch and then moves on to the next. The state is the same
    for any number of workers, so a run may be resumed with another.

    transformers' Trainer resumes by reading a loader's `dataset` anew, with its other members as
    options, and passing over what was read before (accelerate's `skip_first_batches`).

    Attributes:
        batches: What is loaded; its feed's state is the loader's.
    """

    batch_size = None
    drop_last = False

    def __init__(
        self,
        batches: ShardBatches,
        collate: Collate | None = None,
        *,
        workers: int = 0,
        prefetch: int = 2,
        pin_memory: bool = False,
        context: str | BaseContext | None = None,
    ) -> None:
        """Prepare; nothing is read yet.

        Args:
            batches: Of `ShardDataset.batches`.
            collate: Makes a batch what is given out, in the worker; None for that of `batches`.
            workers: Processes that read ahead, ≥ 0; 0 reads here.
            prefetch: Batches that each holds ready, ≥ 1.
            pin_memory: Whether tensors lie in memory that a GPU reads directly.
            context: How workers are started: "fork", "spawn", "forkserver"; None as torch does.

        Raises:
            UsageError: A number is out of range.
        """
        if workers < 0 or prefetch < 1:
            found = f"{workers} and {prefetch}"
            raise UsageError(sentence("workers from 0 and a prefetch from 1", found))
        self.batches = batches if collate is None else ShardBatches(batches.feed, collate)
        ahead: dict[str, Any] = {"prefetch_factor": prefetch, "multiprocessing_context": context}
        self._options = {
            "num_workers": workers, "pin_memory": pin_memory, **(ahead if workers else {}),
        }  # fmt: skip
        self.num_workers, self.pin_memory = workers, pin_memory
        self.prefetch_factor = prefetch if workers else None
        self.multiprocessing_context = context if workers else None
        self.collate_fn = _as_it_is

    def __iter__(self) -> Iterator[Any]:
        """The rest of the epoch."""
        feed = self.batches.feed
        turn = feed.turn
        # a fresh one, so that its workers begin where the feed stands
        data = _Placed(ShardBatches(feed, self.batches.collate))
        for place, made in DataLoader(data, batch_size=None, collate_fn=_as_it_is, **self._options):
            feed.delivered(place, turn)
            yield made
        feed.ended(turn)

    def __len__(self) -> int:
        """Batches of this rank in the epoch; with `tokens` all lengths are read for it."""
        return len(self.batches.feed)

    @property
    def dataset(self) -> IterableDataset[Any]:
        """All batches of the epoch, whatever was handed out of it; they do not move the state."""
        return _Epoch(self.batches)

    @property
    def epoch(self) -> int:
        """That is being read, or comes next."""
        return self.batches.feed.epoch

    @property
    def position(self) -> int:
        """Batches of the epoch that were handed out."""
        return self.batches.feed.position

    def set_epoch(self, epoch: int) -> None:
        """Begin an epoch; the one that is being read goes on where it is."""
        self.batches.feed.set_epoch(epoch)

    def state_dict(self) -> Json:
        """Epoch and position, and of what, as JSON."""
        return self.batches.feed.state_dict()

    def load_state_dict(self, state: Json) -> None:
        """Go on where a state was taken, with any number of workers.

        Raises:
            UsageError: It is of another set, order or rank.
        """
        self.batches.feed.load_state_dict(state)


class _Placed(IterableDataset[Placed]):  # type: ignore[misc]
    """Batches with their places."""

    def __init__(self, batches: ShardBatches) -> None:
        self._batches = batches

    def __iter__(self) -> Iterator[Placed]:
        return self._batches.placed()


class _Epoch(IterableDataset[Any]):  # type: ignore[misc]
    """Batches of the epoch that a feed is told when they are read."""

    def __init__(self, batches: ShardBatches) -> None:
        self._batches = batches

    def __iter__(self) -> Iterator[Any]:
        feed = copy(self._batches.feed)
        feed.restart()
        return iter(ShardBatches(feed, self._batches.collate))


def _as_it_is(made: Any) -> Any:
    return made
