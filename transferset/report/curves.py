"""The curves of the figures, from what was measured of each set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from transferset.report.scales import Floats

if TYPE_CHECKING:
    from transferset.report.measures import Measures

Counts = npt.NDArray[np.int64]


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


def token_curve(number: int, name: str, counts: Counts) -> Curve | None:
    """CDF of the relative frequencies of tokens (thesis, Figure 5.4), commonest first.

    Args:
        number: The set's number on the page.
        name: Its name.
        counts: Occurrences of each piece, special pieces set to 0.

    Returns:
        The curve over ranks from 1; None for a set without tokens.
    """
    seen = np.sort(counts[counts > 0])[::-1]
    if not len(seen):
        return None
    ranks = np.arange(1, len(seen) + 1, dtype=np.float64)
    return Curve(number, name, ranks, np.cumsum(seen) / int(seen.sum()))


def content_counts(measured: Measures, tokenizer: dict[str, Any] | None) -> Counts:
    """Counts of content tokens: those of [CLS], [SEP], [PAD] and [MASK] set to 0, [UNK] kept."""
    counts = np.array(measured.token_counts, np.int64)
    if tokenizer is not None:
        special = [i for role, i in tokenizer["special_ids"].items() if role != "unk"]
        counts[[i for i in special if i < len(counts)]] = 0
    return counts


def same(a: Curve, b: Curve, within: float = 0.005) -> bool:
    """Whether two curves cannot be told apart in a figure: shares differ by less than `within`."""
    x = np.union1d(a.x, b.x)
    return bool(np.max(np.abs(_values(a, x) - _values(b, x))) < within)


def _values(curve: Curve, x: Floats) -> Floats:
    return np.concatenate([[0.0], curve.y])[np.searchsorted(curve.x, x, "right")]
