"""How a model reads the rows of a set: by the set's ids, or by ids made anew from its texts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from transferset.errors import InputError, UsageError, sentence
from transferset.shards import ShardSet
from transferset.students.config import Vocabulary
from transferset.students.word_vocabulary import WordVocabulary

#: The ids of the set; ids of a tokenizer of pieces; ids of words.
IDS, TEXT, WORDS = WAYS = ("ids", "text", "words")

#: Ids of a row that all models can take: [CLS] a [SEP] b [SEP], an id of each text.
LEAST: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How a model reads rows.

    Attributes:
        vocabulary: The ids of the model.
        tokenizer: What makes them: a `tokenizer.json`, or the folder of one; needed for sets with
            other ids alone.
        words: What makes them in a model of whole words.
        column: What is read where ids are made anew: by a model of words `text`, split at white
            space, or `words`, as stated; by one of pieces `text`, whatever is stated.
        length: Most ids of a row, at least `LEAST`; longer ones lose their end, of a pair the
            longer text first.
    """

    vocabulary: Vocabulary
    tokenizer: Path | None = None
    words: WordVocabulary | None = None
    column: str = "text"
    length: int = 128

    def __post_init__(self) -> None:
        if self.length < LEAST:
            raise UsageError(sentence(f"a --length of at least {LEAST}", str(self.length)))
        if self.column not in ("text", "words"):
            raise UsageError(sentence("the column text or words", self.column))
        if self.words is None:  # a set's words say nothing to a tokenizer of pieces
            object.__setattr__(self, "column", "text")
        if self.words is not None and self.words.vocabulary.sha256 != self.vocabulary.sha256:
            raise InputError(sentence("the words of the model", "others"))


def how_read(found: ShardSet, reading: Reading) -> str:
    """Which of `WAYS` a set's rows are read in, by its manifest alone.

    Raises:
        UsageError: Its ids are those of another tokenizer, and it has no texts to make others of.
    """
    schema, tokenizer = found.manifest.schema, found.manifest.tokenizer
    if reading.words is not None:
        if reading.column not in schema:
            raise UsageError(_lacking(found, f"a column {reading.column}, for a model of words"))
        return WORDS
    own = tokenizer["sha256"] if tokenizer is not None and "input_ids" in schema else None
    if own == reading.vocabulary.sha256:
        return IDS
    expected = "ids of the model's tokenizer, or a column text to make them of"
    if reading.column not in schema:
        raise UsageError(_lacking(found, expected))
    if reading.tokenizer is None:
        raise UsageError(_lacking(found, "ids of the model's tokenizer, or that tokenizer's file"))
    return TEXT


def columns_read(found: ShardSet, reading: Reading) -> list[str]:
    """The columns of a set that a model reads, that of second texts included.

    Raises:
        UsageError: See `how_read`.
    """
    if how_read(found, reading) == IDS:
        return ["input_ids"]
    second = f"{reading.column}_pair"
    return [reading.column, *([second] if second in found.manifest.schema else [])]


def _lacking(found: ShardSet, expected: str) -> str:
    tokenizer = found.manifest.tokenizer
    ids = f"ids of {tokenizer['name']}" if tokenizer else "no ids"
    texts = [name for name in ("text", "words") if name in found.manifest.schema]
    had = f"{ids} and {' and '.join(texts) or 'no texts'}"
    do = "build the set with the model's tokenizer, or keep its texts"
    return sentence(expected, had, str(found.root), do)
