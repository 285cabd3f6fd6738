"""Rows as bytes of MosaicML's MDS, a record batch at a time.

A sample is the sizes of its columns of varying size (uint32, in the order of the names), then the
columns themselves. An array of varying length is one byte (its dimensions × 4 + log2 of the bytes
of its length), its length, its values. mosaicml-streaming 0.13, `streaming/base/format/mds`:
`writer.py` (`encode_sample`, `encode_joint_shard`) and `encodings.py` (`NDArray`).
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transferset.compiled import kernel
from transferset.manifest import canonical

Bytes = npt.NDArray[np.uint8]
Int64 = npt.NDArray[np.int64]

#: What a class or a score is where a row has none: what torch's cross entropy ignores, and NaN.
NO_CLASS: Final = -100

#: A shard says where its samples are in uint32.
MOST_BYTES: Final = (1 << 32) - 1

#: Lists of words and what stands beside them: without the words they mean nothing.
_WORDS: Final = ("words", "words_pair", "space", "space_pair", "pos", "pos_pair")

#: One dimension, in an array's first byte.
_ONE_DIMENSION: Final = 1 << 2


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a sample: its encoding, and its bytes if they are always as many."""

    name: str
    encoding: str
    size: int | None


@dataclass(frozen=True, slots=True)
class Values:
    """Bytes of one column: those of row i are `data[starts[i]:starts[i] + sizes[i]]`."""

    data: Bytes
    starts: Int64
    sizes: Int64


def held(schema: pa.Schema) -> list[Column]:
    """The columns of a set that samples have, in the order that samples have them."""
    return [_column(schema.field(name)) for name in sorted(schema.names) if name not in _WORDS]


def _column(field: pa.Field) -> Column:
    kind = field.type
    if pa.types.is_string(kind):
        return Column(field.name, "str", None)
    if pa.types.is_fixed_size_list(kind):
        item = np.dtype(kind.value_type.to_pandas_dtype())
        encoding = f"ndarray:{item.name}:{kind.list_size}"
        return Column(field.name, encoding, item.itemsize * kind.list_size)
    if pa.types.is_list(kind):
        item = np.dtype(kind.value_type.to_pandas_dtype())
        return Column(field.name, f"ndarray:{item.name}", None)
    if pa.types.is_boolean(kind):
        return Column(field.name, "uint8", 1)
    item = np.dtype(kind.to_pandas_dtype())
    return Column(field.name, "int" if item == np.int64 else item.name, item.itemsize)


def encode(batch: pa.RecordBatch, columns: Sequence[Column]) -> tuple[Bytes, Int64]:
    """Encode rows.

    Args:
        batch: Rows without nulls, but in `label`.
        columns: From `held`.

    Returns:
        The samples' bytes one after the other, and the size of each.
    """
    found = [_pieces(batch.column(column.name)) for column in columns]
    varying = [_total(p) for p, column in zip(found, columns, strict=True) if column.size is None]
    pieces = [piece for of_column in found for piece in of_column]
    if varying:
        head = np.stack(varying, axis=1).astype("<u4")
        pieces.insert(0, _fixed(_raw(head), batch.num_rows))
    sizes = _total(pieces)
    places = np.cumsum(sizes) - sizes
    out = np.empty(int(sizes.sum()), np.uint8)
    for piece in pieces:
        _place(out, places, piece.data, piece.starts, piece.sizes)
    return out, sizes


@kernel
def _place(out: Bytes, places: Int64, data: Bytes, starts: Int64, sizes: Int64) -> None:
    """Put each row's bytes at its place, and move the place behind them."""
    for row in range(len(places)):
        place, start = places[row], starts[row]
        for i in range(sizes[row]):
            out[place + i] = data[start + i]
        places[row] = place + sizes[row]


def _fixed(data: Bytes, rows: int) -> Values:
    size = len(data) // max(1, rows)
    return Values(data, np.arange(rows, dtype=np.int64) * size, np.full(rows, size, np.int64))


def _pieces(array: pa.Array) -> list[Values]:
    """A column's bytes: one piece, or of an array of varying length the shape and the values."""
    kind = array.type
    if pa.types.is_string(kind):
        return [_text(array)]
    if pa.types.is_fixed_size_list(kind):
        return [_fixed(_raw(array.flatten().to_numpy()), len(array))]
    if pa.types.is_list(kind):
        lengths, item = _lengths(array), kind.value_type.bit_width // 8
        offsets = array.offsets.to_numpy().astype(np.int64)
        values = Values(_raw(array.values.to_numpy()), offsets[:-1] * item, lengths * item)
        return [_shapes(lengths), values]
    return [_fixed(_raw(_numbers(array)), len(array))]


def _raw(values: npt.NDArray[Any]) -> Bytes:
    raw: Bytes = np.ascontiguousarray(values).view(np.uint8).reshape(-1)
    return raw


def _numbers(array: pa.Array) -> npt.NDArray[Any]:
    if array.null_count:
        array = array.fill_null(NO_CLASS if pa.types.is_integer(array.type) else float("nan"))
    values = array.to_numpy(zero_copy_only=False)
    plain: npt.NDArray[Any] = values.astype(np.uint8) if values.dtype == np.bool_ else values
    return plain


def _text(array: pa.Array) -> Values:
    _, offsets, data = array.buffers()
    places = np.frombuffer(offsets, np.int32, len(array) + 1, 4 * array.offset).astype(np.int64)
    raw = np.frombuffer(data or b"", np.uint8)
    return Values(raw, places[:-1], np.diff(places))


def _lengths(array: pa.Array) -> Int64:
    lengths: Int64 = np.diff(array.offsets.to_numpy()).astype(np.int64)
    return lengths


def _shapes(lengths: Int64) -> Values:
    """What stands before the values of arrays of one dimension; of five bytes 2, 3 or 5 count."""
    wide = (lengths >= 1 << 8).astype(np.int64) + (lengths >= 1 << 16)
    data = np.empty((len(lengths), 5), np.uint8)
    data[:, 0] = _ONE_DIMENSION + wide
    # little-endian: of a short length the first bytes are all of it
    data[:, 1:] = lengths.astype("<u4").view(np.uint8).reshape(-1, 4)
    return Values(data.reshape(-1), np.arange(len(lengths)) * 5, 1 + (1 << wide))


def _total(pieces: Sequence[Values]) -> Int64:
    """Bytes of some pieces together, in each row."""
    sizes: Int64 = np.sum([piece.sizes for piece in pieces], axis=0)
    return sizes


def frame(columns: Sequence[Column], sizes: Int64) -> bytes:
    """All of a shard but its samples, which follow.

    Args:
        columns: From `held`.
        sizes: Of the samples, in bytes.

    Returns:
        Their number, where each begins and the last ends (uint32, from the file's beginning), and
        the configuration.
    """
    text = canonical(configuration(columns))
    first = 4 + 4 * (len(sizes) + 1) + len(text)
    ends = first + np.concatenate([[0], np.cumsum(sizes)])
    return struct.pack("<I", len(sizes)) + ends.astype("<u4").tobytes() + text


def configuration(columns: Sequence[Column]) -> dict[str, object]:
    """What a shard and the index say of the columns."""
    return {
        "version": 2,
        "format": "mds",
        "compression": None,
        "hashes": [],
        "size_limit": None,
        "column_names": [column.name for column in columns],
        "column_encodings": [column.encoding for column in columns],
        "column_sizes": [column.size for column in columns],
    }
