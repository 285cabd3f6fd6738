"""Which examples are trained on at each step."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transferset.errors import UsageError
from transferset.training.batches import Batches
from transferset.training.cuts import cut
from transferset.training.order import epoch_order

arrays = st.lists(st.integers(0, 60), max_size=120).map(lambda found: np.array(found, np.int32))
tasks = st.lists(arrays, min_size=1, max_size=3).filter(lambda found: any(map(len, found)))
sizes = st.one_of(
    st.fixed_dictionaries({"rows": st.integers(1, 20)}),
    st.fixed_dictionaries({"tokens": st.integers(1, 300)}),
)
ends = st.one_of(
    st.fixed_dictionaries({"epochs": st.integers(1, 4)}),
    st.fixed_dictionaries({"steps": st.integers(1, 80)}),
)
seeds = st.integers(0, 2**64 - 1)


def all_of(batches: Batches):
    return [batches.batch(step) for step in range(batches.steps)]


@given(tasks, sizes, st.integers(1, 3), seeds, st.integers(1, 5))
def test_each_example_comes_once_an_epoch(lengths, size, epochs, seed, window):
    batches = Batches(lengths, seed=seed, epochs=epochs, window=window, **size)
    seen = [[[] for _ in lengths] for _ in range(epochs)]
    for batch in all_of(batches):
        seen[batch.epoch][batch.task] += batch.rows.tolist()
    expected = [list(range(len(one))) for one in lengths]
    assert [[sorted(rows) for rows in epoch] for epoch in seen] == [expected] * epochs
    assert batches.tokens == epochs * sum(int(one.sum()) for one in lengths)


@given(tasks, st.integers(1, 300), seeds, st.integers(1, 5))
def test_no_batch_is_above_the_budget_but_a_row_alone(lengths, tokens, seed, window):
    for batch in all_of(Batches(lengths, seed=seed, tokens=tokens, epochs=1, window=window)):
        found = lengths[batch.task][batch.rows]
        assert len(found) == 1 or len(found) * found.max() <= tokens
        assert (np.diff(found) >= 0).all()  # shorter ones first


@given(tasks, sizes, ends, seeds, st.data())
def test_any_step_is_had_without_the_others(lengths, size, end, seed, data):
    batches = Batches(lengths, seed=seed, **size, **end)
    step = data.draw(st.integers(0, batches.steps - 1))
    expected = all_of(batches)[step]
    fresh = Batches(lengths, seed=seed, **size, **end)
    found = fresh.batch(step)
    assert (found.epoch, found.task) == (expected.epoch, expected.task)
    assert found.rows.tolist() == expected.rows.tolist()


@given(tasks, sizes, ends, seeds)
def test_epochs_end_where_their_last_batch_is(lengths, size, end, seed):
    batches = Batches(lengths, seed=seed, **size, **end)
    epochs = [batch.epoch for batch in all_of(batches)]
    found = [batches.ends_epoch(step) for step in range(batches.steps)]
    assert found == [a != b for a, b in pairwise(epochs)] + [True]
    done = [batches.epoch(step) for step in range(batches.steps + 1)]
    assert done[0] == 0
    assert all(a < b for a, b in pairwise(done))
    assert all(done[step] == epochs[step] for step in range(1, len(epochs)) if found[step - 1])
    if "epochs" in end:
        assert done[-1] == end["epochs"]


@given(tasks, sizes, st.integers(1, 20), seeds)
def test_steps_go_round_the_same_epochs_until_they_are_done(lengths, size, steps, seed):
    some = Batches(lengths, seed=seed, steps=steps, **size)
    assert some.steps == steps
    longer = Batches(lengths, seed=seed, epochs=steps, **size)
    expected = [(b.epoch, b.task, b.rows.tolist()) for b in map(longer.batch, range(steps))]
    assert [(b.epoch, b.task, b.rows.tolist()) for b in all_of(some)] == expected
    counted = sum(int(lengths[b.task][b.rows].sum()) for b in all_of(some))
    assert some.tokens == counted


def test_one_task_and_rows_is_the_order_of_an_epoch():
    lengths = np.random.default_rng(0).integers(1, 90, 1000).astype(np.int32)
    batches = Batches([lengths], seed=5, rows=8, epochs=2, window=4)
    for epoch in range(2):
        order = epoch_order(lengths, 8, 5, epoch, 4)
        for i in range(125):
            assert batches.batch(125 * epoch + i).rows.tolist() == order.batch(i).tolist()


def test_tasks_are_mixed_and_each_has_an_order_of_its_own():
    lengths = np.full(2000, 7, np.int32)
    batches = Batches([lengths, lengths], seed=0, rows=10, epochs=1)
    found = all_of(batches)
    tasks = np.array([batch.task for batch in found])
    # of 400 batches in random order about half are followed by one of the other task
    assert abs(int((tasks[1:] != tasks[:-1]).sum()) - 200) < 50
    rows = [
        [batch.rows.tolist() for batch in found if batch.task == task] for task in range(2)
    ]  # fmt: skip
    assert rows[0] != rows[1]
    assert sorted(rows[0]) != sorted(rows[1])


def test_epochs_and_seeds_differ():
    lengths = np.random.default_rng(0).integers(1, 90, 500).astype(np.int32)
    found = {
        tuple(Batches([lengths], seed=seed, tokens=400, epochs=3).batch(0).rows.tolist())
        for seed in range(5)
    }
    assert len(found) == 5
    batches = Batches([lengths], seed=0, tokens=400, epochs=3)
    firsts = [step for step in range(batches.steps) if step == 0 or batches.ends_epoch(step - 1)]
    assert len({tuple(batches.batch(step).rows.tolist()) for step in firsts}) == 3


def test_little_of_a_budget_is_lost():
    lengths = np.random.default_rng(0).integers(1, 129, 20_000).astype(np.int32)
    batches = Batches([lengths], seed=0, tokens=4096, epochs=1)
    padded = sum(len(b.rows) * int(lengths[b.rows].max()) for b in all_of(batches))
    assert padded < 1.05 * batches.tokens
    assert batches.tokens > 0.9 * 4096 * batches.steps


@given(arrays, st.integers(1, 30), st.integers(1, 200))
def test_cuts_are_those_of_a_plain_loop(lengths, window, tokens):
    expected, begun = [0], []
    for row, length in enumerate(lengths.tolist()):
        grown = [*begun, length]
        if begun and (row % window == 0 or len(grown) * max(grown) > tokens):
            expected.append(row)
            grown = [length]
        begun = grown
    if begun:
        expected.append(len(lengths))
    assert cut(lengths, window, tokens).tolist() == expected


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"epochs": 1}, "one of rows and tokens, found 0"),
        ({"rows": 1, "tokens": 2, "epochs": 1}, "one of rows and tokens, found 2"),
        ({"rows": 1}, "one of epochs and steps, found 0"),
        ({"rows": 1, "epochs": 1, "steps": 2}, "one of epochs and steps, found 2"),
        ({"rows": 0, "epochs": 1}, "rows or tokens of at least 1, found 0"),
        ({"rows": 1, "steps": 0}, "epochs or steps of at least 1, found 0"),
    ],
)
def test_what_cannot_be_is_refused(options, told):
    with pytest.raises(UsageError, match=told):
        Batches([np.ones(3, np.int32)], seed=0, **options)


def test_no_examples_are_refused():
    with pytest.raises(UsageError, match="at least one example"):
        Batches([np.ones(0, np.int32)] * 2, seed=0, rows=2, steps=4)
