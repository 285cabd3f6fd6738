"""The sets and models that `distill.py` measures on."""

from __future__ import annotations

import platform
import shutil
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

import transferset
from transferset.shards import ShardSet

#: Classes of the teacher.
CLASSES = ("negative", "positive")


@dataclass(frozen=True, slots=True)
class Shape:
    """A BERT; usually of the size of MiniLM-L6."""

    layers: int = 6
    width: int = 384
    heads: int = 12
    feed: int = 1536


@dataclass(frozen=True, slots=True)
class Work:
    """What all jobs have in common.

    Attributes:
        root: Where results go.
        rows: A set of ids.
        labelled: The same rows with the classifier's logits.
        classifier: Directory of a sequence classifier of random weights.
        masked: Of a masked language model.
        shape: Of both.
    """

    root: Path
    rows: Path
    labelled: Path
    classifier: Path
    masked: Path
    shape: Shape

    @property
    def tokens(self) -> int:
        """Ids of the rows."""
        return int(ShardSet.open(self.rows).manifest.totals["tokens"])

    def ids(self) -> list[list[int]]:
        """All rows."""
        return [row for batch in ShardSet.open(self.rows).batches() for row in _ids(batch)]

    def logits(self) -> Any:
        """Those of the set, float32[rows, classes]."""
        batches = ShardSet.open(self.labelled).batches()
        flat = [batch.column("logits").flatten().to_numpy() for batch in batches]
        return np.concatenate(flat).astype(np.float32).reshape(-1, len(CLASSES))


def _ids(batch: Any) -> list[list[int]]:
    rows: list[list[int]] = batch.column("input_ids").to_pylist()
    return rows


def make_work(root: Path, source: Path | None, shape: Shape, rows: int) -> Work:
    """Sets and models, made anew where they are of another size.

    Args:
        root: A directory.
        source: A set whose rows are drawn from; None is the packaged sample.
        shape: Of the models.
        rows: How many.
    """
    root.mkdir(parents=True, exist_ok=True)
    if source is None:
        source = root / "sample"
        transferset.build_wiki("demo", source)
    drawn = root / "rows"
    sample = transferset.Sample(str(rows), with_replacement=True)
    transferset.derive(source, drawn, steps=[sample], force=True)
    classifier, masked = root / "classifier", root / "masked"
    _make_models(drawn, classifier, masked, shape)
    labelled = root / "labelled"
    transferset.label(drawn, labelled, teacher=classifier, workers=1, force=True)
    return Work(root, drawn, labelled, classifier, masked, shape)


def _make_models(tokenizer: Path, classifier: Path, masked: Path, shape: Shape) -> None:
    import torch
    import transformers

    torch.manual_seed(0)
    pieces = (ShardSet.open(tokenizer).manifest.tokenizer or {})["vocab_size"]
    config = transformers.BertConfig(
        vocab_size=pieces,
        num_hidden_layers=shape.layers,
        hidden_size=shape.width,
        num_attention_heads=shape.heads,
        intermediate_size=shape.feed,
        id2label=dict(enumerate(CLASSES)),
        label2id={name: i for i, name in enumerate(CLASSES)},
    )
    for kind, folder in (
        (transformers.BertForSequenceClassification, classifier),
        (transformers.BertForMaskedLM, masked),
    ):
        shutil.rmtree(folder, ignore_errors=True)
        kind(config).save_pretrained(folder)
        for name in ("tokenizer.json", "tokenizer_config.json"):
            shutil.copy(tokenizer / name, folder / name)


def releases() -> dict[str, str]:
    """What ran."""
    found = {name: version(name) for name in ("torch", "transformers", "accelerate")}
    return {"python": platform.python_version()} | found
