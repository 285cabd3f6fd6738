"""Embeddings: frozen, trained or both side by side, with a trained linear map where wanted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch
from blake3 import blake3
from torch import Tensor, nn

from transferset import rng
from transferset.errors import InputError, sentence
from transferset.students.config import Tables
from transferset.students.modes import MULTICHANNEL, NON_STATIC, STATIC

Matrix = npt.NDArray[np.float32]

#: Ordinal of the key of random vectors; those of steps start at 0.
_VECTORS: Final = 0xFFFF_FFFD

#: Where nothing is known of words: uniform between −0.25 and 0.25, as Kim's (2014) code draws them.
_SPREAD: Final = 0.25


class Embeddings(nn.Module):  # type: ignore[misc]
    """Vectors of ids.

    The modes are those of Kim 2014, § 3.1; the map from a teacher's width to a student's is that of
    Sučík 2020, § 5.4.
    """

    def __init__(self, size: int, tables: Tables, padding: int) -> None:
        """Random vectors.

        Args:
            size: Ids are below it.
            tables: Width, mode and map.
            padding: The id whose vector is zero at first, and gets no gradient.
        """
        super().__init__()
        self.frozen = self.trained = self.projection = None
        if tables.channels in (STATIC, MULTICHANNEL):
            self.frozen = _table(size, tables.width, padding).requires_grad_(False)
        if tables.channels in (NON_STATIC, MULTICHANNEL):
            self.trained = _table(size, tables.width, padding)
        if self.frozen is not None and self.trained is not None:
            self.trained.load_state_dict(self.frozen.state_dict())
        if tables.projection is not None:
            wide = tables.width * (2 if tables.channels == MULTICHANNEL else 1)
            self.projection = nn.Linear(wide, tables.projection)

    def forward(self, ids: Tensor) -> Tensor:
        """Vectors of ids.

        Args:
            ids: int64 of any shape.

        Returns:
            float32 of that shape and one more dimension, `Tables.outputs`.
        """
        found = [table(ids) for table in (self.frozen, self.trained) if table is not None]
        vectors = found[0] if len(found) == 1 else torch.cat(found, -1)
        return vectors if self.projection is None else self.projection(vectors)

    def fill(self, vectors: Matrix) -> None:
        """Begin with given vectors, in both channels if there are two.

        Args:
            vectors: float32[size, width], as a teacher's input embeddings or `word_table`'s.

        Raises:
            InputError: They have another shape, or are not finite.
        """
        for table in (self.frozen, self.trained):
            if table is not None:
                fill_table(table, vectors)

    def folded(self) -> Tensor:
        """One table that gives the same vectors, float32[size, outputs], without gradients."""
        weight = next(iter(self.parameters()))  # a table's: the map comes last
        with torch.no_grad():
            vectors: Tensor = self(torch.arange(len(weight), device=weight.device))
        return vectors


def fill_table(table: Any, vectors: Matrix) -> None:
    """Set a table; see `Embeddings.fill`."""
    shape = tuple(table.weight.shape)
    if vectors.shape != shape:
        found = "×".join(f"{n:,}" for n in vectors.shape)
        raise InputError(sentence(f"vectors of {shape[0]:,}×{shape[1]:,}", found))
    if not np.isfinite(vectors).all():
        raise InputError(sentence("finite vectors", "others"))
    with torch.no_grad():
        table.weight.copy_(torch.from_numpy(np.ascontiguousarray(vectors, np.float32)))


def use_sparse_gradients(module: Any, size: int) -> list[Any]:
    """Make the gradients of a model's word tables sparse, for `SparseAdam`.

    A dense optimiser moves the whole table at each step, which is most of a small model's work.

    Args:
        module: The model.
        size: Of its vocabulary; other tables, as of positions, stay dense.

    Returns:
        The tables' weights, which a dense optimiser cannot take any more.
    """
    tables = [one for one in module.modules() if isinstance(one, nn.Embedding)]
    words = [one for one in tables if one.num_embeddings == size and one.weight.requires_grad]
    for table in words:
        table.sparse = True
    return [table.weight for table in words]


def word_table(
    words: Sequence[str], having: Sequence[int], vectors: Matrix, seed: int, padding: int = 0
) -> Matrix:
    """Vectors of a vocabulary's words, some of which are known.

    Those of the others are uniform in [−a, a], with a so that their variance is that of the known
    numbers (Kim 2014, § 4.1: a² = 3·variance). They are addressed by the word: in whatever
    vocabulary it stands, a word has the same.

    Args:
        words: Of the vocabulary, by id.
        having: Ids of words that have a vector.
        vectors: float32[having, width], theirs.
        seed: 0 ≤ seed < 2**64.
        padding: The id whose vector is zero.

    Returns:
        float32[words, width]
    """
    spread = float(np.sqrt(3 * vectors.var(dtype=np.float64))) if len(vectors) else _SPREAD
    table = _uniform(words, vectors.shape[1], seed) * np.float32(spread)
    table[np.asarray(having, np.int64)] = vectors
    table[padding] = 0
    return table


def _uniform(words: Sequence[str], width: int, seed: int) -> Matrix:
    """Numbers between −1 and 1, float32[words, width]."""
    names = b"".join(blake3(word.encode("utf-8", "surrogatepass")).digest(8) for word in words)
    address = np.frombuffer(names, "<u4").reshape(len(words), 2)
    blocks = -(-width // 4)
    shape = (len(words), blocks)
    low, high = (np.broadcast_to(address[:, i, None], shape) for i in (0, 1))
    block = np.broadcast_to(np.arange(blocks, dtype=np.uint32), shape)
    drawn = rng.philox((low, high, block, np.zeros(shape, np.uint32)), rng.step_key(seed, _VECTORS))
    bits = np.stack(drawn, -1).reshape(len(words), 4 * blocks)[:, :width]
    # the middle of each of 2**24 cells, which float32 has exactly
    return ((bits >> np.uint32(8)).astype(np.float32) + np.float32(0.5)) / np.float32(1 << 23) - 1


def _table(size: int, width: int, padding: int) -> Any:
    table = nn.Embedding(size, width, padding_idx=padding)
    with torch.no_grad():
        table.weight.uniform_(-_SPREAD, _SPREAD)
        table.weight[padding] = 0
    return table
