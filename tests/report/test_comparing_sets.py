from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from row_sets import MASK, SEP, commit, make_rows, row, without_ids

from transferset.errors import UsageError
from transferset.report.comparing import diff, rows_to_read

NATURAL = [row(5, 6, 7, 8), row(9), row(5, 5, 6), row(7, 8, SEP, 9, 5), row(9)]


@pytest.fixture
def found(tmp_path):
    """What `diff` says of `NATURAL` and other rows."""

    def compare(rows, a=NATURAL, **options):
        return diff(make_rows(tmp_path / "a", a), make_rows(tmp_path / "b", rows, **options))

    return compare


#: Rows made from `NATURAL`, the relation, and the sentence, each worked out by reading the rows.
CASES = {
    "same_rows": (NATURAL, "B has the 5 rows of A in the same order."),
    "row_permutation": (
        [row(8, 6, 7, 5), row(9), row(5, 6, 5), row(9, 5, SEP, 8, 7), row(9)],
        "B is a row-wise permutation of A: 3 of 5 rows changed.",
    ),
    "reordered": (NATURAL[::-1], "B has the 5 rows of A in another order."),
    "selection": (
        [NATURAL[1], NATURAL[3]],
        "B is a selection of A: its 2 rows (40.0 % of A) stand in A in the same order.",
    ),
    "selected": (
        [row(8), *NATURAL, NATURAL[0]],
        "A is a selection of B: its 5 rows (71.4 % of B) stand in B in the same order.",
    ),
    "part": (
        [NATURAL[3], NATURAL[0]],
        "B is a part of A in another order: its 2 rows are 40.0 % of those of A.",
    ),
    "whole": (
        [row(8), *NATURAL[::-1]],
        "A is a part of B in another order: its 5 rows are 83.3 % of those of B.",
    ),
    "repeats": (
        [NATURAL[0], NATURAL[0], NATURAL[2], NATURAL[2], NATURAL[2]],
        "B repeats rows of A: its 5 rows are 2 different ones, all of which are in A.",
    ),
    "deletion": (
        [row(5, 8), row(9), row(5, 6), row(7, SEP, 5), row()],
        "B is A with tokens deleted, row by row: 6 of 24 ids (25.0 %) are gone.",
    ),
    "replacement": (
        [row(5, MASK, 7, 8), row(9), row(5, 5, 6), row(7, 8, SEP, 9, 99), row(9)],
        "B is A with tokens replaced, row by row: 2 of 24 ids (8.3 %) differ.",
    ),
    "permuted_rows": (
        [row(9, 5, SEP, 8, 7), row(6, 5, 5)],
        "Each of B's 2 rows has the tokens of a row of A, in the same order or another.",
    ),
    "same_tokens": (
        [row(5, 6, 7, 8, 9, 5, 5, 6, 7, 8), row(9, 5, 9)],
        "B has the 13 tokens of A in other rows: 0 of 2 rows are shared.",
    ),
    "overlap": (
        [NATURAL[0], row(11, 12, 13, 14), row(5, 11)],
        "B shares 1 of its 3 rows and 50.0 % of its tokens with A.",
    ),
}


@pytest.mark.parametrize("relation", CASES)
def test_the_verdict_names_the_closest_relation_that_holds(found, relation):
    rows, sentence = CASES[relation]
    facts = found(rows)
    assert (facts["relation"], facts["verdict"]) == (relation, sentence)


def test_every_fact_worked_out_by_hand(found):
    facts = found([row(6, 5), row(9), row(5, 6, 6)], a=[row(5, 6), row(9), row(5, 6)])
    assert facts["order"] == {
        "same_rows": False, "row_permutation": False, "reordered": False,
        "b_in_a": False, "a_in_b": False,
    }  # fmt: skip
    assert facts["row_by_row"] == {
        "rows": 3, "same": 1, "permuted": 1, "within": 1, "same_length": 2,
        "ids": 7, "ids_in_place": 5, "changed": 2, "labels": None,
    }  # fmt: skip
    rows = facts["rows"]
    assert (rows["shared"], rows["share_of_a"], rows["different_a"]) == (1, 1 / 3, 2)
    # as bags: {5 6} twice in A and once in B, {9} in both
    assert (facts["bags"]["shared"], facts["bags"]["a_in_b"]) == (2, 3)
    # tokens of A: 5 5 6 6 9, of B: 5 5 6 6 6 9
    assert facts["tokens"] == {
        "shared": 5, "share_of_a": 1.0, "share_of_b": 5 / 6, "same": False,
        "types_shared": 3, "types_only_a": 0, "types_only_b": 0,
    }  # fmt: skip
    assert facts["lengths"] == {
        "same_histogram": False, "same_content_histogram": False, "same_row_by_row": False,
    }  # fmt: skip
    assert facts["a"]["tokens"] == 11
    assert facts["b"]["types"] == 3


