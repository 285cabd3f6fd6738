"""Dropping equal rows."""

import numpy as np
import pyarrow as pa
import pytest
from driving import cut, make_rows, make_setting, run_step
from hypothesis import given, settings
from hypothesis import strategies as st

from transferset.ledger import Ledger, Reason
from transferset.steps import Dedupe
from transferset.transforms import buckets, dedupe

SETTING = make_setting()
STEP = Dedupe()

# few different rows, so that most repeat
ROWS = st.lists(
    st.sampled_from([[], [2, 3], [2, 5, 3], [3, 5, 2], [2, 5, 5, 3], [2, 5, 5, 5, 3]]), max_size=30
)


def first_ones(rows):
    """The plain implementation: numbers of the rows that were not seen before."""
    seen, kept = set(), []
    for number, row in enumerate(rows):
        if tuple(row) not in seen:
            seen.add(tuple(row))
            kept.append(number)
    return kept


@settings(max_examples=30, deadline=None)
@given(rows=ROWS, seed=st.sampled_from([0, 9]), wide=st.booleans())
def test_the_first_of_equal_rows_stays(rows, seed, wide):
    batch = make_rows(rows, ids=pa.int32() if wide else None, doc_id=range(len(rows)))
    found = run_step(STEP, [batch], SETTING, seed=seed)
    kept = first_ones(rows)
    every = batch.to_pylist()
    assert found.rows() == [every[i] for i in kept]
    assert found.ledger == Ledger({Reason.DUPLICATE: len(rows) - len(kept)})
    assert found.model["rows"] == len(kept)


def test_a_case_by_hand():
    # rows 2 and 4 repeat row 0, row 5 repeats row 1; row 3 has the ids of row 0 in another order
    rows = [[2, 5, 6, 3], [2, 3], [2, 5, 6, 3], [2, 6, 5, 3], [2, 5, 6, 3], [2, 3]]
    found = run_step(STEP, [make_rows(rows)], SETTING)
    assert found.addresses() == [(0, 0), (1, 0), (3, 0)]
    # tokens in proportion: 3 of 6 rows, half of 20 ids
    assert found.model == {"rows": 3, "tokens": 10}


@settings(max_examples=30, deadline=None)
@given(
    rows=ROWS,
    cuts=st.lists(st.integers(0, 60), max_size=3),
    batch_cuts=st.lists(st.integers(0, 30), max_size=4),
    copies=st.booleans(),
)
def test_batches_and_ranges_make_no_difference(rows, cuts, batch_cuts, copies):
    places = [(2 * i // 3, 2 * i % 3) if copies else (2 * i, 0) for i in range(len(rows))]
    whole = make_rows(rows, addresses=places)
    once = run_step(STEP, [whole], SETTING)
    often = run_step(STEP, cut(whole, batch_cuts), SETTING, cuts=cuts)
    assert once.rows() == often.rows()
    assert once.ledger == often.ledger


@pytest.mark.parametrize("at_once", [1, 5, 64])
def test_digests_are_sorted_in_parts_that_fit_memory(monkeypatch, at_once):
    # 3000 rows, of 40 different kinds and some of a kind of their own
    rows = [[2, 5 + i * i % 40, 3] if i % 3 else [2, 100 + i % 900, i % 7, 3] for i in range(3000)]
    monkeypatch.setattr(dedupe, "ROWS", 64 * at_once)
    monkeypatch.setattr(buckets, "_HELD_BYTES", 1000 * at_once)
    monkeypatch.setattr(buckets, "_READ_BYTES", 32 * at_once)
    found = run_step(STEP, cut(make_rows(rows), [999, 1000, 2500]), SETTING, cuts=[700])
    assert [row for row, _ in found.addresses()] == first_ones(rows)


@pytest.mark.parametrize("same", ["high", "low"])
def test_rows_are_equal_only_if_both_halves_of_their_digests_are(monkeypatch, same):
    # digests of which one half is always 0 are still told apart, in any order of the other half
    made = dedupe.digest_rows

    def half_blind(ids, offsets, key):
        digests = made(ids, offsets, key)
        digests[0 if same == "high" else 1] = 0
        return digests

    monkeypatch.setattr(dedupe, "digest_rows", half_blind)
    rows = [[2, 5 + i % 17, 3] for i in range(100)]
    found = run_step(STEP, cut(make_rows(rows), range(0, 100, 7)), SETTING)
    assert [row for row, _ in found.addresses()] == list(range(17))


def test_rows_that_differ_little_are_kept():
    # every row of one to three ids out of 30, and each a second time
    ids = range(5, 35)
    rows = [[a] for a in ids] + [[a, b] for a in ids for b in ids]
    rows += [[a, b, c] for a in ids for b in ids for c in ids]
    found = run_step(STEP, [make_rows(rows + rows)], SETTING)
    assert len(found.batches[0]) == len(rows) == found.ledger[Reason.DUPLICATE]
    assert np.array_equal(found.batches[0].column("parent_row"), np.arange(len(rows)))
