"""`derive --replace-lm` through the whole pipeline: the same bytes, and a killed run goes on."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest
from deriving import files_of
from small_tasks import write_task
from tiny_models import PIECES, WORDS, write_bert

import transferset
from transferset import InputError, ReplaceLm, UsageError
from transferset.pipeline import derive, survey
from transferset.verification import verify

pytest.importorskip("torch")
pytest.importorskip("transformers")

TEXTS = [
    f"{a} {b} {c} {d}."
    for a, b in (("the", "cat"), ("a", "dog"), ("my", "mouse"))
    for c in ("sat", "ran", "walks", "isn't")
    for d in ("on the mat", "in a big house", "unhappy and old")
]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return write_bert(tmp_path_factory.mktemp("lm") / "tiny")


@pytest.fixture(scope="module")
def task(tokenizer, tmp_path_factory):
    folder = tmp_path_factory.mktemp("task")
    options = {"text": "sentence", "label": "label", "tagger": "lexicon", "workers": 1}
    path = write_task(folder / "train.tsv", TEXTS)
    return transferset.build_task(path, folder / "set", tokenizer=str(tokenizer), **options)


def rows(found):
    return pa.Table.from_batches(list(found.batches())).to_pylist()


def test_variants_are_new_and_of_the_models_words(task, model, tmp_path):
    step = ReplaceLm(model=str(model), iterations=6)
    found = transferset.derive(task.root, tmp_path / "set", steps=[step], lineage=True, workers=1)
    verify(found.root)
    ids = [tuple(row["input_ids"]) for row in rows(found)]
    assert len(set(ids)) == len(ids) > len(task)
    original = {row["parent_row"]: row["text"].split() for row in rows(found) if not row["copy"]}
    for row in rows(found):
        before = original[row["parent_row"]]
        words = row["text"].split()
        assert len(words) == len(before)
        for old, new in zip(before, words, strict=True):
            assert old == new or new.strip(".") in {*WORDS, *PIECES}
    told = json.loads((found.root / "_tables/candidates.json").read_bytes())
    assert 0 < told["with_candidates"] <= told["eligible"] < told["words"]


def test_workers_make_no_difference_and_the_recipe_knows_the_model(
    task, model, tmp_path, monkeypatch
):
    monkeypatch.setattr(derive, "_MODEL_ROWS", 10)  # four ranges
    step = ReplaceLm(model=str(model), target="3x")
    one = transferset.derive(task.root, tmp_path / "one", steps=[step], workers=1)
    two = transferset.derive(task.root, tmp_path / "two", steps=[step], workers=2)
    assert files_of(one.root) == files_of(two.root)
    assert len(one) == 3 * len(task)
    assert "model tiny" in one.manifest.code
    assert str(model.parent) not in (one.root / "manifest.json").read_text()
    other = write_bert(tmp_path / "other" / "tiny", seed=1)
    third = transferset.derive(
        task.root, tmp_path / "three", steps=[ReplaceLm(model=str(other), target="3x")], workers=1
    )
    assert third.manifest.recipe != one.manifest.recipe


def test_what_the_model_has_said_is_not_asked_again(task, model, tmp_path, monkeypatch):
    monkeypatch.setattr(derive, "_MODEL_ROWS", 10)
    step = ReplaceLm(model=str(model), iterations=3)
    whole = transferset.derive(task.root, tmp_path / "whole", steps=[step], workers=1)
    looks, asked = survey._new_survey, []

    def dies(context):
        asked.append(context.stage)
        if len(asked) == 3:
            raise KeyboardInterrupt
        return looks(context)

    monkeypatch.setattr(survey, "_new_survey", dies)
    with pytest.raises(KeyboardInterrupt):
        transferset.derive(task.root, tmp_path / "set", steps=[step], workers=1)
    found = transferset.derive(task.root, tmp_path / "set", steps=[step], workers=1)
    assert asked.count("survey-00") == 3 + 2  # two of four ranges had been asked about
    assert files_of(found.root) == files_of(whole.root)


def test_tinybert_s_settings(task, model, tmp_path):
    found = transferset.derive(
        task.root,
        tmp_path / "set",
        steps=[ReplaceLm(model=str(model))],
        preset="jiao2019:sst2",
        workers=1,
    )
    (step,) = found.manifest.params["steps"]
    assert step["replace-lm"]["p"] == 0.4
    assert (step["replace-lm"]["candidates"], step["replace-lm"]["iterations"]) == (15, 20)


@pytest.mark.parametrize(
    ("change", "error", "told"),
    [
        (lambda folder: (folder / "model.safetensors").unlink(), InputError, "model.safetensors"),
        (lambda folder: (folder / "tokenizer.json").unlink(), InputError, "tokenizer.json"),
    ],
)
def test_a_directory_that_is_no_model_is_refused_before_anything_is_written(
    task, tmp_path, change, error, told
):
    folder = write_bert(tmp_path / "lm")
    change(folder)
    step = ReplaceLm(model=str(folder))
    with pytest.raises((error, UsageError), match=told):
        transferset.derive(task.root, tmp_path / "set", steps=[step], workers=1)
    assert not (tmp_path / "set").exists()
