"""Samples with replacement."""

from collections import Counter

import numpy as np
import pytest
from driving import cut, make_rows, make_setting, run_step
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_random import draw_below, step_key

from transferset.errors import TransfersetError
from transferset.ledger import Ledger, Reason
from transferset.steps import Sample
from transferset.transforms import bootstrap

#: The first example may have to wait for the compiler.
EXAMPLES = settings(max_examples=30, deadline=None)

SETTING = make_setting()

ADDRESSES = st.sets(
    st.tuples(st.integers(0, 30) | st.integers(1 << 32, (1 << 32) + 5), st.integers(0, 3)),
    min_size=1,
    max_size=30,
).map(sorted)


def drawn(size):
    return Sample(size, with_replacement=True)


def rows_at(addresses):
    ids = [[2, 5 + i, 3] for i in range(len(addresses))]
    return make_rows(ids, addresses=addresses, doc_id=range(len(addresses)))


def plain_bootstrap(addresses, draws, seed):
    """Draw, sort, count the copies of each parent row."""
    key = step_key(seed, 0)
    picked = sorted(addresses[draw_below(d, len(addresses), key)] for d in range(draws))
    seen = Counter()
    out = []
    for address in picked:
        out.append((address, (address[0], seen[address[0]])))
        seen[address[0]] += 1
    return out


@EXAMPLES
@given(addresses=ADDRESSES, draws=st.integers(1, 60), seed=st.sampled_from([0, 5, 1 << 63]))
def test_rows_come_as_often_as_they_are_drawn(addresses, draws, seed):
    batch = rows_at(addresses)
    found = run_step(drawn(str(draws)), [batch], SETTING, seed=seed)
    expected = plain_bootstrap(addresses, draws, seed)
    ids = {(r["parent_row"], r["copy"]): (r["input_ids"], r["doc_id"]) for r in batch.to_pylist()}
    assert found.addresses() == [new for _, new in expected]
    assert [(r["input_ids"], r["doc_id"]) for r in found.rows()] == [
        ids[old] for old, _ in expected
    ]
    assert found.addresses() == sorted(set(found.addresses())), "unique, ascending"
    different = len({old for old, _ in expected})
    assert found.ledger == Ledger({Reason.NOT_SAMPLED: len(addresses) - different})
    assert found.model == {"rows": draws, "tokens": 3 * draws, "drawn": different}


@EXAMPLES
@given(rows=st.integers(1, 40), draws=st.integers(1, 60))
def test_intact_rows_need_no_survey_and_give_the_same(rows, draws):
    batches = [rows_at([(i, 0) for i in range(rows)])]
    unseen = run_step(drawn(str(draws)), batches, SETTING, intact=True)
    seen = run_step(drawn(str(draws)), batches, SETTING, intact=False)
    assert unseen == seen


@EXAMPLES
@given(
    addresses=ADDRESSES,
    cuts=st.lists(st.integers(0, 40), max_size=3),
    batch_cuts=st.lists(st.integers(0, 30), max_size=6),
)
def test_batches_and_ranges_make_no_difference(addresses, cuts, batch_cuts):
    whole = rows_at(addresses)
    once = run_step(drawn("300%"), [whole], SETTING)
    often = run_step(drawn("300%"), cut(whole, batch_cuts), SETTING, cuts=cuts)
    assert once.rows() == often.rows()
    assert once.ledger == often.ledger


def test_copies_of_a_row_are_counted_on_from_batch_to_batch():
    # one parent row in 20 copies, each a batch of its own
    whole = rows_at([(7, copy) for copy in range(20)])
    found = run_step(drawn("50"), cut(whole, range(20)), SETTING)
    assert found.addresses() == [(7, copy) for copy in range(50)]


def test_blocks_of_rows_and_draws_make_no_difference(monkeypatch):
    batches = [rows_at([(i, 0) for i in range(500)])]
    once = run_step(drawn("900"), batches, SETTING)
    monkeypatch.setattr(bootstrap, "_ROWS", 64)
    monkeypatch.setattr(bootstrap, "_DRAWS", 50)
    assert run_step(drawn("900"), batches, SETTING).rows() == once.rows()


def test_a_larger_sample_contains_a_smaller_one():
    batches = [rows_at([(i, 0) for i in range(100)])]
    small, large = (
        Counter(r["doc_id"] for r in run_step(drawn(size), batches, SETTING).rows())
        for size in ("70", "180")
    )
    assert small <= large


@pytest.mark.parametrize("rows", [1, 3, 1 << 32, 1 << 63, (1 << 63) + 1, (1 << 64) - 1])
def test_draws_are_exact_for_any_number_of_rows(rows):
    # with 2**63 + 1 rows nearly every second word is rejected
    found = bootstrap.draw(np.uint64(1 << 33), 300, np.uint64(rows), np.uint32(8), np.uint32(9))
    assert found.tolist() == [draw_below((1 << 33) + i, rows, (8, 9)) for i in range(300)]


def test_counts_are_those_of_a_multinomial_distribution():
    # 100,000 draws of 500 rows, 200 each: chi-square with 499 degrees of freedom, deviation
    # √998 = 31.6, five of them. Half of the rows at 1 + x, half at 1 − x would add 100,000·x²:
    # x = 0.05 would be found in 9 of 10 runs.
    found = bootstrap.draw(np.uint64(0), 100_000, np.uint64(500), np.uint32(1), np.uint32(2))
    counts = np.bincount(found.astype(np.int64), minlength=500)
    chi_square = ((counts - 200) ** 2 / 200).sum()
    assert abs(chi_square - 499) < 5 * 31.6
    # consecutive draws are independent: pairs fall into 25 × 25 cells, 624 degrees of freedom
    cells = found.reshape(-1, 2) // np.uint64(20)
    pairs = np.bincount((cells[:, 0] * np.uint64(25) + cells[:, 1]).astype(np.int64), minlength=625)
    assert abs(((pairs - 80) ** 2 / 80).sum() - 624) < 5 * (2 * 624) ** 0.5


def test_the_share_of_rows_that_are_drawn_is_that_of_a_bootstrap():
    # of 10,000 rows 1 − (1 − 1/n)^n = 63.2 % are drawn; deviation √(n(e⁻¹ − 2e⁻²)) = 31 rows
    found = bootstrap.draw(np.uint64(0), 10_000, np.uint64(10_000), np.uint32(3), np.uint32(4))
    assert abs(len(np.unique(found)) - 6321) < 5 * 31


def test_a_batch_of_more_ids_than_arrow_can_count_is_refused(monkeypatch):
    monkeypatch.setattr(bootstrap, "_MOST_IDS", 299)
    with pytest.raises(TransfersetError, match="at most 299 ids"):
        run_step(drawn("100"), [rows_at([(0, 0)])], SETTING)


def test_nothing_can_be_drawn_from_no_rows():
    with pytest.raises(TransfersetError, match="at least one row"):
        run_step(drawn("100"), [rows_at([])], SETTING)
