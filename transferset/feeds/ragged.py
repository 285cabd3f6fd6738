"""Rows of different lengths in one flat array."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Int64 = npt.NDArray[np.int64]


class Ragged(NamedTuple):
    """Rows without padding between them.

    Attributes:
        values: Shape [n], of the type that the set stores.
        offsets: int64[rows + 1]; row i is `values[offsets[i]:offsets[i + 1]]`.
    """

    values: npt.NDArray[Any]
    offsets: Int64

    @property
    def rows(self) -> int:
        """How many rows."""
        return len(self.offsets) - 1

    @property
    def lengths(self) -> Int64:
        """Values of each row, int64[rows]."""
        return np.diff(self.offsets)

    def row(self, i: int) -> npt.NDArray[Any]:
        """Row i, a view."""
        return self.values[self.offsets[i] : self.offsets[i + 1]]
