"""Rows as words: what the steps that vary texts work on.

A word is a code, its place in a `WordTable`; a row has one side, or two if it is a pair.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

#: The code of the mask piece, which is no word of the table.
MASKED: Final = -1


class Words(NamedTuple):
    """One side of some rows; kernels take it as it is.

    Attributes:
        codes: int32[words], or `MASKED`.
        space: uint8[words], 1 where a space follows; of the last word of a row it means nothing.
        offsets: int64[rows + 1], from 0: row i has the words offsets[i] to offsets[i + 1].
    """

    codes: npt.NDArray[np.int32]
    space: npt.NDArray[np.uint8]
    offsets: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows that are going to be varied.

    Attributes:
        sides: One or two.
        tags: uint8[words] of each side: the code of each word's tag.
        row: uint64[rows], `parent_row`.
        copy: uint32[rows].
    """

    sides: tuple[Words, ...]
    tags: tuple[npt.NDArray[np.uint8], ...]
    row: npt.NDArray[np.uint64]
    copy: npt.NDArray[np.uint32]

    def __len__(self) -> int:
        """Rows."""
        return len(self.row)
