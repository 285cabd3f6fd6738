"""Dropping rows that stand inside of longer ones.

A row's content is what stands between its first and its last id. It is compared with every run of
ids inside of the contents of longer rows by polynomial fingerprints (Karp & Rabin 1987, § 4) of
twice 61 bits under random bases. Two that differ, of at most 2**16 ids, are taken for equal with
probability below 2**-90.
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
from transferset.ledger import Ledger, Reason
from transferset.manifest import Json
from transferset.philox import as_words, block
from transferset.transforms.buckets import Buckets
from transferset.transforms.buffers import addresses, flat, keep
from transferset.transforms.digests import ROWS, SEEN, Known, Numbers, sorted_marks
from transferset.transforms.keys import join
from transferset.transforms.marks import Marks, write_marks
from transferset.transforms.protocol import Position, Surveyed

#: What a marked row is: equal to an earlier one, or inside of a longer one.
_EQUAL: Final = 1
_INSIDE: Final = 2

#: The first ids of a row, by which runs that may be rows are found.
_PREFIX: Final = 4

#: Slots of the table of first ids, and bits of the filter of whole rows; both are looked at before
#: a run is set down, and a row more in them only sets down more.
_SLOTS: Final = 1 << 22
_BITS: Final = 1 << 28

_0, _1 = uint64(0), uint64(1)
_PRIME = uint64((1 << 61) - 1)
_LOW = uint64(0xFFFFFFFF)
_30, _31, _61 = uint64(30), uint64(31), uint64(61)
_MASK30, _MASK31 = uint64((1 << 30) - 1), uint64((1 << 31) - 1)


class DropContained:
    """Keeps rows whose content stands in no longer row, and the first of equal ones."""

    def needs_survey(self, *, intact: bool) -> bool:
        """Always."""
        return True

    def survey(self, at: Position) -> RowSurvey:
        """Write down the rows themselves."""
        return RowSurvey()

    def conclude(self, found: Surveyed, at: Position, folder: Path, *, intact: bool) -> Json:
        """Find the rows that stand inside of others and write down their addresses.

        The rows are read twice: first all fingerprints are taken, then those of all runs that begin
        like a row. Both are set down by fingerprint and compared file by file, so that memory is
        bounded (about 130 MB), however many rows there are.

        Args:
            found: The surveys.
            at: Seed and step.
            folder: Where the addresses go.
            intact: Makes no difference.

        Returns:
            `rows`: how many are left; `tokens`: in proportion.
        """
        count = max(1, -(-found.rows // ROWS))
        bases = _bases(*as_words(at.key))
        rows = Buckets(folder, "rows", count, np.uint64, len(SEEN))
        runs = Buckets(folder, "runs", count, np.uint64, 2)
        tables = _Tables(bases)
        for batch in found.batches():
            digests = tables.take(*flat(batch))
            records = np.column_stack([*digests, *(x.astype(np.uint64) for x in addresses(batch))])
            rows.add(digests[0] % np.uint64(count), records)
        for batch in found.batches():
            records = tables.runs(*flat(batch))
            runs.add(records[:, 0] % np.uint64(count), records)
        total = write_marks(folder, sorted_marks(folder, count, found, _places(rows, runs)))
        left = found.rows - total
        tokens = round(found.tokens * left / found.rows) if found.rows else 0
        return {"rows": left, "tokens": tokens}

    def fitted(self, model: Json, folder: Path) -> _DropMarked:
        """The step, ready to drop rows."""
        return _DropMarked(folder)


class RowSurvey:
    """Writes down rows and their addresses."""

    def add(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """See `Survey.add`."""
        return batch.select(["input_ids", "parent_row", "copy"])

    def finish(self) -> None:
        """See `Survey.finish`."""


class _DropMarked:
    """Drops the rows that `conclude` wrote down."""

    def __init__(self, folder: Path) -> None:
        self._marks = Marks(folder)

    def apply(self, batch: pa.RecordBatch, at: Position, ledger: Ledger) -> pa.RecordBatch:
        """See `Transformer.apply`."""
        why, _ = self._marks.of(*addresses(batch))
        ledger[Reason.DUPLICATE] += int((why == _EQUAL).sum())
        ledger[Reason.CONTAINED] += int((why == _INSIDE).sum())
        return keep(batch, why == 0)


def _places(rows: Buckets, runs: Buckets) -> Iterator[tuple[Numbers, npt.NDArray[np.uint32]]]:
    """Addresses of rows that go, shape [n, 2], and why."""
    for (_, pieces), (_, inside) in zip(rows.read(), runs.read(), strict=True):
        inner, equal = Known(), Known()
        for piece in inside:
            inner.add(piece)
        for piece in pieces:
            again = equal.add(piece)
            # rows join the runs here, so that of equal ones the later count as known too
            known = inner.add(piece)
            yield piece[known][:, 2:], np.where(again[known], _EQUAL, _INSIDE).astype(np.uint32)


class _Tables:
    """What is known of all rows: enough to pass by most runs that are none.

    Attributes:
        lengths: uint64[_SLOTS]: by the first ids, which lengths of content occur, modulo 64.
        known: uint64[_BITS / 64]: by the fingerprint, whether some row may have it.
    """

    def __init__(self, bases: Numbers) -> None:
        self.lengths = np.zeros(_SLOTS, np.uint64)
        self.known = np.zeros(_BITS // 64, np.uint64)
        self._bases = bases
        self._powers = _grown(np.ones((2, 1), np.uint64), bases, 1 << 10)

    def take(self, ids: npt.NDArray[Any], offsets: npt.NDArray[np.int32]) -> Numbers:
        """Take rows in; their fingerprints, uint64[2, rows]."""
        digests: Numbers = _take(ids, offsets, self._bases, self.lengths, self.known)
        return digests

    def runs(self, ids: npt.NDArray[Any], offsets: npt.NDArray[np.int32]) -> Numbers:
        """Fingerprints of shorter runs inside of rows that may be rows, uint64[n, 2]."""
        longest = int(np.diff(offsets).max(initial=0))
        if longest >= self._powers.shape[1]:
            self._powers = _grown(self._powers, self._bases, 2 * longest)
        found = np.empty((max(1024, len(ids)), 2), np.uint64)
        while True:
            count = _runs(ids, offsets, self._bases, self._powers, self.lengths, self.known, found)
            if count <= len(found):
                return found[:count]
            found = np.empty((count, 2), np.uint64)


def _grown(powers: Numbers, bases: Numbers, size: int) -> Numbers:
    """Powers of the bases, uint64[2, size]."""
    made = np.ones((2, size), np.uint64)
    made[:, : powers.shape[1]] = powers[:, :size]
    _fill_powers(bases, made)
    return made


@kernel
def _bases(k0: Any, k1: Any) -> Any:
    # an address where no row is
    w0, w1, w2, w3 = block(_0, uint32(_LOW), uint32(_LOW), k0, k1)
    bases = np.empty(2, np.uint64)
    bases[0], bases[1] = join(w0, w1) % _PRIME, join(w2, w3) % _PRIME
    return bases


@inlined
def _times(a: Any, b: Any) -> Any:
    """The product modulo 2**61 − 1."""
    au, ad, bu, bd = a >> _31, a & _MASK31, b >> _31, b & _MASK31
    middle = ad * bu + au * bd
    whole = ((au * bu) << _1) + (middle >> _30) + ((middle & _MASK30) << _31) + ad * bd
    whole = (whole & _PRIME) + (whole >> _61)
    return whole - _PRIME if whole >= _PRIME else whole


@inlined
def _then(sum_: Any, base: Any, id_: Any) -> Any:
    """A fingerprint with one id more."""
    # from 1: an id 0 in front would change nothing
    whole = _times(sum_, base) + uint64(uint32(id_)) + _1
    return whole - _PRIME if whole >= _PRIME else whole


@inlined
def _run(sums: Any, start: Any, stop: Any, powers: Any) -> Any:
    """The fingerprint of a run, from those of what comes before its start and its end."""
    whole = sums[stop] + _PRIME - _times(sums[start], powers[stop - start])
    return whole - _PRIME if whole >= _PRIME else whole


@kernel
def _fill_powers(bases: Any, powers: Any) -> None:
    for h in range(2):
        for i in range(1, powers.shape[1]):
            powers[h, i] = _times(powers[h, i - 1], bases[h])


@kernel
def _take(ids: Any, offsets: Any, bases: Any, lengths: Any, known: Any) -> Any:
    digests = np.zeros((2, len(offsets) - 1), np.uint64)
    for row in range(len(offsets) - 1):
        start, stop = offsets[row] + 1, offsets[row + 1] - 1
        high, low = _0, _0
        for i in range(start, stop):
            high, low = _then(high, bases[0], ids[i]), _then(low, bases[1], ids[i])
            if i - start == min(_PREFIX, stop - start) - 1:
                slot = low & uint64(_SLOTS - 1)
                lengths[slot] |= _1 << uint64((stop - start) & 63)
        digests[0, row], digests[1, row] = high, low
        bit = low & uint64(_BITS - 1)
        known[bit >> uint64(6)] |= _1 << (bit & uint64(63))
    return digests


@kernel
def _runs(
    ids: Any, offsets: Any, bases: Any, powers: Any, lengths: Any, known: Any, found: Any
) -> Any:
    """Write down runs; how many there are, of which no more than there is room for are written."""
    count = 0
    for row in range(len(offsets) - 1):
        sums = _sums(ids, offsets[row] + 1, offsets[row + 1] - 1, bases)
        size = sums.shape[1] - 1
        for start in range(size):
            for prefix in range(1, min(_PREFIX, size - start) + 1):
                slot = _run(sums[1], start, start + prefix, powers[1]) & uint64(_SLOTS - 1)
                longest = prefix if prefix < _PREFIX else size - start
                if lengths[slot] != 0:
                    spans = (start, prefix, longest, lengths[slot])
                    count = _write_down(sums, spans, powers, known, found, count)
    return count


@kernel
def _sums(ids: Any, start: Any, stop: Any, bases: Any) -> Any:
    """Fingerprints of all beginnings of a run, uint64[2, ids + 1]."""
    sums = np.zeros((2, max(stop - start, 0) + 1), np.uint64)
    for i in range(start, stop):
        for h in range(2):
            sums[h, i - start + 1] = _then(sums[h, i - start], bases[h], ids[i])
    return sums


@kernel
def _write_down(sums: Any, spans: Any, powers: Any, known: Any, found: Any, count: Any) -> Any:
    """Write down the runs from `start` that may be rows, of the lengths that rows have."""
    start, shortest, longest, there = spans
    for length in range(shortest, longest + 1):
        # the whole row is no run inside of it
        if length == sums.shape[1] - 1 or not (there >> uint64(length & 63)) & _1:
            continue
        low = _run(sums[1], start, start + length, powers[1])
        bit = low & uint64(_BITS - 1)
        if (known[bit >> uint64(6)] >> (bit & uint64(63))) & _1:
            if count < len(found):
                found[count, 0] = _run(sums[0], start, start + length, powers[0])
                found[count, 1] = low
            count += 1
    return count
