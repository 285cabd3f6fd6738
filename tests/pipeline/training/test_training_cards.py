"""What the README of a trained model says of its size, options, words and heads."""

from __future__ import annotations

import ast
import contextlib
import io

import numpy as np
import pyarrow as pa
import pytest
from label_sets import make_labelled
from trained_sets import SMALL

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

import transferset  # noqa: E402
from transferset.pipeline.training.origins import taggers_of  # noqa: E402
from transferset.students.opening import open_student  # noqa: E402
from transferset.students.rows import Rows  # noqa: E402


def card(model) -> str:
    return (model.root / "README.md").read_text()


def run_lines(model, monkeypatch, *swaps):
    """What the README's lines print, with other texts."""
    code = card(model).split("```python\n")[1].split("```")[0]
    for old, new in swaps:
        assert old in code
        code = code.replace(old, new)
    monkeypatch.chdir(model.root)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), torch.no_grad():
        exec(compile(code, "README.md", "exec"), {})
    lines = printed.getvalue().strip().splitlines()
    return [ast.literal_eval(one.removeprefix("tensor(").removesuffix(")")) for one in lines]


def test_the_size_is_that_of_what_is_saved(made, tmp_path):
    model = transferset.distill(
        made / "set", tmp_path / "m", teacher=made / "teacher", student="transformer",
        embeddings="teacher", projection=True, hidden=6, heads=2, layers=1, feed=8, steps=2,
        batch=4, direction="teacher‖student", soft=1.0,
    )  # fmt: skip
    saved = transferset.evaluate(model.root, made / "dev", resamples=39)["size"]["model"]
    told = model.record.metrics["parameters"]
    assert [told[name] for name in ("all", "embedding", "other")] == [
        saved[name] for name in ("parameters", "embedding", "other")
    ]
    assert told["trained"] > told["all"]  # a teacher's table and a map
    text = card(model)
    assert f"{told['all']:,} parameters" in text
    assert f"{told['trained']:,} were trained" in text
    assert "direction teacher‖student" in text
    assert "embeddings (from teacher)" in text
    assert "\\u" not in text
    assert "\\{" not in text


TEXTS = ["I don't like it.", "We like it!", "It isn't good.", "Good."] * 4
TAGGED = [
    ["I", "do", "n't", "like", "it", "."], ["We", "like", "it", "!"],
    ["It", "is", "n't", "good", "."], ["Good", "."],
] * 4  # fmt: skip


@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")
@pytest.mark.parametrize("column", ["text", "words"])
def test_the_lines_read_what_was_trained_on(tmp_path, monkeypatch, column):
    columns = {"text": TEXTS, "label": [0, 1] * 8}
    if column == "words":
        columns["words"] = TAGGED
    params = {"max_len": None, "tagger": "spacy:some_model", "words": "tagger"}
    built = make_labelled(
        tmp_path / "set", columns, names={"label": ["no", "yes"]}, params=params
    )  # fmt: skip
    model = transferset.distill(built.root, tmp_path / "m", words=True, steps=2, **SMALL)
    opened = open_student(model.root)
    given = TEXTS[0] if column == "text" else TAGGED[0]
    ids, offsets = opened.words.encode(pa.array([given]))
    assert not (column == "words" and (ids == 1).any())  # all words are known
    with torch.no_grad():
        wanted = opened.student(Rows(ids.astype(np.int64), offsets)).numpy()[0]
    example = '"a text"' if column == "text" else '["a", "text"]'
    (found,) = run_lines(model, monkeypatch, (example, repr(given)))
    assert found == pytest.approx(wanted, rel=1e-3, abs=2e-4)
    named = "of the tagger spacy:some_model" in card(model)
    assert named is (column == "words")
    assert model.record.tokenizer.get("taggers") == (["spacy:some_model"] if named else None)


def test_the_tagger_is_found_in_ancestors(tmp_path):
    ancestor = {"name": "a", "params": {"tagger": "spacy:x", "words": "whitespace"}, "parents": []}
    parents = [{"name": "p", "params": {}, "parents": [ancestor]}, {"name": "q", "params": None}]
    built = make_labelled(tmp_path / "s", {"text": ["a"], "words": [["a"]]}, parents=parents)
    assert taggers_of([built, built]) == ("spacy:x --words whitespace",)


@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")
def test_every_head_has_its_lines(made, tmp_path, monkeypatch):
    model = transferset.distill([made / "set", made / "pairs"], tmp_path / "m", steps=2, **SMALL)
    assert "a score, 0.5 to 4.5 in training, of two texts" in card(model)
    first, second = run_lines(model, monkeypatch)
    assert (len(first), len(second)) == (2, 1)
    # and of a teacher
    teacher = transferset.teacher_fit(
        [made / "set", made / "pairs"], tmp_path / "t", model=made / "encoder", steps=2, batch=4
    )
    code = card(teacher).split("```python\n")[1]
    assert 'print(logits(0, "a text"))' in code
    assert 'print(logits(1, "a text", "another"))' in code
