"""Dropping rows that are equal to an earlier one.

Rows are compared by keyed 128-bit digests of their ids. Of n rows, two that differ are taken for
equal with probability n² / 2**129, which for 10⁹ rows is 10⁻²¹.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transferset.ledger import Ledger, Reason
from transferset.manifest import Json
from transferset.steps import Dedupe
from transferset.transforms.buckets import Buckets
from transferset.transforms.buffers import addresses, flat, keep
from transferset.transforms.marks import MARK, Marks, make_marks, write_marks
from transferset.transforms.protocol import Position, Setting, Surveyed
from transferset.transforms.siphash import digest_rows

#: A row as it is set down: its digest and its address.
_SEEN: Final = np.dtype([("high", "<u8"), ("low", "<u8"), ("row", "<u8"), ("copy", "<u4")])

#: Rows whose digests are sorted at once, on average; about 100 bytes each while they are.
_ROWS: Final = 1 << 18

Records = npt.NDArray[Any]


class DropDuplicates:
    """Keeps the first of rows with equal ids; see `steps.Dedupe`."""

    def __init__(self, step: Dedupe, setting: Setting) -> None:
        pass

    def needs_survey(self, *, intact: bool) -> bool:
        """Always."""
        return True

    def survey(self, at: Position) -> DigestSurvey:
        """Write down digests."""
        return DigestSurvey(at)

    def conclude(self, found: Surveyed, at: Position, folder: Path, *, intact: bool) -> Json:
        """Find the rows that are equal to an earlier one and write down their addresses.

        The digests are set down in files by their first bits (28 bytes a row), and sorted file by
        file: about 64 MB of memory, however many rows are equal.

        Args:
            found: The surveys.
            at: Seed and step.
            folder: Where the addresses go, 16 bytes for each row that is dropped.
            intact: Makes no difference.

        Returns:
            `rows`: how many are left; `tokens`: in proportion.
        """
        count = max(1, -(-found.rows // _ROWS))
        last = max(int(found.bounds[-1]), 1)
        dropped = Buckets(folder, "dropped", count, MARK)
        for rows, copies in _repeats(_by_digest(found, folder, count)):
            marks = make_marks(rows, copies, 1)
            dropped.add(np.minimum(rows // np.uint64(-(-last // count)), count - 1), marks)
        total = write_marks(folder, _sorted(dropped))
        left = found.rows - total
        tokens = round(found.tokens * left / found.rows) if found.rows else 0
        return {"rows": left, "tokens": tokens}

    def fitted(self, model: Json, folder: Path) -> _DropMarked:
        """The step, ready to drop rows."""
        return _DropMarked(folder)


class DigestSurvey:
    """Writes down the digest and the address of each row, 28 bytes a row."""

    def __init__(self, at: Position) -> None:
        self._key = at.key

    def add(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """See `Survey.add`."""
        high, low = digest_rows(*flat(batch), self._key)
        columns = [
            pa.array(high),
            pa.array(low),
            batch.column("parent_row"),
            batch.column("copy"),
        ]
        return pa.RecordBatch.from_arrays(columns, names=list(_SEEN.names or ()))

    def finish(self) -> None:
        """See `Survey.finish`."""


class _DropMarked:
    """Drops the rows that `conclude` wrote down."""

    def __init__(self, folder: Path) -> None:
        self._marks = Marks(folder)

    def apply(self, batch: pa.RecordBatch, at: Position, ledger: Ledger) -> pa.RecordBatch:
        """See `Transformer.apply`."""
        repeated, _ = self._marks.of(*addresses(batch))
        kept = keep(batch, repeated == 0)
        ledger[Reason.DUPLICATE] += batch.num_rows - kept.num_rows
        return kept


def _by_digest(found: Surveyed, folder: Path, count: int) -> Buckets:
    """All rows in buckets of equal ranges of digests, within each in order of their addresses."""
    buckets = Buckets(folder, "digests", count, _SEEN)
    for batch in found.batches():
        records = np.empty(batch.num_rows, _SEEN)
        for name in _SEEN.names or ():
            records[name] = batch.column(name).to_numpy()
        # equal ranges of the upper 32 bits, whatever the count
        bucket = ((records["high"] >> np.uint64(32)) * np.uint64(count)) >> np.uint64(32)
        buckets.add(bucket, records)
    return buckets


def _repeats(buckets: Buckets) -> Iterator[tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint32]]]:
    """Addresses of the rows that are equal to an earlier one."""
    for _, pieces in buckets.read():
        # the first row of each digest so far: a bucket has `_ROWS` of them at most, give or take,
        # however many rows repeat them
        first = np.empty(0, _SEEN)
        for piece in pieces:
            together = np.concatenate([first, piece])
            together = together[_digest_order(together)]
            same = np.zeros(len(together), np.bool_)
            same[1:] = (together["high"][1:] == together["high"][:-1]) & (
                together["low"][1:] == together["low"][:-1]
            )
            yield together["row"][same], together["copy"][same]
            first = together[~same]


def _digest_order(records: Records) -> npt.NDArray[np.int64]:
    """By digest, equal ones in the order in which they are."""
    order = np.argsort(records["high"], kind="stable")
    high = records["high"][order]
    near = np.flatnonzero(high[1:] == high[:-1])
    if len(near):  # few: they are put in order of the second half too
        some = np.union1d(near, near + 1)
        inner = np.lexsort((records["low"][order[some]], high[some]))
        order[some] = order[some][inner]
    return order


def _sorted(marks: Buckets) -> Iterator[Records]:
    """Marks in order of their addresses; a bucket holds a range of rows."""
    for _, pieces in marks.read():
        found = np.concatenate([np.empty(0, MARK), *pieces])
        yield found[np.lexsort((found["copy"], found["row"]))]
