"""Vocabularies of whole words, fitted on what a student is going to read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import pyarrow as pa

from transferset.distillation.examples.spill import batches_of
from transferset.errors import UsageError, sentence
from transferset.models import Record, is_model
from transferset.shards import ShardSet
from transferset.students.word_vocabulary import MOST, WordVocabulary

#: Of the record of a model of whole words: the column that they were read from.
COLUMN: Final = "column"


def words_column(sets: Sequence[ShardSet]) -> str:
    """Where the words of some sets are read: in `words` if all of them have it, else in `text`.

    Of one model all sets must be read alike, or what is `don't` to one is `do n't` to another.
    """
    return "words" if all("words" in one.manifest.schema for one in sets) else "text"


def column_of(model: str | Path, sets: Sequence[ShardSet]) -> str:
    """Which column a model of whole words reads.

    Args:
        model: Perhaps a directory: a model goes on with the column that it was trained on.
        sets: All that it is going to read.
    """
    if is_model(model):
        stated = Record.read(Path(model)).tokenizer.get(COLUMN)
        if stated in ("text", "words"):
            return str(stated)
    return words_column(sets)


def fit_words(
    sets: Sequence[ShardSet],
    *,
    column: str = "text",
    lowercase: bool = True,
    least: int = 1,
    most: int = MOST,
) -> WordVocabulary:
    """The most frequent words of sets, each read once.

    Args:
        sets: Those that are trained on.
        column: `text`, split at white space, or `words`.
        lowercase: Whether texts are lower-cased first.
        least: Count below which a word is unknown, ≥ 1.
        most: Words that are kept, beside the special ones.

    Raises:
        UsageError: A set lacks the column, or a number is out of range.
        InputError: There is no word.
        SetError: A set is damaged.
    """
    for one in sets:
        if column not in one.manifest.schema:
            had = ", ".join(one.manifest.schema)
            raise UsageError(sentence(f"a column {column}, for words", had, str(one.root)))
    return WordVocabulary.fit(_texts(sets, column), lowercase=lowercase, least=least, most=most)


def _texts(sets: Sequence[ShardSet], column: str) -> Iterator[pa.Array]:
    for one in sets:
        yield from batches_of(one, column)
