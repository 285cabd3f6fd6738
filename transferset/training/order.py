"""In which order examples are trained on: batches of like lengths, anew in each epoch.

The order is a function of seed and epoch. Rows are shuffled by keys of their own, cut into windows
of some batches, sorted by length within a window, cut into batches, and the batches of a window are
shuffled. So an example's neighbours change from epoch to epoch, little is padding, and long and
short batches come mixed.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from transferset.rng import philox, step_key

#: Batches in a window.
WINDOW: Final = 64

#: The ordinal of a training: no step of a derivation has it.
TRAINING: Final = 0xFFFF_FFFE

#: The kinds of draws of a training.
ROWS: Final = 0
BATCHES: Final = 1
DROPOUT: Final = 2
MIXED: Final = 3

_32: Final = np.uint64(32)

Int64 = npt.NDArray[np.int64]


class Order(NamedTuple):
    """The batches of an epoch.

    Attributes:
        rows: int64[rows], each row once.
        bounds: int64[batches + 1]; batch i is `rows[bounds[i]:bounds[i + 1]]`.
    """

    rows: npt.NDArray[np.int64]
    bounds: npt.NDArray[np.int64]

    def batch(self, i: int) -> npt.NDArray[np.int64]:
        """Rows of batch i."""
        return self.rows[self.bounds[i] : self.bounds[i + 1]]


def batch_count(rows: int, batch: int) -> int:
    """Batches of an epoch; the last may be short."""
    return -(-rows // batch)


def epoch_order(
    lengths: npt.NDArray[np.int32],
    batch: int,
    seed: int,
    epoch: int,
    window: int = WINDOW,
    task: int = 0,
) -> Order:
    """The batches of an epoch, of some rows each.

    Args:
        lengths: Of the examples, shape [rows].
        batch: Rows of a batch, ≥ 1; one batch may have fewer.
        seed: The user's seed.
        epoch: From 0.
        window: Batches within which rows are sorted by length, ≥ 1.
        task: Whose examples they are; another one's come in another order.

    Returns:
        Each row exactly once, whatever the lengths.
    """
    count = len(lengths)
    rows = _sorted_rows(lengths, batch * window, seed, epoch, task)
    bounds = np.append(np.arange(0, count, batch), count)
    return _shuffled(rows, bounds, batch * window, seed, epoch, task)


def budget_order(
    lengths: npt.NDArray[np.int32],
    tokens: int,
    seed: int,
    epoch: int,
    window: int = WINDOW,
    task: int = 0,
) -> Order:
    """The batches of an epoch, of at most so many ids each, padding included.

    Args:
        lengths: Of the examples, shape [rows].
        tokens: Most of rows × longest, ≥ 1; a longer row is a batch of its own.
        seed: The user's seed.
        epoch: From 0.
        window: Batches, about, within which rows are sorted by length, ≥ 1.
        task: Whose examples they are.

    Returns:
        Each row exactly once. How many batches it takes differs a little from epoch to epoch.
    """
    from transferset.training.cuts import cut

    mean = max(1, int(lengths.sum(dtype=np.int64)) // max(1, len(lengths)))
    width = window * max(1, tokens // mean)
    rows = _sorted_rows(lengths, width, seed, epoch, task)
    bounds = cut(np.ascontiguousarray(lengths[rows], np.int32), width, tokens)
    return _shuffled(rows, bounds, width, seed, epoch, task)


def mixed(batches: int, seed: int, epoch: int) -> Int64:
    """An order of the batches of all tasks, shuffled together (Liu et al. 2020, § 4.3.2).

    Args:
        batches: Of all tasks in this epoch.
        seed: The user's seed.
        epoch: From 0.

    Returns:
        int64[batches], each number once.
    """
    return np.argsort(_keys(batches, seed, MIXED, epoch), kind="stable")


def step_seed(seed: int, step: int) -> int:
    """Seed of the generator of dropout in one step, 0 ≤ result < 2**63."""
    address = (step & 0xFFFFFFFF, step >> 32, 0, DROPOUT)
    a, b, c, d = (np.array([word], np.uint32) for word in address)
    low, high, _, _ = philox((a, b, c, d), step_key(seed, TRAINING))
    return (int(high[0]) << 32 | int(low[0])) & (1 << 63) - 1


def _sorted_rows(
    lengths: npt.NDArray[np.int32], width: int, seed: int, epoch: int, task: int
) -> Int64:
    """Rows shuffled, and then sorted by length within windows of so many rows."""
    shuffled = np.argsort(_keys(len(lengths), seed, ROWS, epoch, task), kind="stable")
    # stable: rows of one length stay shuffled
    return shuffled[np.lexsort((lengths[shuffled], np.arange(len(lengths)) // width))]


def _shuffled(rows: Int64, bounds: Int64, width: int, seed: int, epoch: int, task: int) -> Order:
    """The batches of each window in another order."""
    starts, sizes = bounds[:-1], np.diff(bounds)
    turn = np.lexsort((_keys(len(starts), seed, BATCHES, epoch, task), starts // width))
    turned = np.append(0, np.cumsum(sizes[turn]))
    places = np.repeat(starts[turn] - turned[:-1], sizes[turn]) + np.arange(len(rows))
    return Order(rows[places], turned)


def _keys(count: int, seed: int, kind: int, epoch: int, task: int = 0) -> npt.NDArray[np.uint64]:
    number = np.arange(count, dtype=np.uint64)
    counter = (
        (number & np.uint64(0xFFFFFFFF)).astype(np.uint32),
        (number >> _32).astype(np.uint32),
        np.full(count, epoch, np.uint32),
        np.full(count, task << 8 | kind, np.uint32),
    )
    high, low, _, _ = philox(counter, step_key(seed, TRAINING))
    return (high.astype(np.uint64) << _32) | low.astype(np.uint64)
