"""Comparing the labels of two sets row by row: classes by name, scores by value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transferset.shards import ShardSet

#: What a code of B is in A if A has no class of its name; no set has so many.
_UNKNOWN = -(1 << 62)


@dataclass(frozen=True, slots=True)
class LabelChanges:
    """How many of the pairs of rows have different labels.

    Attributes:
        changed: All that differ, also those below.
        lost: A has a label, B has none.
        gained: A has none, B has one.
    """

    changed: int
    lost: int
    gained: int


class LabelComparison:
    """Counts labels that differ."""

    def __init__(self, codes: npt.NDArray[np.int64] | None) -> None:
        """Begin with nothing counted.

        Args:
            codes: The code in A of each code of B; None if both mean the same by one.
        """
        self._codes = codes
        self.changes = LabelChanges(0, 0, 0)

    @classmethod
    def of(cls, a: ShardSet, b: ShardSet) -> LabelComparison | None:
        """For two sets; None unless both have classes, or both have scores."""
        kind = a.manifest.schema.get("label")
        if kind is None or kind != b.manifest.schema.get("label"):
            return None
        mine, its = (found.manifest.names.get("label") for found in (a, b))
        return cls(None if mine is None or its is None or mine == its else _codes(mine, its))

    def add(self, a: pa.Array, b: pa.Array) -> None:
        """Compare the labels of as many rows of either set."""
        if self._codes is not None:
            b = _translated(b, self._codes)
        lost = _sum(pc.and_(a.is_valid(), b.is_null()))
        gained = _sum(pc.and_(a.is_null(), b.is_valid()))
        other = _sum(pc.fill_null(pc.not_equal(a, b), fill_value=False))
        old = self.changes
        self.changes = LabelChanges(
            old.changed + lost + gained + other, old.lost + lost, old.gained + gained
        )


def _codes(mine: Sequence[str], its: Sequence[str]) -> npt.NDArray[np.int64]:
    places = {name: code for code, name in enumerate(mine)}
    return np.array([places.get(name, _UNKNOWN) for name in its], np.int64)


def _translated(labels: pa.Array, codes: npt.NDArray[np.int64]) -> pa.Array:
    """Codes of B as those of A; a code without a name has no counterpart."""
    given = labels.fill_null(0).to_numpy()
    inside = (given >= 0) & (given < len(codes))
    found = np.full(len(given), _UNKNOWN)
    found[inside] = codes[given[inside]]
    missing = labels.is_null().to_numpy(zero_copy_only=False)
    return pa.array(found, labels.type, mask=missing)


def _sum(mask: pa.Array) -> int:
    return int(pc.sum(mask).as_py() or 0)
