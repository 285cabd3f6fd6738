"""Vocabularies of whole words, fitted on training text by count.

Rows look like those of a set: `[CLS] a [SEP]`, or `[CLS] a [SEP] b [SEP]`. A word that was masked
out reads as unknown, which is what [MASK] is to a student (Liu 2020, § 3.3).
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transferset.errors import InputError, UsageError, sentence
from transferset.files import write_atomic
from transferset.shapes import Misshapen, check
from transferset.students.config import Vocabulary
from transferset.students.json_files import read_object

WORDS: Final = "words.json"

SPECIAL: Final = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
PAD, UNK, CLS, SEP = range(4)

#: How a masked word is written; one with a comma after it is masked too.
_MASK: Final = "[MASK]"

#: Most words, so that ids stay below 2**21.
MOST: Final = (1 << 21) - len(SPECIAL)

_MOST_BYTES: Final = 1 << 28


class WordVocabulary:
    """Words and their ids; the first four ids are special.

    Attributes:
        words: Those after the special ones, by id − 4.
        lowercase: Whether text is lower-cased first.
    """

    def __init__(self, words: list[str], *, lowercase: bool) -> None:
        """Keep words.

        Args:
            words: Different, none empty, lower-cased if text is to be.
            lowercase: Whether it is.
        """
        self.words, self.lowercase = words, lowercase
        self._known = pa.array(words, pa.string())

    @classmethod
    def fit(
        cls, texts: Iterable[pa.Array], *, lowercase: bool = True, least: int = 1, most: int = MOST
    ) -> WordVocabulary:
        """The most frequent words of a text, from the most frequent; of one count by code point.

        Args:
            texts: Arrays of strings, split at white space, or of lists of words, as the column
                `words` of a set. Of pairs give both.
            lowercase: Whether text is lower-cased, by Unicode's simple mapping.
            least: Count below which a word is unknown, ≥ 1.
            most: Words that are kept, beside the special ones.

        Raises:
            UsageError: A number is out of range.
            InputError: There is no word.
        """
        if least < 1 or not 1 <= most <= MOST:
            raise UsageError(sentence(f"1 to {MOST:,} words of a count from 1", f"{most}, {least}"))
        counts: Counter[str] = Counter()
        for array in texts:
            words = _words(array, lowercase=lowercase)[0].drop_null()
            for pair in words.value_counts():
                counts[pair["values"].as_py()] += pair["counts"].as_py()
        kept = sorted((-count, word) for word, count in counts.items() if count >= least)
        if not kept:
            raise InputError(sentence(f"words that occur {least} times", "none"))
        return cls([word for _, word in kept[:most]], lowercase=lowercase)

    def __len__(self) -> int:
        return len(SPECIAL) + len(self.words)

    @property
    def all_words(self) -> list[str]:
        """With the special ones, by id."""
        return [*SPECIAL, *self.words]

    def encode(
        self, texts: pa.Array, pairs: pa.Array | None = None
    ) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
        """Ids of texts.

        Args:
            texts: Strings, or lists of words.
            pairs: Of as many second texts.

        Returns:
            ids int32[n] and offsets int64[rows + 1], special ids included.
        """
        parts = [self._ids(array) for array in (texts, pairs) if array is not None]
        lengths = sum(part[1] for part in parts) + 1 + len(parts)
        offsets = np.append(0, np.cumsum(lengths))
        ids = np.full(offsets[-1], SEP, np.int32)
        ids[offsets[:-1]] = CLS
        starts = offsets[:-1] + 1
        for found, counts in parts:
            shift = np.repeat(starts - (np.cumsum(counts) - counts), counts)
            ids[shift + np.arange(len(found))] = found
            starts = starts + counts + 1
        return ids, offsets

    def _ids(self, array: pa.Array) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
        words, lengths = _words(array, lowercase=self.lowercase)
        places = pc.index_in(words, self._known, skip_nulls=True).fill_null(UNK - len(SPECIAL))
        return places.to_numpy(zero_copy_only=False).astype(np.int32) + len(SPECIAL), lengths

    @cached_property
    def raw(self) -> bytes:
        """As `words.json` has it."""
        body = {"lowercase": self.lowercase, "special": list(SPECIAL), "words": self.words}
        return json.dumps(body, ensure_ascii=False, indent=0).encode("utf-8", "surrogatepass")

    @property
    def vocabulary(self) -> Vocabulary:
        """As a student's configuration has it."""
        digest = hashlib.sha256(self.raw).hexdigest()
        return Vocabulary(size=len(self), sha256=digest, padding=PAD, separator=SEP, start=CLS)

    def save(self, folder: Path) -> Path:
        """Write `words.json`."""
        write_atomic(folder / WORDS, self.raw)
        return folder / WORDS

    @classmethod
    def open(cls, path: Path) -> WordVocabulary:
        """Read a `words.json` that is not trusted.

        Raises:
            InputError: It is none.
        """
        found = read_object(path, _MOST_BYTES)
        try:
            check(found, {"lowercase": _flag, "special": [_word], "words": [_word]})
        except Misshapen as error:
            raise InputError(
                sentence(error.expected, error.found, f"{path}:{error.member}")
            ) from None
        words = found["words"]
        if tuple(found["special"]) != SPECIAL or not 0 < len(words) <= MOST:
            raise InputError(sentence(f"{', '.join(SPECIAL)} and words", "others", str(path)))
        if len(set(words)) < len(words):
            raise InputError(sentence("different words", "one twice", str(path)))
        return cls(words, lowercase=found["lowercase"])


def _words(array: Any, *, lowercase: bool) -> tuple[Any, npt.NDArray[np.int64]]:
    """All words of texts, null where one is masked, and how many each text has."""
    if not pa.types.is_list(array.type) and not pa.types.is_large_list(array.type):
        array = pc.utf8_split_whitespace(array)
    lengths = pc.list_value_length(array).fill_null(0).to_numpy(zero_copy_only=False)
    words = array.flatten()
    # white space at the ends of a text gives empty words
    kept = pc.not_equal(words, "").fill_null(False)
    ends = np.append(0, np.cumsum(kept.to_numpy(zero_copy_only=False)))
    counts = np.diff(ends[np.append(0, np.cumsum(lengths))])
    words = words.filter(kept)
    masked = pc.match_substring(words, _MASK)
    words = pc.if_else(masked, pa.scalar(None, words.type), words)
    return (pc.utf8_lower(words) if lowercase else words), counts


def _word(value: object) -> bool:
    """A word without white space at its ends."""
    return isinstance(value, str) and value != "" and value == value.strip() and value.isprintable()


def _flag(value: object) -> bool:
    """True or false."""
    return isinstance(value, bool)
