"""Transforms from outside: what they are given, and what they may give back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from driving import CLS, SEP, make_rows, make_setting, run_step
from hypothesis import given, settings
from hypothesis import strategies as st

from transferset.errors import InputError, TransfersetError
from transferset.ledger import Ledger, Reason
from transferset.steps import transform
from transferset.transforms import buffers

#: The first example may have to wait for the compiler.
EXAMPLES = settings(max_examples=60, deadline=None)

SETTING = make_setting(40)

ROWS = [[CLS, 7, SEP], [CLS, 8, 9, SEP], [CLS, SEP], [CLS, 10, SEP, 11, SEP]]


def make_batch(ids=None):
    return make_rows(
        ROWS,
        ids=ids,
        addresses=[(3, 0), (3, 1), (4, 0), (2**40, 7)],
        doc_id=[1, 1, 2, 3],
        source=[0, 0, 1, 1],
    )


@transform
def turn_around(batch, at, *, times: int = 1):
    rows = batch.column("input_ids").to_pylist()
    for _ in range(times):
        rows = [[row[0], *row[-2:0:-1], row[-1]] for row in rows]
    ids = pa.array(rows, batch.schema.field("input_ids").type)
    return batch.set_column(batch.schema.get_field_index("input_ids"), "input_ids", ids)


@transform
def drop_half(batch, at, *, share: float = 0.5):
    return batch.filter(pa.array(at.uniform(batch, 1)[:, 0] >= share))


@transform
def drop_all(batch, at):
    return batch.slice(0, 0)


@transform
def swap_columns(batch, at):
    return batch.select(batch.schema.names[::-1])


@transform
def count_on(batch, at, *, picked: str):
    """Rows by number, in any order and any number of times."""
    return buffers.take(batch, np.array([int(i) for i in picked.split()], np.int64))


COUNT_ON = count_on.step(picked="")


@transform
def break_it(batch, at, *, how: str):
    ids = batch.column("input_ids")
    put = {
        "table": lambda: pa.Table.from_batches([batch]),
        "none": lambda: None,
        "lost": lambda: batch.drop_columns("doc_id"),
        "added": lambda: batch.append_column("mood", pa.array([1] * batch.num_rows)),
        "renamed": lambda: batch.rename_columns(
            [n if n != "copy" else "copies" for n in batch.schema.names]
        ),
        "wide": lambda: buffers.with_column(batch, "input_ids", ids.cast(pa.list_(pa.int64()))),
        "null row": lambda: with_rows(batch, [None, *ROWS[1:]]),
        "null id": lambda: with_rows(batch, [[CLS, None, SEP], *ROWS[1:]]),
        "null column": lambda: buffers.with_column(
            batch, "doc_id", pa.array([1, None, 2, 3], pa.uint64())
        ),
        "null address": lambda: buffers.with_column(
            batch, "copy", pa.array([0, None, 0, 7], pa.uint32())
        ),
        "no cls": lambda: with_rows(batch, [*ROWS[:2], [7, SEP], ROWS[3]]),
        "no sep": lambda: with_rows(batch, [*ROWS[:2], [CLS, 7], ROWS[3]]),
        "empty": lambda: with_rows(batch, [*ROWS[:2], [], ROWS[3]]),
        "only cls": lambda: with_rows(batch, [*ROWS[:2], [CLS], ROWS[3]]),
        "beyond": lambda: with_rows(batch, [*ROWS[:2], [CLS, 40, SEP], ROWS[3]]),
        "negative": lambda: with_rows(batch, [*ROWS[:2], [CLS, -1, SEP], ROWS[3]]),
        "offsets": lambda: buffers.with_column(
            batch,
            "input_ids",
            pa.ListArray.from_arrays(pa.array([0, 99, 3, 9, 14], pa.int32()), ids.values),
        ),
        "raise": lambda: [][1],
        "refuse": lambda: refuse(),
        "shift": lambda: buffers.with_column(
            batch, "copy", pa.array([0, 2, 0, 7], pa.uint32())
        ),
    }  # fmt: skip
    return put[how]()


def refuse():
    raise InputError("the transform's own words")


def with_rows(batch, rows):
    return buffers.with_column(
        batch, "input_ids", pa.array(rows, batch.schema.field("input_ids").type)
    )


def run(step, batch=None, **how):
    return run_step(step, [make_batch() if batch is None else batch], SETTING, **how)


def test_a_function_changes_ids_and_leaves_the_rest():
    driven = run(turn_around.step())
    assert [row["input_ids"] for row in driven.rows()] == [
        [CLS, 7, SEP],
        [CLS, 9, 8, SEP],
        [CLS, SEP],
        [CLS, 11, SEP, 10, SEP],
    ]
    assert (
        driven.batches[0].drop_columns("input_ids").equals(make_batch().drop_columns("input_ids"))
    )
    assert driven.ledger == Ledger()
    assert Reason.BY_TRANSFORM not in driven.ledger


def test_the_steps_parameters_reach_the_function():
    assert run(turn_around.step(times=2)).rows() == make_batch().to_pylist()


def test_dropped_rows_are_counted_and_the_others_keep_their_addresses():
    rows = make_rows([[CLS, 7, SEP]] * 1000)
    driven = run_step(drop_half.step(share=0.3), [rows], SETTING, seed=4, ordinal=2)
    # 300 ± 14.5
    assert abs(driven.ledger[Reason.BY_TRANSFORM] - 300) < 5 * 14.5
    assert len(driven.rows()) + driven.ledger[Reason.BY_TRANSFORM] == 1000
    assert all(row["parent_row"] < 1000 for row in driven.rows())


def test_all_rows_may_be_dropped():
    driven = run(drop_all.step())
    assert driven.rows() == []
    assert driven.batches[0].schema.equals(make_batch().schema)
    assert driven.ledger == Ledger({Reason.BY_TRANSFORM: 4})


def test_columns_come_back_in_the_sets_order():
    (found,) = run(swap_columns.step()).batches
    assert found.equals(make_batch())


def test_a_batch_without_rows_is_not_shown_to_the_function():
    empty = make_batch().slice(0, 0)
    driven = run(break_it.step(how="raise"), empty)
    assert driven.batches[0].equals(empty)
    assert driven.ledger == Ledger()


@EXAMPLES
@given(st.lists(st.integers(0, 3), max_size=6))
def test_rows_may_go_but_not_move_or_repeat(picked):
    step = replace(COUNT_ON, values=(("picked", " ".join(map(str, picked))),))
    if picked == sorted(set(picked)):
        assert run(step).rows() == [make_batch().to_pylist()[i] for i in picked]
        return
    with pytest.raises(TransfersetError, match="each at most once") as caught:
        run(step)
    stray = next(i for i in range(1, len(picked)) if picked[i] <= picked[i - 1])
    row, copy = [(3, 0), (3, 1), (4, 0), (2**40, 7)][picked[stray]]
    assert f"parent_row {row}, copy {copy} at its row {stray} of transform count-on" in str(
        caught.value
    )


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("table", "expected a pyarrow.RecordBatch, found Table"),
        ("none", "expected a pyarrow.RecordBatch, found NoneType"),
        ("lost", "expected the columns input_ids, doc_id, source, parent_row, copy, found "),
        ("added", "copy, found input_ids, doc_id, source, parent_row, copy, mood"),
        ("renamed", "found input_ids, doc_id, source, parent_row, copies"),
        ("wide", "expected input_ids of type list<item: int32>, found list<item: int64>"),
        ("null row", "expected input_ids without nulls, found 1 of them"),
        ("null id", "expected input_ids without nulls, found 1 of them"),
        ("null column", "expected doc_id without nulls, found 1 of them"),
        ("null address", "expected copy without nulls, found 1 of them"),
        ("no cls", "expected [CLS] … [SEP] and ids from 0 to 39, found [7, 3] at its row 2"),
        ("no sep", "found [2, 7] at its row 2 "),
        ("empty", "found [] at its row 2 "),
        ("only cls", "found [2] at its row 2 "),
        ("beyond", "found [2, 40, 3] at its row 2 "),
        ("negative", "found [2, -1, 3] at its row 2 "),
        ("offsets", "expected a valid batch, found "),
        ("raise", "found IndexError: list index out of range at test_custom_transform.py, line "),
        ("shift", "found parent_row 3, copy 2 at its row 1 "),
    ],
)
def test_what_is_no_transform_is_one_sentence_with_its_name(how, message):
    with pytest.raises(TransfersetError) as caught:
        run(break_it.step(how=how), make_batch(pa.int32()))
    assert message in str(caught.value)
    assert "transform break-it" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 1


def test_errors_of_transferset_pass_as_they_are():
    with pytest.raises(InputError, match="the transform's own words"):
        run(break_it.step(how="refuse"))


def test_the_cause_of_a_failure_is_kept_for_its_author():
    with pytest.raises(TransfersetError) as caught:
        run(break_it.step(how="raise"))
    assert isinstance(caught.value.__cause__, IndexError)
