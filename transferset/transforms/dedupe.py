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
from numba import uint64

from transferset.compiled import kernel
from transferset.ledger import Ledger, Reason
from transferset.manifest import Json
from transferset.steps import Dedupe
from transferset.transforms.buckets import Buckets
from transferset.transforms.buffers import addresses, flat, keep
from transferset.transforms.marks import Marks, make_marks, write_marks
from transferset.transforms.protocol import Position, Setting, Surveyed
from transferset.transforms.siphash import digest_rows

#: A row as it is set down: both halves of its digest, and its address.
_SEEN: Final = ("high", "low", "row", "copy")

#: Rows, on average, whose digests are compared at once.
_ROWS: Final = 1 << 18

Numbers = npt.NDArray[np.uint64]


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

        The digests are set down in files by their first bits (32 bytes a row), and looked at file
        by file: less than 64 MB of memory, however many rows are equal.

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
        dropped = Buckets(folder, "dropped", count, np.uint64, 2)
        for places in _repeats(_by_digest(found, folder, count)):
            dropped.add(places[:, 0] // np.uint64(-(-last // count)), places)
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
        return pa.RecordBatch.from_arrays(columns, names=list(_SEEN))

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
    buckets = Buckets(folder, "digests", count, np.uint64, len(_SEEN))
    for batch in found.batches():
        records = np.empty((batch.num_rows, len(_SEEN)), np.uint64)
        for i, name in enumerate(_SEEN):
            records[:, i] = batch.column(name).to_numpy()
        # equal ranges of the upper 32 bits, whatever the count
        bucket = ((records[:, 0] >> np.uint64(32)) * np.uint64(count)) >> np.uint64(32)
        buckets.add(bucket, records)
    return buckets


def _repeats(buckets: Buckets) -> Iterator[Numbers]:
    """Addresses of the rows whose digest was there before, shape [rows, 2]."""
    for _, pieces in buckets.read():
        known = _Known()
        for piece in pieces:
            yield piece[known.add(piece)][:, 2:]


class _Known:
    """The different digests of a bucket, in a table with open addressing.

    A bucket has `_ROWS` of them, give or take, however many rows repeat them.
    """

    def __init__(self) -> None:
        self._used = 0
        self._digests = np.empty((0, 2), np.uint64)
        self._table = np.empty(0, np.uint32)

    def add(self, records: Numbers) -> npt.NDArray[np.bool_]:
        """Add digests; tell which of them were there, or came before in `records`."""
        self._make_room(self._used + len(records))
        repeated = np.zeros(len(records), np.bool_)
        self._used = _insert(records, self._used, self._digests, self._table, repeated)
        return repeated

    def _make_room(self, most: int) -> None:
        if most <= len(self._digests):
            return
        old, used = self._digests[: self._used], self._used
        self._digests = np.empty((most, 2), np.uint64)
        self._table = np.zeros(1 << (2 * most).bit_length(), np.uint32)
        _insert(old, 0, self._digests, self._table, np.zeros(used, np.bool_))


@kernel
def _insert(records: Any, used: int, digests: Any, table: Any, repeated: Any) -> int:
    """Look digests up, put new ones in; `table` holds their numbers from 1."""
    last = uint64(len(table) - 1)
    for i in range(len(records)):
        high, low = records[i, 0], records[i, 1]
        slot = low & last  # of the lower half: the upper one chose the bucket
        while table[slot] != 0:
            known = table[slot] - 1
            if digests[known, 1] == low and digests[known, 0] == high:
                repeated[i] = True
                break
            slot = (slot + uint64(1)) & last
        if not repeated[i]:
            digests[used, 0], digests[used, 1] = high, low
            used += 1
            table[slot] = used
    return used


def _sorted(dropped: Buckets) -> Iterator[npt.NDArray[Any]]:
    """Marks in order of their addresses; a bucket holds a range of rows."""
    for _, pieces in dropped.read():
        rows, copies = np.concatenate([np.empty((0, 2), np.uint64), *pieces]).T
        order = np.lexsort((copies, rows))
        yield make_marks(rows[order], copies[order].astype(np.uint32), 1)
