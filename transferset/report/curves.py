"""The curves of the figures, from what was measured of each set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from transferset.report.scales import Floats

if TYPE_CHECKING:
    from transferset.report.measures import Measures


@dataclass(frozen=True, slots=True)
class Curve:
    """A non-decreasing curve of one set.

    Attributes:
        number: The set's number on the page, from 1.
        name: The set's name.
        x: Values, ascending.
        y: Shares from 0 to 1.
    """

    number: int
    name: str
    x: Floats
    y: Floats

    def at(self, x: float) -> float:
        """The share at `x`: 0 before the first value."""
        i = int(np.searchsorted(self.x, x, "right")) - 1
        return float(self.y[i]) if i >= 0 else 0.0

    def reaches(self, y: float) -> float:
        """The least x with at least the share `y`."""
        i = int(np.searchsorted(self.y, y, "left"))
        return float(self.x[min(i, len(self.x) - 1)])


def length_curve(number: int, name: str, measured: Measures) -> Curve | None:
    """CDF of the relative frequencies of lengths (thesis, Figure 5.3), in content tokens.

    Returns:
        The curve; None for a set without rows of ids.
    """
    counts = np.asarray(measured.lengths, np.int64)
    total = int(counts.sum())
    if not total:
        return None
    lengths = np.flatnonzero(counts)
    return Curve(number, name, lengths.astype(np.float64), np.cumsum(counts)[lengths] / total)


def token_curve(number: int, name: str, measured: Measures) -> Curve | None:
    """CDF of the relative frequencies of tokens (thesis, Figure 5.4), the commonest first.

    Returns:
        The curve over ranks from 1; None for a set without content tokens.
    """
    counts = np.asarray(measured.token_counts, np.int64)
    seen = np.sort(counts[counts > 0])[::-1]
    if not len(seen):
        return None
    ranks = np.arange(1, len(seen) + 1, dtype=np.float64)
    return Curve(number, name, ranks, np.cumsum(seen) / int(seen.sum()))


def same(a: Curve, b: Curve, within: float = 0.005) -> bool:
    """Whether two curves cannot be told apart in a figure: shares differ by less than `within`."""
    x = np.union1d(a.x, b.x)
    return bool(np.max(np.abs(_values(a, x) - _values(b, x))) < within)


def coinciding(curves: Sequence[Curve]) -> list[list[int]]:
    """Numbers of the sets whose curves lie on each other, group by group."""
    groups: list[list[Curve]] = []
    for curve in curves:
        near = next((g for g in groups if same(g[0], curve)), None)
        if near is None:
            groups.append([curve])
        else:
            near.append(curve)
    return [[c.number for c in group] for group in groups if len(group) > 1]


def _values(curve: Curve, x: Floats) -> Floats:
    return np.concatenate([[0.0], curve.y])[np.searchsorted(curve.x, x, "right")]
