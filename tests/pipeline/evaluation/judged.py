"""Classifiers of a few numbers, and sets whose labels are made from what they answer."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from label_sets import make_labelled
from tiny_models import WORDS, write_word_pieces
from tokenizers import Tokenizer

from transferset import schema
from transferset.pipeline.options import tokenizer_json
from transferset.shards import ShardSet
from transferset.tokens import load_tokenizer

CLASSES = ("no", "perhaps", "yes")
POSITIONS = 40


def write_tokenizer(folder: Path, vocabulary: Sequence[str] | None = None) -> Path:
    """As a set has it: in its canonical form."""
    (folder / "raw").mkdir(parents=True)
    write_word_pieces(folder / "raw", *([vocabulary] if vocabulary else []))
    (folder / "tokenizer.json").write_text(load_tokenizer(str(folder / "raw")).definition.text)
    return folder


def texts(count: int, seed: int = 0) -> list[str]:
    """Different texts of 2 to 9 words."""
    draw = np.random.default_rng(seed)
    return [
        " ".join([WORDS[i % len(WORDS)], *draw.choice(WORDS, draw.integers(1, 9)).tolist()])
        for i in range(count)
    ]


def ids_of(pieces: Path, rows: Sequence[str], pairs: Sequence[str] | None = None) -> list[Any]:
    tokenizer = Tokenizer.from_file(str(pieces / "tokenizer.json"))

    def row(text: str, *more: str) -> list[int]:
        sides = [tokenizer.encode(one, add_special_tokens=False).ids for one in (text, *more)]
        return [2, *(number for side in sides for number in [*side, 3])]

    return [row(*both) for both in (zip(rows, pairs, strict=True) if pairs else zip(rows))]


def make_set(
    root: Path,
    pieces: Path,
    rows: Sequence[str],
    labels: Sequence[Any] | None,
    *,
    classes: Sequence[str] | None = CLASSES,
    pairs: Sequence[str] | None = None,
    logits: np.ndarray | None = None,
    teacher: Sequence[str] | None = None,
    text: bool = True,
    **members: Any,
) -> ShardSet:
    """A task set.

    Args:
        root: Its directory.
        pieces: Folder of its tokenizer.
        rows: Texts.
        labels: Names of classes, or scores; None of a row has none; None has no such column.
        classes: In order; None for scores.
        pairs: Second texts.
        logits: A teacher's.
        teacher: Its classes; those of the set if not given.
        text: Whether there is a column of them.
        members: Of the manifest.
    """
    columns: dict[str, Any] = {"input_ids": ids_of(pieces, rows, pairs)}
    if text:
        columns["text"] = list(rows)
        if pairs:
            columns["text_pair"] = list(pairs)
    if labels is not None:
        codes = {name: i for i, name in enumerate(classes or ())}
        columns["label"] = [codes.get(one, one) for one in labels]
    kind = None
    if logits is not None:
        columns["logits"] = list(logits.astype(np.float32))
        kind = schema.logits_type(logits.shape[1])
        members["teacher"] = {
            "kind": "classifier", "classes": list(teacher or classes or ()) or None,
            "temperature": None, "top_k": None, "models": [{"name": "t", "weights": "ab" * 32}],
        }  # fmt: skip
    if classes and labels is not None:
        members["names"] = {"label": list(classes)}
    members.setdefault("tokenizer", tokenizer_json(load_tokenizer(str(pieces))))
    made = make_labelled(root, columns, score=classes is None, logits=kind, **members)
    shutil.copy(pieces / "tokenizer.json", root)
    return made


def config(pieces: Path, **members: Any) -> Any:
    import transformers

    size = len(Tokenizer.from_file(str(pieces / "tokenizer.json")).get_vocab())
    return transformers.BertConfig(
        vocab_size=size,
        hidden_size=24,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=40,
        max_position_embeddings=POSITIONS,
        initializer_range=0.4,  # so that answers differ
        pad_token_id=0,
        **members,
    )


def _write(folder: Path, pieces: Path, kind: str, seed: int, members: dict[str, Any]) -> Path:
    import torch
    import transformers

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        getattr(transformers, kind)(config(pieces, **members)).save_pretrained(folder)
    shutil.copy(pieces / "tokenizer.json", folder)
    return folder


def write_classifier(
    folder: Path, pieces: Path, classes: Sequence[str] | None = CLASSES, *, seed: int = 0
) -> Path:
    """A sequence classifier, or of no classes a model of scores."""
    names = list(classes or ["LABEL_0"])
    members: dict[str, Any] = {
        "id2label": dict(enumerate(names)),
        "label2id": {name: i for i, name in enumerate(names)},
    }
    if classes is None:
        members["problem_type"] = "regression"
    return _write(folder, pieces, "BertForSequenceClassification", seed, members)


def write_masked(folder: Path, pieces: Path, *, seed: int = 0) -> Path:
    return _write(folder, pieces, "BertForMaskedLM", seed, {})


def alone(folder: Path, rows: Sequence[Sequence[int]]) -> np.ndarray:
    """What transformers says of each row by itself, float64[rows, C]."""
    return np.array([_said(folder, tuple(row)) for row in rows])


@lru_cache
def _model(folder: Path) -> Any:
    import transformers

    return transformers.AutoModelForSequenceClassification.from_pretrained(folder).eval()


@cache
def _said(folder: Path, row: tuple[int, ...]) -> list[float]:
    import torch

    first = row.index(3) + 1
    types = [0] * first + [1] * (len(row) - first)
    with torch.inference_mode():
        given = {"input_ids": torch.tensor([row]), "token_type_ids": torch.tensor([types])}
        found: list[float] = _model(folder)(**given).logits[0].double().tolist()
    return found


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


def labels_with(decided: Sequence[int], wrong: Sequence[int]) -> list[str]:
    """Labels for which a model that decides so is wrong in some rows: by the next class."""
    return [CLASSES[(d + (i in wrong)) % len(CLASSES)] for i, d in enumerate(decided)]


def logits_deciding(codes: Sequence[int], classes: int = 3) -> np.ndarray:
    """Logits whose decisions are these; no two rows are equal."""
    codes = np.asarray(codes)
    sure = 1 + np.arange(len(codes)) / 8
    found = np.where(np.arange(classes) == codes[:, None], sure[:, None], -0.5)
    return np.asarray(found, np.float32)
