"""`label` with students of ours as teachers, and with teachers of several heads."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from labelling import columns_of, config, label, logits_of

from transferset.errors import UsageError
from transferset.students.config import (
    BilstmSizes,
    Config,
    HeadSizes,
    Tables,
    Task,
    Vocabulary,
)


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
