"""`transferset evaluate`: what it prints and writes."""

from __future__ import annotations

import io
import json
import os
import shutil

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from judged import (
    CLASSES,
    alone,
    ids_of,
    labels_with,
    logits_deciding,
    make_set,
    texts,
    write_classifier,
    write_masked,
)

import transferset
from transferset.cli import run
from transferset.report.evaluation import show_evaluation
from transferset.shapes import Nullable, anything, check, count, seed, text

TEXTS = texts(16, seed=2)


SMALL = {"parameters": 1, "embedding": 0, "other": 1, "bytes": 4}
RATES = {"rows_per_second": 1.0, "tokens_per_second": 1.0}


def a_number(value):
    """A number."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def flag(value):
    """True or false."""
    return isinstance(value, bool)


INTERVAL = {
    "value": Nullable(a_number), "low": Nullable(a_number), "high": Nullable(a_number),
    "undefined": count,
}  # fmt: skip
SCORE = {
    "name": text, **INTERVAL,
    **{key: Nullable(INTERVAL) for key in ("teacher", "difference", "retention")},
}  # fmt: skip
MISTAKE = {
    "row": count, "texts": [text], "gold": text, "predicted": text, "confidence": a_number,
}  # fmt: skip
SET = {"name": text, "label": text, "path": text, "digest": text}
TASK = {
    "task": text, "set": SET, "rows": count, "labelled": count, "unlabelled": count, "read": text,
    "cut_rows": count, "pair": flag, "classes": Nullable([text]), "teacher_from": Nullable(text),
    "metrics": Nullable([SCORE]), "score": Nullable(SCORE),
    "by_class": Nullable([{
        "class": text, "precision": a_number, "recall": a_number, "f1": a_number, "support": count,
        "predicted": count,
    }]),
    "confused": Nullable({
        "count": count, "pairs": [{"gold": text, "predicted": text, "rows": count}],
    }),
    "mistakes": Nullable({"rows": count, "surest": [MISTAKE], "least_sure": [MISTAKE]}),
    "deviations": Nullable([{
        "row": count, "texts": [text], "gold": a_number, "predicted": a_number, "error": a_number,
    }]),
    "calibration": Nullable({
        "error": a_number, "teacher": Nullable(a_number),
        "bins": [{
            "low": a_number, "high": a_number, "rows": count, "confidence": Nullable(a_number),
            "accuracy": Nullable(a_number),
        }],
    }),
    "agreement": Nullable({"rows": count, ...: anything}),
}  # fmt: skip
MACRO = {key: Nullable(a_number) for key in ("value", "teacher", "difference", "retention")}
SIZE = {"parameters": count, "embedding": count, "other": count, "bytes": count}
SPEED = {
    "rows": count, "tokens": count, "rows_per_second": a_number, "tokens_per_second": a_number,
    "passes": count, "threads": count,
}  # fmt: skip
MODEL = {
    "name": text, "path": text, "config": text, "weights": text, "tokenizer": text,
    "tasks": [{"name": text, "classes": Nullable([text])}], ...: anything,
}  # fmt: skip
#: What docs/evaluate.md describes.
RESULT = {
    "format": count,
    "settings": {
        "mlm": flag, "device": text, "length": Nullable(count), "mistakes": count,
        "resamples": count, "level": a_number, "seed": seed,
    },
    "model": MODEL, "teacher": Nullable(MODEL), "tasks": [TASK],
    "macro": Nullable({"tasks": count, "all": MACRO, "without": MACRO}),
    "masked": Nullable({
        "set": SET, "rows": count, "read": text, "cut_rows": count, "share": Nullable(a_number),
        "masked": count, "metrics": [SCORE],
        "agreement": Nullable({"positions": count, "decisions": INTERVAL, "kl": INTERVAL}),
    }),
    "size": {"model": SIZE, "teacher": Nullable(SIZE)},
    "speed": {"model": SPEED, "teacher": Nullable(SPEED)},
}  # fmt: skip


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def labelled(model, pieces, folder):
    """A set with a mistake in a row of nasty text; and a teacher's logits."""
    decided = alone(model, ids_of(pieces, TEXTS)).argmax(1)
    labels = labels_with(decided, wrong=(2,))
    nasty = "\x1b[31mred\x9b2J\u202e [bold]cat[/bold] \\[x] \n dog"
    made = make_set(folder / "sets" / "dev", pieces, TEXTS, labels, logits=logits_deciding(decided))
    rows = [nasty if i == 2 else one for i, one in enumerate(TEXTS)]
    return make_set_of(folder / "sets" / "nasty", made, rows, labels, decided)


