"""What is trained on at each step: batches of one task each, over epochs or for some steps."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from transferset.errors import UsageError, sentence
from transferset.training.order import WINDOW, Order, budget_order, epoch_order, mixed

Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]

#: Epochs whose orders are kept: the one that goes on, and the one that begins.
_KEPT: Final = 2


class Batch(NamedTuple):
    """What is trained on in one step.

    Attributes:
        epoch: From 0.
        task: Whose examples they are.
        rows: int64[n], numbers of that task's examples; shorter ones come first.
    """

    epoch: int
    task: int
    rows: Int64


class _Epoch(NamedTuple):
    """The batches of an epoch: number i is batch `number[i]` of the order of `task[i]`."""

    orders: list[Order]
    task: Int64
    number: Int64


@dataclass(slots=True)
class _Known:
    """What is known of epochs so far: batches up to the end of each, and the last orders."""

    ends: list[int] = field(default_factory=lambda: [0])
    epochs: dict[int, _Epoch] = field(default_factory=dict)


class Batches:
    """The batches of a training: a function of its arguments, so that any step may come next.

    Attributes:
        steps: Of the whole training.
    """

    def __init__(
        self,
        lengths: Sequence[Int32],
        *,
        seed: int,
        rows: int | None = None,
        tokens: int | None = None,
        epochs: int | None = None,
        steps: int | None = None,
        window: int = WINDOW,
    ) -> None:
        """Count the batches.

        Args:
            lengths: Ids of each example, an int32 array for each task; those of all tasks are
                shuffled together.
            seed: 0 ≤ seed < 2**64.
            rows: Examples of a batch, ≥ 1; or
            tokens: most ids of a batch, padding included, ≥ 1; a longer example is one of its own.
            epochs: Times that each example is seen, ≥ 1; or
            steps: of the training, ≥ 1: epochs go round until they are done.
            window: Batches within which examples are sorted by length, ≥ 1.

        Raises:
            UsageError: Not exactly one of a pair is given, one is below 1, or there is no example.
        """
        size = _one("rows", rows, "tokens", tokens)
        _one("epochs", epochs, "steps", steps)
        if not any(len(one) for one in lengths):
            raise UsageError(sentence("at least one example", "none"))
        self._lengths = [np.asarray(one, np.int32) for one in lengths]
        self._seed, self._size, self._window = seed, size, window
        self._by_rows = rows is not None
        self._known = _Known()
        self.steps = steps if steps is not None else self._end(epochs or 1)

    def batch(self, step: int) -> Batch:
        """The batch of a step, 0 ≤ step < steps; the next one is quickest."""
        epoch = self._of(step)
        number = step - self._known.ends[epoch]
        found = self._epoch(epoch)
        task = int(found.task[number])
        return Batch(epoch, task, found.orders[task].batch(int(found.number[number])))

    def ends_epoch(self, step: int) -> bool:
        """Whether a step is the last of an epoch, or of the training."""
        return step + 1 == self.steps or step + 1 == self._end(self._of(step) + 1)

    def epoch(self, step: int) -> float:
        """Epochs that are done before a step, 0 ≤ step ≤ steps."""
        if step == 0:
            return 0.0
        last = self._of(step - 1)
        begin = self._known.ends[last]
        return last + (step - begin) / (self._end(last + 1) - begin)

    @property
    def tokens(self) -> int:
        """Ids that are trained on in all, padding not counted."""
        whole = sum(int(one.sum(dtype=np.int64)) for one in self._lengths)
        last = self._of(self.steps - 1)
        begin = self._known.ends[last]
        if self.steps == self._end(last + 1):
            return (last + 1) * whole
        found, cut = self._epoch(last), self.steps - begin
        return last * whole + sum(
            int(_ids(order, lengths)[found.number[:cut][found.task[:cut] == task]].sum())
            for task, (order, lengths) in enumerate(zip(found.orders, self._lengths, strict=True))
        )

    def _of(self, step: int) -> int:
        """The epoch of a step."""
        while self._known.ends[-1] <= step:
            self._end(len(self._known.ends))
        return bisect_right(self._known.ends, step) - 1

    def _end(self, epochs: int) -> int:
        """Batches of the first epochs; those that are known are not counted again."""
        ends = self._known.ends
        while len(ends) <= epochs:
            if self._by_rows:  # the same in each epoch
                count = sum(-(-len(one) // self._size) for one in self._lengths)
            else:
                count = len(self._epoch(len(ends) - 1).task)
            ends.append(ends[-1] + count)
        return ends[epochs]

    def _epoch(self, epoch: int) -> _Epoch:
        kept = self._known.epochs
        if epoch not in kept:
            if len(kept) == _KEPT:
                del kept[next(iter(kept))]
            kept[epoch] = self._ordered(epoch)
        return kept[epoch]

    def _ordered(self, epoch: int) -> _Epoch:
        order = epoch_order if self._by_rows else budget_order
        orders = [
            order(one, self._size, self._seed, epoch, self._window, task)
            for task, one in enumerate(self._lengths)
        ]
        counts = [len(one.bounds) - 1 for one in orders]
        task = np.repeat(np.arange(len(counts)), counts)
        number = np.concatenate([np.arange(count) for count in counts])
        if len(orders) > 1:
            turn = mixed(len(task), self._seed, epoch)
            task, number = task[turn], number[turn]
        return _Epoch(orders, task, number)


def _ids(order: Order, lengths: Int32) -> Int64:
    """Ids of each batch."""
    sums = np.append(0, np.cumsum(lengths[order.rows], dtype=np.int64))
    return np.diff(sums[order.bounds])


def _one(name: str, value: int | None, other_name: str, other: int | None) -> int:
    """The one of two that is given."""
    given = [one for one in (value, other) if one is not None]
    if len(given) != 1:
        raise UsageError(sentence(f"one of {name} and {other_name}", f"{len(given)}"))
    if given[0] < 1:
        raise UsageError(sentence(f"{name} or {other_name} of at least 1", f"{given[0]}"))
    return given[0]
