"""Counting tokens, and the exactness of the alias table."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pyarrow as pa
import pytest
from driving import CLS, MASK, PAD, SEP, UNK, make_rows, make_setting
from hypothesis import given, settings
from hypothesis import strategies as st

from transferset.errors import InputError
from transferset.transforms.unigram import (
    LENGTHS,
    TOKENS,
    UnigramSurvey,
    alias_table,
    count_tokens,
    draw_token,
    merge_counts,
    tallied,
)

WHOLE = 1 << 64


def counted(batch: pa.RecordBatch, vocab_size: int = 12) -> dict[int, int]:
    counts = np.zeros(vocab_size, np.int64)
    count_tokens(batch, make_setting(vocab_size), counts)
    return {i: n for i, n in enumerate(counts.tolist()) if n}


@pytest.mark.parametrize("ids", [pa.uint16(), pa.int32()])
def test_content_tokens_are_counted_and_unknown_ones_are_content(ids):
    rows = [[CLS, 7, UNK, 7, SEP, 8, SEP], [CLS, MASK, 11, SEP, PAD, PAD], [CLS, SEP], []]
    assert counted(make_rows(rows, ids=ids)) == {UNK: 1, 7: 2, 8: 1, 11: 1}


def test_a_slice_counts_its_own_rows_alone():
    batch = make_rows([[CLS, 7, SEP], [CLS, 8, SEP], [CLS, 9, 9, SEP], [CLS, 10, SEP]])
    assert counted(batch.slice(1, 2)) == {8: 1, 9: 2}


def test_no_rows_count_nothing():
    assert counted(make_rows([])) == {}


def test_counts_are_added_to_what_is_there_even_at_special_ids():
    counts = np.arange(12, dtype=np.int64)
    count_tokens(make_rows([[CLS, 7, SEP]]), make_setting(12), counts)
    assert counts.tolist() == [0, 1, 2, 3, 4, 5, 6, 8, 8, 9, 10, 11]


@pytest.mark.parametrize(("wrong", "ids"), [(12, pa.uint16()), (65_535, pa.uint16()),
                                            (-1, pa.int32()), (1 << 30, pa.int32())])  # fmt: skip
def test_an_id_outside_the_vocabulary_is_refused_with_its_row(wrong, ids):
    batch = make_rows(
        [[CLS, 7, SEP], [], [CLS, 7, wrong, SEP]], ids=ids, addresses=[(4, 0), (5, 0), (9, 1)]
    )
    with pytest.raises(InputError, match=rf"ids below 12, found {wrong} at row 9"):
        counted(batch)


def test_surveys_of_ranges_add_up():
    parts = []
    for rows in ([[CLS, 7, 9, SEP], [CLS, 9, SEP]], [], [[CLS, 9, SEP, 5, SEP]]):
        survey = UnigramSurvey(make_setting(12))
        assert survey.add(make_rows(rows)) is None
        parts.append(survey.finish())
    assert parts[0].to_pydict() == {"kind": [TOKENS] * 2, "value": [7, 9], "count": [1, 2]}
    assert parts[0].schema == parts[1].schema
    parts.append(tallied(LENGTHS, np.array([3]), np.array([100])))  # lengths are passed over
    assert merge_counts(parts, 12).tolist() == [0, 0, 0, 0, 0, 1, 0, 1, 0, 3, 0, 0]


def masses(counts: list[int]) -> list[int]:
    """Of the 2**64 words, how many draw each token: the table's columns summed as Python ints."""
    table = alias_table(np.array(counts, np.int64))
    bits = int(table.bits)
    column = 1 << (64 - bits)
    found = [0] * len(table.columns)
    for own, packed in enumerate(table.columns.tolist()):
        chances, other = divmod(packed, 1 << bits)
        assert chances < column
        found[own] += chances
        found[other] += column - chances
    return found


def assert_exact(counts: list[int]) -> None:
    found = masses(counts)
    total = sum(counts)
    assert sum(found) == WHOLE
    assert not any(found[len(counts) :])
    for mass, n in zip(found, counts, strict=False):
        exact = Fraction(n * WHOLE, total)
        assert abs(mass - exact) < 1
        assert (mass == 0) == (n == 0)


def test_a_table_worked_out_by_hand():
    # Two columns of 2**63 chances. Token 0 has a quarter of 2**64, 2**62: its column is half its
    # own and half token 1's. Token 1 has three times as much: the other column and that half.
    table = alias_table(np.array([1, 3], np.int64))
    assert table.bits == 1
    assert table.columns.tolist() == [(1 << 62) << 1 | 1, 1]


def test_what_does_not_divide_goes_to_the_largest_remainders():
    # 2**64 = 3 · 6148914691236517205 + 1: equal remainders, so the lowest id gets the one left over
    third = 6148914691236517205
    assert masses([1, 1, 1])[:3] == [third + 1, third, third]
    # 2**64 · 2/3 has the remainder 2, 2**64 · 1/3 the remainder 1
    assert masses([1, 0, 2])[:3] == [third, 0, 2 * third + 1]


@pytest.mark.parametrize("counts", [[5], [0, 0, 7], [1], [0, 1, 0, 0]])
def test_a_lone_token_has_every_chance(counts):
    assert masses(counts)[int(np.argmax(counts))] == WHOLE


@settings(deadline=None)  # the first call may have to compile
@given(st.lists(st.integers(0, 9) | st.integers(0, 1 << 50), min_size=1, max_size=70))
def test_every_token_has_its_share_of_all_words_to_one_word(counts):
    if any(counts):
        assert_exact(counts)


def test_large_and_small_counts_keep_their_shares():
    assert_exact([(1 << 62) - 3, 1, 1])
    assert_exact([1, (1 << 61), 0, (1 << 61) - 7, 1])


def test_a_vocabulary_of_usual_size_is_exact():
    ranks = np.arange(1, 30_523)
    counts = (3e9 / (ranks + 2.7)).astype(np.int64)
    counts[[0, 100, 101, 102, 103]] = 0
    np.random.default_rng(0).shuffle(counts)
    assert_exact(counts.tolist())


def test_a_table_of_nothing_can_be_made():
    assert len(alias_table(np.zeros(5, np.int64)).columns) == 8


@settings(deadline=None)  # the first call may have to compile
@given(
    st.lists(st.integers(0, 1000), min_size=1, max_size=40).filter(any),
    st.integers(0, WHOLE - 1),
    st.integers(-2, 2),
)
def test_a_draw_takes_the_column_of_the_high_bits_and_compares_the_others(counts, word, near):
    table = alias_table(np.array(counts, np.int64))
    bits = int(table.bits)
    own = word >> (64 - bits)
    chances, other = divmod(int(table.columns[own]), 1 << bits)
    column = 1 << (64 - bits)
    for chance in {word % column, min(max(0, chances + near), column - 1)}:
        drawn = own << (64 - bits) | chance
        high, low = np.uint32(drawn >> 32), np.uint32(drawn & 0xFFFFFFFF)
        found = draw_token(high, low, table.columns, table.bits)
        assert found == (own if chance < chances else other)
