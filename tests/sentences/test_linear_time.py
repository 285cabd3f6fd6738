"""Hostile passages: 200,000 characters of one thing take less than a second."""

from __future__ import annotations

import time

import pytest

from transferset.sentences import get_splitter

LENGTH = 200_000
FEW = [".", ". ", '"', "A. ", "...", '."', "x", " "]
MANY = [
    *("(", "a.b.c.", "7", "... ", ". . ", "!", "! ", "?! ", '." ', ".)", ".)a", "a.)", "'", ".'a"),
    *("…", "… ", "a.\u00a0", "\u00a0.", "a.\t", "1. ", "etc.; ", "Mr. ", "--", '."-', '. "', ".! "),
    *(" .", "a . ", "\n", "\n.", "a.\n", "*", "U.S. ", "Yahoo!, ", ".\u2028", "。", "a,", '.("'),
    *("_.", "&", ";.", "5.", " 5", "?)", '?"x ', "!x!", "។ល", "」", "。」", "！は", "é. "),
]


def assert_linear(name: str, unit: str, length: int, seconds: float) -> None:
    splitter = get_splitter(name, "en")
    times = length // len(unit)
    for passage in (unit * times, "Foo bar. " + unit * times + "x y"):
        start = time.process_time()
        sentences = splitter.split(passage)
        assert time.process_time() - start < seconds  # of CPU
        assert "".join("".join(sentences).split()) == "".join(passage.split())


@pytest.mark.parametrize("name", ["nupunkt", "punkt", "rules"])
@pytest.mark.parametrize("unit", FEW)
def test_repetition_is_linear(name: str, unit: str) -> None:
    assert_linear(name, unit, LENGTH, 5)  # a quadratic scan takes minutes


@pytest.mark.slow
@pytest.mark.parametrize("name", ["nupunkt", "punkt", "rules"])
def test_any_repetition_is_linear(name: str) -> None:
    for unit in MANY:
        assert_linear(name, unit, LENGTH // 4, 2)  # and here ten seconds
