"""How rows are laid out for an encoder of transformers."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from transferset.errors import InputError, sentence
from transferset.language_models.scoring import most_positions
from transferset.students.config import Vocabulary
from transferset.students.rows import Rows, padded, present, sides

if TYPE_CHECKING:
    from transformers import PreTrainedModel


class Layout:
    """Rows side by side, padded to the longest, with token types where a model has them.

    Attributes:
        positions: Most ids of a row.
    """

    def __init__(self, model: PreTrainedModel, vocabulary: Vocabulary) -> None:
        """Find out what a model takes.

        Args:
            model: Any encoder of transformers, with or without a head.
            vocabulary: What its ids mean.
        """
        self._model, self._vocabulary = model, vocabulary
        self.positions = most_positions(model)
        taken = inspect.signature(model.base_model.forward).parameters
        kinds = int(getattr(model.config, "type_vocab_size", 0) or 0)
        # RoBERTa takes types and knows one, DistilBERT takes none
        self._has_sides = "token_type_ids" in taken and kinds > 1

    def lay_out(self, rows: Rows) -> dict[str, Tensor]:
        """The arguments of a model's forward, on its device.

        Args:
            rows: As a set has them, on the host. What stands after a row's first separator is
                the second text of a pair.

        Raises:
            InputError: An id is out of range, or a row is empty or too long.
        """
        self._check(rows)
        longest = int(rows.lengths.max(initial=0))
        here = present(rows.lengths, longest)
        arrays: dict[str, Any] = {"input_ids": padded(rows, rows.ids, self._vocabulary.padding)}
        # without padding no mask, with which attention takes longer; but RoBERTa's kin and others
        # look for padding in the ids themselves
        if not here.all() or bool((rows.ids == self._vocabulary.padding).any()):
            arrays["attention_mask"] = here.astype(np.int64)
        if self._has_sides:
            second = sides(rows, self._vocabulary).clip(max=1)
            if second.any():
                arrays["token_type_ids"] = padded(rows, second, 0)
        device = self._model.device
        return {name: torch.from_numpy(array).to(device) for name, array in arrays.items()}

    def _check(self, rows: Rows) -> None:
        size, lengths = self._vocabulary.size, rows.lengths
        if len(rows.ids) and not 0 <= rows.ids.min() <= rows.ids.max() < size:
            found = f"{rows.ids.min():,} to {rows.ids.max():,}"
            raise InputError(sentence(f"ids from 0 to {size - 1:,}", found))
        check_lengths(lengths, self.positions)


def check_lengths(lengths: Any, positions: int | None) -> None:
    """Refuse rows that a model cannot read.

    Args:
        lengths: int64[rows], ids of each.
        positions: Most ids of a row; None for any number.

    Raises:
        InputError: A row is empty or too long.
    """
    wrong = lengths < 1
    if positions is not None:
        wrong = wrong | (lengths > positions)
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        bound = "1 id or more" if positions is None else f"1 to {positions:,} ids"
        found, do = f"{int(lengths[row]):,}", "cut rows to what the model reads by --length"
        raise InputError(sentence(bound, found, f"row {row:,}", do))
