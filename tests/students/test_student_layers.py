"""Layer picking, by the literature's examples."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transferset.errors import UsageError
from transferset.students.layers import pick_layers


def test_the_literatures_layers():
    assert pick_layers("spread", 12, 6) == [0, 2, 4, 7, 9, 11]
    assert pick_layers("first", 12, 3) == [0, 1, 2]
    assert pick_layers("spread", 6, 3) == [0, 2, 5]
    assert pick_layers("spread", 12, 1) == [0]
    assert pick_layers("0,2,11", 12, 3) == pick_layers([0, 2, 11], 12, 3) == [0, 2, 11]


@settings(max_examples=40)
@given(st.integers(1, 60), st.data())
def test_spread_is_the_formula_half_to_even(teacher, data):
    from fractions import Fraction

    student = data.draw(st.integers(1, teacher))
    found = pick_layers("spread", teacher, student)
    step = Fraction(teacher - 1, max(student - 1, 1))
    assert found == [round(i * step) for i in range(student)]
    assert len(set(found)) == student
    assert found[-1] == (teacher - 1 if student > 1 else 0)


@pytest.mark.parametrize(
    ("how", "student"),
    [
        ("last", 3),
        ("0,2", 3),
        ("0,2,12", 3),
        ("2,0,1", 3),
        ("0,0,1", 3),
        ("-1,0,1", 3),
        ("", 1),
        ([0, 1, "x"], 3),
        (3, 1),
        ("spread", 13),
        ("first", 0),
    ],
)
def test_what_cannot_be_picked(how, student):
    with pytest.raises(UsageError, match="expected"):
        pick_layers(how, 12, student)
