"""Labels, words, tags and attempts are counted as they are by hand."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from label_sets import SENTIMENT, TAGS, ids, make_labelled, words_of

from transferset.errors import SetError
from transferset.report.attempts import OUTCOMES, attempts_of
from transferset.report.label_grids import label_grids
from transferset.report.labels import labels_of, tags_of
from transferset.report.labels import words_of as words_in

TEXTS = ["a silly, empty film", "funny", ""]

ACCOUNT = {
    "rows": 36, "tokens": 300, "rows_before": 10, "attempts": 3, "multiple": 3.6, "target": "4x",
    "reached": False, "columns": list(OUTCOMES),
    "table": [[10, 1, 0, 0, 0, 9], [10, 0, 1, 0, 0, 9], [10, 0, 1, 1, 0, 8]],
}  # fmt: skip


def test_a_set_without_them_has_none(tmp_path):
    found = make_labelled(tmp_path / "set", {"text": TEXTS})
    assert (labels_of(found), words_in(found), tags_of(found)) == (None, None, None)
    assert attempts_of(found) == []


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(labels=st.lists(st.sampled_from([0, 1, 1, 4, -7, None, 1 << 40]), min_size=1, max_size=30))
def test_classes_are_counted(tmp_path_factory, labels):
    root = tmp_path_factory.mktemp("sets") / "set"
    found = make_labelled(
        root, {"text": [""] * len(labels), "label": labels}, names=SENTIMENT, shards=[1]
    )
    counted = labels_of(found)
    assert counted["rows"] == len(labels)
    assert counted["missing"] == labels.count(None)
    assert counted["others"] == labels.count(-7) + labels.count(1 << 40)
    four = [(4, None, labels.count(4))] if 4 in labels else []
    assert [(c["code"], c["name"], c["rows"]) for c in counted["classes"]] == [
        (0, "negative", labels.count(0)), (1, "positive", labels.count(1)), *four
    ]  # fmt: skip
    assert all(c["share"] == c["rows"] / len(labels) for c in counted["classes"])


def test_counting_goes_on_over_batches(tmp_path):
    labels = [i % 2 if i % 5 else None for i in range(25_000)]
    found = make_labelled(
        tmp_path / "set", {"input_ids": ids(25_000), "label": labels}, names=SENTIMENT,
        shards=[12_345],
    )  # fmt: skip
    counted = labels_of(found)
    assert [c["rows"] for c in counted["classes"]] == [10_000, 10_000]
    assert (counted["missing"], counted["rows"]) == (5_000, 25_000)


def test_scores_have_a_mean_and_a_histogram(tmp_path):
    scores = [0.0, 5.0, 2.5, None, 4.75, float("nan"), 0.25]
    found = make_labelled(
        tmp_path / "set", {"text": [""] * 7, "label": scores}, score=True, shards=[3]
    )
    counted = labels_of(found)
    # (0 + 5 + 2.5 + 4.75 + 0.25) / 5; bars are half a point wide, the last includes its end
    assert (counted["min"], counted["mean"], counted["max"]) == (0.0, 2.5, 5.0)
    assert (counted["rows"], counted["missing"], counted["others"]) == (7, 1, 1)
    assert counted["histogram"] == {
        "edges": [0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0],
        "rows": [2, 0, 0, 0, 0, 1, 0, 0, 0, 2],
    }


@pytest.mark.parametrize(
    ("scores", "expected"),
    [([None, None], None), ([2.0, 2.0], {"edges": [2.0, 2.0], "rows": [2]})],
)
def test_scores_without_a_range(tmp_path, scores, expected):
    found = make_labelled(tmp_path / "set", {"text": ["", ""], "label": scores}, score=True)
    counted = labels_of(found)
    assert counted["histogram"] == expected
    assert label_grids({"labels": counted, "words": None, "tags": None, "attempts": []})


def test_words_and_tags_of_both_sides(tmp_path):
    pairs = ["lovely", "so, so", "film film"]
    sides = {f"{name}_pair": values for name, values in words_of(pairs).items()}
    columns = {"text": TEXTS, "text_pair": pairs, **words_of(TEXTS), **sides}
    found = make_labelled(tmp_path / "set", columns, names=TAGS)
    # a silly , empty film + lovely; funny + so , so; film film
    assert words_in(found) == {"words": 12, "mean": 4.0, "max": 6}
    counted = tags_of(found)
    assert counted["words"] == 12
    assert [(t["name"], t["words"]) for t in counted["tags"]] == [("NN", 6), ("JJ", 4), (",", 2)]
    assert sum(t["share"] for t in counted["tags"]) == pytest.approx(1)


def test_attempts_are_summed(tmp_path):
    found = make_labelled(tmp_path / "set", {"text": [""]}, tables={"augment.json": ACCOUNT})
    (one,) = attempts_of(found)
    assert one["step"] == "augment"
    assert one["totals"] == {
        "made": 30, "unchanged": 1, "repeated": 2, "leaked": 1, "surplus": 0, "accepted": 26,
    }  # fmt: skip
    (grid,) = label_grids({"labels": None, "words": None, "tags": None, "attempts": [one]})
    assert grid.rows[0] == ("1", "10", "1", "0", "0", "0", "9")
    assert grid.rows[-1] == ("all", "30", "1", "2", "1", "0", "26")
    assert grid.note == (
        "10 rows became 3.6 times as many. The target of 4x was not reached in 3 attempts."
    )


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        {**ACCOUNT, "columns": ["made"]},
        {**ACCOUNT, "table": [[1, 2]]},
        {**ACCOUNT, "multiple": "10x"},
        {**ACCOUNT, "reached": 1},
        {k: v for k, v in ACCOUNT.items() if k != "table"},
    ],
)
def test_an_account_of_another_form_is_refused(tmp_path, body):
    found = make_labelled(tmp_path / "set", {"text": [""]}, tables={"augment.json": body})
    with pytest.raises(SetError, match=r"_tables/augment\.json"):
        attempts_of(found)


def test_an_account_that_was_changed_is_refused(tmp_path):
    found = make_labelled(tmp_path / "set", {"text": [""]}, tables={"replace-lm.json": ACCOUNT})
    path = found.root / "_tables" / "replace-lm.json"
    path.write_bytes(path.read_bytes().replace(b"36", b"63"))
    with pytest.raises(SetError, match="other bytes than its manifest says"):
        attempts_of(found)


def test_many_classes_tags_and_attempts_are_summed_up(tmp_path):
    names = {"label": [f"intent {i}" for i in range(150)], "pos": [f"T{i}" for i in range(30)]}
    columns = {
        "text": ["x"] * 150, "label": list(range(150)), "words": [["x"]] * 150,
        "space": [[False]] * 150, "pos": [[i % 30] for i in range(150)],
    }  # fmt: skip
    found = make_labelled(tmp_path / "set", columns, names=names)
    long = {**ACCOUNT, "table": [[10, 0, 0, 0, 0, 10]] * 40, "totals": dict.fromkeys(OUTCOMES, 0)}
    labels, tags, attempts = label_grids(
        {
            "labels": labels_of(found), "words": words_in(found), "tags": tags_of(found),
            "attempts": [{"step": "augment", **long}],
        }
    )  # fmt: skip
    assert len(labels.rows) == 101
    assert labels.rows[-1][:2] == ("50 more classes", "50")
    assert len(tags.rows) == 11
    assert tags.rows[-1][:2] == ("20 more tags", "100")
    assert attempts.rows[12] == ("28 more", "280", "0", "0", "0", "0", "280")
