"""Masked batches: rows as models read them, and what stood where something was masked.

Masking is done for the whole batch, so that counts over it are known before its first part goes
through a model; parts are slices of it.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from transferset.masking import Masking
from transferset.students.rows import Rows

Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]

#: Rows that are counted at a time.
_COUNTED: Final = 1 << 14


class TopRows(NamedTuple):
    """A teacher's highest logits at masked positions, see `students.losses.Top`.

    Attributes:
        ids: int64[masked, k].
        logits: float16[masked, k], or wider.
        tail: float16[masked], or wider.
    """

    ids: Int64
    logits: npt.NDArray[np.floating[Any]]
    tail: npt.NDArray[np.floating[Any]]

    def part(self, low: int, high: int) -> TopRows:
        """Some consecutive positions."""
        return TopRows(self.ids[low:high], self.logits[low:high], self.tail[low:high])


class MaskedBatch(NamedTuple):
    """Rows after masking.

    Attributes:
        rows: As the models read them.
        positions: int64[masked], rising, places in `rows.ids`.
        targets: int64[masked], the pieces that stood there.
        top: What a teacher said there, if it was asked before.
    """

    rows: Rows
    positions: Int64
    targets: Int64
    top: TopRows | None = None

    def part(self, rows: slice) -> MaskedBatch:
        """Some consecutive rows."""
        start, stop, _ = rows.indices(len(self.rows.lengths))
        offsets = self.rows.offsets[start : stop + 1]
        first, last = int(offsets[0]), int(offsets[-1])
        low, high = np.searchsorted(self.positions, (first, last)).tolist()
        return MaskedBatch(
            Rows(self.rows.ids[first:last], offsets - first),
            self.positions[low:high] - first,
            self.targets[low:high],
            None if self.top is None else self.top.part(low, high),
        )


class PlainRows(Protocol):
    """Rows of ids by number; `examples.Examples` are some."""

    @property
    def lengths(self) -> Int32:
        """Ids of each row."""

    def take(self, rows: Int64) -> Rows:
        """Some of them, in the order asked for."""


class Masks(Protocol):
    """Rows that are masked when they are asked for, or were before."""

    @property
    def lengths(self) -> Int32:
        """Ids of each row."""

    @property
    def temperature(self) -> float | None:
        """Of the teacher's logits that come with the rows; None if none do."""

    def batch(self, rows: Int64, epoch: int) -> MaskedBatch:
        """Some rows, in the order asked for.

        Args:
            rows: int64[n], their numbers.
            epoch: Below 2**32.
        """


class DynamicMasks:
    """Rows that are masked otherwise in each epoch.

    Attributes:
        lengths: int32[rows], ids of each.
        temperature: None, for no teacher was asked before.
    """

    temperature: float | None = None

    def __init__(self, examples: PlainRows, masking: Masking) -> None:
        """Take rows.

        Args:
            examples: Any.
            masking: What is masked of them.
        """
        self._examples, self._masking = examples, masking
        self.lengths = examples.lengths

    def batch(self, rows: Int64, epoch: int) -> MaskedBatch:
        """See `Masks.batch`; a function of rows, epoch and the masking's seed."""
        plain = self._examples.take(rows)
        masked = self._masking(plain.ids.astype(np.int32), plain.offsets, rows, epoch)
        read = Rows(masked.ids.astype(np.int64), plain.offsets)
        return MaskedBatch(read, masked.positions, plain.ids[masked.positions])


def piece_counts(examples: PlainRows, size: int) -> Int64:
    """How often each piece occurs, for `masking.rates_of`.

    Args:
        examples: Read once, in their order.
        size: V, ids are below it.

    Returns:
        int64[V]
    """
    counts, rows = np.zeros(size, np.int64), len(examples.lengths)
    for start in range(0, rows, _COUNTED):
        some = np.arange(start, min(start + _COUNTED, rows))
        counts += np.bincount(examples.take(some).ids, minlength=size)
    return counts


def any_masked(masks: Masks, epoch: int) -> bool:
    """Whether a position of some rows is masked; they are read up to the first.

    Args:
        masks: The rows.
        epoch: Below 2**32.
    """
    rows = len(masks.lengths)
    starts = range(0, rows, _COUNTED)
    some = (np.arange(start, min(start + _COUNTED, rows)) for start in starts)
    return any(len(masks.batch(one, epoch).positions) for one in some)
