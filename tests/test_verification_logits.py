"""`verify` on what teachers said: whatever is wrong with it is found, by row or in the manifest."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from label_sets import make_labelled
from sets import TOKENIZER
from teacher_sets import CLASSIFIER, HALF, MASKED, make_logits, make_top, top_columns

from transferset import schema
from transferset.errors import SetError
from transferset.verification import verify

FULL = schema.logits_type(3)
SCORES = {**CLASSIFIER, "classes": None}


@pytest.mark.parametrize(("kind", "teacher"), [
    (HALF, CLASSIFIER),
    (schema.logits_type(2), CLASSIFIER),
    (FULL, {**CLASSIFIER, "classes": ["a", "b", "c"]}),
    (schema.logits_type(1), SCORES),
    (schema.logits_type(1, pa.float16()), SCORES),
])  # fmt: skip
def test_right_logits_pass(tmp_path, kind, teacher):
    found = make_logits(tmp_path / "set", logits=kind, teacher=teacher, shards=[7])
    assert len(verify(found.root)) == 40


def test_texts_without_ids_may_have_logits(tmp_path):
    columns = {"text": ["a", "b"], "logits": [[0.5, 1], [2, -3]]}
    found = make_labelled(tmp_path / "set", columns, logits=HALF, teacher=CLASSIFIER)
    assert len(verify(found.root)) == 2


def test_right_top_ids_pass(tmp_path):
    assert len(verify(make_top(tmp_path / "set", shards=[7, 20]).root)) == 40


def test_nothing_asked_is_nothing_said(tmp_path):
    columns = top_columns(6)
    columns["labels"] = [[-100] * len(row) for row in columns["labels"]]
    columns |= {name: [[]] * 6 for name in ("top_ids", "top_logits", "tail")}
    found = make_labelled(tmp_path / "set", columns, teacher=MASKED)
    assert len(verify(found.root)) == 6


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize(("row", "place", "where"), [
    (0, 0, "data-00000-of-00002.*row 0;"),
    (9, 1, "data-00000-of-00002.*row 9;"),
    (39, 0, "data-00001-of-00002.*row 29;"),
])  # fmt: skip
def test_a_logit_is_a_number(tmp_path, wrong, row, place, where):
    logits = [[0.25, 1.0] for _ in range(40)]
    logits[row][place] = wrong
    columns = {"text": ["x"] * 40, "logits": logits}
    found = make_labelled(tmp_path / "set", columns, logits=HALF, teacher=CLASSIFIER, shards=[10])
    with pytest.raises(SetError, match=f"finite logits.*{where}"):
        verify(found.root)


def changed(name, row, change):
    """The columns, with another value of one of them in one row."""
    columns = top_columns()
    columns[name][row] = change(list(columns[name][row]))
    return columns


def put(place, value):
    def change(values):
        values[place] = value
        return values

    return change


#: Row 5 has a label; row 4 has more; row 7 has none.
WRONG = [
    (changed("top_ids", 4, lambda v: v[:-1]), "3 of top_ids for each label.*row 4;"),
    (changed("top_ids", 4, lambda v: [*v, 7]), "3 of top_ids for each label.*row 4;"),
    (changed("top_logits", 5, lambda v: []), "3 of top_logits for each label.*row 5;"),
    (changed("tail", 7, lambda v: [0.0]), "1 of tail for each label.*row 7;"),
    (changed("tail", 4, lambda v: v[1:]), "1 of tail for each label.*row 4;"),
    (changed("labels", 7, put(1, 9)), "3 of top_ids for each label.*row 7;"),
    (changed("labels", 4, put(1, -100)), "3 of top_ids for each label.*row 4;"),
    (changed("top_ids", 4, put(1, 1000)), "top_ids below 1000.*row 4;"),
    (changed("top_ids", 4, put(5, 65_535)), "top_ids below 1000.*row 4;"),
    (changed("top_ids", 4, lambda v: [*v[:5], v[3], *v[6:]]), "different top_ids.*row 4;"),
    (changed("top_logits", 4, put(2, 60_000)), "from the largest down.*row 4;"),
    (changed("top_logits", 5, put(0, np.nan)), "finite top_logits.*row 5;"),
    (changed("top_logits", 5, put(0, np.inf)), "finite top_logits.*row 5;"),
    (changed("tail", 4, put(1, np.nan)), "a finite tail.*row 4;"),
    (changed("tail", 4, put(0, np.inf)), "a finite tail.*row 4;"),
    (changed("tail", 5, put(0, -np.inf)), "a finite tail.*row 5;"),
]


@pytest.mark.parametrize(("columns", "message"), WRONG)
def test_what_contradicts_itself_is_named_with_its_row(tmp_path, columns, message):
    found = make_labelled(tmp_path / "set", columns, teacher=MASKED)
    with pytest.raises(SetError, match=message) as caught:
        verify(found.root)
    assert "\n" not in str(caught.value)
    assert str(found.root) in str(caught.value)


def test_a_whole_vocabulary_leaves_nothing_over(tmp_path):
    row = {"input_ids": [[2, 4, 3]], "labels": [[-100, 0, -100]], "top_ids": [[4, 2, 0, 1, 3]]}
    row |= {"top_logits": [[1, 0, 0, -2, -3]], "tail": [[-np.inf]]}
    teacher = {**MASKED, "top_k": 5}
    tokenizer = {**TOKENIZER, "vocab_size": 5}
    found = make_labelled(tmp_path / "set", row, teacher=teacher, tokenizer=tokenizer)
    assert len(verify(found.root)) == 1


def test_equal_ids_at_different_labels_are_right(tmp_path):
    columns = changed("top_ids", 4, lambda v: v[:3] * (len(v) // 3))
    assert len(verify(make_labelled(tmp_path / "set", columns, teacher=MASKED).root)) == 40


MANIFESTS = [
    (make_logits, {"teacher": None}, "no logits with the teacher None"),
    (make_logits, {"teacher": MASKED}, "no logits with the teacher masked"),
    (make_top, {"teacher": None}, "no top_ids with the teacher None"),
    (make_top, {"teacher": CLASSIFIER}, "logits with the teacher classifier"),
    (make_top, {"teacher": {**MASKED, "classes": ["a"]}}, "no classes of a teacher masked"),
    (make_top, {"teacher": {**MASKED, "top_k": None}}, "top_k from 1 to 1000, found None"),
    (make_top, {"teacher": {**MASKED, "top_k": 0}}, "top_k from 1 to 1000, found 0"),
    (make_top, {"teacher": {**MASKED, "top_k": 1001}}, "top_k from 1 to 1000, found 1001"),
    (make_top, {"teacher": {**MASKED, "top_k": 4}}, "4 of top_ids for each label"),
    (make_top, {"teacher": {**MASKED, "temperature": None}}, "the teacher's temperature"),
    (make_top, {"teacher": {**MASKED, "models": []}}, "a model with the teacher masked"),
    (make_logits, {"teacher": {**CLASSIFIER, "models": []}}, "a model with the teacher"),
    (make_logits, {"teacher": {**CLASSIFIER, "top_k": 2}}, "no top_k of a teacher classifier"),
    (make_logits, {"teacher": {**CLASSIFIER, "temperature": 2}}, "no temperature of a teacher"),
    (make_logits, {"teacher": SCORES}, "one logit, a score, found fixed_size_list<halffloat>.2"),
    (make_logits, {"logits": FULL}, "the teacher's 2 classes, found fixed_size_list<float>.3"),
    (make_logits, {"teacher": {**CLASSIFIER, "classes": ["x"] * 12}}, "the teacher's 12 classes"),
]


@pytest.mark.parametrize(("make", "options", "message"), MANIFESTS)
def test_columns_are_those_of_the_teacher(tmp_path, make, options, message):
    found = make(tmp_path / "set", **options)
    with pytest.raises(SetError, match=message) as caught:
        verify(found.root)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["labels", "top_ids", "top_logits", "tail", "input_ids"])
def test_columns_of_masked_rows_go_together(tmp_path, name):
    columns = {"text": ["x"] * 40, **top_columns()}
    del columns[name]
    found = make_labelled(tmp_path / "set", columns, teacher=MASKED, tokenizer=TOKENIZER)
    with pytest.raises(SetError, match=f"{name} with the teacher masked"):
        verify(found.root)


def plain_right(row, k, vocabulary):
    """Whether one row is right, as the format's page says it."""
    asked = sum(one != -100 for one in row["labels"])
    if [len(row[n]) for n in ("top_ids", "top_logits", "tail")] != [k * asked, k * asked, asked]:
        return False
    for i in range(asked):
        ids = row["top_ids"][k * i : k * i + k]
        logits = row["top_logits"][k * i : k * i + k]
        if len(set(ids)) < k or max(ids) >= vocabulary or sorted(logits, reverse=True) != logits:
            return False
        if not np.isfinite([*logits, row["tail"][i]]).all():
            return False
    return True


