from __future__ import annotations

from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from row_sets import CLS, MASK, PAD, SEP, UNK, make_rows, row

from transferset.errors import TransfersetError
from transferset.report.bigrams import NgramTable

SPECIAL = (PAD, CLS, SEP, MASK)
ROWS = st.lists(
    st.lists(st.sampled_from([UNK, SEP, MASK, 5, 6, 7, 999]), max_size=8).map(lambda c: row(*c)),
    min_size=1,
    max_size=8,
)


def ngrams(rows, order: int) -> Counter:
    """Every run of `order` content tokens of a row, counted one by one."""
    found: Counter = Counter()
    for ids in rows:
        for i in range(len(ids) - order + 1):
            run = tuple(ids[i : i + order])
            found[run] += not any(piece in SPECIAL for piece in run)
    return +found


def pairs(table: NgramTable) -> list[tuple[int, int]]:
    return sorted(
        (int(x), int(y)) for a, b in table.counts() for x, y in zip(a, b, strict=True)
    )  # fmt: skip


def test_bigrams_worked_out_by_hand(tmp_path):
    rows = [
        row(5, 6, 5, 6),  # 5 6 twice, 6 5
        [CLS, 5, SEP, 6, UNK, SEP],  # 6 [UNK]; not 5 6, which a [SEP] parts
        row(5, MASK, 6),  # none
        row(6),  # none; and none with the next row
    ]
    table = NgramTable(2, most_bits=12)
    table.count(make_rows(tmp_path / "set", rows), 0)
    assert pairs(table) == [(1, 0), (1, 0), (2, 0)]
    assert (table.types, table.total(0), table.total(1), table.share) == (3, 4, 0, 1.0)


@pytest.mark.parametrize("order", [1, 2, 3])
@settings(deadline=None, max_examples=30)
@given(a=ROWS, b=ROWS, cut=st.integers(0, 8))
def test_counts_of_both_sets_are_those_of_a_plain_loop(order, a, b, cut):
    table = NgramTable(order, most_bits=12)
    with TemporaryDirectory() as folder:
        table.count(make_rows(Path(folder) / "a", a, shards=[min(cut, len(a))]), 0)
        table.count(make_rows(Path(folder) / "b", b), 1)
    of_a, of_b = ngrams(a, order), ngrams(b, order)
    assert pairs(table) == sorted((of_a[k], of_b[k]) for k in of_a | of_b)
    assert (table.total(0), table.total(1)) == (of_a.total(), of_b.total())


def test_order_and_side_of_an_ngram_matter(tmp_path):
    table = NgramTable(2, most_bits=12)
    table.count(make_rows(tmp_path / "a", [row(5, 6)]), 0)
    table.count(make_rows(tmp_path / "b", [row(6, 5)]), 1)
    assert pairs(table) == [(0, 1), (1, 0)]


def test_ids_of_a_large_vocabulary_are_told_apart(tmp_path):
    # neighbours in the key: the last bit of one id is the next to the first bit of the other
    rows = [row(1 << 20, 5, 5), row(5, 1 << 20, 5), row(5, 5, 1 << 20), row(5, 5, 5)]
    table = NgramTable(3, most_bits=12)
    table.count(make_rows(tmp_path / "set", rows, ids=pa.int32(), vocab_size=1 << 21), 0)
    assert pairs(table) == [(1, 0)] * 4


def random_rows(seed: int, rows: int) -> list[list[int]]:
    """Rows of 20 tokens, squares of uniform draws, so that some bigrams are frequent."""
    drawn = np.random.default_rng(seed).random((rows, 20)) ** 2 * 990
    return [row(*ids) for ids in (drawn.astype(int) + 5).tolist()]


def test_a_table_that_grows_loses_nothing(tmp_path):
    rows = random_rows(1, 2500)  # 47,500 bigrams; 4,096 slots at first
    table = NgramTable(2, most_bits=16)
    table.count(make_rows(tmp_path / "set", rows), 0)
    assert table.share == 1.0
    assert pairs(table) == sorted((n, 0) for n in ngrams(rows, 2).values())


def test_a_full_table_keeps_a_sample_of_types_with_all_their_occurrences(tmp_path):
    a, b = random_rows(1, 2500), random_rows(2, 2500)
    exact, small = NgramTable(2, most_bits=18), NgramTable(2, most_bits=13)
    for table in (exact, small):
        table.count(make_rows(tmp_path / f"{id(table)}a", a), 0)
        table.count(make_rows(tmp_path / f"{id(table)}b", b), 1)
    assert exact.share == 1.0
    assert small.share in (1 / 8, 1 / 16, 1 / 32)
    assert small.types <= 0.75 * 2**13
    assert (small.total(0), small.total(1)) == (exact.total(0), exact.total(1))
    # whole types, or nothing of them: no pair of counts that the exact table has not as often
    assert not Counter(pairs(small)) - Counter(pairs(exact))
    # Each type is kept with probability `share`, so the number is within 4 standard deviations
    # in 99.99 of 100 cases; the hash and the rows are fixed.
    mean, deviation = exact.types * small.share, (exact.types * small.share) ** 0.5
    assert abs(small.types - mean) < 4 * deviation


def test_what_is_kept_does_not_depend_on_the_order_of_the_sets(tmp_path):
    a, b = (make_rows(tmp_path / str(s), random_rows(s, 1500)) for s in (1, 2))
    one, other = NgramTable(2, most_bits=13), NgramTable(2, most_bits=13)
    one.count(a, 0)
    one.count(b, 1)
    other.count(b, 1)
    other.count(a, 0)
    assert one.share == other.share < 1
    assert pairs(one) == pairs(other)


def test_a_count_that_would_not_fit_is_an_error(tmp_path):
    found = make_rows(tmp_path / "set", [row(5, 5, 5)])
    table = NgramTable(2, most_bits=12)
    table.count(found, 0)
    slot = np.flatnonzero(table._slots[:, 0])[0]
    table._slots[slot, 1] = 0xFFFFFFFF  # 2³² − 1 occurrences cannot be written for a test
    table.count(found, 1)  # the other side has room
    with pytest.raises(TransfersetError, match="below 2³² occurrences"):
        table.count(found, 0)


def test_a_table_that_cannot_place_a_type_is_an_error(tmp_path):
    found = make_rows(tmp_path / "set", [row(5, 6)])
    table = NgramTable(2, most_bits=12)
    table._slots[:-1, 0] = 1  # as if all others had been chosen to stand there
    with pytest.raises(TransfersetError, match="whose hashes are spread"):
        table.count(found, 0)
