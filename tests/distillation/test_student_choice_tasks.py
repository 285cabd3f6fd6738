"""One task for each set."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from label_sets import SENTIMENT, make_labelled

from transferset.distillation.choice.tasks import different, tasks_of
from transferset.errors import UsageError
from transferset.students.config import Task

IDS = {"input_ids": [[2, 5, 3], [2, 6, 7, 3]]}
TEXTS = {"text": ["a", "b"]}
ASKED = Task(classes=("cold", "warm"), pair=False, name="of the teacher")


@pytest.fixture
def labelled(tmp_path):
    columns = {**IDS, **TEXTS, "label": [0, 1]}
    return make_labelled(tmp_path / "films", columns, names=SENTIMENT)


@pytest.fixture
def scored(tmp_path):
    columns = {**IDS, **TEXTS, "text_pair": ["c", "d"], "label": [0.5, 1.0]}
    return make_labelled(tmp_path / "sentences", columns, score=True)


@pytest.fixture
def bare(tmp_path):
    return make_labelled(tmp_path / "bare", {**IDS, **TEXTS})


def test_classes_scores_and_pairs(labelled, scored):
    assert tasks_of([labelled, scored]) == (
        Task(classes=("negative", "positive"), pair=False, name="films"),
        Task(classes=None, pair=True, name="sentences"),
    )


def test_sets_of_one_name_are_told_apart(labelled):
    names = [task.name for task in tasks_of([labelled, labelled, labelled])]
    assert names == ["films", "films-2", "films-3"]


@given(st.lists(st.sampled_from(["a", "a-2", "a-3", "b"]), max_size=6))
def test_names_are_different_and_the_first_of_each_stays(names):
    made = different(names)
    assert len(set(made)) == len(made) == len(names)
    for i, name in enumerate(names):
        if name not in names[:i]:
            assert made[i] == name


def test_logits_say_what_the_classes_are(tmp_path):
    found = make_labelled(
        tmp_path / "labelled",
        {**IDS, "logits": [[0.0, 1.0], [1.0, 0.0]]},
        logits=pa.list_(pa.float32(), 2),
        teacher={
            "kind": "classifier",
            "classes": ["no", "yes"],
            "temperature": None,
            "top_k": None,
            "models": [{"name": "m", "weights": "0"}],
        },
    )
    assert tasks_of([found])[0].classes == ("no", "yes")


def test_a_teacher_that_is_asked_says_it_of_sets_that_say_nothing(bare, scored):
    with pytest.raises(UsageError, match="a set with labels or logits"):
        tasks_of([bare])
    assert tasks_of([bare], [ASKED]) == (Task(classes=("cold", "warm"), pair=False, name="bare"),)
    # labels are believed before it
    assert [task.classes for task in tasks_of([bare, scored], [ASKED])] == [("cold", "warm"), None]


def test_of_several_teachers_tasks_each_set_has_its_own(bare):
    other = Task(classes=None, name="other")
    assert [task.classes for task in tasks_of([bare, bare], [ASKED, other])] == [
        ("cold", "warm"),
        None,
    ]
