from __future__ import annotations

import io
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sets import make_set

from transferset.report import inspect
from transferset.report.terminal import show


@given(st.lists(st.integers(0, 40), min_size=1, max_size=60))
def test_the_median_of_a_histogram_is_that_of_the_values(values):
    histogram = [(v, values.count(v)) for v in sorted(set(values))]
    assert inspect.median(histogram) == statistics.median(values)


def test_the_median_of_nothing_is_zero():
    assert inspect.median([]) == 0


@pytest.fixture
def made(tmp_path):
    return make_set(tmp_path / "set", rows=[12_000, 100], text=True)


@pytest.mark.parametrize("count", [0, 1, 7, 10_001, 20_000])
def test_head_gives_the_first_rows(made, count):
    rows = inspect.head(made, count, None)
    assert [row["doc_id"] for row in rows] == list(range(min(count, 12_100)))


def shown(facts, rows) -> str:
    out = io.StringIO()
    show(facts, rows, out)
    return out.getvalue()


def test_what_could_steer_a_terminal_is_escaped(made):
    facts = {**inspect.summary(made), "name": "evil \x1b[2J [red]name[/red]"}
    rows = inspect.head(made, 1, lambda ids: (["\x1b]0;title\x07"], "bell \x07"))
    text = shown(facts, rows)
    assert "\x1b[2J" not in text
    assert "\x07" not in text
    assert "[red]name[/red]" in text  # markup of an input is text


def test_a_share_of_the_ledger_stands_beside_its_reason(made):
    ledger = [{"reason": "redirect", "unit": "pages", "count": 12_100, "why": "points elsewhere"}]
    assert "50.0%" in shown({**inspect.summary(made), "ledger": ledger}, [])


def test_long_rows_are_cut_with_their_length(made):
    rows = [{"input_ids": list(range(5000)), "pieces": ["x"] * 5000, "decoded": "y" * 90_000}]
    text = shown(inspect.summary(made), rows)
    assert "5,000 in all" in text.replace("\n", " ") or "(5,000" in text
    assert len(text) < 30_000
