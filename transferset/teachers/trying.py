"""Trying a model on a row, for what its configuration does not say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import torch
from torch import Tensor

from transferset.errors import InputError, sentence
from transferset.students.config import Vocabulary
from transferset.students.rows import Rows, rows_of

#: Ids of the longer row.
_TRIED: Final = 12

#: Between what is said of a row alone and of one beside others, as a share of the largest.
_NEAR: Final = 1e-3


def require_alone(
    ask: Callable[[Rows], Tensor], vocabulary: Vocabulary, positions: int, what: str, at: str
) -> None:
    """Refuse a model that says of a row what depends on the rows beside it.

    Those that mix positions by a Fourier transform, or by convolutions, see padding: what they say
    would be another thing in every batch.

    Args:
        ask: Gives float[n, …] for rows, those of the first row first; not in training.
        vocabulary: What its ids mean.
        positions: Most ids of a row.
        what: Kind of the model.
        at: Its directory, for the message.

    Raises:
        InputError: It does.
    """
    row = tried(vocabulary)[:positions]
    short = row[: max(1, len(row) // 3)]
    with torch.inference_mode():
        alone = ask(rows_of(short, np.array([0, len(short)]))).float()
        both = np.concatenate([short, row])
        beside = ask(rows_of(both, np.array([0, len(short), len(both)]))).float()
    here = beside[: len(alone)]
    if bool((here - alone).abs().amax() > _NEAR * alone.abs().amax().clamp_min(1)):
        expected = "a model that reads each row by itself"
        do = "take one of the kind of BERT, RoBERTa, DistilBERT or ELECTRA"
        raise InputError(sentence(expected, f"{what}, which sees padding", at, do))


def sees_later(ask: Callable[[Rows], Tensor], vocabulary: Vocabulary, positions: int) -> bool:
    """Whether what is said of a row's first piece depends on those after it.

    Args:
        ask: Gives float[1, …] of it for a row; not in training.
        vocabulary: What its ids mean.
        positions: Most ids of a row.
    """
    row = tried(vocabulary)[:positions]
    ends = np.array([0, len(row)])
    other = np.append(row[:1], row[:0:-1])
    with torch.inference_mode():
        return not torch.equal(ask(rows_of(row, ends)), ask(rows_of(other, ends)))


def tried(vocabulary: Vocabulary) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """A row of ids from all over a vocabulary."""
    spread = np.linspace(0, vocabulary.size - 1, _TRIED).astype(np.int64)
    return spread[spread != vocabulary.padding]  # which some models give no position
