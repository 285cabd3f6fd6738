"""Records set down in files by bucket, to be read again bucket by bucket.

Sorting what does not fit memory in two passes over it: what comes out is in order of the buckets,
and within a bucket in the order in which it was set down.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

#: Bytes of records that are held, and sorted by bucket, before they are written.
_HELD_BYTES: Final = 8 << 20

#: Bytes of records that are read at once.
_READ_BYTES: Final = 16 << 20

Records = npt.NDArray[Any]


class Buckets:
    """Files of records of one type; they hold nothing open and disappear as they are read."""

    def __init__(
        self, folder: Path, name: str, count: int, kind: npt.DTypeLike, *shape: int
    ) -> None:
        """Begin with empty buckets.

        Args:
            folder: Where the files go.
            name: The files' first name.
            count: Number of buckets.
            kind: Type of the numbers that a record is made of.
            shape: Shape of a record; none is a single number.
        """
        self.count = count
        self._folder = folder
        self._name = name
        self._record = np.dtype((kind, shape))
        self._held: list[tuple[npt.NDArray[np.uint32], Records]] = []
        self._held_bytes = 0
        self._written: set[int] = set()

    def add(self, bucket: npt.NDArray[Any], records: Records) -> None:
        """Set records down.

        Args:
            bucket: The bucket of each record, below `count`, shape [n].
            records: Shape [n, …].
        """
        if not len(records):
            return
        self._held.append((bucket.astype(np.uint32), records.astype(self._record.base)))
        self._held_bytes += records.nbytes
        if self._held_bytes >= _HELD_BYTES:
            self._write()

    def _write(self) -> None:
        if not self._held:
            return
        bucket = np.concatenate([b for b, _ in self._held])
        records = np.concatenate([r for _, r in self._held])
        self._held, self._held_bytes = [], 0
        # a radix sort, if narrow
        narrow = bucket.astype(np.min_scalar_type(self.count - 1))
        records = np.take(records, np.argsort(narrow, kind="stable"), axis=0)
        ends = np.cumsum(np.bincount(bucket, minlength=self.count))
        for number in np.unique(narrow).tolist():
            start = ends[number - 1] if number else 0
            self._written.add(number)
            with self._path(number).open("ab") as file:
                file.write(records[start : ends[number]].tobytes())

    def read(self) -> Iterator[tuple[int, Iterator[Records]]]:
        """All records, once; then the files are gone.

        Yields:
            Each bucket's number, in order, and its records in pieces of up to 16 MB.
        """
        self._write()
        for bucket in range(self.count):
            yield bucket, self._pieces(bucket) if bucket in self._written else iter(())
            if bucket in self._written:
                self._path(bucket).unlink()

    def _pieces(self, bucket: int) -> Iterator[Records]:
        path = self._path(bucket)
        size = path.stat().st_size
        most = _READ_BYTES // self._record.itemsize
        for start in range(0, size, most * self._record.itemsize):
            yield np.fromfile(path, self._record, most, offset=start)

    def _path(self, bucket: int) -> Path:
        return self._folder / f"{self._name}-{bucket:06d}"
