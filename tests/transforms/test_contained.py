"""Dropping rows that stand inside of longer ones."""

import numpy as np
import pyarrow as pa
import pytest
from driving import cut, make_rows, make_setting, run_step
from hypothesis import given, settings
from hypothesis import strategies as st

from transferset.ledger import Ledger, Reason
from transferset.steps import Dedupe
from transferset.transforms import buckets, contained

SETTING = make_setting()
STEP = Dedupe("contained")

# few different ids, so that most short rows stand inside of others; up to ten, beyond the prefix
CONTENTS = st.lists(st.lists(st.sampled_from([5, 6]), max_size=10), max_size=25)


def framed(contents):
    return [[2, *content, 3] for content in contents]


def plain(contents):
    """The plain implementation: (numbers that stay, repeats, inside of others)."""
    kept, repeats, inside = [], 0, 0
    for number, content in enumerate(contents):
        n = len(content)
        if any(content == other for other in contents[:number]):
            repeats += 1
        elif n and any(
            other[i : i + n] == content
            for other in contents
            if len(other) > n
            for i in range(len(other) - n + 1)
        ):
            inside += 1
        else:
            kept.append(number)
    return kept, repeats, inside


@settings(max_examples=60, deadline=None)
@given(contents=CONTENTS, seed=st.sampled_from([0, 9]), wide=st.booleans())
def test_whole_rows_stay_and_nothing_else(contents, seed, wide):
    batch = make_rows(framed(contents), ids=pa.int32() if wide else None)
    found = run_step(STEP, [batch], SETTING, seed=seed)
    kept, repeats, inside = plain(contents)
    assert [row for row, _ in found.addresses()] == kept
    assert found.ledger == Ledger({Reason.DUPLICATE: repeats, Reason.CONTAINED: inside})
    assert found.model["rows"] == len(kept)


def test_a_case_by_hand():
    # rows 1 and 2 stand in row 0; row 3 has its ids, but not side by side; row 4 repeats row 0
    contents = [[5, 6, 7, 8, 9, 10], [5, 6, 7], [6, 7, 8, 9, 10], [5, 7], [5, 6, 7, 8, 9, 10]]
    found = run_step(STEP, [make_rows(framed(contents))], SETTING)
    assert found.addresses() == [(0, 0), (3, 0)]
    assert found.ledger == Ledger({Reason.DUPLICATE: 1, Reason.CONTAINED: 2})


def test_an_id_of_zero_counts_like_any_other():
    found = run_step(STEP, [make_rows(framed([[0, 5], [5], [0], [0, 0]]))], SETTING)
    assert found.addresses() == [(0, 0), (3, 0)]


@settings(max_examples=30, deadline=None)
@given(
    contents=CONTENTS,
    cuts=st.lists(st.integers(0, 60), max_size=3),
    batch_cuts=st.lists(st.integers(0, 30), max_size=4),
)
def test_batches_and_ranges_make_no_difference(contents, cuts, batch_cuts):
    places = [(2 * i // 3, 2 * i % 3) for i in range(len(contents))]
    whole = make_rows(framed(contents), addresses=places)
    once = run_step(STEP, [whole], SETTING)
    often = run_step(STEP, cut(whole, batch_cuts), SETTING, cuts=cuts)
    assert once.rows() == often.rows()
    assert once.ledger == often.ledger


@pytest.mark.parametrize("small", [1, 64])
def test_neither_small_tables_nor_small_memory_change_anything(monkeypatch, small):
    random = np.random.default_rng(7)
    long = [random.integers(5, 9, size=int(n)).tolist() for n in random.integers(60, 200, 40)]
    # runs of the long rows, longer than the 64 lengths that the table tells apart
    parts = [row[i : i + n] for row, i, n in zip(long, range(40), range(1, 160, 4), strict=True)]
    contents = [*parts, *long, *(random.integers(5, 9, size=9).tolist() for _ in range(200))]
    monkeypatch.setattr(contained, "ROWS", small)
    monkeypatch.setattr(buckets, "_HELD_BYTES", 1000 * small)
    monkeypatch.setattr(buckets, "_READ_BYTES", 32 * small)
    found = run_step(STEP, cut(make_rows(framed(contents)), [50, 99]), SETTING, cuts=[70])
    kept, repeats, inside = plain(contents)
    assert [row for row, _ in found.addresses()] == kept
    assert found.ledger == Ledger({Reason.DUPLICATE: repeats, Reason.CONTAINED: inside})
