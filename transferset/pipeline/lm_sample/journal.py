"""Rows that a task has sampled so far, kept so that a killed task goes on where it was.

A file of blocks. Each holds some rows and its own digest; what a kill left of the last block is
cut off. The first 32 bytes are a digest of the work, so that no other work's rows are taken.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from blake3 import blake3

_DIGEST: Final = 32
_HEAD: Final = struct.Struct("<II")  # rows and pieces of the block


class Sampled(NamedTuple):
    """Sampled rows, one after the other.

    Attributes:
        rows: uint64, their ordinals.
        finished: bool, whether the model ended them.
        lengths: int32, pieces of each.
        pieces: int32, the pieces of all.
    """

    rows: npt.NDArray[np.uint64]
    finished: npt.NDArray[np.bool_]
    lengths: npt.NDArray[np.int32]
    pieces: npt.NDArray[np.int32]

    @property
    def offsets(self) -> npt.NDArray[np.int64]:
        """Where each row begins in `pieces`, int64[rows + 1]."""
        return np.append(0, np.cumsum(self.lengths, dtype=np.int64))

    def in_order(self) -> Sampled:
        """The same, by ordinal."""
        order = np.argsort(self.rows, kind="stable")
        starts, lengths = self.offsets[:-1][order], self.lengths[order]
        within = np.arange(int(lengths.sum())) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        places = np.repeat(starts, lengths) + within
        return Sampled(self.rows[order], self.finished[order], lengths, self.pieces[places])


def joined(parts: Sequence[Sampled]) -> Sampled:
    """Several as one."""
    empty = Sampled(
        np.empty(0, np.uint64), np.empty(0, np.bool_), np.empty(0, np.int32), np.empty(0, np.int32)
    )
    columns = zip(*(empty, *parts), strict=True)
    return Sampled(*(np.concatenate(column) for column in columns))


class Journal:
    """The journal of one task, open for more rows."""

    def __init__(self, path: Path, work: str) -> None:
        """Open it, or begin a new one.

        Args:
            path: Where.
            work: What the rows are a function of.
        """
        self._file = path.open("a+b")
        self.known = self._recover(blake3(work.encode()).digest())

    def _recover(self, work: bytes) -> Sampled:
        """What is there of the same work; the rest of the file goes."""
        self._file.seek(0)
        parts: list[Sampled] = []
        whole = 0
        if self._file.read(_DIGEST) == work:
            whole = _DIGEST
            while (block := self._read_block()) is not None:
                parts.append(block)
                whole = self._file.tell()
        self._file.truncate(whole)
        self._file.seek(whole)
        if not whole:
            self._file.write(work)
            self._file.flush()
        return joined(parts)

    def _read_block(self) -> Sampled | None:
        head = self._file.read(_HEAD.size)
        if len(head) < _HEAD.size:
            return None
        rows, pieces = _HEAD.unpack(head)
        left = os.fstat(self._file.fileno()).st_size - self._file.tell()
        if _body(rows, pieces) + _DIGEST > left:  # whatever a damaged head says
            return None
        body = self._file.read(_body(rows, pieces))
        if self._file.read(_DIGEST) != blake3(head + body).digest():
            return None
        return _unpacked(body, rows, pieces)

    def append(self, some: Sampled) -> None:
        """Add rows; they outlive the process from here on."""
        head = _HEAD.pack(len(some.rows), len(some.pieces))
        body = b"".join(column.tobytes() for column in some)
        self._file.write(head + body + blake3(head + body).digest())
        self._file.flush()

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()


def tally(path: Path) -> tuple[int, int]:
    """Rows and pieces that a journal says it has, by the heads of its blocks alone."""
    rows = pieces = 0
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            at = _DIGEST
            while at + _HEAD.size <= size:
                file.seek(at)
                some, of = _HEAD.unpack(file.read(_HEAD.size))
                at += _HEAD.size + _body(some, of) + _DIGEST
                if at > size:
                    break
                rows, pieces = rows + some, pieces + of
    except (OSError, struct.error):
        pass  # not there yet, or not any more: it is only for the bar
    return rows, pieces


def _body(rows: int, pieces: int) -> int:
    return rows * (8 + 1 + 4) + pieces * 4


def _unpacked(body: bytes, rows: int, pieces: int) -> Sampled:
    edges = np.cumsum([0, 8 * rows, rows, 4 * rows, 4 * pieces]).tolist()
    parts = [body[a:b] for a, b in pairwise(edges)]
    return Sampled(
        np.frombuffer(parts[0], np.uint64),
        np.frombuffer(parts[1], np.bool_),
        np.frombuffer(parts[2], np.int32),
        np.frombuffer(parts[3], np.int32),
    )
