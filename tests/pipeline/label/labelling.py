"""A small task set, and teachers of a few numbers with random weights that read it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
from lm_writers import task_set
from small_tasks import sentences

import transferset
from transferset.shards import ShardSet

ROWS = 40
POSITIONS = 48


def small_set(folder: Path) -> ShardSet:
    """Sentences of classes `bad` and `good`, one of them long."""
    texts = sentences(ROWS)
    texts[7] = " and ".join(texts[7:10])
    return task_set(folder, [(text, ("bad", "good")[i % 2]) for i, text in enumerate(texts)])


def config(src: ShardSet, **members):
    import transformers

    return transformers.BertConfig(
        vocab_size=src.manifest.tokenizer["vocab_size"],
        hidden_size=24,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=40,
        max_position_embeddings=POSITIONS,
        initializer_range=0.4,  # so that answers differ
        pad_token_id=src.manifest.tokenizer["special_ids"]["pad"],
        **members,
    )


def teacher(
    folder: Path, src: ShardSet, classes: tuple[str, ...] | None = ("bad", "good"), seed: int = 0
) -> Path:
    """A sequence classifier, or of no classes one that gives a score."""
    import torch
    import transformers

    torch.manual_seed(seed)
    names = classes or ("LABEL_0",)
    kind = {} if classes else {"problem_type": "regression"}
    made = config(
        src,
        id2label=dict(enumerate(names)),
        label2id={name: i for i, name in enumerate(names)},
        **kind,
    )
    transformers.BertForSequenceClassification(made).save_pretrained(folder)
    shutil.copy(src.root / "tokenizer.json", folder)
    return folder


def masked_teacher(folder: Path, src: ShardSet) -> Path:
    import torch
    import transformers

    torch.manual_seed(1)
    transformers.BertForMaskedLM(config(src)).save_pretrained(folder)
    shutil.copy(src.root / "tokenizer.json", folder)
    return folder


def columns_of(found: ShardSet) -> dict[str, list]:
    table = [batch.to_pydict() for batch in found.batches()]
    return {name: [v for part in table for v in part[name]] for name in table[0]}


def logits_of(found: ShardSet) -> np.ndarray:
    return np.array(columns_of(found)["logits"])


def facts_of(found: ShardSet) -> dict:
    return json.loads((found.root / "_tables" / "answers.json").read_bytes())


def data_of(found: ShardSet) -> list[str]:
    return [entry.blake3 for entry in found.manifest.shards]


def label(src: ShardSet, out: Path, *teachers: Path, **options) -> ShardSet:
    return transferset.label(src.root, out, teacher=list(teachers), **{"workers": 1, **options})


def alone(folder: Path, rows: list[list[int]]) -> np.ndarray:
    """What transformers says of each row by itself."""
    import torch
    import transformers

    model = transformers.AutoModelForSequenceClassification.from_pretrained(folder)
    model.eval()
    with torch.inference_mode():
        return np.array([model(torch.tensor([row])).logits[0].numpy() for row in rows])


def scale_head(folder: Path, factor: float) -> Path:
    """Multiply the weights of a classifier's last layer."""
    from safetensors.torch import load_file, save_file

    path = folder / "model.safetensors"
    tensors = load_file(path)
    tensors["classifier.weight"] = tensors["classifier.weight"] * factor
    save_file(tensors, path, metadata={"format": "pt"})
    return folder
