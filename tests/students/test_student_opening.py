"""Directories that are no student: one sentence each, nothing foreign run."""

from __future__ import annotations

import json
import pickle

import pyarrow as pa
import pytest
from small_students import lively

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

from safetensors.torch import load_file, save_file  # noqa: E402

from transferset.errors import InputError, UsageError  # noqa: E402
from transferset.students.opening import is_student, open_student  # noqa: E402
from transferset.students.saving import save_student  # noqa: E402
from transferset.students.word_vocabulary import WordVocabulary  # noqa: E402

WORDS = WordVocabulary.fit([pa.array(["a good film , bad"])])


@pytest.fixture
def folder(tmp_path):
    save_student(lively(vocabulary=WORDS.vocabulary), tmp_path, WORDS)
    return tmp_path


def change(path, edit):
    found = json.loads(path.read_text())
    edit(found)
    path.write_text(json.dumps(found))


@pytest.mark.parametrize("file", ["config.json", "model.safetensors", "words.json"])
def test_a_missing_file_is_named(folder, file):
    (folder / file).unlink()
    with pytest.raises(InputError, match=f"a file {file}"):
        open_student(folder)


def test_no_directory(tmp_path):
    with pytest.raises(InputError, match=r"a file config\.json, found none"):
        open_student(tmp_path / "nowhere")


def test_a_pickle_is_not_opened(folder):
    (folder / "model.safetensors").unlink()

    class Evil:
        def __reduce__(self):
            return (pytest.fail, ("a pickle was opened",))

    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Evil()))
    with pytest.raises(InputError, match=r"found pytorch_model\.bin .* a pickle can run code"):
        open_student(folder)


def test_a_pickle_under_another_name_is_not_opened(folder):
    (folder / "model.safetensors").write_bytes(pickle.dumps({"weight": [1, 2, 3]}))
    with pytest.raises(InputError, match="a safetensors file"):
        open_student(folder)


def test_a_cut_file(folder):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(InputError, match="a safetensors file"):
        open_student(folder)


def rewrite(folder, edit):
    path = folder / "model.safetensors"
    tensors = load_file(path)
    edit(tensors)
    save_file(tensors, path)


NAME = "heads.0.output.bias"


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        (lambda w: w.pop(NAME), "found none"),
        (lambda w: w.update({"more": torch.zeros(1)}), "more as absent"),
        (lambda w: w.update({NAME: torch.zeros(4)}), r"found \(\(4,\), 'F32'\)"),
        (lambda w: w.update({NAME: torch.zeros(3).half()}), "F16"),
        (lambda w: w.update({NAME: torch.tensor([0, 1, float("nan")])}), "finite weights"),
        (lambda w: w.update({NAME: torch.tensor([0, 1, float("inf")])}), "finite weights"),
    ],
)
def test_other_tensors_are_refused(folder, edit, told):
    rewrite(folder, edit)
    with pytest.raises(InputError, match=told):
        open_student(folder)


def test_a_configuration_that_asks_for_more_than_there_is(folder):
    change(folder / "config.json", lambda c: c["encoder"].update(hidden=1 << 14, layers=200))
    with pytest.raises(InputError, match=r"encoder\.lstm"):
        open_student(folder)  # nothing of that size is made


def test_an_unknown_member(folder):
    change(folder / "config.json", lambda c: c.update(auto_map={"AutoModel": "evil.py"}))
    with pytest.raises(InputError, match="auto_map"):
        open_student(folder)


def test_words_of_another_student(folder):
    change(folder / "words.json", lambda w: w.update(words=w["words"][::-1]))
    with pytest.raises(InputError, match="the vocabulary of this student, found another"):
        open_student(folder)


def test_a_model_of_transformers_is_told_from_a_student(folder):
    assert is_student(folder)
    change(folder / "config.json", lambda c: c.update(model_type="bert"))
    assert not is_student(folder)
    with pytest.raises(InputError, match="a model_type transferset-bilstm"):
        open_student(folder)


def test_a_device_that_is_none(folder):
    with pytest.raises(UsageError, match="a device of torch's, found abacus"):
        open_student(folder, "abacus")


def test_the_generator_stays(folder):
    before = torch.get_rng_state()
    open_student(folder)
    assert torch.equal(torch.get_rng_state(), before)
