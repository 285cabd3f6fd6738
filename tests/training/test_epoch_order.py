from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transferset.training.order import batch_count, epoch_order, step_seed

lengths = st.lists(st.integers(1, 200), min_size=1, max_size=300).map(
    lambda found: np.array(found, np.int32)
)


@given(lengths, st.integers(1, 20), st.integers(0, 2**64 - 1), st.integers(0, 5), st.integers(1, 5))
def test_each_example_comes_once_and_one_batch_may_be_short(lengths, batch, seed, epoch, window):
    order = epoch_order(lengths, batch, seed, epoch, window)
    assert sorted(order.rows.tolist()) == list(range(len(lengths)))
    sizes = np.diff(order.bounds)
    assert len(sizes) == batch_count(len(lengths), batch)
    assert sorted(sizes.tolist())[1:] == [batch] * (len(sizes) - 1)
    assert sizes.min() == len(lengths) - batch * (len(sizes) - 1)


@given(lengths, st.integers(1, 20))
def test_lengths_of_the_batches_of_a_window_do_not_overlap(lengths, batch):
    window = 4
    order = epoch_order(lengths, batch, 1, 0, window)
    for first in range(0, len(order.bounds) - 1, window):
        numbers = range(first, min(first + window, len(order.bounds) - 1))
        spans = sorted(
            (lengths[order.batch(i)].min(), lengths[order.batch(i)].max()) for i in numbers
        )
        assert all(a[1] <= b[0] for a, b in pairwise(spans))


def test_the_order_is_one_of_seed_and_epoch_alone():
    lengths = np.arange(1, 1001, dtype=np.int32) % 40 + 1
    orders = {
        (seed, epoch): epoch_order(lengths, 8, seed, epoch).rows.tolist()
        for seed in (0, 1) for epoch in (0, 1)
    }  # fmt: skip
    assert len({tuple(rows) for rows in orders.values()}) == 4
    assert epoch_order(lengths, 8, 0, 1).rows.tolist() == orders[0, 1]


def test_rows_and_batches_are_shuffled():
    lengths = np.full(6400, 7, np.int32)
    rows = epoch_order(lengths, 10, 0, 0).rows
    # of independent orders the correlation is 0 ± 1/√6400; a batch order by length would show too
    assert abs(np.corrcoef(rows, np.arange(6400))[0, 1]) < 5 / 80
    lengths = np.arange(6400, dtype=np.int32)
    order = epoch_order(lengths, 10, 0, 0)
    means = [lengths[order.batch(i)].mean() for i in range(64)]
    assert abs(np.corrcoef(means, np.arange(64))[0, 1]) < 0.5


def test_little_is_padding():
    lengths = np.random.default_rng(0).integers(1, 129, 10_000).astype(np.int32)
    order = epoch_order(lengths, 48, 0, 0)
    batches = [lengths[order.batch(i)] for i in range(len(order.bounds) - 1)]
    assert sum(len(b) * b.max() for b in batches) < 1.05 * lengths.sum()


def test_seeds_of_steps_differ():
    found = {step_seed(seed, step) for seed in (0, 1, 2**63) for step in range(1000)}
    assert len(found) == 3000
    assert all(0 <= seed < 2**63 for seed in found)


@pytest.mark.parametrize("rows", [1, 48, 49])
def test_few_rows(rows):
    assert epoch_order(np.ones(rows, np.int32), 48, 0, 0).bounds[-1] == rows
