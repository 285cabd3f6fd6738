"""The index beside Megatron's ids: which ids are a sequence, and which sequences a document.

`NAME.idx`, all little-endian: `MMIDIDX` and two zeros, version 1 (uint64), the code of an id's type
(uint8), the number of sequences (uint64), the number of documents and one (uint64); then of each
sequence its ids (int32), of each its first byte in `NAME.bin` (int64), then 0 and the sequence at
which each document ends (int64). Megatron-LM, `megatron/core/datasets/indexed_dataset.py`,
`_IndexWriter` and `DType`.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

Int64 = npt.NDArray[np.int64]

#: What an index begins with.
MARK: Final = b"MMIDIDX\0\0"

#: Bytes before the numbers.
HEADER_BYTES: Final = len(MARK) + 25

#: Of the types that a set's ids have.
CODES: Final = {"uint16": 8, "int32": 4}


class Sink(Protocol):
    """What an index is written to."""

    def write(self, data: bytes | memoryview) -> int:
        """Append bytes."""
        ...


def write_index(
    sink: Sink,
    ids: np.dtype[np.generic],
    sequences: int,
    documents: int,
    lengths: Callable[[], Iterable[npt.NDArray[np.int32]]],
    ends: Iterable[Int64],
) -> None:
    """Write an index, a block of numbers at a time.

    Args:
        sink: Where to.
        ids: Type of an id, uint16 or int32.
        sequences: How many there are.
        documents: How many there are.
        lengths: Gives the number of ids of each sequence in blocks; called twice.
        ends: The sequence after each document's last, in blocks.
    """
    header = struct.pack("<QBQQ", 1, CODES[ids.name], sequences, documents + 1)
    sink.write(MARK + header)
    for block in lengths():
        sink.write(block.astype("<i4").tobytes())
    for places in _places(lengths(), ids.itemsize):
        sink.write(places.astype("<i8").tobytes())
    sink.write(bytes(8))
    for documents_end in ends:
        sink.write(documents_end.astype("<i8").tobytes())


def _places(lengths: Iterable[npt.NDArray[np.int32]], item: int) -> Iterator[Int64]:
    """The first byte of each sequence."""
    place = 0
    for block in lengths:
        sizes = block.astype(np.int64) * item
        yield place + np.cumsum(sizes) - sizes
        place += int(sizes.sum())
