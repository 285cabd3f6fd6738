"""Samples without replacement: exact in size, nested, uniform."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from driving import cut, make_rows, make_setting, run_step
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_random import row_key, step_key

from transferset.errors import TransfersetError, UsageError
from transferset.ledger import Ledger, Reason
from transferset.steps import Sample
from transferset.transforms import Position
from transferset.transforms.keys import consecutive_keys, document_keys, row_keys
from transferset.transforms.sample import SampleRows

#: The first example may have to wait for the compiler.
EXAMPLES = settings(max_examples=30, deadline=None)

SETTING = make_setting()
SEEDS = st.sampled_from([0, 1, 7, (1 << 64) - 1])


@st.composite
def scattered(draw, most=40):
    """Addresses as they are after other steps: gaps, and several copies of a row."""
    found = draw(
        st.sets(
            st.tuples(st.integers(0, 60) | st.integers(1 << 32, (1 << 32) + 9), st.integers(0, 3)),
            max_size=most,
        )
    )
    return sorted(found)


def rows_at(addresses):
    """A row of 2 to 6 ids for each address, which can be told from the ids."""
    ids = [[2, *[5 + i % 900] * (i % 5), 3] for i in range(len(addresses))]
    return make_rows(ids, addresses=addresses, doc_id=range(len(addresses)))


def plain_sample(addresses, count, seed, ordinal=0):
    """The independent implementation: sort everything by key."""
    key = step_key(seed, ordinal)
    ordered = sorted((row_key(row, copy, key), row, copy) for row, copy in addresses)
    return sorted((row, copy) for _, row, copy in ordered[:count])


def test_keys_are_the_first_words_of_philox():
    rows = [0, 1, (1 << 32) - 1, 1 << 32, (1 << 64) - 1]
    copies = [0, 5, (1 << 32) - 1, 1, 2]
    found = row_keys(
        np.array(rows, np.uint64), np.array(copies, np.uint32), *map(np.uint32, (3, 4))
    )
    assert found.tolist() == [row_key(r, c, (3, 4)) for r, c in zip(rows, copies, strict=True)]


def test_keys_of_consecutive_rows_are_the_same_keys():
    first = (1 << 32) - 3
    found = consecutive_keys(np.uint64(first), 7, np.uint32(3), np.uint32(4))
    assert found.tolist() == [row_key(first + i, 0, (3, 4)) for i in range(7)]


def test_every_part_of_a_documents_identity_is_in_its_key():
    def key(part, source, doc):
        return document_keys(
            np.array([part], np.uint32),
            np.array([source], np.uint32),
            np.array([doc], np.uint64),
            np.uint32(1),
            np.uint32(2),
        )[0]

    identities = [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1), (0, 0, 1 << 32)]
    assert len({key(*identity) for identity in identities}) == len(identities)


@EXAMPLES
@given(addresses=scattered(), share=st.integers(1, 100), seed=SEEDS, ordinal=st.integers(0, 3))
def test_the_rows_of_the_smallest_keys_are_kept_in_order(addresses, share, seed, ordinal):
    count = round(Fraction(share, 100) * len(addresses))
    step, batches = Sample(f"{share}%"), [rows_at(addresses)]
    if count == 0:
        with pytest.raises(TransfersetError, match="at least one row"):
            run_step(step, batches, SETTING, seed=seed, ordinal=ordinal)
        return
    found = run_step(step, batches, SETTING, seed=seed, ordinal=ordinal)
    kept = plain_sample(addresses, count, seed, ordinal)
    assert found.addresses() == kept
    every = {(r["parent_row"], r["copy"]): r for b in batches for r in b.to_pylist()}
    assert found.rows() == [every[address] for address in kept], "rows are as they were"
    assert found.ledger == Ledger({Reason.NOT_SAMPLED: len(addresses) - count})
    assert found.model["rows"] == count


@EXAMPLES
@given(rows=st.integers(1, 60), wanted=st.integers(1, 60), seed=SEEDS)
def test_intact_rows_need_no_survey_and_give_the_same(rows, wanted, seed):
    wanted = min(wanted, rows)
    addresses = [(i, 0) for i in range(rows)]
    batches, step = [rows_at(addresses)], Sample(str(wanted))
    assert not SampleRows(step, SETTING).needs_survey(intact=True)
    unseen = run_step(step, batches, SETTING, seed=seed, intact=True)
    seen = run_step(step, batches, SETTING, seed=seed, intact=False)
    assert unseen.addresses() == seen.addresses() == plain_sample(addresses, wanted, seed)
    assert unseen.model == seen.model


@EXAMPLES
@given(
    addresses=scattered().filter(bool),
    cuts=st.lists(st.integers(0, 70), max_size=3),
    batch_cuts=st.lists(st.integers(0, 40), max_size=4),
    by=st.sampled_from(["rows", "tokens"]),
)
def test_batches_and_ranges_make_no_difference(addresses, cuts, batch_cuts, by):
    whole = rows_at(addresses)
    step = Sample("1" if by == "rows" else "100%", by=by)
    once = run_step(step, [whole], SETTING, seed=3)
    often = run_step(step, cut(whole, batch_cuts), SETTING, seed=3, cuts=cuts)
    assert once.rows() == often.rows()
    assert once.ledger == often.ledger
    assert once.model == often.model


@EXAMPLES
@given(
    addresses=scattered().filter(bool), sizes=st.lists(st.integers(1, 100), min_size=2, max_size=4)
)
def test_samples_of_one_seed_nest(addresses, sizes):
    sizes = sorted({max(1, round(s / 100 * len(addresses))) for s in sizes})
    found = [run_step(Sample(str(s)), [rows_at(addresses)], SETTING) for s in sizes]
    assert [len(f.addresses()) for f in found] == sizes
    for small, large in pairwise(found):
        assert set(small.addresses()) <= set(large.addresses())


@pytest.mark.parametrize(
    ("rows", "share", "kept"), [(5, "50%", 2), (7, "50%", 4), (1000, "0.1%", 1)]
)
def test_sizes_are_rounded_half_to_even(rows, share, kept):
    # 2.5 → 2, 3.5 → 4
    found = run_step(Sample(share), [rows_at([(i, 0) for i in range(rows)])], SETTING)
    assert len(found.addresses()) == kept


def test_another_seed_or_another_step_is_another_sample():
    batches = [rows_at([(i, 0) for i in range(200)])]
    found = [
        run_step(Sample("50%"), batches, SETTING, seed=seed, ordinal=ordinal).addresses()
        for seed, ordinal in [(0, 0), (1, 0), (0, 1)]
    ]
    assert len({tuple(f) for f in found}) == 3


@EXAMPLES
@given(addresses=scattered().filter(bool), budget=st.integers(1, 200), seed=SEEDS)
def test_a_token_budget_takes_the_most_rows_in_order_of_the_keys(addresses, budget, seed):
    batch, step = rows_at(addresses), Sample(str(budget), by="tokens")
    lengths = {(r["parent_row"], r["copy"]): len(r["input_ids"]) for r in batch.to_pylist()}
    if budget > sum(lengths.values()):
        with pytest.raises(UsageError, match=f"{sum(lengths.values())} tokens.*{budget}"):
            run_step(step, [batch], SETTING, seed=seed)
        return
    key, total, kept = step_key(seed, 0), 0, []
    for address in sorted(addresses, key=lambda a: (row_key(*a, key), a)):
        if total + lengths[address] > budget:
            break
        total += lengths[address]
        kept.append(address)
    if not kept:
        with pytest.raises(TransfersetError, match="at least one row"):
            run_step(step, [batch], SETTING, seed=seed)
        return
    found = run_step(step, [batch], SETTING, seed=seed)
    assert found.addresses() == sorted(kept)
    assert (found.model["rows"], found.model["tokens"]) == (len(kept), total)


def test_a_share_of_the_tokens_is_a_budget():
    # 100 rows of 4 ids: half of the 400 ids are 50 rows
    batch = make_rows([[2, 5, 6, 3]] * 100)
    found = run_step(Sample("50%", by="tokens"), [batch], SETTING)
    assert (found.model["rows"], found.model["tokens"], len(found.rows())) == (50, 200, 50)


def test_equal_keys_are_told_apart_by_the_address(monkeypatch):
    # every key is 5: the first rows by address are kept
    monkeypatch.setattr(
        "transferset.transforms.sample.row_keys",
        lambda rows, copies, k0, k1: np.full(len(rows), 5, np.uint64),
    )
    addresses = [(1, 0), (1, 1), (1, 4), (2, 0), (9, 9)]
    for count in range(1, 6):
        found = run_step(Sample(str(count)), [rows_at(addresses)], SETTING)
        assert found.addresses() == addresses[:count]


def test_more_rows_than_there_are_is_a_wrong_call():
    with pytest.raises(UsageError, match="at most the 3 rows that there are, found 4"):
        run_step(Sample("4"), [rows_at([(0, 0), (1, 0), (2, 0)])], SETTING)


def test_no_row_is_no_set():
    with pytest.raises(TransfersetError, match="at least one row, found 10% of 3 rows"):
        run_step(Sample("10%"), [rows_at([(0, 0), (1, 0), (2, 0)])], SETTING)
    with pytest.raises(TransfersetError, match="at least one row"):
        run_step(Sample("10%"), [rows_at([])], SETTING)


def test_all_columns_and_wide_ids_are_carried_along():
    batch = make_rows(
        [[2, 70_000, 3], [2, 3], [], [2, 9, 3]],
        ids=pa.int32(),
        text=["a", "b", "", "d"],
        labels=[[-100, 7, -100], [-100, -100], [], [-100] * 3],
        source=[1, 2, 3, 4],
    )
    found = run_step(Sample("3"), [batch], SETTING, seed=5)
    assert found.batches[0].schema.names == batch.schema.names
    assert found.batches[0].schema.types == batch.schema.types
    every = batch.to_pylist()
    assert found.rows() == [every[row] for row, _ in found.addresses()]


class Rows:
    """What `conclude` is told of intact rows."""

    def __init__(self, rows):
        self.rows, self.tokens, self.bounds = rows, 10 * rows, [0, rows]

    def batches(self):
        return iter(())


def chosen(rows, count, seed, folder):
    """Which of many intact rows are kept, straight from the model."""
    at, step = Position(seed, 0), Sample(str(count))
    key, row, _ = SampleRows(step, SETTING).conclude(Rows(rows), at, folder, intact=True)["stop"]
    keys = consecutive_keys(np.uint64(0), rows, *map(np.uint32, at.key))
    assert keys[row] == key
    return keys < np.uint64(key)


def test_every_row_is_equally_likely(tmp_path):
    # 1000 seeds, 30 of 120 rows. The counts of a row have variance S·p·(1−p), and sum to a
    # constant: Σ(c−Sp)²/(Sp(1−p))·(n−1)/n is chi-square with n−1 = 119 degrees of freedom, of
    # deviation √238 = 15.4; five of them either way. If half of the rows had p = 0.25 + x and half
    # p = 0.25 − x, it would grow by 120·S·x²/(p(1−p)): x = 0.015 would be found in 9 of 10 runs.
    seeds, rows, count = 1000, 120, 30
    hits = sum(chosen(rows, count, seed, tmp_path).astype(int) for seed in range(seeds))
    p = count / rows
    chi_square = ((hits - seeds * p) ** 2).sum() / (seeds * p * (1 - p)) * (rows - 1) / rows
    assert 119 - 77 < chi_square < 119 + 77
    assert hits.sum() == seeds * count


def test_samples_of_different_seeds_are_independent(tmp_path):
    # the overlap of two independent samples is hypergeometric: of 500 rows 100 and 100, mean 20,
    # variance 100·(1/5)·(4/5)·(400/499) = 12.8. 400 disjoint pairs of seeds: the mean is within
    # five of its deviations √(12.8/400) = 0.18 (a correlation that moves it by 1 row is found),
    # and the variance within five of its own, 12.8·√(2/399) = 0.91.
    overlaps = np.array(
        [
            (chosen(500, 100, 2 * i, tmp_path) & chosen(500, 100, 2 * i + 1, tmp_path)).sum()
            for i in range(400)
        ]
    )
    assert abs(overlaps.mean() - 20) < 5 * 0.18
    assert abs(overlaps.var(ddof=1) - 12.8) < 5 * 0.91


def test_neighbours_are_chosen_independently(tmp_path):
    # of a sample of 20,000 out of 40,000 rows, neighbours agree in half of the 39,999 pairs:
    # deviation √(39,999)/2 = 100, five of them
    wanted = chosen(40_000, 20_000, 11, tmp_path)
    assert wanted.sum() == 20_000
    assert abs((wanted[1:] == wanted[:-1]).sum() - 39_999 / 2) < 500


@settings(max_examples=20, deadline=None)
@given(rows=st.integers(65_530, 65_545), wanted=st.integers(1, 65_529))
def test_sizes_are_exact_across_the_blocks_in_which_keys_are_made(tmp_path_factory, rows, wanted):
    folder = tmp_path_factory.getbasetemp()
    assert chosen(rows, wanted, 4, folder).sum() == wanted
