"""Examples: what a set says of its rows, as a model reads it; bad sets are told at opening."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from learning_sets import (
    CLASSES,
    CLS,
    SEP,
    VOCABULARY,
    make_task_set,
    opened,
    random_ids,
    random_logits,
)

from transferset.distillation.examples.cutting import cut
from transferset.distillation.examples.examples import open_examples
from transferset.distillation.examples.mapped import MappedIds
from transferset.distillation.examples.reading import Reading
from transferset.distillation.examples.tasks import is_pair, layout_of, task_of
from transferset.errors import InputError, SetError, UsageError
from transferset.ledger import Reason
from transferset.students.config import Task
from transferset.students.rows import Rows

NUMBERS = np.array([30, 0, 7, 7, 39])


def lists(rows: Rows) -> list[list[int]]:
    return [rows.ids[a:b].tolist() for a, b in pairwise(rows.offsets)]


def test_rows_come_in_the_order_asked_for_out_of_any_shard(tmp_path):
    found = opened(make_task_set(tmp_path / "s", shards=[3, 20]), tmp_path)
    ids = random_ids(40)
    assert lists(found.take(NUMBERS)) == [ids[i] for i in NUMBERS]
    assert found.take(NUMBERS).ids.dtype == np.int64
    assert found.lengths.dtype == np.int32
    assert found.lengths.tolist() == [len(one) for one in ids]
    assert (len(found), found.how, found.cut_rows, found.ledger) == (40, "ids", 0, {})
    assert lists(found.take(np.empty(0, np.int64))) == []


def test_rows_are_not_copied_when_a_set_is_opened(tmp_path):
    shards = MappedIds(make_task_set(tmp_path / "s", shards=[3]))._lists._shards
    assert len(shards) == 2
    for shard in shards:
        assert not shard.values.flags.owndata
        assert not shard.offsets.flags.owndata


def test_classes_without_a_label_are_minus_100(tmp_path):
    found = opened(make_task_set(tmp_path / "s"), tmp_path)
    labels = found.labels(np.array([0, 1, 2, 3, 4]))
    assert labels.dtype == np.int64
    assert labels.tolist() == [0, 1, 2, 0, -100]
    assert found.labelled == 32
    assert [one.name for one in found.metrics] == ["accuracy", "f1_macro"]


def test_scores_without_a_label_are_nan(tmp_path):
    found = opened(make_task_set(tmp_path / "s", classes=None), tmp_path)
    labels = found.labels(np.array([1, 4, 20]))
    assert labels.dtype == np.float32
    assert labels[[0, 2]].tolist() == pytest.approx([1 / 40, 0.5])
    assert np.isnan(labels[1])
    assert found.labelled == 32
    assert [one.name for one in found.metrics] == ["pearson", "spearman"]


def test_a_set_may_have_no_labels(tmp_path):
    found = opened(
        make_task_set(tmp_path / "s", label=None, logits=random_logits(40), names={}), tmp_path
    )
    assert found.labelled == 0
    assert found.labels(NUMBERS).tolist() == [-100] * 5


@pytest.mark.parametrize(
    ("model", "labels"),
    [
        (("yes", "no", "perhaps"), [1, 2, 0]),
        (("NO", "Perhaps", "YES"), [0, 1, 2]),
        (("LABEL_0", "LABEL_1", "LABEL_2"), [0, 1, 2]),
        (("0", "1", "2"), [0, 1, 2]),
        (("other", "yes", "perhaps", "no"), [3, 2, 1]),
    ],
)
def test_classes_meet_by_name(tmp_path, model, labels):
    found = make_task_set(tmp_path / "s")
    examples = opened(found, tmp_path, task=Task(classes=model))
    assert examples.labels(np.arange(3)).tolist() == labels


@pytest.mark.parametrize("model", [("good", "bad", "no"), ("no", "yes"), ("LABEL_0", "LABEL_1")])
def test_a_class_that_the_model_has_not_is_told(tmp_path, model):
    found = make_task_set(tmp_path / "s")
    with pytest.raises(InputError, match=r"classes out of the model's .* found 3 \(no, perhaps"):
        opened(found, tmp_path, task=Task(classes=model))


def test_labels_and_model_are_of_one_kind(tmp_path):
    classes, scores = (
        make_task_set(tmp_path / str(i), classes=c) for i, c in ((0, CLASSES), (1, None))
    )
    with pytest.raises(UsageError, match="labels that are scores, found classes"):
        opened(classes, tmp_path, task=Task(classes=None))
    with pytest.raises(UsageError, match="labels that are classes, found scores"):
        opened(scores, tmp_path, task=Task(classes=CLASSES))


@pytest.mark.parametrize("classes", [CLASSES, None])
def test_a_label_that_is_none_is_told_with_its_row(tmp_path, classes):
    wrong = [0] * 20 + [9 if classes else float("inf")] + [0] * 19
    found = make_task_set(tmp_path / "s", classes=classes, label=wrong)
    with pytest.raises(SetError, match=r"found (9|inf) at .*, row 20"):
        opened(found, tmp_path)


@pytest.mark.parametrize("kind", [np.float16, np.float32])
def test_logits_come_in_the_order_of_the_models_classes(tmp_path, kind):
    logits = random_logits(40).astype(kind)
    found = make_task_set(
        tmp_path / "s", logits=logits, teacher=["yes", "no", "perhaps"], shards=[9]
    )
    examples = opened(found, tmp_path, logits=True)
    taken = examples.logits(NUMBERS)
    assert taken.dtype == np.float32
    assert np.array_equal(taken, logits[NUMBERS][:, [1, 2, 0]].astype(np.float32))


def test_logits_of_classes_without_names_go_by_position(tmp_path):
    logits = random_logits(40)
    names = ["LABEL_0", "LABEL_1", "LABEL_2"]
    found = make_task_set(tmp_path / "s", logits=logits, teacher=names)
    assert np.array_equal(opened(found, tmp_path, logits=True).logits(NUMBERS), logits[NUMBERS])


def test_scores_of_a_teacher(tmp_path):
    logits = random_logits(40, 1)
    found = make_task_set(tmp_path / "s", classes=None, logits=logits)
    assert np.array_equal(opened(found, tmp_path, logits=True).logits(NUMBERS), logits[NUMBERS])


def test_missing_logits_are_told(tmp_path):
    found = make_task_set(tmp_path / "s")
    with pytest.raises(UsageError, match=r"a column logits, found none at .*transferset label"):
        opened(found, tmp_path, logits=True)
    with pytest.raises(UsageError, match="a column logits"):
        opened(found, tmp_path).logits(NUMBERS)


@pytest.mark.parametrize(
    ("teacher", "outputs", "told"),
    [
        (["no", "yes"], 2, r"logits of 3 classes .* found 2 classes \(no, yes\)"),
        (["no", "maybe", "yes"], 3, "classes out of the model's"),
        (["no", "no", "yes"], 3, "classes out of the model's"),
        (None, 1, "logits of 3 classes .* found a score"),
    ],
)
def test_logits_of_other_classes_are_told(tmp_path, teacher, outputs, told):
    logits = random_logits(40, outputs)
    found = make_task_set(tmp_path / "s", logits=logits, teacher=teacher)
    with pytest.raises(InputError, match=told):
        opened(found, tmp_path, logits=True)


def test_as_many_logits_as_the_manifest_says(tmp_path):
    found = make_task_set(tmp_path / "s", logits=random_logits(40, 2), teacher=list(CLASSES))
    with pytest.raises(SetError, match="3 logits a row, found 2"):
        opened(found, tmp_path, logits=True)


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_a_logit_that_is_no_number_is_told_with_its_row(tmp_path, wrong):
    logits = random_logits(40)
    logits[33, 1] = wrong
    found = make_task_set(tmp_path / "s", logits=logits, shards=[7])
    assert len(opened(found, tmp_path)) == 40  # it is not asked for
    with pytest.raises(SetError, match=r"finite logits, found .*(nan|inf).*, row 33; label the"):
        opened(found, tmp_path, logits=True)


def test_an_id_beyond_the_models_vocabulary_is_told_with_its_row(tmp_path):
    ids = random_ids(40)
    ids[21] = [CLS, 998, SEP]
    ids = [one if i == 21 else [min(x, 900) for x in one] for i, one in enumerate(ids)]
    found = make_task_set(tmp_path / "s", input_ids=ids, shards=[10])
    reading = Reading(vocabulary=replace(VOCABULARY, size=950))
    with pytest.raises(SetError, match=r"ids below the model's 950, found 998 at .*, row 21"):
        open_examples(found, task_of(found), reading, tmp_path)


def test_damage_is_told(tmp_path):
    found = make_task_set(tmp_path / "s")
    (path,) = found.root.glob("*.arrow")
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)
    with pytest.raises(SetError, match="bytes as written, found others"):
        opened(found, tmp_path)


def test_pairs_and_single_texts_are_not_mixed_up(tmp_path):
    found = make_task_set(tmp_path / "s", pair=True)
    assert task_of(found).pair
    with pytest.raises(UsageError, match="single texts for this model, found pairs"):
        opened(found, tmp_path, task=Task(classes=CLASSES))


def test_separators_tell_pairs_where_texts_are_gone(tmp_path):
    pairs = make_task_set(tmp_path / "p", input_ids=random_ids(40, pair=True))
    assert is_pair(pairs)
    assert not is_pair(make_task_set(tmp_path / "s"))


def test_the_task_of_a_set(tmp_path):
    assert task_of(make_task_set(tmp_path / "c"), "c") == Task(classes=CLASSES, name="c")
    assert task_of(make_task_set(tmp_path / "s", classes=None)) == Task(classes=None)
    labelled = make_task_set(tmp_path / "l", label=None, names={}, logits=random_logits(40))
    assert task_of(labelled) == Task(classes=CLASSES)
    with pytest.raises(UsageError, match="a set with labels or logits, found input_ids"):
        task_of(make_task_set(tmp_path / "n", label=None, names={}))


def test_the_layout_is_found_through_the_lineage(tmp_path):
    params = {"max_len": None, "layout": "glue-mrpc"}
    built = {"name": "a", "op": "build task", "params": params, "parents": []}
    other = {"name": "o", "op": "derive", "params": {}, "parents": [built]}
    derived = make_task_set(tmp_path / "s", op="mix", parents=[other, built]).manifest
    assert layout_of(derived) == "glue-mrpc"
    assert layout_of(replace(derived, parents=[])) is None
    cola = {**built, "params": {"layout": "cola"}}
    assert layout_of(replace(derived, parents=[other, cola])) is None
    hostile = [{"name": "h", "op": "build task", "params": 7, "parents": "x"}, {"name": "g"}]
    assert layout_of(replace(derived, parents=hostile)) is None


def test_long_rows_lose_their_end_and_are_counted(tmp_path):
    found = opened(make_task_set(tmp_path / "s"), tmp_path, length=6)
    ids = random_ids(40)
    whole = [one if len(one) <= 6 else [*one[:5], SEP] for one in ids]
    assert lists(found.take(np.arange(40))) == whole
    assert found.lengths.tolist() == [len(one) for one in whole]
    assert found.cut_rows == sum(len(one) > 6 for one in ids)
    assert found.ledger == {Reason.TRUNCATED: sum(max(0, len(one) - 6) for one in ids)}
    with pytest.raises(UsageError, match="a --length of at least 5, found 4"):
        Reading(vocabulary=VOCABULARY, length=4)


texts = st.lists(st.integers(5, 99), max_size=12)


@given(st.lists(st.tuples(texts, texts), min_size=1, max_size=4), st.integers(5, 20))
def test_pairs_lose_the_end_of_the_longer_text_first(pairs, length):
    made = [[CLS, *a, SEP, *b, SEP] for a, b in pairs]
    offsets = np.append(0, np.cumsum([len(one) for one in made]))
    found = cut(Rows(np.array([x for one in made for x in one], np.int64), offsets), length, SEP)
    for (a, b), row in zip(pairs, lists(found), strict=True):
        while len(a) + len(b) + 3 > length:
            # one at a time from the longer one
            a, b = (a[:-1], b) if len(a) > len(b) else (a, b[:-1])
        assert len(row) == min(length, len(a) + len(b) + 3)
        middle = row.index(SEP)
        first, second = row[1:middle], row[middle + 1 : -1]
        assert (row[0], row[-1]) == (CLS, SEP)
        assert sorted((len(first), len(second))) == sorted((len(a), len(b)))
        assert a[: len(first)] == first[: len(a)]
        assert b[: len(second)] == second[: len(b)]
