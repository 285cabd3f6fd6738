"""Logits in derivations and mixes: they go with their rows, or with all of them."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pyarrow as pa
import pytest
from deriving import files_of, rows_of
from sets import make_set, reshard
from small_tasks import sentences, write_task
from teacher_sets import CLASSIFIER, HALF, MASKED, add_logits, make_logits, make_top

import transferset
from transferset import (
    Augment,
    Dedupe,
    Delete,
    Filter,
    Generate,
    Lengths,
    Mask,
    Pack,
    Replace,
    Sample,
    Shuffle,
    Split,
    UsageError,
    schema,
)
from transferset.pipeline import order
from transferset.verification import verify

KEEPING = {
    "sample": [Sample("50%")],
    "bootstrap": [Sample("200%", with_replacement=True)],
    "filter": [Filter("length > 4")],
    "lengths": [Lengths("4:6")],
    "dedupe": [Dedupe()],
    "all": [Filter("length > 3"), Sample("150%", with_replacement=True), Dedupe()],
}

DROPPING = {
    "shuffle": [Shuffle()],
    "mask": [Mask(0.3)],
    "delete": [Delete(0.2)],
    "replace": [Replace(0.5)],
    "generate": [Generate("50%")],
    "pack": [Pack(32)],
    "pack after a sample": [Sample("50%"), Pack(32)],
}


@pytest.fixture(scope="module")
def labelled(tmp_path_factory):
    return make_logits(tmp_path_factory.mktemp("classified") / "set", 300, shards=[120])


@pytest.fixture(scope="module")
def masked(tmp_path_factory):
    return make_top(tmp_path_factory.mktemp("masked") / "set", 300, shards=[120])


def by_address(found, parent, names):
    """Whether each row has what its row of the parent has."""
    rows, before = rows_of(found), rows_of(parent)
    came_from = before.take(rows["parent_row"].combine_chunks())
    return rows.num_rows > 0 and all(
        rows[name].to_pylist() == came_from[name].to_pylist() for name in names
    )


@pytest.mark.parametrize("steps", KEEPING.values(), ids=KEEPING)
@pytest.mark.parametrize("kind", ["labelled", "masked"])
def test_rows_that_are_kept_keep_what_was_said_of_them(request, tmp_path, kind, steps):
    parent = request.getfixturevalue(kind)
    found = transferset.derive(
        parent.root, tmp_path / "set", steps=steps, lineage=True, workers=1
    )  # fmt: skip
    verify(found.root)
    names = [name for name in parent.manifest.schema if name != "label"]
    assert by_address(found, parent, ["input_ids", *set(names) & set(schema.TEACHER)])
    assert found.manifest.teacher == parent.manifest.teacher
    assert found.manifest.schema.items() >= parent.manifest.schema.items()


def test_siblings_keep_them_too(labelled, tmp_path):
    steps = [Split("train=0.75,validation=0.25")]
    found = transferset.derive(labelled.root, tmp_path / "sets", steps=steps, workers=1)
    logits = [rows_of(verify(one.root))["logits"].to_pylist() for one in found.values()]
    assert sorted(itertools.chain(*logits)) == sorted(rows_of(labelled)["logits"].to_pylist())
    assert all(one.manifest.teacher == CLASSIFIER for one in found.values())


@pytest.mark.parametrize("steps", DROPPING.values(), ids=DROPPING)
def test_other_ids_have_no_logits(labelled, tmp_path, steps):
    found = transferset.derive(labelled.root, tmp_path / "set", steps=steps, workers=1)
    verify(found.root)
    assert "logits" not in found.schema.names
    assert found.manifest.teacher is None
    assert b"teacher" not in (found.root / "manifest.json").read_bytes().split(b'"parents"')[0]


@pytest.mark.parametrize("keep_label", [False, True])
def test_a_label_may_stay_where_logits_cannot(labelled, tmp_path, keep_label):
    found = transferset.derive(
        labelled.root, tmp_path / "set", steps=[Shuffle()], keep_label=keep_label, workers=1
    )
    assert ("label" in found.schema.names) == keep_label
    assert "logits" not in found.schema.names


@pytest.mark.parametrize("step", [Mask(0.5), Replace(0.5)])
def test_masked_again_rows_keep_their_labels_only(masked, tmp_path, step):
    found = transferset.derive(masked.root, tmp_path / "set", steps=[step], workers=1)
    verify(found.root)
    assert found.schema.names == ["input_ids", "labels"]


@pytest.mark.parametrize("step", [Shuffle(), Delete(0.5), Pack(64)])
def test_ids_are_not_moved_under_labels(masked, tmp_path, step):
    with pytest.raises(UsageError, match="no labels where ids are moved"):
        transferset.derive(masked.root, tmp_path / "set", steps=[step], workers=1)


def test_variants_have_no_logits_nor_have_their_originals(tokenizer, tmp_path):
    path = write_task(tmp_path / "train.tsv", sentences(60))
    options = {"text": "sentence", "label": "label", "tagger": "lexicon", "workers": 1}
    task = transferset.build_task(path, tmp_path / "task", tokenizer=str(tokenizer), **options)
    parent = add_logits(task, tmp_path / "labelled")
    verify(parent.root)
    step = Augment(mask=0.5, iterations=2)
    found = transferset.derive(parent.root, tmp_path / "set", steps=[step], workers=1)
    verify(found.root)
    assert len(found) > len(parent)
    assert "logits" not in found.schema.names
    assert found.manifest.teacher is None
    assert {"input_ids", "text", "label"} <= set(found.schema.names)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["labelled", "masked"])
def test_bytes_do_not_depend_on_workers_or_shards_of_the_parent(request, tmp_path, kind):
    parent = request.getfixturevalue(kind)
    steps = [Sample("70%")]
    one = transferset.derive(parent.root, tmp_path / "a", steps=steps, workers=1, shards=2)
    two = transferset.derive(parent.root, tmp_path / "b", steps=steps, workers=2, shards=2)
    assert files_of(one.root) == files_of(two.root)
    whole = transferset.derive(parent.root, tmp_path / "c", steps=steps, workers=1, shards=1)
    assert rows_of(whole).equals(rows_of(one))
    assert reshard(whole, tmp_path / "d", [100, 110]).schema.equals(one.schema)


@pytest.mark.parametrize("kind", ["labelled", "masked"])
def test_a_shard_holds_as_many_bytes_as_are_wanted(request, tmp_path, kind, monkeypatch):
    parent = request.getfixturevalue(kind)
    monkeypatch.setattr(order, "SHARD_BYTES", parent.manifest.totals["bytes"] // 4)
    found = transferset.derive(parent.root, tmp_path / "a", steps=[Sample("100%")], workers=1)
    assert len(found.manifest.shards) in (4, 5)
    found = transferset.mix([parent.root], tmp_path / "b", workers=1)
    assert len(found.manifest.shards) in (4, 5)


@pytest.mark.parametrize("make", [make_logits, make_top])
def test_sets_of_one_teacher_are_mixed_with_what_it_said(tmp_path, make):
    a, b = make(tmp_path / "a", 200), make(tmp_path / "b", 90)
    found = transferset.mix([a.root, b.root], tmp_path / "mix", seed=3, workers=1)
    verify(found.root)
    assert found.manifest.teacher == a.manifest.teacher
    rows = rows_of(found)
    told = [n for n in schema.TEACHER if n in a.schema.names]
    names = ["input_ids", *told]
    for code, one in enumerate((a, b)):
        mine = rows.filter(np.asarray(rows["part"]) == code).select(names).to_pylist()
        assert sorted(map(json.dumps, mine)) == sorted(
            map(json.dumps, rows_of(one).select(names).to_pylist())
        )


OTHERS = [
    (make_logits, {"teacher": {**CLASSIFIER, "models": [{"name": "x", "weights": "cd"}]}},
     r"the logits of one teacher in all sets.*models\[0\].name was .teacher., is .x."),
    (make_logits, {"logits": schema.logits_type(2)}, "fixed_size_list<float>"),
    (make_logits, {"teacher": {**CLASSIFIER, "classes": ["positive", "negative"]}}, "classes"),
    (make_top, {"teacher": {**MASKED, "temperature": 1.0}}, "temperature was 2.0, is 1.0"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "other", "message"), OTHERS)
def test_different_teachers_are_not_mixed(tmp_path, make, other, message):
    a, b = make(tmp_path / "a"), make(tmp_path / "b", **other)
    with pytest.raises(UsageError, match=message) as caught:
        transferset.mix([a.root, b.root], tmp_path / "mix", workers=1)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "mix" / "manifest.json").exists()


def test_where_a_set_has_no_logits_the_mix_has_none(tmp_path):
    a, b = make_logits(tmp_path / "a", 50), make_set(tmp_path / "b", [30], text=True)
    other = {**CLASSIFIER, "models": [{"name": "x", "weights": "cd"}]}
    c = make_logits(tmp_path / "c", 20, teacher=other)  # which then does not matter
    found = transferset.mix([a.root, b.root, c.root], tmp_path / "mix", workers=1)
    verify(found.root)
    assert "logits" not in found.schema.names
    assert "logits" in found.manifest.params["left_out"]
    assert found.manifest.teacher is None


@pytest.mark.parametrize("width", [schema.logits_type(2), HALF, schema.logits_type(1)])
def test_datasets_reads_the_numbers_as_they_are(tmp_path, width):
    datasets = pytest.importorskip("datasets")
    classes = ["negative", "positive"] if width.list_size == 2 else None
    parent = make_logits(
        tmp_path / "parent", logits=width, teacher={**CLASSIFIER, "classes": classes}
    )
    found = transferset.derive(parent.root, tmp_path / "set", steps=[Sample("90%")], workers=1)
    rows = datasets.load_from_disk(str(found.root))
    number = "float16" if width.value_type == pa.float16() else "float32"
    assert rows.features["logits"] == datasets.List(datasets.Value(number), length=width.list_size)
    assert rows.data.column("logits").type == width
    assert rows["logits"][:] == rows_of(found)["logits"].to_pylist()
    assert rows.with_format("numpy")[:3]["logits"].shape == (3, width.list_size)


def test_datasets_reads_what_was_said_of_masked_ids(masked, tmp_path):
    datasets = pytest.importorskip("datasets")
    found = transferset.derive(masked.root, tmp_path / "set", steps=[Sample("90%")], workers=1)
    rows = datasets.load_from_disk(str(found.root))
    assert rows.features["top_ids"] == datasets.List(datasets.Value("uint16"))
    assert rows.features["tail"] == datasets.List(datasets.Value("float16"))
    for name in ("top_ids", "top_logits", "tail"):
        assert rows[name][:] == rows_of(found)[name].to_pylist()
