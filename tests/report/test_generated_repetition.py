"""N-grams, counted by hand and by plain loops."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from math import log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transferset.report import generated_rows
from transferset.report.generated_rows import Text
from transferset.report.ngrams import BREAK, KeySet, ngram_keys, once_a_row
from transferset.report.repetition import (
    distinct,
    repeated_rows,
    repetition,
    rows_within,
    self_repetition,
    share_elsewhere,
    share_within,
)

#: Stands for [SEP] in the rows of these tests.
CUT = None

ROWS = st.lists(
    st.lists(st.sampled_from([5, 6, 7, CUT]), max_size=9).map(tuple), min_size=1, max_size=9
)


def text(*rows) -> Text:
    flat = [BREAK if i is CUT else i for one in rows for i in one]
    offsets = np.append(0, np.cumsum([len(one) for one in rows], dtype=np.int64))
    return Text(np.array(flat, np.uint32), offsets)


def ngrams(one, order) -> list[tuple]:
    runs = (tuple(one[i : i + order]) for i in range(len(one) - order + 1))
    return [run for run in runs if CUT not in run]


@pytest.fixture(autouse=True)
def tiny_blocks(monkeypatch):
    """So that rows of one text lie in several."""
    monkeypatch.setattr(generated_rows, "_TOGETHER", 12)


def test_distinct_n_by_hand():
    found = text((5, 6, 5), (6, 5))
    assert distinct(found, 1) == 2 / 5
    assert distinct(found, 2) == 2 / 3  # 5 6, 6 5, and 6 5 again
    assert distinct(found, 3) == 1
    assert distinct(found, 4) is None
    assert distinct(text((5, 6, CUT, 5, 6)), 2) == 1 / 2  # no n-gram reaches over [SEP]


def test_self_repetition_by_hand():
    assert self_repetition(text((1, 2, 3, 4, 5), (1, 2, 3, 4, 6), (7, 8, 9, 10))) == pytest.approx(
        (log(2) + log(2) + log(1)) / 3, rel=1e-15
    )
    one = (1, 2, 3, 4, 5)  # two n-grams, each of which stands in the other row
    assert self_repetition(text(one, one)) == pytest.approx(log(3), rel=1e-15)
    assert self_repetition(text((1, 2, 3, 4, 1, 2, 3, 4))) == 0  # within a row is something else
    assert self_repetition(text()) is None


def test_repetition_within_a_row_by_hand():
    assert repetition(text((1, 2, 3, 4, 1, 2, 3, 4))) == 1 / 5
    assert repetition(text((1, 2, 3, 4), (1, 2, 3, 4))) == 0
    assert repetition(text((1, 1, 1, 1, 1, 1), (1, 2, 3, 4))) == 2 / 4
    assert repetition(text((1, 2, 3))) is None


def test_what_stands_in_other_texts_by_hand():
    mine = text((1, 2, 3, 4, 5), (6, 7, 8, 9), (1, 2, 3))
    assert share_within(mine, [text((9, 1, 2)), text((0, 1, 2, 3, 4))], 4) == 1 / 3
    assert share_within(mine, [], 4) == 0
    assert rows_within(mine, [text((1, 2, 3), (6, 7, 8)), text((6, 7, 8, 9))]) == 2
    assert rows_within(text((1, CUT, 2)), [text((1, 2))]) == 0


def test_rows_that_are_equal_are_no_others_of_each_other():
    assert share_elsewhere(text((1, 2, 3, 4), (1, 2, 3, 4), (1, 2, 3, 5)), 4) == 0
    assert share_elsewhere(text((1, 2, 3, 4), (1, 2, 3, 4, 5)), 4) == 2 / 3
    assert repeated_rows(text((1, 2), (3,), (1, 2), (1, 2), ())) == 2


@given(rows=ROWS, others=ROWS, order=st.integers(1, 4))
def test_shares_are_those_of_plain_loops(rows, others, order):
    found = text(*rows)
    every = [one for row in rows for one in ngrams(row, order)]
    kinds = [kind for row in rows for kind in set(ngrams(row, order))]
    there = {one for row in others for one in ngrams(row, order)}
    assert distinct(found, order) == (len(set(every)) / len(every) if every else None)
    expected = (len(every) - len(kinds)) / len(every) if every else None
    assert repetition(found, order) == expected
    expected = sum(kind in there for kind in kinds) / len(kinds) if kinds else None
    assert share_within(found, text(*others).blocks(), order) == expected
    assert rows_within(found, text(*others).blocks()) == sum(row in set(others) for row in rows)
    assert repeated_rows(found) == len(rows) - len(set(rows))


@given(rows=ROWS, order=st.integers(1, 4))
def test_repetition_among_rows_is_that_of_plain_loops(rows, order):
    def elsewhere(some):
        counts = Counter(kind for row in some for kind in set(ngrams(row, order)))
        return [sum(counts[kind] > 1 for kind in set(ngrams(row, order))) for row in some]

    found = text(*rows)
    expected = sum(log(1 + k) for k in elsewhere(rows)) / len(rows)
    assert self_repetition(found, order) == pytest.approx(expected, rel=1e-12, abs=1e-15)
    different = list(dict.fromkeys(rows))
    kinds = sum(len(set(ngrams(row, order))) for row in different)
    assert share_elsewhere(found, order) == (sum(elsewhere(different)) / kinds if kinds else None)


@given(rows=ROWS, tokens=st.integers(0, 40))
def test_the_first_tokens_are_counted_without_breaks(rows, tokens):
    whole = [[i for i in row if i is not CUT] for row in rows]
    cut = text(*rows).first(tokens)
    ends = cut.offsets.tolist()
    kept = [[i for i in cut.ids[a:b].tolist() if i != BREAK] for a, b in pairwise(ends)]
    assert sum(map(len, kept)) == min(tokens, sum(map(len, whole)))
    for i, row in enumerate(kept):
        assert row == whole[i][: len(row)]
        assert len(row) == len(whole[i]) or i == len(kept) - 1


@given(numbers=st.lists(st.integers(0, 12), max_size=60), marked=st.lists(st.integers(0, 15)))
def test_a_set_of_numbers_knows_what_is_in_it_and_what_is_marked(numbers, marked):
    def keys(some):
        ids = np.array([5, *some], np.uint32)[1:]
        return ngram_keys(ids, np.array([0, len(ids)]), 1)[0]

    known = KeySet(13)
    known.add(keys(numbers))
    assert known.different == len(set(numbers))
    twice = {n for n, count in Counter(numbers).items() if count > 1}
    assert known.marked(keys(range(16))).tolist() == [n in twice for n in range(16)]
    known.forget_marks()
    known.mark(keys(marked))
    both = set(numbers) & set(marked)
    assert known.marked(keys(range(16))).tolist() == [n in both for n in range(16)]


def test_a_long_row_of_one_piece_has_one_n_gram():
    ids = np.full(50_000, 7, np.uint32)
    keys, starts = ngram_keys(ids, np.array([0, 50_000]), 8)
    assert len(keys) == 50_000 - 7
    kept, ends = once_a_row(keys, starts)
    assert (len(kept), ends.tolist()) == (1, [0, 1])
