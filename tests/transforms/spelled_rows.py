"""Rows of words, and what a speller makes of them."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from word_texts import Oracle, careless_disk, listed, text_of

from transferset.tokens import WordPiece
from transferset.tokens.spelling import WordSpelling
from transferset.transforms.spell_rows import RowSpeller
from transferset.transforms.word_table import build_table, open_table
from transferset.transforms.wording import MASKED, Words

#: A row: its words, None for one that is masked, and whether a space follows.
Row = list[tuple[str | None, bool]]


class Spelled:
    """A tokenizer, and rows of words made into what a speller takes."""

    def __init__(self, tokenizer: WordPiece) -> None:
        self.tokenizer = tokenizer
        self.spelling = WordSpelling(tokenizer)
        self.oracles: dict[int | None, Oracle] = {}

    def speller(self, words: set[str], **settings: Any) -> RowSpeller:
        info = self.tokenizer.info
        # the files may go once they are mapped
        with tempfile.TemporaryDirectory() as folder, careless_disk():
            ordered = pa.array(sorted(words, key=str.encode), pa.string())
            build_table(Path(folder), ordered, self.spelling)
            self.table = open_table(Path(folder))
        known = {"cls": info.cls_id, "sep": info.sep_id, "mask": info.mask_id}
        rest = {"max_len": None, "ids_type": pa.uint16(), **settings}
        return RowSpeller(self.table, self.spelling, **known, **rest)

    def side(self, rows: Sequence[Row]) -> Words:
        flat = [one for row in rows for one in row]
        words = pa.array([word or "" for word, _ in flat], pa.string())
        codes = np.where([word is None for word, _ in flat], MASKED, 0).astype(np.int32)
        plain = np.flatnonzero(codes == 0)
        codes[plain] = self.table.codes(words.take(pa.array(plain)))
        space = np.array([space for _, space in flat], np.uint8)
        offsets = np.cumsum([0, *(len(row) for row in rows)])
        return Words(codes, space, offsets)

    def oracle(self, max_len: int | None = None) -> Oracle:
        if max_len not in self.oracles:
            self.oracles[max_len] = Oracle(self.tokenizer, max_len)
        return self.oracles[max_len]

    def compare(self, *sides: Sequence[Row], max_len: int | None = None) -> None:
        """Ids, cut and texts must be those of the `tokenizers` package."""
        words = {word for rows in sides for row in rows for word, _ in row if word is not None}
        speller = self.speller(words, max_len=max_len)
        ids, offsets, cut = speller.ids(tuple(self.side(rows) for rows in sides))
        texts = [[masked_text(row, Oracle.MASKED) for row in rows] for rows in sides]
        wanted = [self.oracle(max_len).ids(*row) for row in zip(*texts, strict=True)]
        assert listed(ids, offsets) == wanted
        whole = sum(len(self.oracle().ids(*row)) for row in zip(*texts, strict=True))
        assert (ids.dtype, offsets.dtype, cut) == (np.uint16, np.int32, whole - len(ids))
        for rows in sides:
            got = speller.texts(self.side(rows))
            got.validate(full=True)
            assert got.to_pylist() == [masked_text(row, self.spelling.mask) for row in rows]


def masked_text(row: Row, mask: str) -> str:
    return text_of([(mask if word is None else word, space) for word, space in row])


def masking(words: list[tuple[str, bool]], masked: list[int]) -> Row:
    return [(None if i in masked else word, space) for i, (word, space) in enumerate(words)]


def row(*words: str | None) -> Row:
    """Words, with a space after those that end in one; it is taken off."""
    return [(w and w.removesuffix(" "), w is None or w.endswith(" ")) for w in words]


def pieces(spelled: Spelled, *words: str | None) -> list[str]:
    one = row(*words)
    speller = spelled.speller({word for word, _ in one if word is not None})
    return spelled.tokenizer.pieces(speller.ids((spelled.side([one]),))[0])[1:-1]
