"""Random words for kernels: whose they are, and numbers below a bound."""

from __future__ import annotations

import numpy as np
import pytest
from driving import cut, make_rows
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit
from plain_noise import WHOLE, word

from transferset.transforms import Position
from transferset.transforms.buffers import flat
from transferset.transforms.draws import SPAN, address, bounded, draws

#: The first example may have to wait for the compiler.
EXAMPLES = settings(max_examples=50, deadline=None)

AT = Position(5, 2)


@njit
def number_below(first, below, spare, draws, row):
    return bounded(first, below, spare, address(draws, row))


def words_by_row(batch, each):
    found = {}
    for some in draws(batch, flat(batch)[1], AT, each):
        for row in range(some.first, some.stop):
            begin, end = (int(some.starts[row - some.first + i]) for i in (0, 1))
            found[row] = some.words[begin:end].tolist()
    return found


@EXAMPLES
@given(
    lengths=st.lists(st.integers(0, 9), max_size=12),
    each=st.sampled_from([1, 3]),
    first=st.integers(0, 2**64 - 20),
    copy=st.integers(0, 2**32 - 1),
)
def test_each_row_has_words_of_its_own_address(lengths, each, first, copy):
    batch = make_rows(
        [[7] * n for n in lengths], addresses=[(first + i, copy) for i in range(len(lengths))]
    )
    found = words_by_row(batch, each)
    assert list(found) == list(range(len(lengths)))
    for row, n in enumerate(lengths):
        assert len(found[row]) >= each * n
        assert found[row] == [word(i, first + row, copy, AT.key) for i in range(len(found[row]))]


def test_memory_is_bounded_however_many_rows_there_are():
    batch = make_rows([[7] * 1000] * 300 + [[7] * (SPAN + 9)] + [[7]] * 5)
    sizes = [len(some.words) for some in draws(batch, flat(batch)[1], AT)]
    assert len(sizes) > 4
    assert max(sizes) <= SPAN + (SPAN + 12), "many words, and one row's more"
    together, parts = words_by_row(batch, 1), cut(batch, [1, 299, 301])
    alone = [words for part in parts for words in words_by_row(part, 1).values()]
    assert alone == list(together.values())


def below_with(first, bound, spare=4):
    batch = make_rows([[7]], addresses=[(11, 3)])
    (some,) = draws(batch, flat(batch)[1], AT)
    found, rest = number_below(np.uint32(first), np.uint64(bound), np.uint64(spare), some, 0)
    return int(found), int(rest)


@EXAMPLES
@given(bound=st.integers(1, 2**32 - 1), data=st.data())
def test_each_number_below_a_bound_is_meant_by_equally_many_words(bound, data):
    # of the words whose product with the bound lies in [n·2³², (n + 1)·2³²) the accepted ones are
    # counted by their ends: they are consecutive, and 2³² // bound for every n
    n = data.draw(st.integers(0, bound - 1))
    first = -(-n * WHOLE // bound)
    while (first * bound) % WHOLE < WHOLE % bound:
        first += 1
    last = ((n + 1) * WHOLE - 1) // bound
    assert last - first + 1 == WHOLE // bound
    assert below_with(first, bound) == (n, 4)
    assert below_with(last, bound) == (n, 4)
    refused = first - 1
    if refused * bound // WHOLE == n and refused >= 0:
        assert below_with(refused, bound)[1] > 4


@pytest.mark.parametrize("bound", [3, 1000, 2**31 + 1])
def test_a_refused_word_is_followed_by_the_rows_spare_words(bound):
    # the word 0 stands first in its interval, so it is refused unless the bound divides 2³²
    number = 4
    while word(number, 11, 3, AT.key) * bound % WHOLE < WHOLE % bound:
        number += 1
    expected = word(number, 11, 3, AT.key) * bound // WHOLE
    assert below_with(0, bound) == (expected, number + 1)


def test_no_word_is_refused_where_the_bound_divides():
    assert below_with(0, 4096) == (0, 4)
    assert below_with(0, 1) == (0, 4)
