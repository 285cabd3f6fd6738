"""Digests of what an export holds: of the values of a column, row by row, whatever file holds them.

A column is a sequence of symbols: of each row its values, increased by 2, then a 1. The values of
ids are the ids, those of anything else the bytes of its values, little-endian. The digest is the
value of the polynomial whose coefficients the symbols are (Karp and Rabin 1987, "Efficient
randomized pattern-matching algorithms") at four points modulo 2**31 - 1: what is digested in pieces
adds up to the digest of the whole, wherever it was cut. It proves that nothing went wrong; against
people who want to deceive stand the BLAKE3 digests of the files.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transferset.compiled import inlined, kernel
from transferset.manifest import Json
from transferset.schema import holds_lists

#: Of the numbers that are computed with; a prime.
PRIME: Final = (1 << 31) - 1

#: Where the polynomial is evaluated: the first digits of π, as in Blowfish.
POINTS: Final = tuple(n % PRIME for n in (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344))

#: The name of the digest of ids whose rows a format does not keep apart.
STREAM: Final = "ids"

_POINTS: Final = np.array(POINTS, np.uint64)

#: Ends a string in a list of strings: no byte of UTF-8.
_END: Final = pa.scalar(b"\xff", pa.large_binary())


@dataclass(frozen=True, slots=True)
class Digest:
    """Of a piece of a column.

    Attributes:
        values: Of the polynomial at `POINTS`.
        symbols: How many there are.
    """

    values: tuple[int, ...] = (0, 0, 0, 0)
    symbols: int = 0

    def __add__(self, later: Digest) -> Digest:
        """Of both pieces, one after the other."""
        both = zip(self.values, later.values, POINTS, strict=True)
        values = tuple((a * pow(x, later.symbols, PRIME) + b) % PRIME for a, b, x in both)
        return Digest(values, self.symbols + later.symbols)

    @property
    def hex(self) -> str:
        """32 hex digits."""
        return "".join(f"{value:08x}" for value in self.values)

    def to_json(self) -> Json:
        """As it stands in a receipt."""
        return {"values": list(self.values), "symbols": self.symbols}

    @classmethod
    def from_json(cls, body: Json) -> Self:
        """From a receipt."""
        return cls(tuple(body["values"]), body["symbols"])


def digest(column: pa.Array, *, ends: bool = True) -> Digest:
    """Of some rows of a column.

    Args:
        column: Of any type that a set's column has; a null has no values.
        ends: Whether the end of a row is a symbol too.
    """
    if holds_lists(column.type) and pa.types.is_integer(column.type.value_type):
        values, bounds = _lists(column)
        wide: npt.NDArray[Any] = values.view(f"u{values.itemsize}").astype(np.uint32, copy=False)
    else:
        wide, bounds = _bytes(column)
    wide = wide.view()
    wide.flags.writeable = False  # one type of array, so that a kernel is compiled once
    found = np.zeros(len(POINTS), np.uint64)
    _evaluate(wide, bounds, ends, _POINTS, found)
    symbols = int(bounds[-1] - bounds[0]) + (len(column) if ends else 0)
    return Digest(tuple(int(value) for value in found), symbols)


def _lists(column: pa.Array) -> tuple[npt.NDArray[Any], npt.NDArray[np.int64]]:
    """Values of a list column, and where rows begin among them and the last ends."""
    if pa.types.is_fixed_size_list(column.type):
        size = column.type.list_size
        return _plain(column.flatten()), np.arange(len(column) + 1, dtype=np.int64) * size
    offsets = column.offsets.to_numpy().astype(np.int64)
    first = int(offsets[0])
    values = column.values.slice(first, int(offsets[-1]) - first)
    return _plain(values), offsets - first


def _plain(values: pa.Array) -> npt.NDArray[Any]:
    found: npt.NDArray[Any] = values.to_numpy(zero_copy_only=False)
    return found


def _bytes(column: pa.Array) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    kind = column.type
    if holds_lists(kind) and pa.types.is_string(kind.value_type):
        nothing = pa.scalar(b"", pa.large_binary())
        held, starts = _strings(pc.binary_join_element_wise(_raw(column.values), nothing, _END))
        bounds = starts[column.offsets.to_numpy()]
        return held[int(bounds[0]) : int(bounds[-1])], bounds - bounds[0]
    if pa.types.is_string(kind):
        return _strings(_raw(column))
    if holds_lists(kind):
        values, bounds = _lists(column)
        return np.ascontiguousarray(values).view(np.uint8), bounds * values.itemsize
    present = column.drop_null()
    values = np.ascontiguousarray(_plain(present))
    there = column.is_valid().to_numpy(zero_copy_only=False)
    return values.view(np.uint8), np.append(0, np.cumsum(there, dtype=np.int64)) * values.itemsize


def _strings(raw: pa.Array) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    _, bounds, data = raw.buffers()
    offsets = np.frombuffer(bounds, np.int64)[raw.offset : raw.offset + len(raw) + 1]
    held = np.frombuffer(data or b"", np.uint8)[int(offsets[0]) : int(offsets[-1])]
    return held, offsets - offsets[0]


def _raw(column: pa.Array) -> pa.Array:
    """As bytes whose offsets never overflow; empty for null."""
    return pc.fill_null(column.cast(pa.large_binary()), b"")


@kernel
def _evaluate(values: Any, bounds: Any, ends: Any, points: Any, found: Any) -> None:
    for lane in range(len(points)):
        p1 = points[lane]
        p2 = _reduced(p1 * p1)
        p3 = _reduced(p2 * p1)
        p4 = _reduced(p3 * p1)
        h = found[lane]
        for row in range(len(bounds) - 1):
            start, stop = bounds[row], bounds[row + 1]
            whole = start + (stop - start) // 4 * 4
            for i in range(start, whole, 4):  # one reduction for four symbols
                h = _reduced(
                    h * p4
                    + _symbol(values[i]) * p3
                    + _symbol(values[i + 1]) * p2
                    + _symbol(values[i + 2]) * p1
                    + _symbol(values[i + 3])
                )
            for i in range(whole, stop):
                h = _reduced(h * p1 + _symbol(values[i]))
            if ends:
                h = _reduced(h * p1 + np.uint64(1))
        found[lane] = h % np.uint64(0x7FFFFFFF)


@inlined
def _symbol(value: Any) -> Any:
    # at most 2**29 + 1, so that four products are below 2**64
    return (np.uint64(value) & np.uint64(0x1FFFFFFF)) + np.uint64(2)


@inlined
def _reduced(number: Any) -> Any:
    # 2**31 is 1 modulo the prime: what stands above 31 bits is added
    prime, shift = np.uint64(0x7FFFFFFF), np.uint64(31)
    folded = (number & prime) + (number >> shift)
    return (folded & prime) + (folded >> shift)
