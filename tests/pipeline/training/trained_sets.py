"""Small sets that can be learnt, and tiny models, for the tests of trainings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
from label_sets import make_labelled
from tiny_models import VOCABULARY, bert_config, write_word_pieces

import transferset
from transferset import schema
from transferset.manifest import Manifest
from transferset.shards import ShardSet

#: Words that say which class a text is of.
_GOOD = ("good", "happy", "sun", "king")
_BAD = ("bad", "small", "night", "fish")
_LINE = "the cat dog house tree river is was in on not it and"
_OTHERS = tuple(_LINE.split())

#: Of a student that is trained in a blink.
SMALL = {"student": "bilstm", "hidden": 6, "width": 8, "head": 8, "batch": 8, "lr": 2e-2}

FIT = {"batch": 8, "lr": 5e-3, "epochs": 2, "seed": 3}


def texts(count: int, seed: int) -> tuple[list[str], list[int]]:
    """Texts and their classes."""
    draw = np.random.default_rng(seed)
    rows, labels = [], []
    for i in range(count):
        words = draw.choice(_OTHERS, draw.integers(2, 8)).tolist()
        words.insert(int(draw.integers(len(words))), str(draw.choice((_BAD, _GOOD)[i % 2])))
        rows.append(" ".join(words))
        labels.append(i % 2)
    return rows, labels


def write_tsv(path: Path, count: int, seed: int, names: tuple[str, str] = ("bad", "good")) -> Path:
    rows, labels = texts(count, seed)
    lines = [f"{text}\t{names[label]}" for text, label in zip(rows, labels, strict=True)]
    path.write_text("\n".join(["sentence\tlabel", *lines]) + "\n")
    return path


def build(root: Path, name: str, count: int, seed: int, tokenizer: str = "pieces", **more) -> Path:
    path = write_tsv(root / f"{name}.tsv", count, seed, **more)
    transferset.build_task(
        [path], root / name, text="sentence", label="label", tagger="none",
        tokenizer=str(root / tokenizer),
    )  # fmt: skip
    return root / name


def make_all(root: Path) -> Path:
    """`set`, `dev`, `more`, `pairs`, `corpus`, `encoder`, `masked`, and `teacher` of `set`."""
    import torch
    import transformers

    for folder in ("pieces", "encoder"):
        (root / folder).mkdir()
        write_word_pieces(root / folder)
    torch.manual_seed(0)
    model = transformers.BertModel(bert_config())
    model.save_pretrained(root / "encoder", safe_serialization=True)
    (root / "masked").mkdir()
    write_word_pieces(root / "masked")
    transformers.BertForMaskedLM(bert_config()).save_pretrained(root / "masked")
    build(root, "set", 64, 1)
    build(root, "dev", 24, 2)
    build(root, "more", 32, 3, names=("no", "yes"))
    rows = [
        f"{a}\t{b}\t{i % 5}.5"
        for i, (a, b) in enumerate(zip(*[iter(texts(40, 4)[0])] * 2, strict=True))
    ]
    (root / "pairs.tsv").write_text("\n".join(["one\ttwo\tscore", *rows]) + "\n")
    transferset.build_task(
        [root / "pairs.tsv"], root / "pairs", text="one", text_pair="two", label="score",
        label_type="regression", tagger="none", tokenizer=str(root / "pieces"),
    )  # fmt: skip
    transferset.teacher_fit(
        root / "set", root / "teacher", model=root / "encoder", validation=root / "dev", **FIT
    )
    return root


def with_logits(found: Path, out: Path, logits: np.ndarray, classes=("bad", "good")) -> ShardSet:
    """A task set's rows with a teacher's logits."""
    src = transferset.open(found)
    table = pa.Table.from_batches(src.batches())
    told = {
        "kind": "classifier", "classes": list(classes), "temperature": None, "top_k": None,
        "models": [{"name": "toy", "weights": "0" * 64}],
    }  # fmt: skip
    kept = {name: table.column(name).to_pylist() for name in ("input_ids", "text", "label")}
    made = make_labelled(
        out, {**kept, "logits": logits.tolist()}, names={"label": ["bad", "good"]},
        logits=schema.logits_type(logits.shape[1]), teacher=told,
        tokenizer=src.manifest.tokenizer,
    )  # fmt: skip
    (out / "tokenizer.json").write_bytes((found / "tokenizer.json").read_bytes())
    return made


def manifest_of(root: Path) -> Manifest:
    return Manifest.read(root)


__all__ = ["FIT", "SMALL", "VOCABULARY", "build", "make_all", "manifest_of", "texts", "with_logits"]
