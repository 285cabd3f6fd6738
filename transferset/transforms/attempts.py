"""Which attempts to vary rows are kept: none that repeats a row, and no more than are wanted.

Rows are compared by digests. Of attempts that give the same row, the one of the lowest number is
kept, then that on the earliest row; so it makes no difference in which rounds they were made. The
digests are set down in files by their first bits and looked at file by file: less than 64 MB of
memory, however many attempts there are, and on disk 32 bytes for each attempt of a round, 16 for
each different row of earlier rounds, 16 for each attempt that is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transferset.transforms.attempt_kernels import (
    COUNTED,
    KNOWN,
    LEAK,
    count_owners,
    index_digests,
    judge_digests,
)
from transferset.transforms.buckets import Buckets
from transferset.transforms.marks import make_marks
from transferset.transforms.protocol import Surveyed

#: An attempt as a survey sets it down: both halves of its digest, its address, its number of ids.
SURVEYED: Final = pa.schema(
    [
        ("high", pa.uint64()),
        ("low", pa.uint64()),
        ("row", pa.uint64()),
        ("copy", pa.uint32()),
        ("ids", pa.uint32()),
    ]
)

#: Rows, on average, whose digests are compared at once.
_ROWS: Final = 1 << 18

#: Most files of digests: with more rows each is larger.
_MOST_FILES: Final = 1 << 14

Numbers = npt.NDArray[np.uint64]
Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Round:
    """One round of attempts on all rows.

    Attributes:
        number: From 1.
        first: First attempt.
        stop: The one after the last.
        stride: By how much copies of rows are multiplied in addresses.
        files: Of digests, the same in all rounds; see `count_files`.
        last: No round can follow.
        choose: Not all that is accepted may be wanted.
    """

    number: int
    first: int
    stop: int
    stride: int
    files: int
    last: bool
    choose: bool


def count_files(attempts: int) -> int:
    """In how many files the digests of so many attempts go."""
    return min(_MOST_FILES, max(1, -(-attempts // _ROWS)))


def judge(found: Surveyed, of: Round, leaks: Numbers | None, folder: Path) -> Counts:
    """Find what is repeated in a round.

    Args:
        found: The surveys: attempts that changed their rows; in round 1 also the originals.
        of: The round.
        leaks: Digests of evaluation rows, uint64[n, 2].
        folder: Where files are kept for the next rounds.

    Returns:
        int64[stop, 5]: for each number of attempts, 0 for originals, how many are accepted,
        repeated and leaked, a zero for surplus, and the ids of the accepted.
    """
    counts = np.zeros((of.stop, COUNTED), np.int64)
    evaluation = _by_file(np.empty((0, 2), np.uint64) if leaks is None else leaks, of.files)
    with _Notes(folder, of) as notes:
        for file, pieces in _set_down(found, of, folder).read():
            seen = _Seen(evaluation.get(file, np.empty((0, 2), np.uint64)), notes.known(file))
            for piece in pieces:
                notes.drop(seen.add(piece, np.uint64(of.stride), counts))
            notes.keep(seen, counts)
    return counts


def _file_of(high: Numbers, files: int) -> Numbers:
    # equal ranges of the upper 32 bits, whatever the count
    return ((high >> np.uint64(32)) * np.uint64(files)) >> np.uint64(32)


def _by_file(digests: Numbers, files: int) -> dict[int, Numbers]:
    file = _file_of(digests[:, 0], files)
    order = np.argsort(file, kind="stable")
    numbers, starts = np.unique(file[order], return_index=True)
    parts = np.split(np.ascontiguousarray(digests[order]), starts[1:])
    return dict(zip(numbers.tolist(), parts, strict=False))


def _set_down(found: Surveyed, of: Round, folder: Path) -> Buckets:
    buckets = Buckets(folder, "attempts", of.files, np.uint64, 4)
    for batch in found.batches():
        records = np.empty((batch.num_rows, 4), np.uint64)
        for i, name in enumerate(("high", "low", "row")):
            records[:, i] = batch.column(name).to_numpy()
        copy = batch.column("copy").to_numpy().astype(np.uint64)
        records[:, 3] = copy << np.uint64(32) | batch.column("ids").to_numpy()
        buckets.add(_file_of(records[:, 0], of.files), records)
    return buckets


class _Seen:
    """The different digests of a file and whose they are, in a table with open addressing."""

    def __init__(self, leaks: Numbers, known: Numbers) -> None:
        self.used = len(leaks) + len(known)
        self.digests = np.concatenate([leaks, known])
        self.leaks = len(leaks)
        self.owners = np.empty((self.used, 2), np.uint64)  # row, and copy and ids
        self.owners[: self.leaks], self.owners[self.leaks :] = LEAK, KNOWN
        self._table = np.zeros(0, np.uint32)
        self._make_room(0)

    def add(self, records: Numbers, stride: np.uint64, counts: Counts) -> npt.NDArray[Any]:
        """Add attempts; gives marks of those that are left out, also of earlier ones."""
        self._make_room(len(records))
        out = np.empty((len(records), 3), np.uint64)
        state = self.digests, self.owners, self._table
        self.used, dropped = judge_digests(records, stride, self.used, *state, counts, out)
        row, copy, fate = out[:dropped].T
        return make_marks(row, copy.astype(np.uint32), fate.astype(np.uint32))

    def _make_room(self, more: int) -> None:
        most = self.used + more
        if most > len(self.digests):
            self.digests, self.owners = (_longer(a, most) for a in (self.digests, self.owners))
        if 2 * most > len(self._table):
            self._table = np.zeros(1 << (2 * most).bit_length(), np.uint32)
            index_digests(self.digests[: self.used], self._table)


def _longer(array: Numbers, size: int) -> Numbers:
    longer = np.empty((size, 2), np.uint64)
    longer[: len(array)] = array
    return longer


class _Notes:
    """The files of a round: what it leaves out, what it accepts, the digests that are known."""

    def __init__(self, folder: Path, of: Round) -> None:
        self._folder, self._of = folder, of
        self._starts = [0]
        self._before = np.zeros(of.files + 1, np.int64)
        if of.number > 1:
            self._before = np.load(_known(folder, of.number - 1).with_suffix(".npy"))

    def __enter__(self) -> _Notes:
        number = self._of.number
        self._dropped = dropped_file(self._folder, number).open("wb")
        self._accepted = accepted_file(self._folder, number).open("wb")
        self._digests = _known(self._folder, number).open("wb")
        return self

    def __exit__(self, *error: object) -> None:
        for file in (self._dropped, self._accepted, self._digests):
            file.close()
        np.save(_known(self._folder, self._of.number).with_suffix(".npy"), self._starts)

    def known(self, file: int) -> Numbers:
        """The digests of earlier rounds in a file, uint64[n, 2]."""
        start, stop = self._before[file : file + 2].tolist()
        if start == stop:
            return np.empty((0, 2), np.uint64)
        path = _known(self._folder, self._of.number - 1)
        return np.fromfile(path, np.uint64, 2 * (stop - start), offset=16 * start).reshape(-1, 2)

    def drop(self, marks: npt.NDArray[Any]) -> None:
        """Write down attempts that are left out."""
        self._dropped.write(marks.tobytes())

    def keep(self, seen: _Seen, counts: Counts) -> None:
        """Write down what a file holds in the end."""
        owners = seen.owners[: seen.used]
        kept = np.empty_like(owners)
        size = count_owners(owners, np.uint64(self._of.stride), counts, kept)
        if self._of.choose:
            self._accepted.write(kept[:size].tobytes())
        digests = seen.digests[seen.leaks : seen.used]
        if not self._of.last:
            self._digests.write(digests.tobytes())
        self._starts.append(self._starts[-1] + len(digests))


def dropped_file(folder: Path, number: int) -> Path:
    """Marks of what a round leaves out, in no order."""
    return folder / f"dropped-{number:04d}"


def accepted_file(folder: Path, number: int) -> Path:
    """Address and ids of the attempts that a round accepts, uint64[n, 2], in no order."""
    return folder / f"accepted-{number:04d}"


def _known(folder: Path, number: int) -> Path:
    return folder / f"known-{number:04d}"