def make_set_of(root, parent, rows, labels, decided):
    """The same ids with other texts."""
    from label_sets import make_labelled

    from transferset import schema

    columns = {
        "input_ids": [ids for batch in parent.batches() for ids in batch["input_ids"].to_pylist()],
        "text": rows, "label": [CLASSES.index(one) for one in labels],
        "logits": list(logits_deciding(decided)),
    }  # fmt: skip
    return make_labelled(
        root, columns, names={"label": list(CLASSES)}, logits=schema.logits_type(3),
        teacher=parent.manifest.teacher, tokenizer=parent.manifest.tokenizer,
    )  # fmt: skip


def printed(capsys, *words):
    assert run(["evaluate", *map(str, words)]) == 0
    return capsys.readouterr().out


def test_json_has_the_documented_shape(model, labelled, capsys):
    out = printed(capsys, model, labelled.root, "--json", "--teacher", model)
    found = json.loads(out)
    check(found, RESULT)
    assert out.isascii()  # so that no text steers a terminal
    (wrong,) = found["tasks"][0]["mistakes"]["surest"]
    assert wrong["texts"][0].startswith("\x1b[31mred\x9b2J\u202e [bold]")


def test_json_of_scores_of_pieces_and_without_labels(pieces, folder, capsys):
    scores = write_classifier(folder / "scores", pieces, None)
    masked = write_masked(folder / "mlm", pieces)
    gold = make_set(folder / "gold", pieces, TEXTS, list(np.arange(16) / 4), classes=None)
    bare = make_set(folder / "bare", pieces, TEXTS, None)
    for words in (
        (scores, gold.root),
        (scores, bare.root, "--teacher", scores),
        (masked, bare.root, "--mlm"),
        (masked, bare.root, "--mlm", "--teacher", masked),
    ):
        check(json.loads(printed(capsys, *words, "--json")), RESULT)


def test_a_constant_model_has_undefined_scores_and_valid_json(pieces, folder, capsys):
    scores = write_classifier(folder / "scores", pieces, None)
    gold = make_set(folder / "gold", pieces, TEXTS, [0.5] * 16, classes=None)
    found = json.loads(printed(capsys, scores, gold.root, "--json"))
    pearson = found["tasks"][0]["metrics"][0]
    assert (pearson["value"], pearson["low"], pearson["undefined"]) == (None, None, 1000)
    assert "–" in printed(capsys, scores, gold.root)


def test_texts_cannot_steer_the_terminal(model, labelled, capsys):
    shown = printed(capsys, model, labelled.root)
    assert not {"\x1b", "\x9b", "\u202e"} & set(shown)
    assert r"\x1b[31mred\x9b2J\u202e" in "".join(shown.split())
    assert "[bold]cat[/bold]" in shown


def test_what_is_shown(model, labelled, capsys):
    shown = printed(capsys, model, labelled.root, "--teacher", model)
    for told in (
        "16 rows", "accuracy", "f1 macro", "95 % interval", "teacher", "difference", "retained",
        "by class", "precision", *CLASSES, "taken for", "calibration error", "surest of 1 mistake",
        "row 2", "agreement with the teacher (16 rows)", "same decision", "parameters",
        "without embeddings", "rows/s, one thread",
    ):  # fmt: skip
        assert told in shown
    assert "".join(shown.split()).startswith(f"{model}onnasty:16rows")
    assert "0.938 [0.812, 1.000]" in shown
    assert "100.0 % [100.0, 100.0]" in shown


def test_models_of_one_name_are_told_apart(model, labelled, folder, capsys, monkeypatch):
    shown = []
    for place in ("a", "b"):
        shutil.copytree(model, folder / place / "model")
        shown.append(printed(capsys, f"{place}/model", labelled.root).splitlines()[0])
    assert shown == ["a/model on nasty: 16 rows", "b/model on nasty: 16 rows"]


