"""Probabilities of classes from logits, a block of rows at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from transferset.metrics.checking import Array, Codes, Values, logit_rows

#: Numbers of a block in float64: 8 MB.
_BLOCK: Final = 1 << 20


def log_softmax(logits: Array) -> Values:
    """Logarithms of the probabilities of classes.

    Args:
        logits: float[rows, C], finite.

    Returns:
        float64[rows, C], natural logarithms.
    """
    wide = logits.astype(np.float64)
    wide -= wide.max(axis=1, keepdims=True)
    wide -= np.log(np.exp(wide).sum(axis=1, keepdims=True))
    return wide


def decide(logits: Array) -> tuple[Codes, Values]:
    """The class that a model decides for, and how sure it is of it.

    Args:
        logits: float[rows, C], finite.

    Returns:
        int64[rows], of equal logits the first class; float64[rows], its softmax probability at
        temperature 1, above 0 and at most 1.

    Raises:
        InputError: Another shape, no rows, or a logit that is not finite.
    """
    logit_rows(logits)
    confidence = np.empty(len(logits))
    for block in blocks(logits):
        wide = logits[block].astype(np.float64)
        # the largest has e⁰ = 1 over the sum: of equal logits exactly 1/C
        confidence[block] = 1 / np.exp(wide - wide.max(axis=1, keepdims=True)).sum(axis=1)
    return logits.argmax(axis=1), confidence


def blocks(logits: Array) -> Iterator[slice]:
    """Rows in blocks, so that float64 copies of all logits are never held."""
    rows = max(1, _BLOCK // logits.shape[1])
    for first in range(0, len(logits), rows):
        yield slice(first, first + rows)
