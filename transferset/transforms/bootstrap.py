"""Rows drawn with replacement.

Each draw is uniform over all rows and independent of the others: draw d takes 64 random bits at the
address (d, 0xFFFFFFFF), where no row is, and maps them to a row without bias (Lemire 2019, "Fast
random integer generation in an interval", algorithm 5). A larger sample of one seed contains a
smaller one.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from numba import uint32, uint64

from transferset.compiled import inlined, kernel
from transferset.errors import TransfersetError, sentence
from transferset.ledger import Ledger, Reason
from transferset.manifest import Json
from transferset.philox import as_words, block
from transferset.transforms.buckets import Buckets
from transferset.transforms.buffers import addresses, flat, take, with_column
from transferset.transforms.keys import join
from transferset.transforms.marks import Marks, make_marks, write_marks
from transferset.transforms.protocol import Position, Surveyed

#: Draws that are made at once.
_DRAWS: Final = 1 << 18

#: Rows whose draws are counted at once.
_ROWS: Final = 1 << 20

#: Ids that one batch may hold: Arrow counts them in 32 bits.
_MOST_IDS: Final = (1 << 31) - 1

_32 = uint64(32)
_LOW = uint64(0xFFFFFFFF)
_NO_ROW = uint32(0xFFFFFFFF)


def draw_rows(
    found: Surveyed, draws: int, key: tuple[int, int], folder: Path, *, intact: bool
) -> Json:
    """Draw rows and write down how many times each was drawn.

    Args:
        found: The rows; their surveys unless they are intact.
        draws: How many.
        key: Of the step.
        folder: Where the drawn rows are written: 16 bytes for each of them; while they are
            counted, 4 bytes a row, and 4 bytes a draw.
        intact: Row i has the address (i, 0).

    Returns:
        `rows`: the number of draws; `tokens`: as many as they are expected to have; `drawn`: the
        number of different rows.
    """
    counts = folder / "counts"
    with counts.open("wb") as file:
        for piece in _counted(found.rows, draws, key, folder):
            file.write(piece.astype(np.uint32).tobytes())
    drawn = write_marks(folder, _drawn(found, counts, intact=intact))
    counts.unlink()
    tokens = round(found.tokens * draws / found.rows)
    return {"rows": draws, "tokens": tokens, "drawn": drawn}


def _counted(
    rows: int, draws: int, key: tuple[int, int], folder: Path
) -> Iterator[npt.NDArray[np.int64]]:
    """How many times each row is drawn, `_ROWS` rows at a time."""
    buckets = Buckets(folder, "draws", -(-rows // _ROWS), np.uint32)
    for first in range(0, draws, _DRAWS):
        picked = draw(np.uint64(first), min(_DRAWS, draws - first), np.uint64(rows), *as_words(key))
        buckets.add(picked // np.uint64(_ROWS), picked % np.uint64(_ROWS))
    for bucket, pieces in buckets.read():
        times = np.zeros(min(_ROWS, rows - bucket * _ROWS), np.int64)
        for piece in pieces:
            times += np.bincount(piece, minlength=len(times))
        yield times


@kernel
def draw(first: Any, count: Any, rows: Any, k0: Any, k1: Any) -> Any:
    """Uniform draws.

    Args:
        first: uint64, number of the first draw.
        count: How many.
        rows: uint64 > 0, numbers below it are drawn.
        k0: uint32, key of the step.
        k1: uint32, key of the step.

    Returns:
        uint64[count].
    """
    drawn = np.empty(count, np.uint64)
    for i in range(count):
        number = uint64(first) + uint64(i)
        w0, w1, _, _ = block(number, _NO_ROW, uint32(0), k0, k1)
        high, low = _product(join(w0, w1), rows)
        drawn[i] = high if low >= rows else _exactly(number, rows, k0, k1)
    return drawn


@kernel
def _exactly(number: Any, rows: Any, k0: Any, k1: Any) -> Any:
    """A draw that passes over the words that would make some rows likelier than others."""
    first = (uint64(0) - rows) % rows
    turn = uint32(0)
    while True:
        w0, w1, w2, w3 = block(number, _NO_ROW, turn, k0, k1)
        for word in (join(w0, w1), join(w2, w3)):
            high, low = _product(word, rows)
            if low >= first:
                return high
        turn = uint32(turn + 1)


@inlined
def _product(a: Any, b: Any) -> Any:
    """The upper and the lower 64 bits of a product of two uint64."""
    a0, a1, b0, b1 = a & _LOW, a >> _32, b & _LOW, b >> _32
    low, middle = a0 * b0, a1 * b0
    middle += low >> _32
    other = a0 * b1 + (middle & _LOW)
    return a1 * b1 + (middle >> _32) + (other >> _32), (other << _32) | (low & _LOW)


def _drawn(found: Surveyed, counts: Path, *, intact: bool) -> Iterator[npt.NDArray[Any]]:
    """Marks of the rows that were drawn, in order."""
    first = 0
    for rows, copies in _intact(found.rows) if intact else _surveyed(found):
        times = np.fromfile(counts, np.uint32, len(rows), offset=4 * first)
        some = np.flatnonzero(times)
        yield make_marks(rows[some], copies[some], times[some])
        first += len(rows)


def _intact(count: int) -> Iterator[tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint32]]]:
    for first in range(0, count, _DRAWS):
        rows = np.arange(first, min(first + _DRAWS, count), dtype=np.uint64)
        yield rows, np.zeros(len(rows), np.uint32)


def _surveyed(
    found: Surveyed,
) -> Iterator[tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint32]]]:
    return (addresses(batch) for batch in found.batches())


class BootstrapRows:
    """Gives each row as many times as it was drawn; `copy` counts those of one `parent_row`."""

    def __init__(self, folder: Path) -> None:
        """Open what `draw_rows` wrote."""
        self._marks = Marks(folder)

    def apply(self, batch: pa.RecordBatch, at: Position, ledger: Ledger) -> pa.RecordBatch:
        """See `Transformer.apply`."""
        rows, copies = addresses(batch)
        times, before = self._marks.of(rows, copies)
        ledger[Reason.NOT_SAMPLED] += int((times == 0).sum())
        _, offsets = flat(batch)
        size = int((np.diff(offsets) * times.astype(np.int64)).sum())
        if size > _MOST_IDS:
            expected, do = f"at most {_MOST_IDS:,} ids from one batch", "draw fewer rows"
            raise TransfersetError(sentence(expected, f"{size:,}", "--sample", do))
        drawn = take(batch, np.repeat(np.arange(len(rows)), times))
        numbers = _running(drawn.column("parent_row").to_numpy())
        if before:
            numbers[drawn.column("parent_row").to_numpy() == rows[0]] += before
        return with_column(drawn, "copy", pa.array(numbers.astype(np.uint32)))


def _running(rows: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
    """For each row how many of the same number stand before it; they stand together."""
    place = np.arange(len(rows))
    new = np.ones(len(rows), np.bool_)
    new[1:] = rows[1:] != rows[:-1]
    return place - np.maximum.accumulate(np.where(new, place, 0))
