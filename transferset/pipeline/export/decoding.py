"""Ids turned into texts again, for formats of text."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from transferset.tokens import WordPiece


def decode(
    root: Path, column: pa.ListArray, pair: bool
) -> tuple[pa.StringArray, pa.StringArray | None]:
    """Texts of rows, without special pieces.

    Args:
        root: Of the set; it carries its tokenizer.
        column: Ids of rows.
        pair: Rows are [CLS] a [SEP] b [SEP].

    Returns:
        The texts; of pairs those of the second halves too.
    """
    tokenizer = _tokenizer(root)
    offsets = column.offsets.to_numpy()
    start = int(offsets[0])
    ids = column.values.slice(start, int(offsets[-1]) - start).to_numpy()
    bounds = offsets - start
    if not pair:
        return pa.array(tokenizer.decode_rows(ids, bounds), pa.string()), None
    # where the first half ends: behind the first separator of the row
    ends = np.flatnonzero(ids == tokenizer.info.sep_id) + 1
    middles = ends[np.searchsorted(ends, bounds[:-1], "right")]
    halves = np.sort(np.concatenate([bounds, middles]))
    texts = tokenizer.decode_rows(ids, halves)
    return pa.array(texts[::2], pa.string()), pa.array(texts[1::2], pa.string())


@lru_cache(maxsize=2)
def _tokenizer(root: Path) -> WordPiece:
    from transferset.tokens import load_tokenizer

    return load_tokenizer(str(root), engine="tokenizers")
