"""Deletion noise: what is deleted, and which rows go."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from driving import CLS, MASK, PAD, SEP, UNK, cut, make_rows, make_setting, run_step
from hypothesis import example, given, settings
from hypothesis import strategies as st
from plain_noise import chosen

from transferset.errors import UsageError
from transferset.ledger import Ledger, Reason
from transferset.steps import Delete
from transferset.transforms import Position, buffers

#: The first example may have to wait for the compiler.
EXAMPLES = settings(max_examples=60, deadline=None)

#: Of the ids 5 to 39 those that 3 divides continue a word.
WORD_START = np.arange(40) % 3 != 0
WORD_START[:5] = True
SETTING = make_setting(40, word_start=WORD_START)

CONTENT = st.lists(st.integers(5, 39) | st.sampled_from([UNK, MASK]), max_size=6)
ROWS = st.lists(
    st.builds(lambda a: [CLS, *a, SEP, PAD], CONTENT)
    | st.builds(lambda a, b: [CLS, *a, SEP, *b, SEP], CONTENT, CONTENT)
    | st.lists(st.integers(0, 39), max_size=9),
    max_size=8,
)
STEPS = st.builds(
    Delete, p=st.sampled_from([0.1, 0.5, 1.0]) | st.floats(1e-3, 1), words=st.booleans()
)


def is_content(token):
    return token not in (CLS, SEP, PAD, MASK)


def parts(row):
    """What stands between [SEP]s."""
    found = [[]]
    for token in row:
        if token == SEP:
            found.append([])
        else:
            found[-1].append(token)
    return found


def left_plainly(row, address, key, step):
    """The row without the chosen; None if it is dropped."""
    yes = chosen(row, *address, key, step.p, WORD_START if step.words else None)
    left = [token for token, gone in zip(row, yes, strict=True) if not gone]
    before, after = ([sum(map(is_content, p)) for p in parts(r)] for r in (row, left))
    emptied = any(had and not has for had, has in zip(before, after, strict=True))
    return None if emptied or not sum(after) else left


@EXAMPLES
@given(ROWS, STEPS, st.integers(0, 2**64 - 1))
@example([[], [CLS, SEP], [CLS, MASK, SEP], [CLS, 5, SEP, SEP], [7]], Delete(0.001), 0)
@example([[CLS, 7, SEP]] * 3, Delete(1.0), 0)
@pytest.mark.parametrize("ids", [pa.uint16(), pa.int32()])
def test_rows_are_what_the_plain_algorithm_leaves(ids, rows, step, seed):
    addresses = [(2**33 + 5 * i, i % 2) for i in range(len(rows))]
    batch = make_rows(
        rows,
        ids=ids,
        addresses=addresses,
        doc_id=range(len(rows)),
        source=[0] * len(rows),
    )
    driven = run_step(step, [batch], SETTING, seed=seed, ordinal=1)
    key = Position(seed, 1).key
    expected = [left_plainly(r, a, key, step) for r, a in zip(rows, addresses, strict=True)]
    (found,) = driven.batches
    kept = [i for i, row in enumerate(expected) if row is not None]
    assert found.schema.equals(batch.schema)
    assert found.column("input_ids").to_pylist() == [expected[i] for i in kept]
    others = batch.drop_columns("input_ids").to_pylist()
    assert found.drop_columns("input_ids").to_pylist() == [others[i] for i in kept]
    dropped = len(rows) - len(kept)
    assert driven.ledger == (Ledger({Reason.EMPTIED: dropped}) if dropped else Ledger())
    assert (Reason.EMPTIED in driven.ledger) == bool(dropped), "nothing is nothing to tell of"


@EXAMPLES
@given(ROWS, STEPS, st.lists(st.integers(1, 7)))
def test_a_row_is_the_same_in_any_batch(rows, step, bounds):
    batch = make_rows(rows)
    whole = run_step(step, [batch], SETTING)
    apart = run_step(step, cut(batch, bounds), SETTING)
    assert apart.rows() == whole.rows()
    assert apart.ledger == whole.ledger


# worked out by hand: with p = 1 every content token goes, and only specials would be left
@pytest.mark.parametrize(
    "row", [[CLS, 7, SEP], [CLS, 7, SEP, 8, SEP], [CLS, SEP], [CLS, MASK, SEP], []]
)
def test_a_row_without_content_is_dropped(row):
    driven = run_step(Delete(1.0), [make_rows([row])], SETTING)
    assert driven.rows() == []
    assert driven.ledger == Ledger({Reason.EMPTIED: 1})


def test_a_pair_is_dropped_when_one_segment_is_emptied():
    # one token in each segment, p = 1/2: both stay in 1 of 4 rows; 20,000 rows, standard deviation
    # 0.0031, so that keeping the rows in which one stays (3 of 4) could not be missed
    driven = run_step(Delete(0.5), [make_rows([[CLS, 7, SEP, 8, SEP]] * 20_000)], SETTING)
    assert all(row["input_ids"] == [CLS, 7, SEP, 8, SEP] for row in driven.rows())
    assert abs(len(driven.rows()) / 20_000 - 0.25) < 5 * 0.0031
    assert driven.ledger[Reason.EMPTIED] == 20_000 - len(driven.rows())


def test_a_segment_that_had_nothing_is_not_emptied():
    rows = run_step(Delete(0.001), [make_rows([[CLS, 7, SEP, SEP], [CLS, SEP, 7, SEP]])], SETTING)
    assert [row["input_ids"] for row in rows.rows()] == [[CLS, 7, SEP, SEP], [CLS, SEP, 7, SEP]]


def test_tokens_go_with_probability_p():
    # 400,000 tokens, standard deviation 0.00047: 0.0035 off is found with a chance of 99 %
    ids = np.full((10_000, 42), 8, np.uint16)
    ids[:, 0], ids[:, -1] = CLS, SEP
    offsets = np.arange(10_001, dtype=np.int32) * 42
    batch = pa.record_batch({"input_ids": buffers.lists(ids.ravel(), offsets)})
    (found,) = run_step(Delete(0.1), [buffers.addressed(batch, 0)], SETTING).batches
    assert found.num_rows == 10_000
    share = 1 - (len(buffers.flat(found)[0]) - 20_000) / 400_000
    assert abs(share - 0.1) < 5 * 0.00047


def test_words_of_a_tokenizer_without_them_are_refused():
    with pytest.raises(UsageError, match="where words begin"):
        run_step(Delete(0.5, words=True), [make_rows([])], make_setting(40))