IDS = st.lists(st.integers(0, 10), min_size=2, max_size=2)
LOGITS = st.lists(st.sampled_from([0.0, 1.0, float("nan")]), min_size=2, max_size=2)


@st.composite
def top_rows(draw):
    labels = draw(st.lists(st.sampled_from([-100, 7]), min_size=2, max_size=4))
    asked = sum(one == 7 for one in labels) + draw(st.sampled_from([0, 0, 0, 1, -1]))
    positions = range(max(0, asked))
    return {
        "input_ids": [2, *[5] * (len(labels) - 2), 3],
        "labels": labels,
        "top_ids": [one for _ in positions for one in draw(IDS)],
        "top_logits": [one for _ in positions for one in draw(LOGITS)],
        "tail": [draw(st.sampled_from([0.5, 0.5, 0.5, float("-inf")])) for _ in positions],
    }


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rows=st.lists(top_rows(), min_size=1, max_size=4))
def test_rows_are_right_as_they_are_by_hand(rows, tmp_path_factory):
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    root = tmp_path_factory.mktemp("sets") / "set"
    teacher, tokenizer = {**MASKED, "top_k": 2}, {**TOKENIZER, "vocab_size": 10}
    found = make_labelled(root, columns, teacher=teacher, tokenizer=tokenizer)
    if all(plain_right(row, 2, 10) for row in rows):
        assert len(verify(found.root)) == len(rows)
    else:
        with pytest.raises(SetError, match=r"for each label|top_|tail"):
            verify(found.root)
