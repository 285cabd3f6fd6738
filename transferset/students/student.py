"""A student: an encoder of rows, and a head for each of its tasks."""

from __future__ import annotations

from typing import Any, Final

import torch
from torch import Tensor, nn

from transferset import rng
from transferset.errors import InputError, UsageError, sentence
from transferset.students.biattentive import Biattentive
from transferset.students.bilstm import Bilstm
from transferset.students.config import BiattentiveSizes, BilstmSizes, Config, Task
from transferset.students.embeddings import Embeddings, fill_table
from transferset.students.head import Head
from transferset.students.rows import Rows

#: Ordinal of the key that weights are drawn under; those of steps start at 0.
_WEIGHTS: Final = 0xFFFF_FFFF

#: Numbers of a student, 4 GiB in float32.
_MOST_NUMBERS: Final = 1 << 30


class Student(nn.Module):  # type: ignore[misc]
    """An encoder with a head for each task.

    Attributes:
        config: What it is.
        encoder: `Bilstm`, `Biattentive` or `Transformer`.
        heads: One for each of `config.tasks`.
    """

    def __init__(self, config: Config) -> None:
        """Random weights from torch's generator; see `new_student`."""
        super().__init__()
        self.config = config
        self.encoder = _encoder(config)
        self.heads = nn.ModuleList(
            Head(self.encoder.width(pair=task.pair), config.head, task.outputs)
            for task in config.tasks
        )

    @property
    def tasks(self) -> tuple[Task, ...]:
        """What it says of rows, in the order of the heads."""
        return self.config.tasks

    def forward(self, rows: Rows, task: int = 0) -> Tensor:
        """Logits.

        Args:
            rows: As a set has them, on the host.
            task: Which, in the order of `config.tasks`.

        Returns:
            float32[rows, outputs]; what a row gets does not depend on those beside it.

        Raises:
            InputError: An id is out of range.
        """
        size = self.config.vocabulary.size
        if len(rows.ids) and not 0 <= rows.ids.min() <= rows.ids.max() < size:
            found = f"{rows.ids.min():,} to {rows.ids.max():,}"
            raise InputError(sentence(f"ids from 0 to {size - 1:,}", found))
        features = self.encoder(rows, pair=self.config.tasks[task].pair)
        logits: Tensor = self.heads[task](features).float()
        return logits


def _encoder(config: Config) -> Any:
    sizes = config.encoder
    if isinstance(sizes, BilstmSizes):
        return Bilstm(config, sizes)
    if isinstance(sizes, BiattentiveSizes):
        return Biattentive(config, sizes)
    from transferset.students.transformer import Transformer  # transformers takes seconds to import

    return Transformer(config, sizes)


def new_student(config: Config, seed: int) -> Student:
    """A student with random weights.

    Args:
        config: What it is.
        seed: 0 ≤ seed < 2**64; the same one gives the same weights, and moves no other generator.

    Returns:
        The student in float32 on the processor, ready for training.

    Raises:
        UsageError: The seed is out of range, or the student larger than is made.
    """
    if not 0 <= seed < 1 << 64:
        raise UsageError(sentence("a seed from 0 to 2**64 − 1", str(seed)))
    with torch.device("meta"):
        numbers = count_parameters(Student(config))["all"]
    if numbers > _MOST_NUMBERS:
        raise UsageError(sentence(f"up to {_MOST_NUMBERS:,} numbers", f"{numbers:,}"))
    high, low = rng.step_key(seed, _WEIGHTS)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(high << 32 | low)
        return Student(config)


def fill_embeddings(student: Student, vectors: Any) -> None:
    """Begin with given vectors of ids.

    Args:
        student: Its embeddings are set, in both channels if there are two.
        vectors: float32[vocabulary, width]: a teacher's, or those of `embeddings.word_table`.

    Raises:
        InputError: They have another shape, or are not finite.
    """
    table = word_embeddings(student)
    if isinstance(table, Embeddings):
        table.fill(vectors)
    else:
        fill_table(table, vectors)


def word_embeddings(student: Student) -> Any:
    """The module that gives vectors of ids: `Embeddings`, or the one table of a plain BERT."""
    encoder = student.encoder
    if hasattr(encoder, "bert"):
        return encoder.bert.embeddings.word_embeddings
    return encoder.embeddings


def count_parameters(student: Student) -> dict[str, int]:
    """How large a student is.

    Returns:
        `all`; `embedding`: the tables of ids, of positions and of token types, and the norm over
        their sum; `other`: the rest, with a trained map of embeddings, as papers count students;
        `trained`: those of all that have a gradient.
    """
    sizes = {name: p.numel() for name, p in student.named_parameters()}
    inside = [n for name, n in sizes.items() if ".embeddings." in name and "projection" not in name]
    trained = sum(p.numel() for p in student.parameters() if p.requires_grad)
    whole, embedding = sum(sizes.values()), sum(inside)
    return {"all": whole, "embedding": embedding, "other": whole - embedding, "trained": trained}
