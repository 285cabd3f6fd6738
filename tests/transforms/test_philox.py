"""The compiled generator gives the bits of `rng.philox`, whose known answers are in test_rng."""

from __future__ import annotations

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numba import njit

from transferset import philox, rng

WORD = st.integers(0, 2**32 - 1)
ROW = st.integers(0, 2**64 - 1)

#: The first example may have to wait for the compiler.
EXAMPLES = settings(max_examples=60, deadline=None)


@njit
def block(row, copy, number, k0, k1):
    return philox.block(row, copy, number, k0, k1)


def expected(row, copy, numbers, key):
    counter = [np.full(len(numbers), c, np.uint32) for c in (row % 2**32, row >> 32, copy)]
    words = rng.philox((*counter, np.array(numbers, np.uint32)), key)
    return np.stack(words, axis=-1).ravel().tolist()


def typed(row, copy, key):
    return np.uint64(row), np.uint32(copy), *philox.as_words(key)


@EXAMPLES
@given(ROW, WORD, WORD, WORD, WORD)
@example(2**64 - 1, 2**32 - 1, 2**32 - 1, 2**32 - 1, 2**32 - 1)
@example(2**32, 0, 0, 0, 0)
def test_a_block_has_the_bits_of_its_counter(row, copy, number, k0, k1):
    row_, copy_, *key = typed(row, copy, (k0, k1))
    assert list(block(row_, copy_, np.uint32(number), *key)) == expected(
        row, copy, [number], (k0, k1)
    )


@EXAMPLES
@given(st.integers(0, 41), ROW, WORD, WORD, WORD)
def test_filled_words_are_the_blocks_in_order_and_no_more(count, row, copy, k0, k1):
    words = np.full(48, 7, np.uint32)
    philox.fill(words, count, *typed(row, copy, (k0, k1)))
    blocks = -(-count // 4)
    assert words[: 4 * blocks].tolist() == expected(row, copy, range(blocks), (k0, k1))
    assert (words[4 * blocks :] == 7).all()


@EXAMPLES
@given(st.integers(0, 2**20), ROW, WORD, WORD, WORD)
def test_one_word_alone_is_the_one_of_its_block(number, row, copy, k0, k1):
    found = philox.word(number, *typed(row, copy, (k0, k1)))
    assert found == expected(row, copy, [number // 4], (k0, k1))[number % 4]
