"""Scores of the trigram model from counts (Brants 2000, §§ 2.1 and 2.2)."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

#: Scores are natural logarithms in steps of 1/65,536, as integers: what the last bit of a
#: logarithm is differs between machines, and rounding takes that away.
UNIT: Final = 65_536.0

#: Probability of what was never seen, so that a logarithm exists.
_NEVER: Final = 1e-10


def weights(counts: NDArray[np.int64]) -> tuple[float, float, float]:
    """Find how much one, two and three states tell, by deleted interpolation (§ 2.2, figure 1).

    Args:
        counts: How often a state followed two others, `[before, last, next]`.

    Returns:
        λ₁, λ₂, λ₃, which add up to 1.
    """
    pairs = counts.sum(axis=0)
    before, last, after = np.nonzero(counts)
    count = counts[before, last, after]
    singles = pairs.sum(axis=0)
    shares = np.stack(
        [
            _share(singles[after], np.full_like(count, singles.sum())),
            _share(pairs[last, after], pairs.sum(axis=1)[last]),
            _share(count, counts.sum(axis=2)[before, last]),
        ]
    )
    # of equal shares the longer history wins
    best = 2 - shares[::-1].argmax(axis=0)
    one, two, three = (np.bincount(best, count, 3) / count.sum()).tolist()
    return one, two, three


def _share(count: NDArray[np.int64], total: NDArray[np.int64]) -> NDArray[np.float64]:
    """Relative frequency without the occurrence that is looked at; 0 of 0 is 0."""
    return (count - 1) / np.maximum(total - 1, 1)


def moves(counts: NDArray[np.int64]) -> NDArray[np.int32]:
    """Score a state after two others.

    Args:
        counts: How often it was so, `[before, last, next]`.

    Returns:
        Scores (see `UNIT`) in the same order.
    """
    one, two, three = weights(counts)
    pairs = counts.sum(axis=0)
    singles = pairs.sum(axis=0)
    shorter = two * _given(pairs) + one * (singles / singles.sum())
    # most triples never occur: their scores need two states only
    result = np.empty(counts.shape, np.int32)
    result[:] = scores(np.maximum(shorter, _NEVER))
    before, last, after = np.nonzero(counts)
    share = counts[before, last, after] / counts.sum(axis=2)[before, last]
    result[before, last, after] = scores(three * share + shorter[last, after])
    return result


def scores(probabilities: NDArray[np.float64]) -> NDArray[np.int32]:
    """Turn probabilities (> 0) into scores."""
    return np.rint(np.log(probabilities) * UNIT).astype(np.int32)


def priors(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the probability of each state but the boundary.

    A state that was never seen counts half an occurrence.

    Args:
        counts: How often a state followed two others, `[before, last, next]`.
    """
    singles = np.maximum(counts.sum(axis=(0, 1))[:-1], 0.5)
    return np.asarray(singles / singles.sum())


def _given(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    totals = counts.sum(axis=-1, keepdims=True)
    return np.asarray(counts / np.maximum(totals, 1))
