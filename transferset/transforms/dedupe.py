"""Dropping rows that are equal to an earlier one.

Rows are compared by keyed 128-bit digests of their ids. Of n rows, two that differ are taken for
equal with probability n² / 2**129, which for 10⁹ rows is 10⁻²¹.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transferset.ledger import Ledger, Reason
from transferset.manifest import Json
from transferset.steps import Dedupe
from transferset.transforms.buckets import Buckets
from transferset.transforms.buffers import addresses, flat, keep
from transferset.transforms.contained import DropContained
from transferset.transforms.digests import MOST_FILES, ROWS, SEEN, Known, Numbers, sorted_marks
from transferset.transforms.marks import Marks, write_marks
from transferset.transforms.protocol import Position, Setting, Surveyed
from transferset.transforms.siphash import digest_rows


def deduplicate(step: Dedupe, setting: Setting) -> DropDuplicates | DropContained:
    """See `steps.Dedupe`."""
    return DropContained() if step.how == "contained" else DropDuplicates()


class DropDuplicates:
    """Keeps the first of rows with equal ids."""

    def needs_survey(self, *, intact: bool) -> bool:
        """Always."""
        return True

    def survey(self, at: Position) -> DigestSurvey:
        """Write down digests."""
        return DigestSurvey(at)

    def conclude(self, found: Surveyed, at: Position, folder: Path, *, intact: bool) -> Json:
        """Find the rows that are equal to an earlier one and write down their addresses.

        The digests are set down in files by their first bits (32 bytes a row), and looked at file
        by file: less than 64 MB of memory, however many rows are equal; above 4 · 10⁹ rows, 64 MB
        for each 4 · 10⁹.

        Args:
            found: The surveys.
            at: Seed and step.
            folder: Where the addresses go, 16 bytes for each row that is dropped.
            intact: Makes no difference.

        Returns:
            `rows`: how many are left; `tokens`: in proportion.
        """
        count = min(MOST_FILES, max(1, -(-found.rows // ROWS)))
        repeats = _repeats(_by_digest(found, folder, count))
        total = write_marks(folder, sorted_marks(folder, count, found, repeats))
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
        return pa.RecordBatch.from_arrays(columns, names=list(SEEN))

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
    buckets = Buckets(folder, "digests", count, np.uint64, len(SEEN))
    for batch in found.batches():
        records = np.empty((batch.num_rows, len(SEEN)), np.uint64)
        for i, name in enumerate(SEEN):
            records[:, i] = batch.column(name).to_numpy()
        # equal ranges of the upper 32 bits, whatever the count
        bucket = ((records[:, 0] >> np.uint64(32)) * np.uint64(count)) >> np.uint64(32)
        buckets.add(bucket, records)
    return buckets


def _repeats(buckets: Buckets) -> Iterator[tuple[Numbers, npt.NDArray[np.uint32]]]:
    """Addresses of the rows whose digest was there before, shape [rows, 2]; marked once."""
    for _, pieces in buckets.read():
        known = Known()
        for piece in pieces:
            places = piece[known.add(piece)][:, 2:]
            yield places, np.ones(len(places), np.uint32)
