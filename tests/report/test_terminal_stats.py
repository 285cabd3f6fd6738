from __future__ import annotations

import io

import numpy as np
import pytest
from row_sets import child_of, make_rows, row

from transferset.report.comparing import diff
from transferset.report.stats import stats
from transferset.report.terminal_diff import show_diff
from transferset.report.terminal_stats import show_stats

STARTS = np.ones(1000, np.bool_)
SOURCE = {
    "name": "a", "whole": False, "documents": 2, "sentences": 4, "words": 10, "text_bytes": 60,
    "mean": 2.5, "median": 3.0,
}  # fmt: skip
WHOLE = {**SOURCE, "name": "whole", "whole": True, "sentences": 8, "words": 20, "median": 3.5}


@pytest.fixture
def pair(tmp_path):
    """A parent and its child."""
    parent = make_rows(tmp_path / "parent", [row(5, 6, 7), row(5, 6)])
    return parent, make_rows(tmp_path / "child", [row(7, 6, 5)], parents=[child_of(parent)])


@pytest.fixture
def measured(pair):
    parent, child = pair
    return [stats(parent, None, STARTS), stats(child, parent, STARTS)]


def stats_text(sets, width: int = 80) -> str:
    out = io.StringIO()
    show_stats(sets, out, width)
    return out.getvalue()


def diff_text(facts, width: int = 80) -> str:
    out = io.StringIO()
    show_diff(facts, out, width)
    return out.getvalue()


def cells(text: str, label: str) -> list[str]:
    """What stands beside a label, in the first line that begins with it."""
    line = next(line for line in text.splitlines() if line.startswith(label + "  "))
    return line[len(label) :].replace("\u00a0%", "%").split()


def test_sets_stand_side_by_side(measured):
    text = stats_text(measured)
    assert text.splitlines()[1].split() == ["parent", "child"]
    assert cells(text, "rows") == ["2", "1"]
    assert cells(text, "tokens") == ["9", "5"]
    assert cells(text, "longest") == ["5", "5"]
    assert cells(text, "unigrams, types") == ["–", "100%"]
    assert "divergence from parent, in bits" in text
    assert "no divergence of parent: it was not derived from another set" in text


def test_statistics_of_the_source_are_shown_where_there_are_any(measured):
    assert "as its source had it" not in stats_text(measured)
    text = stats_text([{**measured[0], "corpus": [SOURCE, SOURCE, WHOLE]}, measured[1]])
    assert cells(text, "sentences") == ["8", "–"]
    assert cells(text, "words a sentence") == ["2.5", "–"]
    assert cells(text, "words a sentence, median") == ["3.5", "–"]


def test_what_was_estimated_is_marked_and_explained(measured):
    away = measured[1]["divergence"]
    away = {**away, "bigram": {**away["bigram"], "sampled_share": 0.25}}
    text = stats_text([{**measured[1], "divergence": away}]).replace("\u00a0", " ")
    assert "≈ " in next(line for line in text.splitlines() if line.startswith("bigram Jensen"))
    assert "≈ estimated on 25.0 % of all different bigrams, chosen by hash" in text
    assert "≈" not in stats_text(measured)


def test_parents_are_named_in_a_row_when_they_differ(measured):
    other = {**measured[1], "divergence": {**measured[1]["divergence"], "parent": "another"}}
    text = stats_text([measured[1], other])
    assert "divergence from the parent, in bits" in text
    assert cells(text, "parent") == ["parent", "another"]


@pytest.mark.parametrize("width", [80, 140])
@pytest.mark.parametrize("count", [1, 5, 12])
def test_lines_fit_and_no_number_is_cut(measured, width, count):
    one = {**measured[1], "rows": 109_300_000, "tokens": 4_026_000_000, "name": "x-" * 40}
    text = stats_text([{**one, "name": f"{i}-{one['name']}"} for i in range(count)], width)
    assert max(map(len, text.splitlines())) <= width
    assert text.count("4,026,000,000") == count
    assert text.count("109,300,000") == count


def test_a_set_without_content_is_shown(tmp_path):
    text = stats_text([stats(make_rows(tmp_path / "set", [row()]), None, None)])
    assert "rows" in text
    assert "words a row" not in text


EVIL = "evil \x1b[2J [red]name[/red]"


def test_what_could_steer_a_terminal_is_escaped_in_stats(measured):
    away = {**measured[1]["divergence"], "parent": EVIL}
    one = {**measured[1], "name": EVIL, "op": EVIL, "divergence": away}
    none = {**measured[0], "name": EVIL, "divergence_reason": EVIL}
    for sets in ([one], [one, measured[1]], [none]):
        text = stats_text(sets, 140)
        assert "\x1b" not in text
        assert "[red]" in text  # markup of an input is text


def test_what_could_steer_a_terminal_is_escaped_in_a_diff(pair):
    facts = diff(*pair)
    side = {**facts["a"], "name": EVIL, "root": EVIL, "op": EVIL}
    columns = {"shared": [EVIL], "only_a": [EVIL], "only_b": [], "equal": [EVIL]}
    text = diff_text({**facts, "a": side, "columns": columns}, 200)
    assert "\x1b" not in text
    assert text.count("[red]") == 6


def test_a_diff_begins_with_its_verdict(pair):
    parent, child = pair
    text = diff_text(diff(parent, child))
    assert text.splitlines()[0].startswith("Each of B's 1 row has the tokens of a row of A")
    assert cells(text, "rows, tokens in any order") == ["1", "50.0%", "100%"]
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize(
    ("rows", "label", "holds", "detail"),
    [
        ([row(5, 6, 7), row(5, 6)], "same rows, same order", "yes", "2 rows equal"),
        ([row(6, 5, 7), row(5, 6)], "each row permuted", "yes", "1 row with tokens in another"),
        ([row(6, 5, 7), row(5, 6)], "same rows, same order", "no", "1 row equal"),
        ([row(5, 6), row(5, 6, 7)], "same rows, another order", "yes", ""),
        ([row(5, 6)], "rows of B in A, in order", "yes", ""),
        ([row(5, 9, 7), row(5, 6)], "same lengths, row by row", "yes", "88.9 % of ids in place"),
    ],
)
def test_a_diff_says_what_holds(pair, tmp_path, rows, label, holds, detail):
    text = diff_text(diff(pair[0], make_rows(tmp_path / "b", rows))).replace("\u00a0", " ")
    line = next(line for line in text.splitlines() if line.startswith(label + " "))
    assert line[len(label) :].split()[0] == holds
    assert detail in line
