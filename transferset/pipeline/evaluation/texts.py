"""The texts of some rows, to be read by people."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any, Final

from transferset.shards import ShardSet

#: What a column's value is read as.
_Read = Callable[[Any], list[str]]

#: Columns of texts, the nearest to what was written first.
_COLUMNS: Final = ("text", "words", "input_ids")


def texts_of(found: ShardSet, rows: Sequence[int]) -> list[list[str]]:
    """Texts of rows: of the column of texts, else words, else ids that are decoded.

    Args:
        found: A set with one of these columns.
        rows: Their numbers.

    Returns:
        One text of each row, of a pair two; of ids without a tokenizer none.
    """
    first = next(name for name in _COLUMNS if name in found.manifest.schema)
    names = [name for name in (first, f"{first}_pair") if name in found.manifest.schema]
    read = _reader(found, first)
    picked = found.rows(rows).select(names).to_pylist()
    return [[text for name in names for text in read(row[name])] for row in picked]


def _reader(found: ShardSet, column: str) -> _Read:
    if column == "text":
        return lambda text: [text]
    if column == "words":
        return lambda words: [" ".join(words)]
    return _decoder(found)


def _decoder(found: ShardSet) -> _Read:
    known = found.manifest.tokenizer
    if known is None:
        return lambda ids: []
    from transferset.tokens import load_tokenizer

    tokenizer, separator = (
        load_tokenizer(str(found.root), engine="tokenizers"),
        known["special_ids"]["sep"],
    )

    def read(ids: list[int]) -> list[str]:
        sides = [list(some) for ends, some in groupby(ids, separator.__eq__) if not ends]
        return [tokenizer.decode(side) for side in sides]

    return read
