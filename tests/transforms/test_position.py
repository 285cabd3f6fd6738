"""`Position.uniform`: random numbers by address, for transforms in numpy."""

from __future__ import annotations

import numpy as np
from driving import cut, make_rows
from hypothesis import given
from hypothesis import strategies as st

from transferset import rng
from transferset.transforms import Position

ADDRESSES = st.lists(
    st.tuples(st.integers(0, 2**64 - 1), st.integers(0, 2**32 - 1)),
    min_size=1,
    max_size=8,
    unique=True,
)


def at_addresses(addresses):
    return make_rows([[2, 3]] * len(addresses), addresses=addresses)


@given(ADDRESSES, st.integers(1, 9), st.integers(0, 2**64 - 1), st.integers(0, 2**32 - 1))
def test_numbers_are_the_words_of_the_rows_blocks(addresses, draws, seed, step):
    found = Position(seed, step).uniform(at_addresses(addresses), draws)
    blocks = np.arange(3, dtype=np.uint32)
    for (row, copy), numbers in zip(addresses, found, strict=True):
        counter = [np.full(3, c, np.uint32) for c in (row % 2**32, row >> 32, copy)]
        words = np.stack(rng.philox((*counter, blocks), rng.step_key(seed, step)), axis=-1)
        assert numbers.tolist() == (words.ravel()[:draws] / 2**32).tolist()


@given(ADDRESSES, st.lists(st.integers(1, 7)))
def test_a_row_has_its_numbers_in_any_batch(addresses, bounds):
    batch, at = at_addresses(addresses), Position(3, 1)
    parts = [at.uniform(part, 5) for part in cut(batch, bounds) if part.num_rows]
    assert np.array_equal(np.concatenate(parts), at.uniform(batch, 5))


def test_more_draws_begin_with_the_fewer():
    batch, at = at_addresses([(7, 0), (9, 2)]), Position(0, 0)
    assert np.array_equal(at.uniform(batch, 11)[:, :3], at.uniform(batch, 3))


def test_numbers_are_uniform_and_those_of_seeds_steps_and_rows_are_uncorrelated():
    # 40,000 numbers; a correlation of 0.035 would be seen with a chance of 98 % (7 standard
    # deviations of 0.005, 5 asked for)
    batch = at_addresses([(i, i % 3) for i in range(10_000)])
    one = Position(1, 0).uniform(batch, 4)
    assert one.min() >= 0
    assert one.max() < 1
    assert abs(one.mean() - 0.5) < 5 * (1 / 12 / one.size) ** 0.5
    others = [Position(2, 0).uniform(batch, 4), Position(1, 1).uniform(batch, 4)]
    for other in [*others, np.roll(one, 1, axis=0), np.roll(one, 1, axis=1)]:
        assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 5 / one.size**0.5
