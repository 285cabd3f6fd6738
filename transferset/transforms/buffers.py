"""Between record batches and the flat buffers that kernels work on."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transferset.compiled import kernel
from transferset.schema import ADDRESS

Ids = npt.NDArray[Any]
Offsets = npt.NDArray[np.int32]


def flat(batch: pa.RecordBatch, name: str = "input_ids") -> tuple[Ids, Offsets]:
    """The flat buffers of a list column, without a copy of the values.

    Args:
        batch: Rows.
        name: A column of lists.

    Returns:
        Values, shape [tokens], and offsets from 0, int32, shape [rows + 1]: row i is
        `values[offsets[i]:offsets[i + 1]]`.
    """
    column = batch.column(name)
    offsets = column.offsets.to_numpy()
    start, stop = int(offsets[0]), int(offsets[-1])
    values = column.values.slice(start, stop - start).to_numpy()
    return values, offsets - offsets[0]  # always a new array, so kernels meet one type


def lists(values: Ids, offsets: Offsets) -> pa.ListArray:
    """A list column from flat buffers."""
    return pa.ListArray.from_arrays(
        pa.array(offsets.astype(np.int32, copy=False)), pa.array(values)
    )


def with_column(batch: pa.RecordBatch, name: str, column: pa.Array) -> pa.RecordBatch:
    """The batch with a column replaced, or added at the end."""
    names = batch.schema.names
    arrays = list(batch.columns)
    if name in names:
        arrays[names.index(name)] = column
    else:
        arrays, names = [*arrays, column], [*names, name]
    return pa.RecordBatch.from_arrays(arrays, names=names)


def with_ids(batch: pa.RecordBatch, ids: Ids, offsets: Offsets) -> pa.RecordBatch:
    """The batch with other `input_ids`, as many rows."""
    return with_column(batch, "input_ids", lists(ids, offsets))


def addresses(batch: pa.RecordBatch) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint32]]:
    """`parent_row` and `copy` of each row."""
    row, copy = (batch.column(name).to_numpy() for name in ADDRESS)
    return row, copy


def addressed(batch: pa.RecordBatch, first_row: int) -> pa.RecordBatch:
    """The batch with the addresses that its rows have in SRC, `first_row` onwards."""
    rows = np.arange(first_row, first_row + batch.num_rows, dtype=np.uint64)
    batch = with_column(batch, "parent_row", pa.array(rows))
    return with_column(batch, "copy", pa.array(np.zeros(batch.num_rows, np.uint32)))


def keep(batch: pa.RecordBatch, wanted: npt.NDArray[np.bool_]) -> pa.RecordBatch:
    """The rows for which `wanted` is true."""
    if wanted.all():
        return batch
    return take(batch, np.flatnonzero(wanted))


def take(batch: pa.RecordBatch, picked: npt.NDArray[np.int64]) -> pa.RecordBatch:
    """The rows numbered `picked`, in that order; a row may be picked several times."""
    arrays = []
    indices = pa.array(picked)
    for column in batch.columns:
        if pa.types.is_list(column.type) and pa.types.is_integer(column.type.value_type):
            offsets = column.offsets.to_numpy()
            lengths = np.diff(offsets)[picked]
            new = np.append(0, np.cumsum(lengths)).astype(np.int32)
            source = column.values.to_numpy()
            values = np.empty(int(new[-1]), source.dtype)
            _gather(source, offsets, picked, new, values)
            arrays.append(lists(values, new))
        else:
            arrays.append(column.take(indices))
    return pa.RecordBatch.from_arrays(arrays, names=batch.schema.names)


@kernel
def count_content(ids: Ids, cls: int, sep: int, pad: int, mask: int) -> int:
    """How many ids are content tokens.

    Args:
        ids: Any ids.
        cls: Id of [CLS], …
        sep: [SEP],
        pad: [PAD],
        mask: and [MASK].
    """
    count = 0
    for i in range(len(ids)):
        token = ids[i]
        count += (token != cls) & (token != sep) & (token != pad) & (token != mask)
    return count


@kernel
def _gather(source: Ids, offsets: Offsets, picked: Any, new: Offsets, target: Ids) -> None:
    for i in range(len(picked)):
        shift = offsets[picked[i]] - new[i]
        for j in range(new[i], new[i + 1]):
            target[j] = source[shift + j]
