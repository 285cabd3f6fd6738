"""Trying a model on a row, for what its configuration does not say."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from transferset.errors import InputError, sentence
from transferset.students.config import Vocabulary
from transferset.students.rows import Rows, rows_of

if TYPE_CHECKING:
    from transferset.teachers.encoder import Encoder

#: Ids of the longer row.
_TRIED: Final = 40

#: Between what is said of a row alone and of one beside others: as a share of the largest, and
#: besides.
_NEAR: Final = 1e-3
_ROUNDING: Final = 1e-5


def try_encoder(encoder: Encoder, at: str) -> None:
    """Refuse an encoder that says of a row what does not follow from all of it, and from it alone.

    Args:
        encoder: Any.
        at: Its directory, for the message.

    Raises:
        InputError: It does.
    """
    training, what = encoder.training, str(encoder.base.config.model_type)
    encoder.eval()

    def ask(rows: Rows) -> Tensor:
        return encoder.states(rows)[0, : int(rows.lengths[0])]

    require_alone(ask, encoder.vocabulary, encoder.positions, what, at)
    # heads of ours read the first piece; those of transformers, where a model has the text
    if encoder.heads and not sees_later(ask, encoder.vocabulary, encoder.positions):
        do = "fit one task, or take a model of the kind of BERT"
        expected = "an encoder whose first piece sees the others, for several tasks"
        raise InputError(sentence(expected, what, at, do))
    encoder.train(training)


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
    row = tried(vocabulary, positions)
    short = row[: max(1, len(row) // 3)]
    with torch.inference_mode():
        alone = ask(rows_of(short, np.array([0, len(short)]))).float()
        both = np.concatenate([short, row])
        beside = ask(rows_of(both, np.array([0, len(short), len(both)]))).float()
    here = beside[: len(alone)]
    if bool((here - alone).abs().amax() > _NEAR * alone.abs().amax() + _ROUNDING):
        expected = "a model that reads each row by itself"
        do = "take one of the kind of BERT, RoBERTa, DistilBERT or ELECTRA"
        raise InputError(sentence(expected, f"{what}, which sees padding", at, do))


def sees_later(ask: Callable[[Rows], Tensor], vocabulary: Vocabulary, positions: int) -> bool:
    """Whether what is said of a row's first piece depends on those after it.

    Args:
        ask: Gives float[n, …] for a row, that of the first piece first; not in training.
        vocabulary: What its ids mean.
        positions: Most ids of a row.
    """
    row = tried(vocabulary, positions)
    ends = np.array([0, len(row)])
    other = np.append(row[:1], row[:0:-1])
    with torch.inference_mode():
        return not torch.equal(ask(rows_of(row, ends))[0], ask(rows_of(other, ends))[0])


def tried(vocabulary: Vocabulary, positions: int) -> npt.NDArray[np.int64]:
    """A row of ids from all over a vocabulary, of at most so many."""
    spread = np.linspace(0, vocabulary.size - 1, min(_TRIED, positions)).astype(np.int64)
    found: npt.NDArray[np.int64] = spread[
        spread != vocabulary.padding
    ]  # which some models give no position
    return found
