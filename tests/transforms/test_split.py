"""Splits: disjoint, complete, of the right sizes, never through a document."""

from collections import Counter
from fractions import Fraction
from itertools import accumulate

import numpy as np
import pytest
from driving import cut, make_rows, make_setting, run_step
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_random import MASK32, philox, row_key, step_key

from transferset.errors import TransfersetError
from transferset.ledger import Reason
from transferset.steps import Split

SETTING = make_setting()
EXAMPLES = settings(max_examples=30, deadline=None)

SHARES = st.sampled_from(
    [
        {"train": "0.9", "validation": "0.1"},
        {"a": "0.5", "b": "0.25", "c": "0.25"},
        {"train": "0.3", "test": "0.3"},
        {"all": "1"},
        {"z": "0.4", "y": "0.4"},
    ]
)


def split_into(shares):
    return Split(",".join(f"{name}={share}" for name, share in shares.items()))


def run_all(step, batches, shares, **how):
    """Every split, by name."""
    return {name: run_step(step, batches, SETTING, take=name, **how) for name in shares}


def plain_split(units, shares, rows):
    """Names of the units; a unit is a (key, number of rows).

    The cut of a share lies after that many whole units, in order of the keys, that come nearest to
    it; the fewer of two that are as near.
    """
    sizes = Counter()
    for key, size in units:
        sizes[key] += size
    totals = list(accumulate((sizes[key] for key in sorted(sizes)), initial=0))
    targets = [round(c * rows) for c in accumulate(Fraction(share) for share in shares.values())]
    ends = [min(range(len(totals)), key=lambda i, t=t: (abs(totals[i] - t), i)) for t in targets]
    names = {}
    for name, start, end in zip(shares, [0, *ends], ends, strict=False):
        names |= dict.fromkeys(sorted(sizes)[start:end], name)
    return names


def document_key(row, seed):
    doc = row.get("doc_id")
    words = (doc & MASK32, doc >> 32, row.get("part", 0), row.get("source", 0))
    a, b, _, _ = philox(words, step_key(seed, 0))
    return a << 32 | b


@st.composite
def documents(draw):
    """Rows of few documents, in any order; documents of two sources may share their number."""
    rows = draw(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 1)), min_size=1, max_size=60))
    docs, sources = zip(*rows, strict=True)
    return make_rows([[2, 5, 3]] * len(rows), doc_id=[d << 31 for d in docs], source=sources)


@st.composite
def copied(draw):
    """Rows without documents; some parent rows have several copies."""
    found = draw(st.sets(st.tuples(st.integers(0, 40), st.integers(0, 2)), min_size=1))
    return make_rows([[2, 5, 3]] * len(found), addresses=sorted(found))


@EXAMPLES
@given(
    batch=documents() | copied(),
    shares=SHARES,
    seed=st.sampled_from([0, 3]),
    cuts=st.lists(st.integers(0, 70), max_size=3),
    batch_cuts=st.lists(st.integers(0, 60), max_size=4),
)
def test_each_row_is_where_its_documents_key_says(batch, shares, seed, cuts, batch_cuts):
    rows = batch.to_pylist()
    if "doc_id" in batch.schema.names:
        keys = [document_key(row, seed) for row in rows]
    else:
        keys = [row_key(row["parent_row"], 0, step_key(seed, 0)) for row in rows]
    names = plain_split([(key, 1) for key in keys], shares, len(rows))
    step, batches = split_into(shares), cut(batch, batch_cuts)
    if not set(shares) <= {names.get(key) for key in keys}:
        with pytest.raises(TransfersetError, match="at least one row in"):
            run_step(step, batches, SETTING, seed=seed, cuts=cuts, take=next(iter(shares)))
        return
    for name, found in run_all(step, batches, shares, seed=seed, cuts=cuts).items():
        expected = [row for row, key in zip(rows, keys, strict=True) if names.get(key) == name]
        assert found.rows() == expected
        assert found.ledger[Reason.OTHER_SPLIT] == len(rows) - len(expected)
        assert found.model["splits"][name]["rows"] == len(expected)


