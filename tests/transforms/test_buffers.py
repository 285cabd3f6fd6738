"""Record batches as flat buffers and back."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from driving import make_rows
from hypothesis import given, settings
from hypothesis import strategies as st

from transferset.transforms import buffers

#: The first example may have to wait for the compiler.
EXAMPLES = settings(max_examples=50, deadline=None)

ROWS = st.lists(st.lists(st.integers(0, 65_535), max_size=5), max_size=8)


def make_batch(rows, ids=None):
    return make_rows(
        rows,
        ids=ids,
        labels=[[-100] * len(row) for row in rows],
        text=[f"row {i}" for i in range(len(rows))],
        doc_id=[10 + i for i in range(len(rows))],
    )


@EXAMPLES
@given(rows=ROWS, first=st.integers(0, 8), count=st.integers(0, 8))
@pytest.mark.parametrize("ids", [pa.uint16(), pa.int32()])
def test_flat_buffers_of_a_slice_are_those_of_its_rows(ids, rows, first, count):
    part = make_batch(rows, ids).slice(min(first, len(rows)), count)
    values, offsets = buffers.flat(part)
    wanted = rows[first : first + count]
    assert [values[a:b].tolist() for a, b in pairwise(offsets)] == wanted
    assert offsets[0] == 0
    assert offsets.dtype == np.int32
    assert values.dtype == ids.to_pandas_dtype()
    assert buffers.lists(values, offsets).to_pylist() == wanted


def test_flat_buffers_share_the_memory_of_the_batch():
    batch = make_batch([[1, 2], [3, 4, 5]])
    values, _ = buffers.flat(batch.slice(1))
    address = batch.column("input_ids").values.buffers()[1].address
    assert values.__array_interface__["data"][0] == address + 2 * 2
    assert not values.flags.writeable


@EXAMPLES
@given(rows=ROWS.filter(bool), first=st.integers(0, 3), data=st.data())
def test_taken_rows_have_all_their_columns(rows, first, data):
    part = make_batch(rows).slice(min(first, len(rows) - 1))
    picked = data.draw(st.lists(st.integers(0, part.num_rows - 1), max_size=9))
    found = buffers.take(part, np.array(picked, np.int64))
    assert found.schema.equals(part.schema)
    assert found.to_pylist() == [part.to_pylist()[i] for i in picked]


@EXAMPLES
@given(rows=ROWS, data=st.data())
def test_kept_rows_are_those_that_are_wanted(rows, data):
    batch = make_batch(rows)
    wanted = data.draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows)))
    found = buffers.keep(batch, np.array(wanted, np.bool_))
    assert found.to_pylist() == [
        row for row, yes in zip(batch.to_pylist(), wanted, strict=True) if yes
    ]


def test_a_column_is_replaced_in_its_place_or_added_at_the_end():
    batch = make_batch([[1], [2]])
    names = batch.schema.names
    replaced = buffers.with_column(batch, "doc_id", pa.array([8, 9], pa.uint64()))
    assert replaced.schema.names == names
    assert replaced.column("doc_id").to_pylist() == [8, 9]
    added = buffers.with_column(batch, "part", pa.array([0, 1], pa.uint16()))
    assert added.schema.names == [*names, "part"]
    assert batch.schema.names == names, "the batch itself is as it was"


def test_other_ids_leave_the_other_columns():
    batch = make_batch([[1], [2, 3]])
    found = buffers.with_ids(batch, np.array([4, 5, 6], np.uint16), np.array([0, 3, 3], np.int32))
    assert found.column("input_ids").to_pylist() == [[4, 5, 6], []]
    assert found.drop_columns("input_ids").equals(batch.drop_columns("input_ids"))


def test_rows_of_a_source_have_their_numbers_as_addresses():
    found = buffers.addressed(make_rows([[1]] * 3).select(["input_ids"]), 2**40)
    row, copy = buffers.addresses(found)
    assert row.tolist() == [2**40, 2**40 + 1, 2**40 + 2]
    assert copy.tolist() == [0, 0, 0]
    assert (row.dtype, copy.dtype) == (np.uint64, np.uint32)
