"""Rows by length."""

import pytest
from driving import cut, make_rows, make_setting, run_step
from hypothesis import given, settings
from hypothesis import strategies as st

from transferset.ledger import Ledger, Reason
from transferset.steps import Lengths

#: The first example may have to wait for the compiler.
EXAMPLES = settings(max_examples=30, deadline=None)

SETTING = make_setting()

# of 0 to 6 ids
BATCH = make_rows([[2] * n for n in range(7)], text=[str(n) for n in range(7)])


@pytest.mark.parametrize(
    ("range", "kept", "short", "long"),
    [
        ("2:4", [2, 3, 4], 2, 2),
        ("3:", [3, 4, 5, 6], 3, 0),
        (":2", [0, 1, 2], 0, 4),
        ("5:5", [5], 5, 1),
        ("7:", [], 7, 0),
        ("0:9", [0, 1, 2, 3, 4, 5, 6], 0, 0),
    ],
)
def test_both_ends_are_included(range, kept, short, long):
    found = run_step(Lengths(range), [BATCH], SETTING)
    assert [len(row["input_ids"]) for row in found.rows()] == kept
    assert found.addresses() == [(n, 0) for n in kept], "addresses stay"
    assert found.ledger == Ledger({Reason.TOO_SHORT: short, Reason.TOO_LONG: long})


@EXAMPLES
@given(
    lengths=st.lists(st.integers(0, 9)),
    low=st.integers(0, 9),
    more=st.integers(0, 9),
    cuts=st.lists(st.integers(0, 30)),
)
def test_any_cutting_gives_the_same(lengths, low, more, cuts):
    batch = make_rows([[5] * n for n in lengths])
    step = Lengths(f"{low}:{low + more}")
    found = run_step(step, cut(batch, cuts), SETTING)
    kept = [n for n in lengths if low <= n <= low + more]
    assert [len(row["input_ids"]) for row in found.rows()] == kept
    assert len(kept) + found.ledger.total() == len(lengths)
