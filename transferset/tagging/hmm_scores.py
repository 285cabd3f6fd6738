"""Scores of the trigram model from counts (Brants 2000, §§ 2.1 and 2.2)."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

#: Scores are natural logarithms in steps of 1/65,536, as integers: what the last bit of a
#: logarithm is differs between machines, and rounding takes that away.
UNIT: Final = 65_536.0

#: Probability of what was never seen, so that a logarithm exists.
_NEVER: Final = 1e-10


class Sums(NamedTuple):
    """What the formulas need of the counts `[before, last, next]`, once.

    Attributes:
        at: Where the counts are not 0: three arrays of states.
        triples: The counts there.
        contexts: How often two states had a next one.
        pairs: How often a state followed another.
        singles: How often each state was the next one.
    """

    at: tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]
    triples: NDArray[np.int64]
    contexts: NDArray[np.int64]
    pairs: NDArray[np.int64]
    singles: NDArray[np.int64]


def sums(counts: NDArray[np.int64]) -> Sums:
    """Add up counts of how often a state followed two others, `[before, last, next]`."""
    before, last, after = np.nonzero(counts)
    pairs = counts.sum(axis=0)
    at = (before, last, after)
    return Sums(at, counts[at], counts.sum(axis=2), pairs, pairs.sum(axis=0))


def weights(sums: Sums) -> tuple[float, float, float]:
    """Find how much one, two and three states tell, by deleted interpolation (§ 2.2, figure 1).

    Returns:
        λ₁, λ₂, λ₃, which add up to 1.
    """
    (before, last, after), count = sums.at, sums.triples
    shares = np.stack(
        [
            _share(sums.singles[after], sums.singles.sum()),
            _share(sums.pairs[last, after], sums.pairs.sum(axis=1)[last]),
            _share(count, sums.contexts[before, last]),
        ]
    )
    # of equal shares the longer history wins
    best = 2 - shares[::-1].argmax(axis=0)
    one, two, three = (np.bincount(best, count, 3) / count.sum()).tolist()
    return one, two, three


def _share(count: NDArray[np.int64], total: NDArray[np.int64] | np.int64) -> NDArray[np.float64]:
    """Relative frequency without the occurrence that is looked at; 0 of 0 is 0."""
    return np.asarray((count - 1) / np.maximum(total - 1, 1))


def moves(sums: Sums) -> NDArray[np.int32]:
    """Score a state after two others, `[before, last, next]` (§ 2.1; see `UNIT`)."""
    one, two, three = weights(sums)
    after_one = sums.pairs / np.maximum(sums.pairs.sum(axis=1, keepdims=True), 1)
    shorter = two * after_one + one * (sums.singles / sums.singles.sum())
    # most triples never occur: their scores need two states only
    result = np.empty((sums.singles.size,) * 3, np.int32)
    result[:] = scores(np.maximum(shorter, _NEVER))
    before, last, after = sums.at
    share = sums.triples / sums.contexts[before, last]
    result[sums.at] = scores(three * share + shorter[last, after])
    return result


def scores(probabilities: NDArray[np.float64]) -> NDArray[np.int32]:
    """Turn probabilities (> 0) into scores."""
    return np.rint(np.log(probabilities) * UNIT).astype(np.int32)


def priors(sums: Sums) -> NDArray[np.float64]:
    """Return the probability of each state but the boundary.

    A state that was never seen counts half an occurrence.
    """
    singles = np.maximum(sums.singles[:-1], 0.5)
    return np.asarray(singles / singles.sum())
