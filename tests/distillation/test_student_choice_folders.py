"""Students made for tasks of a directory, or of a file of configuration."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from choices import PAIR, SINGLE, SIZE, Place, same  # noqa: E402

from transferset.errors import InputError, UsageError  # noqa: E402
from transferset.students.rows import Rows  # noqa: E402
from transferset.students.saving import save_student  # noqa: E402
from transferset.students.word_vocabulary import WordVocabulary  # noqa: E402
from transferset.teachers.saving import save_encoder  # noqa: E402
from transferset.teachers.vocabulary import file_digest  # noqa: E402

SMALL = {"hidden": 6, "head": 5, "width": 8}
ROW = Rows(np.array([2, 9, 10, 3], np.int64), np.array([0, 4], np.int64))


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return Place(tmp_path_factory.mktemp("place"))


@pytest.fixture(scope="module")
def encoder(place):
    return place.encoder()


def logits(module, task=0):
    with torch.no_grad():
        return module.eval()(ROW, task)


def sha256(place):
    return file_digest(place.file)


class TestDirectories:
    def test_a_student_goes_on_with_the_head_of_the_same_task(self, place, tmp_path):
        made = place.make("bilstm", seed=3, **SMALL)
        save_student(made.module, tmp_path / "saved", made.vocabulary)
        renamed = replace(SINGLE, name="another name")
        further = place.make(tmp_path / "saved", tasks=(renamed,))
        assert same(further.module, made.module)
        assert further.module.tasks == (renamed,)
        assert further.about["kept_heads"] == 1
        assert further.module.training

    def test_other_classes_get_a_new_head(self, place, tmp_path):
        made = place.make("bilstm", seed=3, **SMALL)
        save_student(made.module, tmp_path / "saved", made.vocabulary)
        other = replace(SINGLE, classes=("a", "b"))
        further = place.make(tmp_path / "saved", tasks=(other,), seed=4)
        assert same(further.module.encoder, made.module.encoder)
        assert not same(further.module.heads, made.module.heads)
        assert further.about["kept_heads"] == 0

    def test_one_task_of_several_keeps_its_head(self, place, tmp_path):
        """What follows multi-task distillation in Liu 2020, § 4.3.2."""
        made = place.make("biattentive", tasks=(SINGLE, PAIR), hidden=4)
        save_student(made.module, tmp_path / "saved", made.vocabulary)
        further = place.make(tmp_path / "saved", tasks=(PAIR,), seed=9)
        assert same(further.module.heads[0], made.module.heads[1])

    def test_a_student_of_words_brings_its_words(self, place, tmp_path):
        words = WordVocabulary(["cat", "dog"], lowercase=True)
        made = place.make("bilstm", words=True, fitted=words, **SMALL)
        save_student(made.module, tmp_path / "saved", words)
        found = place.make(tmp_path / "saved").vocabulary
        assert isinstance(found, WordVocabulary)
        assert found.words == words.words

    def test_a_students_layers_are_not_picked(self, place, tmp_path):
        made = place.make("bilstm", **SMALL)
        save_student(made.module, tmp_path / "saved", made.vocabulary)
        with pytest.raises(UsageError, match="an encoder of transformers for its layers, found a"):
            place.make(tmp_path / "saved", layers=1)

    def test_an_encoder_of_transformers_gets_heads(self, place, encoder):
        made = place.make(encoder, tasks=(SINGLE, PAIR))
        assert made.module.tasks == (SINGLE, PAIR)
        assert made.module.training
        # its own tokenizer.json is the set's, written otherwise
        assert made.vocabulary == place.file
        assert made.module.vocabulary.sha256 == sha256(place)
        assert logits(made.module, 0).shape == (1, 2)

    def test_with_some_of_its_layers(self, place, encoder):
        made = place.make(encoder, layers=2)
        whole = transformers.BertModel.from_pretrained(encoder)
        own = made.module.base.bert.encoder.layer
        assert made.about["layers"] == [0, 3]
        assert len(own) == 2
        assert torch.equal(own[1].output.dense.weight, whole.encoder.layer[3].output.dense.weight)
        with pytest.raises(UsageError, match="1 to 4 layers of a student, found 5"):
            place.make(encoder, layers=5)

    def test_a_classifier_keeps_the_head_of_its_classes(self, place, encoder, tmp_path):
        made = place.make(encoder, seed=2)
        save_encoder(made.module, tmp_path / "saved", made.vocabulary)
        further = place.make(tmp_path / "saved", seed=7)
        assert same(further.module, made.module)
        assert further.about["kept_heads"] == 1
        save_encoder(further.module, tmp_path / "again", further.vocabulary)
        other = place.make(tmp_path / "saved", tasks=(replace(SINGLE, classes=("a", "b")),))
        assert not same(other.module.base.classifier, made.module.base.classifier)

    def test_several_heads_stay_together(self, place, encoder, tmp_path):
        made = place.make(encoder, tasks=(SINGLE, PAIR), seed=2)
        save_encoder(made.module, tmp_path / "saved", made.vocabulary)
        assert same(place.make(tmp_path / "saved", tasks=(SINGLE, PAIR)).module, made.module)
        turned = place.make(tmp_path / "saved", tasks=(PAIR, SINGLE)).module
        assert turned.tasks == (PAIR, SINGLE)

    def test_a_pickle_is_refused(self, place, encoder, tmp_path):
        folder = tmp_path / "pickled"
        folder.mkdir()
        for name in ("config.json", "tokenizer.json"):
            (folder / name).write_bytes((encoder / name).read_bytes())
        (folder / "pytorch_model.bin").write_bytes(b"pickle")
        with pytest.raises(InputError, match="a pickle can run code"):
            place.make(folder)
        with pytest.raises(InputError, match="a pickle can run code"):
            place.make("bilstm", embeddings="teacher", teacher=folder)


class TestConfigurations:
    def write(self, tmp_path, **members):
        path = tmp_path / "config.json"
        path.write_text(json.dumps(members))
        return path

    BERT: ClassVar = {"model_type": "bert", "hidden_size": 8, "num_hidden_layers": 1,
            "num_attention_heads": 2, "intermediate_size": 9}  # fmt: skip

    def test_one_of_ours(self, place, tmp_path):
        path = self.write(tmp_path, model_type="transferset-bilstm", encoder={"hidden": 4})
        made = place.make(path)
        assert made.module.config.encoder.hidden == 4
        assert made.module.config.head.hidden == 400

    def test_given_vectors_fill_it(self, place, tmp_path):
        path = self.write(tmp_path, model_type="transferset-bilstm", encoder={"hidden": 4})
        made = place.make(path, embeddings="teacher", teacher=place.teacher)
        assert made.module.config.embeddings.width == 32
        wrong = self.write(tmp_path, model_type="transferset-bilstm", embeddings={"width": 9})
        with pytest.raises(InputError, match="embeddings of width 32, as teacher, found 9"):
            place.make(wrong, embeddings="teacher", teacher=place.teacher)

    def test_one_of_transformers(self, place, tmp_path):
        path = self.write(tmp_path, **self.BERT)
        one, again = (place.make(path, tasks=(SINGLE, PAIR), seed=4) for _ in range(2))
        assert same(one.module, again.module)
        assert one.module.base.config.vocab_size == SIZE
        assert one.module.vocabulary.sha256 == sha256(place)
        assert logits(one.module, 0).shape == (1, 2)
        assert one.vocabulary == place.file

    def test_one_of_words(self, place, tmp_path):
        words = WordVocabulary(["cat", "dog", "a", "b", "c", "d", "e"], lowercase=True)
        path = self.write(tmp_path, **self.BERT)
        made = place.make(path, words=True, fitted=words)
        assert made.module.vocabulary == words.vocabulary

    @pytest.mark.parametrize(
        ("members", "told"),
        [
            ({"vocab_size": 7}, r"a vocab_size of at least the tokenizer's \d+ ids, found 7"),
            ({"hiden_size": 8}, r"found hiden_size.*did you mean hidden_size"),
            ({"model_type": "no-such"}, "a configuration of an encoder"),
            ({"auto_map": {"AutoModel": "x.Y"}}, "a member auto_map"),
            ({"hidden_size": 1 << 40}, "hidden_size from 1 to"),
            ({"hidden_size": 1 << 16, "num_attention_heads": 1, "intermediate_size": 1 << 18},
             "a model of up to 1,073,741,824 numbers"),
        ],
    )  # fmt: skip
    def test_what_is_refused_of_one(self, place, tmp_path, members, told):
        path = self.write(tmp_path, **{**self.BERT, **members})
        with pytest.raises(InputError, match=told) as caught:
            place.make(path)
        assert "\n" not in str(caught.value)

    def test_embeddings_of_others_are_not_its(self, place, tmp_path):
        path = self.write(tmp_path, **self.BERT)
        with pytest.raises(UsageError, match="the embeddings of a configuration of transformers"):
            place.make(path, embeddings="teacher", teacher=place.teacher)
