"""Directories of classifiers that are refused, in one sentence each."""

from __future__ import annotations

import json
import sys
from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from safetensors.torch import load_file, save_file  # noqa: E402
from tiny_encoders import ONE, SIZE, TWO, change_json, write_model  # noqa: E402

from transferset.errors import InputError, UsageError  # noqa: E402
from transferset.students.config import Task  # noqa: E402
from transferset.teachers.opening import new_encoder, open_classifier  # noqa: E402
from transferset.teachers.statement import read_statement  # noqa: E402


def refuse(folder, match):
    with pytest.raises(InputError, match=match) as told:
        open_classifier(folder)
    assert "\n" not in str(told.value)


def test_an_encoder_without_a_classifier(kept):
    refuse(
        kept / "base",
        "the classifier, found none for classifier.*; `transferset teacher fit` makes one",
    )


def test_a_masked_language_model_is_no_classifier(tmp_path):
    folder = write_model(tmp_path / "masked", loader="AutoModelForMaskedLM")
    refuse(folder, "`transferset teacher fit` makes one")


def test_no_directory_and_an_empty_one(tmp_path):
    refuse(tmp_path / "nowhere", "a file config.json, found none at .*nowhere")
    refuse(tmp_path, "a file config.json, found none")


def test_missing_files(folder):
    one = folder("one")
    (one / "tokenizer.json").unlink()
    refuse(one, "a file tokenizer.json, found none")
    two = folder("two")
    (two / "heads.safetensors").unlink()
    refuse(two, "safetensors file")
    score = folder("score")
    (score / "model.safetensors").unlink()
    refuse(score, "a file model.safetensors, found none")


def test_a_pickle_is_not_read(folder):
    one = folder("one")
    (one / "model.safetensors").rename(one / "pytorch_model.bin")
    refuse(one, "a file model.safetensors, found pytorch_model.bin.*a pickle can run code")


CONFIGS = {
    "code of others": ({"auto_map": {"AutoModel": "x.Model"}}, "a member auto_map"),
    "a kernel of others": ({"attn_implementation": "x/y"}, "a member attn_implementation"),
    "a huge vocabulary": ({"vocab_size": 1 << 40}, "vocab_size from 1 to"),
    "a huge model": ({"hidden_size": 49152, "intermediate_size": 1 << 18}, "weights for every"),
    "a huge number of types": ({"type_vocab_size": 1 << 40}, "weights for every part"),
    "no kind": ({"model_type": None}, "a classifier of texts, found no model_type"),
    "another kind": ({"model_type": "resnet"}, "a classifier of texts, found model_type resnet"),
    "an unknown kind": ({"model_type": "../x"}, "a classifier of texts, found model_type"),
    "an encoder with a decoder": ({"is_encoder_decoder": True}, "an encoder with a decoder"),
    "a dropout of text": ({"hidden_dropout_prob": "x"}, "a classifier of texts, found"),
    "many classes at once": (
        {"problem_type": "multi_label_classification"},
        "one class for a text",
    ),
    "a number of classes": ({"id2label": None, "num_labels": 1 << 40}, "num_labels from 1"),
    "numbers of classes": ({"num_labels": 7}, "num_labels 2, found 7"),
    "no names": ({"id2label": {}}, "id2label with a name for each"),
    "a list of names": ({"id2label": ["a", "b"]}, "id2label with a name for each"),
    "names without order": ({"id2label": {"0": "a", "2": "b"}}, "id2label with a name for each"),
    "names that are numbers": ({"id2label": {"0": 1, "1": 2}}, "id2label with a name for each"),
    "one name twice": ({"id2label": {"0": "a", "1": "a"}}, "different classes, found 1 of 2"),
    "more names than outputs": (
        {"id2label": {"0": "a", "1": "b", "2": "c"}},
        "a classifier of texts, found|weights for every part",
    ),
    "another statement": ({"transferset": {"name": 1}}, "expected"),
    "a pair that is none": (
        {"transferset": {"name": "a", "pair": 1, "tokenizer": "b"}},
        "true or false, found 1",
    ),
    "another vocabulary": (
        {"transferset": {"name": "a", "pair": True, "tokenizer": "0" * 64}},
        "the vocabulary of this model, found another",
    ),
}


