"""Layouts of rows against plain Python."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_students import CLS, PAD, SEP, VOCABULARY, framed, rows

from transferset.errors import InputError
from transferset.students.rows import packed, padded, present, rows_of, sides, take, texts

IDS = st.lists(st.lists(st.integers(0, 9), max_size=6), max_size=6)
FULL = st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=6), min_size=1, max_size=6)


def lists(found):
    return [found.ids[a:b].tolist() for a, b in pairwise(found.offsets)]


def test_a_text_is_what_stands_between_special_ids():
    (found,) = texts(rows(framed([5, 6]), framed([7])), VOCABULARY, pair=False)
    assert lists(found) == [[5, 6], [7]]


def test_the_second_text_follows_the_first_separator():
    first, second = texts(rows(framed([5], [6, 7]), framed([8, 9], [4])), VOCABULARY, pair=True)
    assert lists(first) == [[5], [8, 9]]
    assert lists(second) == [[6, 7], [4]]


def test_an_empty_text_reads_as_padding():
    first, second = texts(rows(framed([5], []), [], framed([6])), VOCABULARY, pair=True)
    assert lists(first) == [[5], [PAD], [6]]
    assert lists(second) == [[PAD], [PAD], [PAD]]


@settings(max_examples=40)
@given(IDS, st.booleans())
def test_texts_are_cut_as_in_plain_python(given_rows, pair):
    def cut(row):
        at = row.index(SEP) if pair and SEP in row else len(row)
        parts = [row[:at], row[at:]] if pair else [row]
        return [[i for i in part if i not in (PAD, CLS, SEP)] or [PAD] for part in parts]

    found = [lists(part) for part in texts(rows(*given_rows), VOCABULARY, pair=pair)]
    assert [list(one) for one in zip(*found, strict=True)] == [cut(row) for row in given_rows]


@settings(max_examples=40)
@given(IDS)
def test_sides_count_the_separators_before(given_rows):
    wanted = [row[:i].count(SEP) for row in given_rows for i in range(len(row))]
    assert sides(rows(*given_rows), VOCABULARY).tolist() == wanted


@settings(max_examples=40)
@given(FULL)
def test_packed_rows_stand_in_the_order_of_time(given_rows):
    found = packed(rows(*given_rows))
    longest = sorted(given_rows, key=len, reverse=True)
    steps = [[row[t] for row in longest if len(row) > t] for t in range(len(longest[0]))]
    assert found.ids.tolist() == [id_ for step in steps for id_ in step]
    assert found.sizes.tolist() == [len(step) for step in steps]
    assert [given_rows[i] for i in found.order] == longest
    assert found.order[found.back].tolist() == list(range(len(given_rows)))


def test_packed_rows_are_those_of_torch():
    torch = pytest.importorskip("torch")
    given_rows = [[1, 2], [3, 4, 5], [6], [7, 8, 9]]
    found = packed(rows(*given_rows))
    tensors = [torch.tensor(row) for row in given_rows]
    wanted = torch.nn.utils.rnn.pack_sequence(tensors, enforce_sorted=False)
    assert found.ids.tolist() == wanted.data.tolist()
    assert found.sizes.tolist() == wanted.batch_sizes.tolist()


@settings(max_examples=40)
@given(FULL)
def test_padded_rows(given_rows):
    given = rows(*given_rows)
    longest = max(map(len, given_rows))
    wanted = [row + [-1] * (longest - len(row)) for row in given_rows]
    assert padded(given, given.ids, -1).tolist() == wanted
    here = present(given.lengths, longest).tolist()
    assert here == [[t < len(row) for t in range(longest)] for row in given_rows]


@settings(max_examples=40)
@given(FULL, st.data())
def test_rows_are_taken_in_any_order(given_rows, data):
    which = data.draw(st.lists(st.integers(0, len(given_rows) - 1)))
    found = take(rows(*given_rows), np.array(which, np.int64))
    assert lists(found) == [given_rows[i] for i in which]


@pytest.mark.parametrize("offsets", [[], [0], [1, 3], [0, 2], [0, 3, 2, 3], [[0, 3]]])
def test_offsets_that_are_none(offsets):
    with pytest.raises(InputError, match="expected offsets that rise from 0 to 3"):
        rows_of(np.array([1, 2, 3]), np.array(offsets))
