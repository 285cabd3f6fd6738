from __future__ import annotations

import html
import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from page_reading import Page

from transferset.report.markup import Html, el, fit, join, shown, width, wrap
from transferset.report.wording import listed, made_by, percent, size, small, step_phrase

ANY = st.text(max_size=60)


@given(ANY, ANY)
@example("<script>alert(1)</script>", '"><img src=x onerror=alert(1)>')
@example("</style></title>-->", "javascript:alert(1)")
def test_text_and_attributes_come_back_as_they_were_and_add_no_element(text, attribute):
    page = Page(el("p", text, title=attribute))
    assert [name for name, _ in page.elements] == ["p"]
    written = str(el("p", text))[3:-4]
    assert html.unescape(written) == text
    assert "<" not in written


def test_only_markup_of_our_own_is_markup():
    assert join(Html("<b>"), "<b>", None) == "<b>&lt;b&gt;"


@given(st.text(max_size=400), st.integers(2, 100))
def test_what_is_shown_is_visible_and_bounded(text, limit):
    line = shown(text, limit)
    assert len(line) <= limit
    assert all(c.isprintable() or c in "\u200c\u200d" for c in line)


def test_direction_marks_are_spelt_out_but_joiners_stay():
    assert shown("a\u202eb") == "a\\u202eb"  # would turn the rest of the line around
    assert shown("نمی\u200cخواهم") == "نمی\u200cخواهم"  # Persian is misspelt without


def test_values_of_any_kind_are_shown_briefly():
    values = [{"a": 1}, [1] * 10**6, None, 10**5000, -(10**5000), 3.5, math.nan, 1e308]
    assert all(len(shown(value)) <= 60 for value in values)
    assert [shown(v) for v in (12345, 3.5, -2)] == ["12,345", "3.5", "-2"]


def test_a_text_is_cut_to_the_room_there_is():
    assert fit("short", 100, 12) == "short"
    cut = fit("W" * 500, 100, 12)
    assert cut.endswith("…")
    assert width(cut, 12) <= 100


@given(st.text(max_size=200), st.integers(20, 300), st.integers(1, 4))
def test_wrapped_lines_fit_and_are_few(text, room, most):
    lines = wrap(text, room, 12, most)
    assert 1 <= len(lines) <= most
    assert all(width(line, 12) <= room for line in lines)


def test_wrapping_loses_no_word_that_fits():
    assert wrap("one two three four", 55, 12, 9) == ["one two", "three", "four"]


@pytest.mark.parametrize(
    ("ratio", "said"),
    [(1, "100\u00a0%"), (0.1, "10.0\u00a0%"), (0.0999, "9.99\u00a0%"), (0.00102, "0.102\u00a0%"),
     (0, "0\u00a0%"), (1e-9, "< 0.001\u00a0%"), (0.9994, "99.9\u00a0%"), (0.99951, "100\u00a0%")],
)  # fmt: skip
def test_shares_are_told_in_three_digits(ratio, said):
    assert percent(ratio) == said


def test_sizes_divergences_and_lists():
    assert size(4_260_032) == "4.3\u00a0MB"
    assert (size(999), size(None)) == ("999\u00a0B", "–")
    assert (small(0), small(None)) == ("0", "–")
    assert (small(0.01234), small(3.1e-5)) == ("0.0123", "3.1e-05")
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"]) == "a, b and c"


def test_steps_are_told_in_words():
    steps = [{"sample": {"size": "10%", "by": "rows"}}, {"shuffle": {"words": True}}]
    assert made_by("derive", {"steps": steps}) == (
        "random sample of 10% of the rows, then words of each row shuffled"
    )
    assert step_phrase({"mask": {"p": 0.15, "rule": "bert"}}) == (
        "15.0\u00a0% of the tokens masked (80/10/10 rule)"
    )
    assert step_phrase({"vowels": {"keep": 3}}) == "vowels (keep = 3)"  # a third party's


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | ANY,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ANY, inner, max_size=4),
        max_leaves=12,
    )
)
@example({"steps": [{"sample": {"size": ["10%"]}}, {"mask": {"p": {}}}, {"lengths": []}, 7]})
@example({"steps": [{"mask": {"p": 1e308}}, {"shuffle": {"window": -1}}] * 4000})
def test_parameters_of_any_shape_are_told_briefly(params):
    given_params = params if isinstance(params, dict) else {"steps": params}
    for name in ("sample", "shuffle", "generate", "mask", "delete", "lengths", "filter", "pack"):
        assert len(step_phrase({name: params})) < 400
    assert len(made_by("derive", given_params)) < 6000