def test_sets_of_other_numbers_of_rows_are_not_compared_row_by_row(found):
    facts = found(NATURAL[:2])
    assert facts["row_by_row"] is None
    assert facts["columns"]["equal"] is None
    assert facts["order"]["b_in_a"]


def test_equal_lengths_in_another_order_are_seen(found):
    facts = found([row(8), row(9, 9)], a=[row(5, 6), row(7)])
    assert facts["lengths"] == {
        "same_histogram": True, "same_content_histogram": True, "same_row_by_row": False,
    }  # fmt: skip


def test_rows_of_equal_lengths_are_no_replacement_if_most_ids_differ(found):
    facts = found([row(15, 16, 17, 18, 19, 20)] * 2, a=[row(5, 6, 7, 8, 9, 10)] * 2)
    assert facts["relation"] == "overlap"
    assert facts["verdict"] == "B shares none of its 2 rows and 0.0 % of its tokens with A."


def test_columns_are_compared_too(tmp_path):
    a = make_rows(tmp_path / "a", NATURAL, columns={"doc_id": [1, 2, 3, 4, 5], "text": ["x"] * 5})
    b = make_rows(
        tmp_path / "b", NATURAL, columns={"doc_id": [1, 2, 3, 4, 6], "source": [0] * 5}, shards=[2]
    )
    facts = diff(a, b)
    assert facts["columns"] == {
        "shared": ["input_ids", "doc_id"], "only_a": ["text"], "only_b": ["source"], "equal": [],
    }  # fmt: skip
    assert facts["verdict"] == (
        "B has the 5 rows of A in the same order, with other values of doc_id."
    )


@settings(deadline=None, max_examples=25)
@given(st.lists(st.lists(st.integers(5, 9), max_size=5), min_size=1, max_size=8), st.randoms())
def test_a_permutation_of_any_rows_is_proved(tmp_path_factory, contents, random):
    folder = tmp_path_factory.mktemp("sets")
    turned = [random.sample(content, len(content)) for content in contents]
    a = make_rows(folder / "a", [row(*c) for c in contents])
    facts = diff(a, make_rows(folder / "b", [row(*c) for c in turned]))
    changed = sum(x != y for x, y in zip(contents, turned, strict=True))
    assert facts["relation"] == ("row_permutation" if changed else "same_rows")
    assert facts["row_by_row"]["changed"] == changed
    assert facts["bags"]["shared"] == len(contents)
    assert facts["tokens"]["same"]


def test_one_token_too_much_is_found_among_thousands_of_rows(tmp_path):
    rng = np.random.default_rng(0)
    contents = rng.integers(5, 900, (12_000, 6))
    turned = rng.permuted(contents, axis=1)
    turned[11_999, 0] = turned[11_999, 1]
    a = make_rows(tmp_path / "a", [row(*c) for c in contents.tolist()])
    b = make_rows(tmp_path / "b", [row(*c) for c in turned.tolist()], shards=[5000])
    facts = diff(a, b)
    assert not facts["order"]["row_permutation"]
    assert facts["row_by_row"]["same"] + facts["row_by_row"]["permuted"] == 11_999
    assert facts["bags"]["shared"] == 11_999


def test_progress_ends_at_the_rows_to_read(tmp_path):
    a, b = make_rows(tmp_path / "a", NATURAL), make_rows(tmp_path / "b", NATURAL[::-1])
    told: list[int] = []
    diff(a, b, told.append)
    assert sum(told) == rows_to_read(a, b)


@pytest.mark.parametrize("rows", [NATURAL[:2], [row(8), *NATURAL]])
def test_progress_may_end_early_but_never_late(tmp_path, rows):
    a, b = make_rows(tmp_path / "a", NATURAL), make_rows(tmp_path / "b", rows)
    told: list[int] = []
    diff(a, b, told.append)
    assert 2 * (len(a) + len(b)) <= sum(told) <= rows_to_read(a, b)


def test_the_result_is_plain_json(found):
    facts = found(NATURAL[:2])
    assert json.loads(json.dumps(facts, allow_nan=False)) == facts


def test_sets_without_content_are_compared(found):
    facts = found([row(), row()], a=[row()])
    assert facts["tokens"]["share_of_a"] is None
    assert facts["relation"] == "selected"


def test_ids_of_other_tokenizers_are_not_compared(found):
    with pytest.raises(UsageError, match=r"expected the tokenizer of .* in both sets"):
        found(NATURAL, sha256="1" * 64)


def test_sets_of_texts_are_refused(tmp_path):
    a, b = (make_rows(tmp_path / name, NATURAL) for name in "ab")
    with pytest.raises(UsageError, match="a set with input_ids"):
        diff(a, without_ids(b))
    with pytest.raises(UsageError, match="names its tokenizer"):
        diff(commit(a.root, replace(a.manifest, tokenizer=None)), b)
