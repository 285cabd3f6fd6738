"""`diff` of labels: how many differ, by name where names stand in another order."""

from __future__ import annotations

import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from label_sets import SENTIMENT, ids, make_labelled

from transferset.report.comparing import diff
from transferset.report.terminal_diff import show_diff

TURNED = {"label": ["positive", "negative"]}


@pytest.fixture
def two(tmp_path):
    def make(a, b, names=(SENTIMENT, SENTIMENT), **how):
        sets = [
            make_labelled(tmp_path / side, {"input_ids": ids(len(v)), "label": v}, names=n, **how)
            for side, v, n in zip("ab", (a, b), names, strict=True)
        ]
        return diff(*sets)

    return make


def said(facts):
    out = io.StringIO()
    show_diff(facts, out, 160)
    return " ".join(out.getvalue().split())


def test_equal_labels_are_an_equal_column(two):
    facts = two([0, None, 1], [0, None, 1])
    assert facts["row_by_row"]["labels"] == {"changed": 0, "lost": 0, "gained": 0}
    assert facts["columns"]["equal"] == ["label"]
    assert facts["verdict"] == "B has the 3 rows of A in the same order."
    assert "same labels, row by row yes" in said(facts)


def test_changed_labels_are_counted(two):
    facts = two([0, 1, 1, None, None, 0], [1, None, None, 0, None, 0])
    assert facts["row_by_row"]["labels"] == {"changed": 4, "lost": 2, "gained": 1}
    assert facts["columns"]["equal"] == []
    expected = "B has the 6 rows of A in the same order, with other values of label in 4 rows."
    assert facts["verdict"] == expected
    text = said(facts)
    assert (
        "1 row has another class or score, 2 rows have no label in B, 1 row has no label in A"
        in text
    )


def test_classes_are_compared_by_name(two):
    facts = two([0, 1, None], [1, 0, None], names=(SENTIMENT, TURNED))
    assert facts["row_by_row"]["labels"]["changed"] == 0
    assert facts["columns"]["equal"] == ["label"]


def test_a_class_that_the_other_set_does_not_know_differs(two):
    facts = two([0, 0], [0, 1], names=(SENTIMENT, {"label": ["negative", "neutral"]}))
    assert facts["row_by_row"]["labels"]["changed"] == 1


def test_scores_are_compared_by_value(two):
    facts = two([0.5, None, 3.0], [0.5, None, 3.25], names=({}, {}), score=True)
    assert facts["row_by_row"]["labels"] == {"changed": 1, "lost": 0, "gained": 0}


def test_classes_are_not_compared_with_scores(tmp_path):
    a = make_labelled(tmp_path / "a", {"input_ids": ids(2), "label": [0, 1]}, names=SENTIMENT)
    b = make_labelled(tmp_path / "b", {"input_ids": ids(2), "label": [0.0, 1.0]}, score=True)
    facts = diff(a, b)
    assert facts["row_by_row"]["labels"] is None
    assert "label" not in facts["columns"]["equal"]
    assert facts["verdict"].endswith("with other values of label.")


def test_tags_of_other_names_are_not_equal(tmp_path):
    columns = {"input_ids": ids(1), "text": ["x"], "words": [["x"]], "space": [[False]],
               "pos": [[0]]}  # fmt: skip
    sets = [
        make_labelled(tmp_path / side, columns, names={"pos": [tag]})
        for side, tag in (("a", "NN"), ("b", "JJ"))
    ]
    assert diff(*sets)["columns"]["equal"] == ["space", "text", "words"]


LABELS = st.sampled_from([0, 1, None])


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.tuples(LABELS, LABELS), min_size=1, max_size=20), st.integers(1, 19))
def test_differences_are_those_of_a_plain_comparison(tmp_path_factory, labels, cut):
    root = tmp_path_factory.mktemp("sets")
    a, b = (
        make_labelled(
            root / side, {"input_ids": ids(len(labels)), "label": [pair[i] for pair in labels]},
            names=SENTIMENT, shards=[min(cut, len(labels) - 1)] if i and len(labels) > 1 else [],
        )
        for i, side in enumerate("ab")
    )  # fmt: skip
    found = diff(a, b)["row_by_row"]["labels"]
    assert found == {
        "changed": sum(x != y for x, y in labels),
        "lost": sum(x is not None and y is None for x, y in labels),
        "gained": sum(x is None and y is not None for x, y in labels),
    }
