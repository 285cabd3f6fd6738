from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transferset.training.schedule import linear, warm_up_steps


def test_the_rate_rises_to_one_and_falls_to_zero_evenly():
    found = [linear(step, 10, 3) for step in range(10)]
    expected = [1 / 4, 2 / 4, 3 / 4, 1, 6 / 7, 5 / 7, 4 / 7, 3 / 7, 2 / 7, 1 / 7]
    assert found == pytest.approx(expected)


def test_without_warm_up_it_begins_at_one():
    assert [linear(step, 4, 0) for step in range(4)] == [1, 0.75, 0.5, 0.25]


@pytest.mark.parametrize(
    ("steps", "share", "expected"),
    [(100, 0.1, 10), (101, 0.1, 11), (30, 0.1, 3), (5, 0, 0), (1, 1, 1)],
)
def test_steps_of_the_warm_up_are_rounded_up(steps, share, expected):
    assert warm_up_steps(steps, share) == expected  # 30 · 0.1 is above 3 in binary


@given(st.integers(1, 10_000), st.floats(0, 1), st.data())
def test_no_step_is_wasted_and_none_is_above_the_rate(steps, share, data):
    step = data.draw(st.integers(0, steps - 1))
    assert 0 < linear(step, steps, warm_up_steps(steps, share)) <= 1