@pytest.mark.parametrize("name", CONFIGS)
def test_configurations(folder, name):
    members, match = CONFIGS[name]
    one = folder("one")
    change_json(one / "config.json", **members)
    refuse(one, match)


def task(**members):
    return {"name": "a", "classes": ["x", "y"], "pair": False, **members}


STATEMENTS = {
    "a list": ([], "an object of JSON"),
    "no tasks": ({"tokenizer": "x"}, "a member tasks"),
    "one task": ({"tokenizer": "x", "tasks": [task()]}, "2 to 1,024 tasks, found 1"),
    "many tasks": (
        {"tokenizer": "x", "tasks": [task(name=str(i)) for i in range(1025)]},
        "2 to 1,024 tasks, found 1,025",
    ),
    "one name twice": ({"tokenizer": "x", "tasks": [task(), task()]}, "tasks of different names"),
    "one class": (
        {"tokenizer": "x", "tasks": [task(classes=["x"]), task(name="b")]},
        "2 to 65,536 different classes, found 1 of 1",
    ),
    "classes that are numbers": (
        {"tokenizer": "x", "tasks": [task(classes=[1, 2]), task(name="b")]},
        "a string, found 1",
    ),
    "another member": ({"tokenizer": "x", "tasks": [task(), task(code="x")]}, "members name"),
    "another vocabulary": (
        {"tokenizer": "x", "tasks": [task(), task(name="b")]},
        "the vocabulary of this model, found another",
    ),
}


@pytest.mark.parametrize("name", STATEMENTS)
def test_statements_of_several_heads(folder, name):
    content, match = STATEMENTS[name]
    two = folder("two")
    (two / "heads.json").write_text(json.dumps(content))
    refuse(two, match)


def test_heads_of_another_number_of_classes(folder):
    two = folder("two")
    stated = json.loads((two / "heads.json").read_text())
    stated["tasks"][0]["classes"].append("more")
    (two / "heads.json").write_text(json.dumps(stated))
    refuse(two, r"0.1.bias as \(\(4,\), 'F32'\), found \(\(3,\), 'F32'\)")


@pytest.mark.parametrize("file", ["model.safetensors", "heads.safetensors"])
@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers(folder, file, number):
    two = folder("two")
    stored = load_file(two / file)
    name = max(stored)
    stored[name].view(-1)[0] = number
    save_file(stored, two / file, {"format": "pt"})
    refuse(two, f"finite weights, found others in .*{name}")


def test_weights_of_other_shapes(folder):
    one = folder("one")
    stored = load_file(one / "model.safetensors")
    stored["classifier.weight"] = torch.zeros(2, 25)
    save_file(stored, one / "model.safetensors", {"format": "pt"})
    refuse(one, "expected")


def test_weights_cut_short(folder):
    one = folder("one")
    raw = (one / "model.safetensors").read_bytes()
    (one / "model.safetensors").write_bytes(raw[: len(raw) // 2])
    refuse(one, "a classifier of texts, found")


def test_a_tokenizer_of_another_model(folder):
    found = folder("classifier")
    raw = json.loads((found / "tokenizer.json").read_text())
    raw["model"]["vocab"]["zebra"] = SIZE
    (found / "tokenizer.json").write_text(json.dumps(raw))
    refuse(found, f"a tokenizer of up to {SIZE} ids, found {SIZE + 1}")


def test_a_tokenizer_without_a_frame(folder):
    found = folder("classifier")
    raw = json.loads((found / "tokenizer.json").read_text())
    raw["post_processor"] = None
    (found / "tokenizer.json").write_text(json.dumps(raw))
    refuse(found, "one piece before and one after a text, found 0 pieces")


def test_a_device_that_is_none(kept):
    with pytest.raises(UsageError, match="a device of torch's, found cuda:9"):
        open_classifier(kept / "one", "cuda:9")
    with pytest.raises(UsageError, match="a device of torch's, found cuda:9"):
        new_encoder(kept / "base", ONE, 0, "cuda:9")


def test_torch_is_not_installed(kept, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(UsageError, match=r"pip install 'transferset\[distill\]'"):
        open_classifier(kept / "one")


def test_tasks_are_read_without_torch(kept, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    assert read_statement(kept / "two").tasks == TWO
    assert read_statement(kept / "one").tasks == ONE
    assert replace(read_statement(kept / "classifier").tasks[0], classes=None) == Task(classes=None)
