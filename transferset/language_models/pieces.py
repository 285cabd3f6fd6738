"""The tokenizer of a language model, which need not be that of the set: it spells words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from transferset.errors import InputError, sentence
from transferset.language_models.checkpoint import check_folder
from transferset.language_models.model_files import (
    STATEMENTS,
    TOKENIZER,
    open_tokenizer,
    read_json,
    tokenizer_size,
)

#: How the mask is written where no file says it.
_MASKS: Final = ("[MASK]", "<mask>")

#: Patterns whose tables are kept.
_PATTERNS: Final = 4


class WholeWords(NamedTuple):
    """The pieces that are a word by themselves.

    Attributes:
        ids: int64, ascending.
        words: What each spells.
        same: For a lower-cased word the places of the pieces that spell it, whatever their case.
        place: int64[ids of the vocabulary], the place of each piece, or −1.
    """

    ids: npt.NDArray[np.int64]
    words: list[str]
    same: dict[str, list[int]]
    place: npt.NDArray[np.int64]


class Pieces:
    """The tokenizer in a model's directory.

    Attributes:
        mask: Id of the mask piece.
        around: Ids of the pieces before and after a text.
        size: Ids are below it.
    """

    def __init__(self, path: str | Path) -> None:
        """Open `tokenizer.json`.

        Raises:
            InputError: It is none, has no mask piece, or does not put a piece before and after.
        """
        folder = check_folder(path)
        self._at = str(folder / TOKENIZER)
        self._tokenizer = open_tokenizer(folder / TOKENIZER)
        self.mask = self._find_mask(folder)
        self.around = self._frame()
        self.size = tokenizer_size(self._tokenizer)
        self._unknown = self._find_unknown()
        self.whole_words = lru_cache(_PATTERNS)(self._whole_words)

    def _find_mask(self, folder: Path) -> int:
        stated = [read_json(folder / f) for f in STATEMENTS if (folder / f).is_file()]
        for name in (*(member.get("mask_token") for member in stated), *_MASKS):
            piece = name.get("content") if isinstance(name, dict) else name
            number = self._tokenizer.token_to_id(piece) if isinstance(piece, str) else None
            if number is not None:
                return int(number)
        do = "name the tokenizer of a masked language model"
        raise InputError(sentence("a mask piece", "none", self._at, do))

    def _frame(self) -> tuple[int, int]:
        around, row = self._tokenizer.encode("").ids, self._tokenizer.encode("a").ids
        if len(around) != 2 or len(row) < 3 or [row[0], row[-1]] != around:
            expected = "a tokenizer that puts one piece before and one after a text"
            raise InputError(sentence(expected, f"{len(around)} pieces", self._at))
        return around[0], around[1]

    def _find_unknown(self) -> frozenset[int]:
        stated = getattr(self._tokenizer.model, "unk_token", None)
        names = {"[UNK]", "<unk>", *([stated] if isinstance(stated, str) else [])}
        found = {self._tokenizer.token_to_id(name) for name in names}
        return frozenset(number for number in found if number is not None)

    def spell(self, texts: Sequence[str]) -> list[list[int]]:
        """Ids of texts, with nothing before and after; a mask that is spelled out is text."""
        found = self._tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        return [encoding.ids for encoding in found]

    def spell_words(self, words: Sequence[str]) -> list[list[int]]:
        """Ids of words as they stand after a space; none of a word that cannot be spelled."""
        found = self.spell([f" {word}" for word in words])
        return [[] if self._unknown & set(ids) else ids for ids in found]

    def _whole_words(self, pattern: str) -> WholeWords:
        """The pieces that spell a word, and that alone."""
        match = re.compile(pattern).fullmatch
        spelled = self._tokenizer.decode_batch([[i] for i in range(self.size)])
        known = [(i, s.strip()) for i, s in enumerate(spelled) if match(s.strip().lower())]
        ids = self.spell_words([word for _, word in known])
        kept = [(i, word) for (i, word), found in zip(known, ids, strict=True) if found == [i]]
        same: dict[str, list[int]] = {}
        for place, (_, word) in enumerate(kept):
            same.setdefault(word.lower(), []).append(place)
        numbers = np.array([i for i, _ in kept], np.int64)
        places = np.full(self.size, -1, np.int64)
        places[numbers] = np.arange(len(kept))
        return WholeWords(numbers, [word for _, word in kept], same, places)
