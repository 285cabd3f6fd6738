"""`label`: logits of classifiers as a column."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from labelling import (
    ROWS,
    alone,
    columns_of,
    data_of,
    facts_of,
    label,
    logits_of,
    scale_head,
    teacher,
)

import transferset
from transferset.errors import InputError, SetError, UsageError
from transferset.pipeline.label import passes


@pytest.fixture(scope="module")
def labelled(task, first, tmp_path_factory):
    return label(task, tmp_path_factory.mktemp("out") / "labelled", first)


def test_logits_are_those_that_transformers_gives_each_row_alone(task, first, labelled):
    expected = alone(first, columns_of(task)["input_ids"])
    np.testing.assert_allclose(logits_of(labelled), expected, atol=1e-5)


def test_rows_and_columns_are_those_of_the_set(task, labelled):
    before, after = columns_of(task), columns_of(labelled)
    assert after.keys() == before.keys() | {"logits"}
    assert {name: after[name] for name in before} == before


def test_the_set_is_right_and_says_who_labelled_it(task, first, labelled):
    manifest = transferset.verify(labelled.root).manifest
    teacher = manifest.teacher
    assert (manifest.op, teacher["kind"], teacher["classes"]) == (
        "label",
        "classifier",
        ["bad", "good"],
    )
    (model,) = teacher["models"]
    assert (model["name"], model["licence"]) == ("first", "unknown")
    assert manifest.code["model first"] == model["weights"]
    assert manifest.code["arithmetic"] == "cpu float32"
    assert manifest.parents[0]["digest"] == task.manifest.digest
    assert manifest.totals["content_tokens"] == task.manifest.totals["content_tokens"]
    assert manifest.ledger == []


def test_what_was_said_is_counted(task, labelled):
    best = logits_of(labelled).argmax(1)
    told = facts_of(labelled)
    assert told["highest"] == {"bad": int((best == 0).sum()), "good": int((best == 1).sum())}
    assert told["agreeing"] == int((best == np.array(columns_of(task)["label"])).sum())
    assert (told["rows"], told["labelled"]) == (ROWS, ROWS)


def test_other_batches_give_the_same_logits_but_for_rounding(task, first, labelled, tmp_path):
    found = label(task, tmp_path / "out", first, batch_tokens=60)
    np.testing.assert_allclose(logits_of(found), logits_of(labelled), atol=1e-5)
    assert found.manifest.recipe != labelled.manifest.recipe


def test_tasks_and_shards_change_no_row(task, first, labelled, tmp_path, monkeypatch):
    found = label(task, tmp_path / "shards", first, shards=3)
    assert columns_of(found) == columns_of(labelled)
    assert len(found.manifest.shards) == 3
    monkeypatch.setattr(passes, "_LEAST", 7)
    cut = label(task, tmp_path / "cut", first)
    assert len(list((cut.root / "_run/answers-00").glob("*.json"))) == 6
    np.testing.assert_allclose(logits_of(cut), logits_of(labelled), atol=1e-5)


def test_a_finished_set_is_not_made_again(task, first, labelled):
    before = (labelled.root / "manifest.json").stat().st_mtime_ns
    label(task, labelled.root, first)
    assert (labelled.root / "manifest.json").stat().st_mtime_ns == before


def test_interrupted_labelling_goes_on_to_the_same_bytes(task, first, tmp_path, monkeypatch):
    from transferset.stage import Quiet

    class Stops(Quiet):
        left = 3

        def advance(self, amount, rows):
            self.left -= 1
            if not self.left:
                raise KeyboardInterrupt

    monkeypatch.setattr(passes, "_LEAST", 5)
    whole = label(task, tmp_path / "whole", first)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            label(task, tmp_path / "out", first, progress=Stops())
    again = label(task, tmp_path / "out", first)
    assert (again.root / "manifest.json").read_bytes() == (
        whole.root / "manifest.json"
    ).read_bytes()
    assert data_of(again) == data_of(whole)
    lines = (again.root / "_run/log.jsonl").read_text().splitlines()
    starts = [e for e in map(json.loads, lines) if e["event"] == "answers-00"]
    assert starts[0]["done_before"] == 0
    assert starts[-1]["done_before"] > 0
    assert not list((again.root / "_run").glob("*/*.arrow"))


def test_several_teachers_are_averaged_class_by_class(task, first, tmp_path):
    second = teacher(tmp_path / "second", task, ("GOOD", "Bad"), seed=1)
    third = teacher(tmp_path / "third", task, ("LABEL_0", "LABEL_1"), seed=2)
    found = label(task, tmp_path / "out", first, second, third)
    ids = columns_of(task)["input_ids"]
    parts = [alone(first, ids), alone(second, ids)[:, ::-1], alone(third, ids)]
    np.testing.assert_allclose(logits_of(found), np.mean(parts, axis=0), atol=1e-5)
    assert [one["name"] for one in found.manifest.teacher["models"]] == [
        "first",
        "second",
        "third",
    ]


@pytest.mark.parametrize("classes", [("bad", "dull"), ("a", "b", "c"), None])
def test_a_teacher_of_other_classes_is_refused(task, tmp_path, classes):
    other = teacher(tmp_path / "other", task, classes)
    with pytest.raises(InputError, match=r"a teacher of 2 classes \(bad, good\), found"):
        label(task, tmp_path / "out", other)
    assert not (tmp_path / "out").exists()


def test_scores_are_one_column(task, tmp_path):
    from lm_writers import task_set

    src = task_set(tmp_path, [("a warm film", "0.5"), ("a dull plot", "3.25")])
    scores = teacher(tmp_path / "scores", src, None)
    found = transferset.verify(label(src, tmp_path / "out", scores).root)
    logits = logits_of(found)
    np.testing.assert_allclose(logits, alone(scores, columns_of(src)["input_ids"]), atol=1e-5)
    assert found.manifest.teacher["classes"] is None
    assert facts_of(found)["most"] == pytest.approx(logits.max())


def test_half_precision_keeps_what_it_can(task, first, labelled, tmp_path):
    found = label(task, tmp_path / "out", first, dtype="float16")
    assert found.manifest.schema["logits"] == "fixed_size_list<halffloat>[2]"
    halves = logits_of(labelled).astype(np.float16)
    np.testing.assert_array_equal(logits_of(found).astype(np.float16), halves)


def test_logits_too_large_for_half_precision_are_refused(task, tmp_path):
    loud = scale_head(teacher(tmp_path / "loud", task), 1e6)
    with pytest.raises(InputError, match=r"±65,504 for float16.*row \d+.*--dtype float32"):
        label(task, tmp_path / "out", loud, dtype="float16")
    assert not (tmp_path / "out").exists()
    assert np.abs(logits_of(label(task, tmp_path / "out", loud))).max() > 65_504


def test_logits_that_are_no_numbers_are_refused_with_their_row(task, tmp_path):
    broken = scale_head(teacher(tmp_path / "broken", task), 3e38)
    with pytest.raises(InputError, match=r"finite logits, found (-?inf|nan) at row \d+ of"):
        label(task, tmp_path / "out", broken)
    assert not (tmp_path / "out").exists()


def test_logits_that_are_there_are_replaced_only_on_request(task, labelled, tmp_path):
    second = teacher(tmp_path / "second", task, seed=1)
    with pytest.raises(UsageError, match="--replace"):
        label(labelled, tmp_path / "out", second)
    found = label(labelled, tmp_path / "out", second, replace=True)
    assert logits_of(found) == pytest.approx(alone(second, columns_of(task)["input_ids"]), abs=1e-5)
    assert [one["name"] for one in found.manifest.teacher["models"]] == ["second"]


def test_rows_longer_than_the_teacher_reads_are_read_in_part(task, first, tmp_path):
    rows = columns_of(task)["input_ids"]
    found = label(task, tmp_path / "out", first, length=12)
    cut = [row if len(row) <= 12 else [*row[:11], row[-1]] for row in rows]
    np.testing.assert_allclose(logits_of(found), alone(first, cut), atol=1e-5)
    assert columns_of(found)["input_ids"] == rows
    longer = sum(len(row) > 12 for row in rows)
    assert longer > 0
    assert facts_of(found)["teachers"] == [{"name": "first", "reads": 12, "cut_rows": longer}]


def test_another_tokenizer_reads_the_texts(task, first, tmp_path):
    import transformers
    from tiny_models import VOCABULARY, write_word_pieces

    other = teacher(tmp_path / "other", task)
    write_word_pieces(other, VOCABULARY)
    spelled = transformers.PreTrainedTokenizerFast(tokenizer_file=str(other / "tokenizer.json"))
    rows = [spelled(text)["input_ids"] for text in columns_of(task)["text"]]
    found = label(task, tmp_path / "out", other)
    np.testing.assert_allclose(logits_of(found), alone(other, rows), atol=1e-5)
    both = label(task, tmp_path / "both", first, other)
    mean = (logits_of(found) + alone(first, columns_of(task)["input_ids"])) / 2
    np.testing.assert_allclose(logits_of(both), mean, atol=1e-5)

    transferset.derive(task.root, tmp_path / "shuffled", steps=[transferset.Shuffle()], workers=1)
    with pytest.raises(UsageError, match="column text"):
        label(transferset.open(tmp_path / "shuffled"), tmp_path / "none", other)


def test_a_tokenizer_that_is_only_written_otherwise_is_the_same(task, labelled, tmp_path):
    other = teacher(tmp_path / "other", task)
    path = other / "tokenizer.json"
    path.write_text(json.dumps(json.loads(path.read_text()), indent=3))
    transferset.derive(task.root, tmp_path / "shuffled", steps=[transferset.Shuffle()], workers=1)
    src = transferset.open(tmp_path / "shuffled")
    found = label(src, tmp_path / "out", other)
    np.testing.assert_allclose(
        logits_of(found), alone(other, columns_of(src)["input_ids"]), atol=1e-5
    )


def test_another_recipe_never_mixes_with_what_is_there(task, first, labelled):
    with pytest.raises(SetError, match="batch_tokens"):
        label(task, labelled.root, first, batch_tokens=77)


def test_another_model_in_the_same_place_is_another_recipe(task, first, tmp_path):
    shutil.copytree(first, tmp_path / "model")
    label(task, tmp_path / "out", tmp_path / "model")
    scale_head(tmp_path / "model", 2.0)
    with pytest.raises(SetError, match="another recipe"):
        label(task, tmp_path / "out", tmp_path / "model")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"top_k": 3}, "--mlm"),
        ({"copies": 2}, "--mlm"),
        ({"temperature": 1.0}, "--mlm"),
        ({"dtype": "float64"}, "float32 or float16"),
        ({"device": "meta"}, "a device of torch's"),
        ({"batch_tokens": 0}, "--batch-tokens from 1"),
        ({"length": 49}, "48 positions"),
        ({"length": 2}, "--length from 5"),
        ({"shards": 0}, "--shards from 1"),
        ({"seed": -1}, "--seed"),
        ({"workers": 0}, "--workers"),
        ({"device": "quantum"}, "device"),
    ],
)
def test_options_out_of_range_are_usage_errors(task, first, tmp_path, options, told):
    with pytest.raises(UsageError, match=told):
        label(task, tmp_path / "out", first, **options)
    assert not (tmp_path / "out").exists()


def test_a_directory_that_is_no_teacher_is_refused(task, masked, tmp_path):
    with pytest.raises(InputError):
        label(task, tmp_path / "out", tmp_path / "nothing")
    with pytest.raises(InputError, match="teacher fit"):
        label(task, tmp_path / "out", masked)
    with pytest.raises(UsageError, match="--teacher"):
        label(task, tmp_path / "out")
