"""Small task sets with ids, labels and logits, and students of a few numbers that read them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from label_sets import make_labelled

from transferset import schema
from transferset.distillation.examples.examples import Examples, open_examples
from transferset.distillation.examples.reading import Reading
from transferset.distillation.examples.tasks import task_of
from transferset.shards import ShardSet
from transferset.students.config import (
    BilstmSizes,
    Config,
    HeadSizes,
    Sizes,
    Tables,
    Task,
    TransformerSizes,
    Vocabulary,
)

CLASSES = ("no", "perhaps", "yes")
CLS, SEP, MASK = 2, 3, 4

#: Of the sets; that of `sets.TOKENIZER`.
VOCABULARY = Vocabulary(size=1000, sha256="0" * 64, padding=0, separator=SEP, start=CLS)

ENCODERS: dict[str, tuple[Sizes, int]] = {
    "bilstm": (BilstmSizes(hidden=5), 6),
    "transformer": (
        TransformerSizes(layers=2, hidden=12, intermediate=16, heads=3, positions=40, dropout=0.0),
        12,
    ),
    "transformer with dropout": (
        TransformerSizes(layers=2, hidden=12, intermediate=16, heads=3, positions=40, dropout=0.2),
        12,
    ),
}


def random_ids(rows: int, *, pair: bool = False, longest: int = 12, seed: int = 0) -> list[Any]:
    generator = np.random.default_rng(seed)

    def text() -> list[int]:
        return [*generator.integers(5, 1000, generator.integers(1, longest + 1)).tolist(), SEP]

    return [[CLS, *text(), *(text() if pair else [])] for _ in range(rows)]


def random_logits(rows: int, outputs: int = 3, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 2, (rows, outputs)).astype(np.float32)


def make_task_set(
    root: Path,
    rows: int = 40,
    *,
    classes: tuple[str, ...] | None = CLASSES,
    logits: np.ndarray | None = None,
    teacher: Any = (),
    pair: bool = False,
    seed: int = 0,
    **columns_and_members: Any,
) -> ShardSet:
    """A set of random ids; row i has class i mod C (every fifth has none), or a score.

    Args:
        root: Its directory.
        rows: How many.
        classes: None for scores.
        logits: The column, [rows, C].
        teacher: Its classes in the manifest; those of the set if not given.
        pair: Whether rows are pairs.
        seed: Of the ids.
        columns_and_members: Others, or instead of these.
    """
    more = dict(columns_and_members)
    numbers = range(rows)
    known = len(classes) if classes else 0
    given = [i % known for i in numbers] if classes else [i / rows for i in numbers]
    columns = {
        "input_ids": random_ids(rows, pair=pair, seed=seed),
        "label": [None if i % 5 == 4 else one for i, one in enumerate(given)],
    }
    if pair:
        columns |= {"text": ["a"] * rows, "text_pair": ["b"] * rows}
    kind = None
    if logits is not None:
        number = pa.float16() if logits.dtype == np.float16 else pa.float32()
        kind = schema.logits_type(logits.shape[1], number)
        columns["logits"] = list(logits)
        names = list(classes) if teacher == () and classes else teacher
        more.setdefault("teacher", said_by(names if names != () else None))
    columns |= {name: more.pop(name) for name in list(more) if name in schema.COLUMNS}
    columns = {name: values for name, values in columns.items() if values is not None}
    if classes and "label" in columns:
        more.setdefault("names", {"label": list(classes)})
    return make_labelled(root, columns, score=classes is None, logits=kind, **more)


def said_by(classes: list[str] | None) -> dict[str, Any]:
    """The member `teacher` of a manifest."""
    models = [{"name": "teacher", "weights": "ab" * 32}]
    return {
        "kind": "classifier", "classes": classes, "temperature": None, "top_k": None,
        "models": models,
    }  # fmt: skip


def opened(
    found: ShardSet, folder: Path, *, task: Task | None = None, length: int = 40, **settings: Any
) -> Examples:
    """The examples of a set for a model that reads its ids."""
    reading = Reading(vocabulary=VOCABULARY, length=length)
    return open_examples(found, task or task_of(found), reading, folder, **settings)


def student(
    kind: str,
    *tasks: Task,
    seed: int = 1,
    dropout: float = 0.0,
    vocabulary: Vocabulary = VOCABULARY,
) -> Any:
    """A student whose logits differ: its weights are about 0.3."""
    import torch

    from transferset.students.student import new_student

    encoder, width = ENCODERS[kind]
    made = new_student(
        Config(
            vocabulary=vocabulary,
            tasks=tasks or (Task(classes=CLASSES),),
            embeddings=Tables(width=width),
            encoder=encoder,
            head=HeadSizes(hidden=7, dropout=dropout),
        ),
        seed,
    )
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, weight in made.named_parameters():
            if "LayerNorm" not in name:
                weight.normal_(0, 0.3, generator=generator)
    return made
