from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transferset import UsageError
from transferset.steps.amounts import (
    canonical_amount,
    decimal,
    parse_amount,
    parse_range,
    parse_shares,
    resolve_amount,
)


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("10%", Fraction(1, 10)),
        ("0.1%", Fraction(1, 1000)),
        ("0.001", Fraction(1, 1000)),
        ("1e-3", Fraction(1, 1000)),
        (".5", Fraction(1, 2)),
        ("250%", Fraction(5, 2)),
        ("100000", 100_000),
        ("100_000", 100_000),
        ("100k", 100_000),
        ("1.5M", 1_500_000),
        ("2G", 2_000_000_000),
        ("1", 1),
    ],
)
def test_amounts_as_people_write_them(text, amount):
    assert parse_amount(text, "--sample") == amount


@pytest.mark.parametrize(
    "text",
    ["", "0", "0%", "0.0", "-1", "10 %%", "1.0001k", "ten", "1e3", "nan", "inf", "9" * 30, "²"],
)
def test_anything_else_is_refused_in_one_sentence(text):
    with pytest.raises(UsageError, match=r"expected --sample like 10%, 0\.001 or 100k, found"):
        parse_amount(text, "--sample")


@pytest.mark.parametrize(
    ("share", "whole", "count"),
    # 2.5 and 3.5 go to the even neighbour; 0.1 of 25 is 2.5 exactly, though 0.1 is no binary number
    [("10%", 25, 2), ("10%", 35, 4), ("0.1", 25, 2), ("1%", 109_300_000, 1_093_000), ("70%", 7, 5)],
)
def test_shares_are_rounded_half_to_even(share, whole, count):
    assert resolve_amount(parse_amount(share, ""), whole) == count


def test_a_number_is_that_number():
    assert resolve_amount(parse_amount("100k", ""), 7) == 100_000


@pytest.mark.parametrize(
    ("text", "canonical"),
    [("0.001", "0.1%"), ("10.0%", "10%"), ("100k", "100000"), ("1e-3", "0.1%"), ("0.123", "12.3%")],
)
def test_equal_amounts_are_equal_in_the_recipe(text, canonical):
    assert canonical_amount(text, "") == canonical
    assert canonical_amount(canonical, "") == canonical


@given(st.integers(1, 10**9), st.integers(0, 9))
def test_decimal_is_the_number_itself(number, digits):
    value = Fraction(number, 10**digits)
    assert Fraction(decimal(value)) == value


@pytest.mark.parametrize(
    ("text", "found"),
    [("12:512", (12, 512)), ("12:", (12, None)), (":512", (0, 512)), ("3:3", (3, 3))],
)
def test_ranges(text, found):
    assert parse_range(text, "--lengths") == found


@pytest.mark.parametrize("text", ["", ":", "12", "5:3", "-1:2", "a:b", "1:2:3"])
def test_wrong_ranges(text):
    with pytest.raises(UsageError, match="--lengths"):
        parse_range(text, "--lengths")


def test_shares_of_a_split():
    assert parse_shares("train=0.98,validation=2%", "--split") == {
        "train": Fraction(98, 100),
        "validation": Fraction(2, 100),
    }


@pytest.mark.parametrize(
    "text",
    ["", "train", "train=", "train=0.9,train=0.1", "a=0.7,b=0.4", "a=10", "../x=0.1", "a=0", ".=1"],
)
def test_wrong_shares(text):
    with pytest.raises(UsageError, match="--split"):
        parse_shares(text, "--split")
