"""Students of a few numbers, and rows for them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from transferset.students.config import (
    BiattentiveSizes,
    BilstmSizes,
    Config,
    HeadSizes,
    Tables,
    Task,
    TransformerSizes,
    Vocabulary,
)
from transferset.students.modes import MEAN_OF_LAYERS, MULTICHANNEL
from transferset.students.rows import Rows

PAD, UNK, CLS, SEP = range(4)
SIZE = 30
VOCABULARY = Vocabulary(size=SIZE, sha256="0" * 64)
CLASSES = ("no", "perhaps", "yes")

SMALL = TransformerSizes(layers=2, hidden=12, intermediate=20, heads=3, positions=24)
KINDS = {
    "bilstm": (BilstmSizes(hidden=5), HeadSizes(hidden=7), Tables(width=6)),
    "bilstm of two layers": (BilstmSizes(hidden=4, layers=2), HeadSizes(hidden=7), Tables(width=6)),
    "multichannel": (
        BilstmSizes(hidden=5),
        HeadSizes(hidden=7),
        Tables(width=6, channels=MULTICHANNEL),
    ),
    "projected": (
        BilstmSizes(hidden=5),
        HeadSizes(hidden=7),
        Tables(width=6, channels="static", projection=3),
    ),
    "biattentive": (BiattentiveSizes(feed=6, hidden=4), HeadSizes(hidden=7), Tables(width=5)),
    "transformer": (SMALL, HeadSizes(hidden=None, dropout=0.1), Tables(width=12)),
    "mean of layers": (
        replace(SMALL, reading=MEAN_OF_LAYERS),
        HeadSizes(hidden=7),
        Tables(width=12),
    ),
    "projected transformer": (
        SMALL,
        HeadSizes(hidden=None),
        Tables(width=8, channels=MULTICHANNEL, projection=12),
    ),
}


def config(
    kind="bilstm", *, pair=False, classes=CLASSES, vocabulary=VOCABULARY, tasks=()
) -> Config:
    encoder, head, tables = KINDS[kind]
    return Config(
        vocabulary=vocabulary,
        tasks=tuple(tasks) or (Task(classes=classes, pair=pair),),
        embeddings=tables,
        encoder=encoder,
        head=head,
    )


def lively(kind="bilstm", *, seed=1, **settings):
    """A student whose logits differ: its weights are about 0.5."""
    import torch

    from transferset.students.student import new_student

    student = new_student(config(kind, **settings), seed).eval()
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, weight in student.named_parameters():
            if "LayerNorm" not in name:
                weight.normal_(0, 0.5, generator=generator)
    return student


def framed(*texts) -> list[int]:
    """`[CLS] a [SEP]`, or of two texts `[CLS] a [SEP] b [SEP]`."""
    return [CLS, *(id_ for text in texts for id_ in [*text, SEP])]


def rows(*lists) -> Rows:
    lengths = [len(one) for one in lists]
    flat = [id_ for one in lists for id_ in one]
    return Rows(np.array(flat, np.int64), np.append(0, np.cumsum(lengths)).astype(np.int64))


def random_rows(count=12, *, pair=False, seed=0, longest=8) -> list[list[int]]:
    generator = np.random.default_rng(seed)

    def text():
        return generator.integers(4, SIZE, generator.integers(1, longest + 1)).tolist()

    return [framed(text(), text()) if pair else framed(text()) for _ in range(count)]


def logits(student, lists):
    import torch

    with torch.no_grad():
        return student(rows(*lists)).numpy()
