"""Where rows that are too long are cut."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transferset.tokens.cuts import cuts


def bools(marks: str) -> np.ndarray:
    return np.array([mark == "|" for mark in marks])


def cut(spaced: str, starts: str, limit: int) -> list[int]:
    return cuts(bools(spaced), bools(starts), np.ones(len(spaced), bool), limit)


def test_words_of_one_piece_give_parts_whose_sizes_differ_by_at_most_one() -> None:
    assert cut("||||||||||", "||||||||||", 4) == [0, 3, 7, 10]
    assert cut("|||||||||", "|||||||||", 4) == [0, 3, 6, 9]


def test_a_row_that_just_fits_two_parts_becomes_two() -> None:
    assert cut("||||||||", "||||||||", 4) == [0, 4, 8]


def test_pieces_of_a_word_stay_together() -> None:
    # Equal halves would end inside the word of tokens 2 to 5; its beginning is as near as its end.
    assert cut("|||...||", "|||...||", 6) == [0, 2, 8]


def test_cuts_fall_after_spaces_rather_than_before_a_full_stop() -> None:
    # Words: 4 of one piece, a full stop without a space before it, 4 more.
    assert cut("||||.||||", "|||||||||", 5) == [0, 5, 9]


def test_cuts_ignore_spaces_where_that_saves_a_part() -> None:
    # Spaced words of 3 pieces each, each piece a word (Chinese): two parts of 5, not 3 + 6 ...
    assert cut("|..|..|...", "||||||||||", 5) == [0, 5, 10]


def test_only_a_word_longer_than_a_row_is_cut_inside() -> None:
    assert cut("|......|", "|......|", 3) == [0, 3, 5, 8]


def test_pieces_of_one_character_stay_together_where_possible() -> None:
    apart = bools("||..||")
    assert cuts(bools("|....."), bools("|....."), apart, 4) == [0, 4, 6]


def fewest(points: list[int], limit: int) -> int:
    """Least number of parts, by trying all sets of cuts in order of size."""
    inner = points[1:-1]
    for count in range(len(inner) + 1):
        for chosen in itertools.combinations(inner, count):
            edges = [0, *chosen, points[-1]]
            if all(b - a <= limit for a, b in itertools.pairwise(edges)):
                return count + 1
    raise AssertionError("no cut fits")


@given(st.lists(st.integers(1, 3), min_size=1, max_size=10), st.integers(3, 8))
def test_no_other_cuts_between_words_give_fewer_parts(words: list[int], limit: int) -> None:
    ends = np.cumsum(words).tolist()
    starts = np.zeros(ends[-1], bool)
    starts[[0, *ends[:-1]]] = True
    found = cuts(starts, starts, np.ones(ends[-1], bool), limit)
    assert set(found) <= {0, *ends}
    assert max(np.diff(found)) <= limit
    assert len(found) - 1 == fewest([0, *ends], limit)


@given(st.integers(1, 60), st.integers(1, 60), st.data())
def test_every_part_fits_whatever_the_words_are(n: int, limit: int, data: st.DataObject) -> None:
    marks = st.lists(st.booleans(), min_size=n, max_size=n).map(np.array)
    found = cuts(data.draw(marks), data.draw(marks), data.draw(marks), limit)
    assert found[0] == 0
    assert found[-1] == n
    assert 0 < min(np.diff(found)) <= max(np.diff(found)) <= limit


@pytest.mark.parametrize("n", [1023, 1020, 511, 510])
def test_long_rows_of_plain_words_are_balanced(n: int) -> None:
    marks = np.ones(n, bool)
    sizes = np.diff(cuts(marks, marks, marks, 510))
    assert len(sizes) == -(-n // 510)
    assert max(sizes) - min(sizes) <= 1
