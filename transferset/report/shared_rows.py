"""How many rows two sets share, as multisets, whatever the order.

Digests of all rows are written to temporary files, parted by their first bits (the partitioning of
Grace hash joins), and the parts are compared one after the other. So memory is bounded by a part,
about 150 MB, and the files take 32 bytes a row of either set.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numba import int64, uint64

from transferset.compiled import kernel
from transferset.errors import TransfersetError, sentence
from transferset.report.id_rows import Pieces, Rows, id_batches, rows_of
from transferset.report.row_digests import Digester, Digests
from transferset.shards import ShardSet

#: Rows of both sets whose digests are compared together, on average.
PART_ROWS: Final = 1 << 19

_HELD: Final = 1 << 18  # digests held before they are written
_READ: Final = 1 << 16  # digests read at a time
_DIGEST_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class Shared:
    """What two multisets of rows, A and B, have in common.

    Attributes:
        shared: Rows that can be paired off: the smaller count of each different row, summed.
        a_in_b: Rows of A that occur in B at all, repeats counted.
        b_in_a: Rows of B that occur in A at all.
        different_a: Different rows of A.
        different_b: Different rows of B.
        different_shared: Different rows that both have.
    """

    shared: int
    a_in_b: int
    b_in_a: int
    different_a: int
    different_b: int
    different_shared: int


def shared_rows(
    a: ShardSet, b: ShardSet, progress: Rows | None = None, part_rows: int = PART_ROWS
) -> tuple[Shared, Shared]:
    """Compare the rows of two sets of one tokenizer as multisets, by 128-bit digests.

    Args:
        a: An open set with `input_ids`.
        b: Another one.
        progress: Told of rows that were read: those of both sets, once.
        part_rows: Rows of both sets that are compared together, on average.

    Returns:
        What the sets share when rows are equal if their ids are equal in order, and when they
        are equal if they hold the same ids in any order.

    Raises:
        SetError: A set is damaged.
        TransfersetError: The temporary files cannot be written.
    """
    parts = -(-(rows_of(a) + rows_of(b)) // part_rows)
    bits = max(0, (parts - 1).bit_length())
    digester = Digester(len(Pieces.of(a).content))
    with _folder() as folder:
        exact, bags = _Parts(folder, "rows", bits), _Parts(folder, "bags", bits)
        for side, found in enumerate((a, b)):
            for batch in id_batches(found, progress):
                exact.add(side, digester.rows(batch))
                bags.add(side, digester.bags(batch))
            exact.flush(side)
            bags.flush(side)
        return exact.compared(), bags.compared()


@contextmanager
def _folder() -> Iterator[Path]:
    try:
        with tempfile.TemporaryDirectory(prefix="transferset-") as folder:
            yield Path(folder)
    except OSError as error:  # reading a set raises none: those are SetErrors
        found, at = error.strerror or str(error), tempfile.gettempdir()
        do = "set TMPDIR to a folder with room for 32 bytes a row"
        raise TransfersetError(sentence("room for temporary files", found, at, do)) from error


class _Parts:
    """The digests of two multisets in files, parted by their first bits."""

    def __init__(self, folder: Path, name: str, bits: int) -> None:
        self._folder, self._name, self._bits = folder, name, bits
        self._held: list[Digests] = []

    def _path(self, side: int, part: int) -> Path:
        return self._folder / f"{self._name}-{side}-{part}"

    def add(self, side: int, digests: Digests) -> None:
        self._held.append(digests)
        if sum(map(len, self._held)) >= _HELD:
            self.flush(side)

    def flush(self, side: int) -> None:
        if not self._held:
            return
        digests = np.concatenate(self._held)
        self._held = []
        # two shifts, for one of 64 is none
        parts = (digests[:, 1] >> np.uint64(1) >> np.uint64(63 - self._bits)).astype(np.int64)
        digests = digests[np.argsort(parts, kind="stable")]
        ends = np.cumsum(np.bincount(parts, minlength=1 << self._bits))
        for part, piece in enumerate(np.split(digests, ends[:-1])):
            if len(piece):
                with self._path(side, part).open("ab") as file:
                    file.write(piece.data)

    def compared(self) -> Shared:
        totals = np.zeros(6, np.int64)
        for part in range(1 << self._bits):
            totals += self._compared(part)
        return Shared(*totals.tolist())

    def _compared(self, part: int) -> Any:
        paths = [self._path(side, part) for side in (0, 1)]
        there = [path for path in paths if path.exists()]
        entries = sum(path.stat().st_size for path in there) // _DIGEST_BYTES
        # Different digests spread evenly over the parts; only equal ones can make a part larger
        # than twice the average, and those share a slot.
        bits = max(1, (2 * min(entries, 1 << 20)).bit_length())
        keys = np.zeros((1 << bits, 2), np.uint64)
        counts = np.zeros((1 << bits, 2), np.int64)
        for side, path in enumerate(paths):
            if path in there:
                for digests in _read(path):
                    _count(digests, side, keys, counts)
        return _match(counts)


def _read(path: Path) -> Iterator[Digests]:
    with path.open("rb") as file:
        while raw := file.read(_READ * _DIGEST_BYTES):
            yield np.frombuffer(raw, np.uint64).reshape(-1, 2)


@kernel
def _count(digests: Any, side: int, keys: Any, counts: Any) -> None:
    mask = uint64(len(keys) - 1)
    for i in range(len(digests)):
        low, high = digests[i, 0], digests[i, 1]
        slot = int64(low & mask)
        while counts[slot, 0] + counts[slot, 1] > 0:
            if keys[slot, 0] == low and keys[slot, 1] == high:
                break
            slot = int64(uint64(slot + 1) & mask)
        keys[slot, 0], keys[slot, 1] = low, high
        counts[slot, side] += 1


@kernel
def _match(counts: Any) -> Any:
    totals = np.zeros(6, np.int64)
    for i in range(len(counts)):
        in_a, in_b = counts[i, 0], counts[i, 1]
        totals[3] += in_a > 0
        totals[4] += in_b > 0
        if in_a > 0 and in_b > 0:
            totals[0] += min(in_a, in_b)
            totals[1] += in_a
            totals[2] += in_b
            totals[5] += 1
    return totals
