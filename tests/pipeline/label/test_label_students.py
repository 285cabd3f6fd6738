"""`label` with students of ours as teachers, and with teachers of several heads."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import transformers
from label_sets import make_labelled, words_of
from labelling import alone, columns_of, config, label, logits_of, teacher
from tiny_models import VOCABULARY, write_word_pieces

from transferset.errors import InputError, UsageError
from transferset.shards import ShardSet
from transferset.students.config import (
    BilstmSizes,
    Config,
    HeadSizes,
    Tables,
    Task,
    Vocabulary,
)
from transferset.teachers.masked import open_masked


def student(folder: Path, vocabulary: Vocabulary, words, classes=("bad", "good")):
    import torch

    from transferset.students.saving import save_student
    from transferset.students.student import Student

    torch.manual_seed(5)
    made = Student(
        Config(
            vocabulary=vocabulary,
            tasks=(Task(classes=classes),),
            embeddings=Tables(width=6),
            encoder=BilstmSizes(hidden=5),
            head=HeadSizes(hidden=7),
        )
    )
    save_student(made, folder, words)
    return made.eval()


def said(made, rows: list[list[int]]) -> np.ndarray:
    import torch

    from transferset.students.rows import rows_of

    with torch.inference_mode():
        return np.array(
            [made(rows_of(np.array(r), np.array([0, len(r)])))[0].numpy() for r in rows]
        )


def test_a_student_of_pieces_labels(task, tmp_path):
    ids = task.manifest.tokenizer
    special = ids["special_ids"]
    vocabulary = Vocabulary(
        size=ids["vocab_size"],
        sha256=ids["sha256"],
        padding=special["pad"],
        separator=special["sep"],
        start=special["cls"],
    )
    made = student(tmp_path / "student", vocabulary, task.root / "tokenizer.json")
    found = label(task, tmp_path / "out", tmp_path / "student")
    expected = said(made, columns_of(task)["input_ids"])
    np.testing.assert_allclose(logits_of(found), expected, atol=1e-5)


def test_a_student_of_words_reads_the_texts(task, tmp_path):
    from transferset.students.word_vocabulary import WordVocabulary

    texts = pa.array(columns_of(task)["text"])
    words = WordVocabulary.fit([texts], least=3)
    made = student(tmp_path / "student", words.vocabulary, words)
    ids, offsets = words.encode(texts)
    rows = [ids[a:b].tolist() for a, b in pairwise(offsets)]
    found = label(task, tmp_path / "out", tmp_path / "student")
    np.testing.assert_allclose(logits_of(found), said(made, rows), atol=1e-5)


def test_one_of_several_heads_is_asked_by_name(task, tmp_path):
    import torch
    import transformers

    from transferset.teachers.opening import new_encoder
    from transferset.teachers.saving import save_encoder

    torch.manual_seed(0)
    base = tmp_path / "base"
    transformers.BertModel(config(task)).save_pretrained(base)
    (base / "tokenizer.json").write_bytes((task.root / "tokenizer.json").read_bytes())
    tasks = [Task(classes=("bad", "good"), name="tone"), Task(classes=None, name="length")]
    made = new_encoder(base, tasks, 0).eval()
    save_encoder(made, tmp_path / "heads", base / "tokenizer.json")
    found = label(task, tmp_path / "out", tmp_path / "heads", task="tone")
    expected = said(made, columns_of(task)["input_ids"])
    np.testing.assert_allclose(logits_of(found), expected, atol=1e-5)
    for wrong in (None, "mood"):
        with pytest.raises(UsageError, match="--task tone or length"):
            label(task, tmp_path / "none", tmp_path / "heads", task=wrong)


def with_words(folder: Path, src, rows: int) -> ShardSet:
    """The first texts of a set and their words, which say something else."""
    texts = columns_of(src)["text"][:rows]
    columns = {
        "input_ids": columns_of(src)["input_ids"][:rows],
        "text": texts,
        **words_of(["the end"] * rows),
    }
    made = make_labelled(
        folder, columns, tokenizer=src.manifest.tokenizer, names={"pos": [",", "JJ", "NN"]}
    )
    (folder / "tokenizer.json").write_bytes((src.root / "tokenizer.json").read_bytes())
    return made


@pytest.mark.parametrize("rows", [1, 9])
def test_a_teacher_of_pieces_reads_text_though_there_are_words(task, first, tmp_path, rows):
    other = teacher(tmp_path / "other", task)
    write_word_pieces(other, VOCABULARY)
    spelled = transformers.PreTrainedTokenizerFast(tokenizer_file=str(other / "tokenizer.json"))
    src = with_words(tmp_path / "src", task, rows)
    ids = [spelled(text)["input_ids"] for text in columns_of(src)["text"]]
    found = label(src, tmp_path / "out", other)
    np.testing.assert_allclose(logits_of(found), alone(other, ids), atol=1e-5)
    both = label(src, tmp_path / "both", first, other)
    mean = (alone(first, columns_of(src)["input_ids"]) + alone(other, ids)) / 2
    np.testing.assert_allclose(logits_of(both), mean, atol=1e-5)


def test_a_student_of_words_is_no_masked_language_model(task, tmp_path):
    from transferset.students.word_vocabulary import WordVocabulary

    words = WordVocabulary.fit([pa.array(columns_of(task)["text"])])
    student(tmp_path / "words", words.vocabulary, words)
    with pytest.raises(InputError, match=r"a masked language model, found a student .*words; "):
        label(task, tmp_path / "out", tmp_path / "words", mlm=True)


def test_nor_is_one_of_pieces(task, tmp_path):
    ids = task.manifest.tokenizer
    special = ids["special_ids"]
    vocabulary = Vocabulary(
        size=ids["vocab_size"], sha256=ids["sha256"], padding=special["pad"],
        separator=special["sep"], start=special["cls"],
    )  # fmt: skip
    student(tmp_path / "pieces", vocabulary, task.root / "tokenizer.json")
    told = r"a masked language model, found a student [^.`]*pieces; `transferset teacher fit --mlm`"
    with pytest.raises(InputError, match=told):
        label(task, tmp_path / "out", tmp_path / "pieces", mlm=True)
    with pytest.raises(InputError, match=told):
        open_masked(tmp_path / "pieces")  # what `distill --mlm --teacher` opens


def test_a_head_that_is_named_must_be_there(task, first, tmp_path):
    with pytest.raises(UsageError, match=r"no --task, or task, found mood at .*first"):
        label(task, tmp_path / "out", first, task="mood")
    assert not (tmp_path / "out").exists()
    assert label(task, tmp_path / "out", first, task="task").manifest.op == "label"