@pytest.mark.parametrize("taught", [False, True])
def test_each_column_of_the_macro_score_has_a_header(taught):
    one = {"value": 0.5, "teacher": 0.8, "difference": -0.3, "retention": 0.625}
    alone = {**dict.fromkeys(one), "value": 0.5}
    figures = one if taught else alone
    found = {
        "settings": {"level": 0.95}, "model": {"path": "m", "tasks": []}, "tasks": [],
        "macro": {"tasks": 2, "all": figures, "without": figures}, "masked": None,
        "size": {"model": SMALL, "teacher": None}, "speed": {"model": RATES, "teacher": None},
    }  # fmt: skip
    file = io.StringIO()
    show_evaluation(found, file, width=100)
    _, header, row, *_ = file.getvalue().splitlines()
    beside = ["teacher", "difference", "retained"]
    assert header.split() == ["model", *(beside if taught else [])]
    assert row.split() == ["all", "0.500", *(["0.800", "−0.300", "62.5", "%"] if taught else [])]


def test_out_is_the_same_json_and_the_only_file(model, labelled, folder, capsys):
    before = sorted(folder.rglob("*"))
    out = folder / "results" / "one.json"
    found = json.loads(printed(capsys, model, labelled.root, "--json", "--out", out))
    assert json.loads(out.read_bytes()) == found
    assert sorted(folder.rglob("*")) == sorted([*before, out.parent, out])
    printed(capsys, model, labelled.root, "--out", out)  # a later result takes its place
    assert sorted(folder.rglob("*")) == sorted([*before, out.parent, out])


def test_nothing_is_left_behind(model, pieces, folder, monkeypatch):
    (folder / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder / "tmp"))
    made = make_set(folder / "set", pieces, TEXTS, labels_with([0] * 16, ()))
    before = sorted(folder.rglob("*"))
    transferset.evaluate(model, made.root)
    assert sorted(folder.rglob("*")) == before


def test_the_only_set_need_not_be_named(model, pieces, folder, capsys):
    make_set(folder / "sets" / "dev", pieces, TEXTS, labels_with([0] * 16, ()))
    assert run(["evaluate", str(model)]) == 0
    said = capsys.readouterr()
    assert f"sets{os.sep}dev, the only set" in said.err
    assert "16 rows" in said.out


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["MODEL", "nothing"], 4, "expected a shard set"),
        (["nothing", "SET"], 3, "expected a file config.json"),
        (["MODEL", "SET", "--out", "x.txt"], 2, "--out FILE.json"),
        (["MODEL", "SET", "--mlm"], 3, "masked-LM head"),
        (["MODEL", "SET", "SET"], 2, "one set for each of the tasks"),
    ],
)
def test_one_sentence_for_what_cannot_be_done(model, labelled, capsys, words, code, told):
    places = {"MODEL": str(model), "SET": str(labelled.root)}
    assert run(["evaluate", *(places.get(word, word) for word in words)]) == code
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert said.startswith("transferset: expected")
    assert told in said


def test_out_destroys_nothing(model, labelled, folder, capsys):
    """Neither files that are read, nor any other that is no result."""
    mine, link = folder / "mine.json", folder / "link.json"
    mine.write_text('{"format": 1, "model": "mine"}')
    link.symlink_to(model / "config.json")
    (folder / "cut.json").write_text('{"format": 1, ')
    read = [*model.rglob("*"), *labelled.root.rglob("*")]
    before = {path: path.read_bytes() for path in [*read, mine] if path.is_file()}
    set_ = str(labelled.root)
    for words in (
        [set_, "--out", model / "config.json"],
        [set_, "--out", model / "new.json"],
        [set_, "--out", labelled.root / "manifest.json"],
        [f"task={set_}", "--out", labelled.root / "_tables" / "new.json"],
        [set_, "--teacher", labelled.root, "--out", labelled.root / "new.json"],
        [set_, "--out", mine],
        [set_, "--out", link],
        [set_, "--out", folder / "cut.json"],
    ):
        assert run(["evaluate", str(model), *map(str, words)]) == 2
        said = capsys.readouterr().err.strip().splitlines()[-1]
        assert said.startswith("transferset: expected")
        assert said.endswith("; choose another --out")
    assert {path: path.read_bytes() for path in before} == before
    assert [*model.rglob("*"), *labelled.root.rglob("*")] == read