@EXAMPLES
@given(rows=st.integers(20, 200), shares=SHARES, seed=st.integers(0, 9))
def test_without_documents_sizes_are_exact_and_nothing_is_shared(rows, shares, seed):
    found = run_all(split_into(shares), [make_rows([[2, 3]] * rows)], shares, seed=seed)
    ends = [round(c * rows) for c in accumulate(Fraction(s) for s in shares.values())]
    sizes = [b - a for a, b in zip([0, *ends], ends, strict=False)]
    assert [len(f.addresses()) for f in found.values()] == sizes
    together = [address for f in found.values() for address in f.addresses()]
    assert len(set(together)) == len(together) == ends[-1]


@EXAMPLES
@given(batch=documents(), seed=st.integers(0, 20))
def test_no_document_straddles(batch, seed):
    shares = {"train": "0.5", "validation": "0.5"}
    try:
        found = run_all(split_into(shares), [batch], shares, seed=seed)
    except TransfersetError:
        return
    a, b = ({(r["doc_id"], r["source"]) for r in f.rows()} for f in found.values())
    assert not a & b
    assert sum(len(f.addresses()) for f in found.values()) == batch.num_rows


def test_copies_of_a_row_stay_together():
    batch = make_rows([[2, 3]] * 60, addresses=[(i // 3, i % 3) for i in range(60)])
    shares = {"a": "0.5", "b": "0.5"}
    found = run_all(split_into(shares), [batch], shares)
    for split in found.values():
        assert set(Counter(row for row, _ in split.addresses()).values()) == {3}
        assert len(split.addresses()) == 30


def test_rows_beyond_all_shares_are_in_no_split():
    shares = {"train": "0.5", "validation": "0.1"}
    found = run_all(split_into(shares), [make_rows([[2, 3]] * 100)], shares)
    assert [len(f.addresses()) for f in found.values()] == [50, 10]
    # tokens in proportion: two ids a row
    sizes = {
        n: {u: s[u] for u in ("rows", "tokens")} for n, s in found["train"].model["splits"].items()
    }
    assert sizes == {
        "train": {"rows": 50, "tokens": 100},
        "validation": {"rows": 10, "tokens": 20},
    }


def test_a_split_without_rows_is_refused():
    # one document: it cannot be in both
    batch = make_rows([[2, 3]] * 10, doc_id=[7] * 10)
    with pytest.raises(
        TransfersetError, match="at least one row in 'validation', found none of 10"
    ):
        run_step(Split("train=0.9,validation=0.1"), [batch], SETTING, take="train")
    with pytest.raises(TransfersetError, match="at least one row"):
        run_step(Split("all=1"), [make_rows([])], SETTING, take="all")


def test_the_nearest_whole_document_is_taken():
    # four documents of 10 rows: 0.5, 0.6 and 0.65 of 40 are 20, 24 and 26, which come nearest to
    # two, two and three documents; 25 is as near to two as to three, and the fewer are taken
    batch = make_rows([[2, 3]] * 40, doc_id=[i % 4 for i in range(40)])
    for share, rows in [("0.5", 20), ("0.6", 20), ("0.625", 20), ("0.65", 30)]:
        shares = {"a": share, "b": "0.35"}
        found = run_all(split_into(shares), [batch], shares)
        assert len(found["a"].addresses()) == rows == found["a"].model["splits"]["a"]["rows"]


def test_documents_are_equally_likely_to_be_held_out():
    # 40 documents of one row, 10 held out, 300 seeds: as for samples, chi-square with 39 degrees
    # of freedom, deviation 8.8, five of them
    batch = make_rows([[2, 3]] * 40, doc_id=range(100, 140))
    step, hits, p = Split("train=0.75,validation=0.25"), np.zeros(40), 0.25
    for seed in range(300):
        found = run_step(step, [batch], SETTING, seed=seed, take="validation")
        hits[[row for row, _ in found.addresses()]] += 1
    assert hits.sum() == 300 * 10
    chi_square = ((hits - 300 * p) ** 2).sum() / (300 * p * (1 - p)) * 39 / 40
    assert abs(chi_square - 39) < 5 * 8.8
