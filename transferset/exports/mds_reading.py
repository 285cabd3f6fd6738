"""Shards of MDS as record batches, a column at a time, without MosaicML's package."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transferset.compiled import kernel
from transferset.exports.listed import readable
from transferset.exports.mds_rows import NO_CLASS, Column, configuration
from transferset.manifest import canonical
from transferset.schema import BATCH_ROWS

Bytes = npt.NDArray[np.uint8]
Int64 = npt.NDArray[np.int64]

_ONE_DIMENSION: Final = 1


def read_shard(
    path: Path, columns: Sequence[Column], schema: pa.Schema
) -> Iterator[pa.RecordBatch]:
    """The rows of a shard.

    Args:
        path: Of the shard.
        columns: As it must state them.
        schema: Of the batches; a column each.

    Raises:
        SetError: The shard is not one of these columns.
    """
    with readable(path):
        raw = np.memmap(path, np.uint8, "r")
        ends = _ends(raw, columns)
        for start in range(0, len(ends) - 1, BATCH_ROWS):
            bounds = ends[start : start + BATCH_ROWS + 1]
            some = np.asarray(raw[bounds[0] : bounds[-1]])
            yield _batch(some, bounds - bounds[0], columns, schema)


def _ends(raw: Bytes, columns: Sequence[Column]) -> Int64:
    """Where samples begin and the last ends."""
    (count,) = struct.unpack("<I", raw[:4].tobytes())
    first = 4 + 4 * (count + 1)
    text = canonical(configuration(columns))
    if raw[first : first + len(text)].tobytes() != text:
        raise ValueError("other columns")
    ends = np.frombuffer(raw[4:first].tobytes(), "<u4").astype(np.int64)
    if ends[0] != first + len(text) or ends[-1] != len(raw) or (np.diff(ends) < 0).any():
        raise ValueError("samples that are not one after the other")
    return ends


def _batch(raw: Bytes, ends: Int64, columns: Sequence[Column], schema: pa.Schema) -> pa.RecordBatch:
    varying = sum(column.size is None for column in columns)
    places, head = ends[:-1] + 4 * varying, 0
    arrays: dict[str, pa.Array] = {}
    for column in columns:
        sizes = np.full(len(places), column.size or 0, np.int64)
        if column.size is None:
            sizes = _numbers(raw, ends[:-1] + 4 * head, 4)
            head += 1
        _require((places + sizes <= ends[1:]).all(), "a column that is longer than its sample")
        arrays[column.name] = _array(raw, places, sizes, schema.field(column.name).type)
        places = places + sizes
    _require((places == ends[1:]).all(), "samples that are longer than their columns")
    return pa.RecordBatch.from_arrays([arrays[name] for name in schema.names], schema=schema)


def _require(right: Any, otherwise: str) -> None:
    if not right:
        raise ValueError(otherwise)


def _array(raw: Bytes, places: Int64, sizes: Int64, kind: pa.DataType) -> pa.Array:
    if pa.types.is_string(kind):
        text = pa.py_buffer(_gather(raw, places, sizes))
        found = pa.StringArray.from_buffers(len(sizes), pa.py_buffer(_offsets(sizes)), text)
        found.validate(full=True)
        return found
    if pa.types.is_list(kind):
        return _lists(raw, places, sizes, kind)
    data = _gather(raw, places, sizes)
    if pa.types.is_fixed_size_list(kind):
        return pa.FixedSizeListArray.from_arrays(_plain(data, kind.value_type), type=kind)
    return _plain(data, kind)


def _plain(data: Bytes, kind: pa.DataType) -> pa.Array:
    if pa.types.is_boolean(kind):
        return pa.array(data.astype(bool))
    return pa.array(data.view(kind.to_pandas_dtype()), kind)


def _lists(raw: Bytes, places: Int64, sizes: Int64, kind: pa.DataType) -> pa.Array:
    first = raw[np.minimum(places, len(raw) - 1)].astype(np.int64)
    wide = first & 3
    _require((first >> 2 == _ONE_DIMENSION).all() and (wide < 3).all(), "arrays of other shapes")
    before = 1 + (1 << wide)
    _require((before <= sizes).all(), "arrays without a length")
    lengths = np.zeros(len(places), np.int64)
    for code in range(3):
        of_code = wide == code
        lengths[of_code] = _numbers(raw, places[of_code] + 1, 1 << code)
    item = kind.value_type.bit_width // 8
    _require((before + lengths * item == sizes).all(), "arrays of other lengths")
    values = _plain(_gather(raw, places + before, lengths * item), kind.value_type)
    return pa.ListArray.from_arrays(pa.array(_offsets(lengths)), values, type=kind)


def _offsets(sizes: Int64) -> npt.NDArray[np.int32]:
    return np.append(0, np.cumsum(sizes)).astype(np.int32)


def _numbers(raw: Bytes, places: Int64, size: int) -> Int64:
    """Little-endian numbers of `size` bytes at some places."""
    _require(not len(places) or places.max() + size <= len(raw), "the end of the file")
    found = np.zeros(len(places), np.int64)
    for i in range(size):
        found |= raw[places + i].astype(np.int64) << (8 * i)
    return found


def _gather(raw: Bytes, starts: Int64, sizes: Int64) -> Bytes:
    out = np.empty(int(sizes.sum()), np.uint8)
    _copy(out, raw, starts, sizes)
    return out


@kernel
def _copy(out: Bytes, raw: Bytes, starts: Int64, sizes: Int64) -> None:
    place = 0
    for row in range(len(starts)):
        for i in range(sizes[row]):
            out[place + i] = raw[starts[row] + i]
        place += sizes[row]


def with_nulls(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Rows whose missing labels are null, as in the set."""
    if "label" not in batch.schema.names:
        return batch
    place = batch.schema.get_field_index("label")
    values = batch.column(place).to_numpy()
    missing = values == NO_CLASS if values.dtype == np.int64 else np.isnan(values)
    if not missing.any():
        return batch
    return batch.set_column(place, "label", pa.array(values, mask=missing))
