"""The columns of mapped record batches: where they lie, and how rows of them are copied out."""

from __future__ import annotations

from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transferset.errors import UsageError, sentence
from transferset.feeds.gather import fixed_values, list_offsets, list_values, nulls
from transferset.feeds.ragged import Ragged

Int64 = npt.NDArray[np.int64]

#: What stands for a missing label in an array: the class that torch's losses leave out.
NO_CLASS: Final = -100

_UNSIGNED: Final = {1: np.uint8, 2: np.uint16, 4: np.uint32, 8: np.uint64}


class Column(Protocol):
    """A column of all record batches; of each, what `know` was told last."""

    def know(self, batch: int, array: pa.Array) -> None:
        """Remember where a checked, mapped batch lies, which the caller keeps."""
        ...

    def forget(self, first: int, stop: int) -> None:
        """Batches that are no longer mapped."""
        ...

    def arrays(self, batch: Int64, place: Int64) -> Ragged | npt.NDArray[Any]:
        """Rows as numpy arrays; `batch` and `place` are those of each row."""
        ...

    def arrow(self, batch: Int64, place: Int64) -> pa.Array:
        """Rows as Arrow has them."""
        ...


def column_of(kind: pa.DataType, batches: int) -> Column:
    """The column for a type of the format.

    Args:
        kind: Arrow type.
        batches: Record batches of the set.
    """
    inner = kind.value_type if pa.types.is_list(kind) else None
    if pa.types.is_string(kind):
        return _Texts(batches)
    if inner is not None and pa.types.is_primitive(inner) and not pa.types.is_boolean(inner):
        return _Lists(inner, batches)
    if inner is not None or pa.types.is_boolean(kind):
        return _Others(kind)
    return _Numbers(kind, batches)


def lengths(column: Column | None, batch: Int64, place: Int64) -> npt.NDArray[np.int32]:
    """How many values rows of a column of lists have, int32[n].

    Args:
        column: From `column_of`.
        batch: int64[n], the record batch of each row,
        place: int64[n], and its place there.

    Raises:
        UsageError: It is none of lists.
    """
    if not isinstance(column, _Lists):
        raise UsageError(sentence("a column of lists", "another" if column else "none"))
    return np.diff(column.offsets(batch, place)).astype(np.int32)


class _Lists:
    """Lists of numbers."""

    def __init__(self, inner: pa.DataType, batches: int) -> None:
        self._dtype = np.dtype(inner.to_pandas_dtype())
        self._offsets_at, self._values_at = np.zeros((2, batches), np.uint64)

    def know(self, batch: int, array: pa.Array) -> None:
        self._offsets_at[batch] = _address(array.offsets)
        self._values_at[batch] = _address(array.values)

    def forget(self, first: int, stop: int) -> None:
        self._offsets_at[first:stop] = self._values_at[first:stop] = 0

    def offsets(self, batch: Int64, place: Int64) -> Int64:
        """The offsets of rows, one after another."""
        new = np.empty(len(batch) + 1, np.int64)
        list_offsets(self._offsets_at, batch, place, new)
        return new

    def arrays(self, batch: Int64, place: Int64) -> Ragged:
        new = self.offsets(batch, place)
        values = np.empty(int(new[-1]), self._dtype)
        target = values.view(_UNSIGNED[self._dtype.itemsize])
        list_values(self._offsets_at, self._values_at, batch, place, new, target)
        return Ragged(values, new)

    def arrow(self, batch: Int64, place: Int64) -> pa.Array:
        found = self.arrays(batch, place)
        return pa.ListArray.from_arrays(
            pa.array(found.offsets.astype(np.int32)), pa.array(found.values)
        )


class _Texts:
    """Strings: lists of bytes, to whoever copies them."""

    def __init__(self, batches: int) -> None:
        self._bytes = _Lists(pa.uint8(), batches)

    def know(self, batch: int, array: pa.Array) -> None:
        _, offsets, data = array.buffers()
        size = data.size if data else 0
        letters = pa.Array.from_buffers(pa.uint8(), size, [None, data])
        kind, buffers = pa.list_(pa.uint8()), [None, offsets]
        spelled = pa.ListArray.from_buffers(
            kind, len(array), buffers, offset=array.offset, children=[letters]
        )
        self._bytes.know(batch, spelled)

    def forget(self, first: int, stop: int) -> None:
        self._bytes.forget(first, stop)

    def arrays(self, batch: Int64, place: Int64) -> npt.NDArray[Any]:
        return _numpy(self.arrow(batch, place), zero_copy_only=False)

    def arrow(self, batch: Int64, place: Int64) -> pa.Array:
        found = self._bytes.arrays(batch, place)
        offsets = pa.py_buffer(found.offsets.astype(np.int32))
        return pa.StringArray.from_buffers(len(batch), offsets, pa.py_buffer(found.values))


