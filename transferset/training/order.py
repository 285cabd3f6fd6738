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

_32: Final = np.uint64(32)


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
    lengths: npt.NDArray[np.int32], batch: int, seed: int, epoch: int, window: int = WINDOW
) -> Order:
    """The batches of an epoch.

    Args:
        lengths: Of the examples, shape [rows].
        batch: Rows of a batch, ≥ 1; one batch may have fewer.
        seed: The user's seed.
        epoch: From 0.
        window: Batches within which rows are sorted by length, ≥ 1.

    Returns:
        Each row exactly once, whatever the lengths.
    """
    count = len(lengths)
    shuffled = np.argsort(_keys(count, seed, ROWS, epoch), kind="stable")
    places = np.arange(count)
    # stable: rows of one length stay shuffled
    rows = shuffled[np.lexsort((lengths[shuffled], places // (batch * window)))]
    batches = batch_count(count, batch)
    keys = _keys(batches, seed, BATCHES, epoch)
    turn = np.lexsort((keys, np.arange(batches) // window))
    sizes = np.full(batches, batch, np.int64)
    sizes[batches - 1 :] = count - batch * (batches - 1)
    bounds = np.append(0, np.cumsum(sizes[turn]))
    starts = np.repeat(turn * batch - bounds[:-1], sizes[turn])
    return Order(rows[starts + np.arange(count)], bounds)


def step_seed(seed: int, step: int) -> int:
    """Seed of the generator of dropout in one step, 0 ≤ result < 2**63."""
    address = (step & 0xFFFFFFFF, step >> 32, 0, DROPOUT)
    a, b, c, d = (np.array([word], np.uint32) for word in address)
    low, high, _, _ = philox((a, b, c, d), step_key(seed, TRAINING))
    return (int(high[0]) << 32 | int(low[0])) & (1 << 63) - 1


def _keys(count: int, seed: int, kind: int, epoch: int) -> npt.NDArray[np.uint64]:
    number = np.arange(count, dtype=np.uint64)
    counter = (
        (number & np.uint64(0xFFFFFFFF)).astype(np.uint32),
        (number >> _32).astype(np.uint32),
        np.full(count, epoch, np.uint32),
        np.full(count, kind, np.uint32),
    )
    high, low, _, _ = philox(counter, step_key(seed, TRAINING))
    return (high.astype(np.uint64) << _32) | low.astype(np.uint64)
