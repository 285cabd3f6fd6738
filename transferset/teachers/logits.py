"""Logits of many rows, from any module that says something of rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from transferset.errors import TransfersetError, UsageError, sentence
from transferset.students.rows import rows_of, take
from transferset.teachers.layout import check_lengths
from transferset.training.room import is_out_of_memory

Int64 = npt.NDArray[np.int64]

#: Ids of a batch, padding included: on a processor what fits its caches (MiniLM on one core reads
#: 3,690 ids a second; in batches of 256 ids 2,810, of 16,384 2,140).
TOKENS: Final = 1 << 11
_ON_GPU: Final = 1 << 16


class Logits:
    """One task of a text classifier, a teacher or a student.

    Attributes:
        classes: In the order of the logits; None for a score.
        tokenizer_sha256: Which tokenizer, or words, say what its ids mean.
        positions: Most ids of a row; None for any number.
        short: Whether memory was too short for a batch, which was then read in parts.
    """

    def __init__(self, module: nn.Module, task: int = 0, tokens: int | None = None) -> None:
        """Take a module, which is read only.

        Args:
            module: An `Encoder` or a `Student`.
            task: Which of its tasks.
            tokens: Ids of a batch, padding included; None for what is `usual`. Other batches
                give the same logits but for rounding.
        """
        self._module, self._number, self._tokens = module, task, tokens
        self._task: Any = module.tasks[task]
        self.classes = None if self._task.classes is None else list(self._task.classes)
        self.tokenizer_sha256 = str(vocabulary_of(module).sha256)
        self.positions = positions_of(module)
        self.short = False

    def logits(
        self, ids: npt.NDArray[np.integer], offsets: npt.NDArray[np.integer], pair: bool
    ) -> npt.NDArray[np.float32]:
        """Logits of rows.

        Args:
            ids: Shape [n].
            offsets: Shape [rows + 1].
            pair: Whether each row is a pair.

        Returns:
            float32[rows, C], in the order of the rows.

        Raises:
            InputError: An id or an offset is out of range, or a row is empty or too long.
            UsageError: The module was made for the other layout.
            TransfersetError: There is too little memory for one row.
        """
        stated = getattr(self._module, "states_layout", True)
        if stated and pair != self._task.pair:
            told = ("single texts", "pairs")
            raise UsageError(sentence(f"{told[self._task.pair]} for this model", told[pair]))
        rows = rows_of(ids, offsets)
        if self.positions is not None:
            check_lengths(rows.lengths, self.positions)
        found = np.empty((len(rows.lengths), self._task.outputs), np.float32)

        def some(which: Int64) -> None:
            found[which] = self._module(take(rows, which), self._number).cpu().numpy()

        training = self._module.training
        device = next(self._module.parameters()).device.type
        try:
            self._module.eval()
            with (
                torch.inference_mode(),
                torch.autocast(device, torch.bfloat16, enabled=device == "cuda"),
            ):
                self.short |= halving(by_budget(rows.lengths, self._tokens or usual(device)), some)
        finally:
            self._module.train(training)
        return found


def vocabulary_of(module: nn.Module) -> Any:
    """The `Vocabulary` of a text classifier."""
    own = getattr(module, "vocabulary", None)
    return module.config.vocabulary if own is None else own


def positions_of(module: nn.Module) -> int | None:
    """Most ids of a row that a text classifier reads; None for any number."""
    own = getattr(module, "positions", None)
    if own is None:
        sizes = getattr(getattr(module, "config", None), "encoder", None)
        own = getattr(sizes, "positions", None)
    return None if own is None else int(own)


def usual(device: str) -> int:
    """Ids of a batch, padding included, where nobody says how many.

    Args:
        device: Its type, as torch names it.
    """
    return _ON_GPU if device == "cuda" else TOKENS


def by_budget(lengths: Int64, tokens: int | None = None) -> list[Int64]:
    """Numbers of rows in batches of like lengths, from the longest.

    Args:
        lengths: int64[rows], ids of each.
        tokens: Ids of a batch, padding included, None for `TOKENS`; a longer row is a batch of its
            own.
    """
    most = TOKENS if tokens is None else tokens
    order = np.argsort(-lengths, kind="stable")
    found, start = [], 0
    while start < len(order):
        count = max(1, most // max(1, int(lengths[order[start]])))
        found.append(order[start : start + count])
        start += count
    return found


def halving(batches: Iterable[Int64], run: Callable[[Int64], None]) -> bool:
    """Run batches, those for which memory is short in parts.

    Args:
        batches: Numbers of rows.
        run: Does one.

    Returns:
        Whether it was short.

    Raises:
        TransfersetError: There is too little memory for one row.
    """
    most = np.inf
    left = list(batches)[::-1]
    while left:
        batch = left.pop()
        if len(batch) > most:
            half = len(batch) // 2
            left += [batch[half:], batch[:half]]
            continue
        try:
            run(batch)
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
            if len(batch) == 1:
                do = "use --device cpu, or shorter rows by --length"
                found = "too little for one row"
                raise TransfersetError(sentence("enough memory", found, do=do)) from error
            most = len(batch) // 2
            left.append(batch)
            if torch.cuda.is_available():
                torch.cuda.empty_cache()
    return bool(most < np.inf)