class _Numbers:
    """A number a row, or as many in each."""

    def __init__(self, kind: pa.DataType, batches: int) -> None:
        self._kind = kind
        self._lists = bool(pa.types.is_fixed_size_list(kind))
        self._width = kind.list_size if self._lists else 1
        inner = kind.value_type if self._lists else kind
        self._dtype = np.dtype(inner.to_pandas_dtype())
        self._values_at, self._bits_at = np.zeros((2, batches), np.uint64)
        self._nulls = False

    def know(self, batch: int, array: pa.Array) -> None:
        bits, *_ = array.buffers() if array.null_count else (None,)
        self._nulls |= bits is not None
        self._bits_at[batch] = bits.address if bits is not None else 0
        if self._lists:
            values = array.flatten()
        else:  # without the bitmap, so that numpy sees what stands below nulls
            values = pa.Array.from_buffers(array.type, len(array), [None, array.buffers()[1]])
        self._values_at[batch] = _address(values)

    def forget(self, first: int, stop: int) -> None:
        self._values_at[first:stop] = self._bits_at[first:stop] = 0

    def _values(self, batch: Int64, place: Int64) -> npt.NDArray[Any]:
        values = np.empty((len(batch), self._width), self._dtype)
        unsigned = values.view(_UNSIGNED[self._dtype.itemsize])
        fixed_values(self._values_at, batch, place, unsigned)
        return values if self._lists else values[:, 0]

    def _missing(self, batch: Int64, place: Int64) -> npt.NDArray[np.bool_] | None:
        if not self._nulls:
            return None
        missing = np.empty(len(batch), np.bool_)
        nulls(self._bits_at, batch, place, missing)
        return missing

    def arrays(self, batch: Int64, place: Int64) -> npt.NDArray[Any]:
        values, missing = self._values(batch, place), self._missing(batch, place)
        if missing is not None:
            values[missing] = NO_CLASS if self._dtype.kind == "i" else np.nan
        return values

    def arrow(self, batch: Int64, place: Int64) -> pa.Array:
        values = self._values(batch, place)
        if self._lists:
            return pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), type=self._kind)
        return pa.array(values, self._kind, mask=self._missing(batch, place))


class _Others:
    """What is not numbers beside each other: truths, lists of them, lists of strings."""

    def __init__(self, kind: pa.DataType) -> None:
        self._kind = kind
        self._known: dict[int, pa.Array] = {}

    def know(self, batch: int, array: pa.Array) -> None:
        self._known[batch] = array

    def forget(self, first: int, stop: int) -> None:
        self._known = {n: array for n, array in self._known.items() if not first <= n < stop}

    def arrays(self, batch: Int64, place: Int64) -> npt.NDArray[Any]:
        if pa.types.is_boolean(self._kind):
            return _numpy(self.arrow(batch, place), zero_copy_only=False)
        found, do = f"a column of {self._kind}", "read it with record_batches"
        raise UsageError(sentence("columns that numpy holds", found, do=do))

    def arrow(self, batch: Int64, place: Int64) -> pa.Array:
        if not len(batch):
            return pa.array([], self._kind)
        order = np.argsort(batch, kind="stable")
        numbers, starts = np.unique(batch[order], return_index=True)
        places = np.split(place[order], starts[1:])
        picked = [
            self._known[number].take(pa.array(some))
            for number, some in zip(numbers.tolist(), places, strict=True)
        ]
        return pa.concat_arrays(picked).take(pa.array(np.argsort(order, kind="stable")))


def _address(array: pa.Array) -> int:
    """Where the values of an array begin, without a copy of them."""
    values = _numpy(array)
    address: int = values.__array_interface__["data"][0]
    if address % values.itemsize and len(values):
        raise ValueError("values that are not aligned")
    return address


def _numpy(array: pa.Array, *, zero_copy_only: bool = True) -> npt.NDArray[Any]:
    values: npt.NDArray[Any] = array.to_numpy(zero_copy_only=zero_copy_only)
    return values
