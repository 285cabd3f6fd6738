"""The lexicon tagger: a trigram hidden Markov model for English with Penn tags, in the package.

T. Brants, "TnT – a statistical part-of-speech tagger", ANLP 2000. Its counts come from texts that
spaCy's small English model tagged (`lexicon/model.json` says which; `tools/lexicon.py` made it).
Beyond the paper: digits count as shape only, a word is also looked up in its other case, and rare
words are mixed with the guess from their ending.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
from blake3 import blake3
from numpy.typing import NDArray

from transferset.errors import InputError, UsageError, sentence
from transferset.tagging.hmm_choices import (
    ENDING_WEIGHT,
    FAINTEST,
    MOST_TAGS,
    OTHER_WEIGHT,
    Choices,
    Lexicon,
    choose_all,
)
from transferset.tagging.hmm_model import Counts, read
from transferset.tagging.hmm_scores import UNIT, moves, priors, sums
from transferset.tagging.hmm_suffixes import (
    LEAST,
    LONGEST_SUFFIX,
    RARE,
    SHORTER_WEIGHT,
    learn,
)
from transferset.tagging.hmm_viterbi import tag_texts
from transferset.tagging.hmm_words import table_of

#: What decides on tags beside the model: part of the version.
_RULES: Final = (
    *(RARE, LONGEST_SUFFIX, LEAST, SHORTER_WEIGHT),
    *(MOST_TAGS, FAINTEST, ENDING_WEIGHT, OTHER_WEIGHT, UNIT),
)
_FOLDER: Final = Path(str(files("transferset"))) / "tagging" / "lexicon"


class HmmTagger:
    """Tags words.

    Attributes:
        tags: Names of the tags; what `tag` returns are places here.
        version: Digest of the model and of the rules' numbers.
    """

    def __init__(self, counts: Counts) -> None:
        """Make the tables.

        Args:
            counts: The model.
        """
        self.tags = counts.tags
        self.version = blake3(f"{counts.version} {_RULES}".encode()).hexdigest()[:16]
        added = sums(counts.trigrams)
        self._moves = moves(added)
        self._lexicon = _lexicon(counts, priors(added))
        self._known = _known(self._lexicon)

    def tag(self, words: Sequence[str], offsets: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Tag the words of texts; every text is tagged alone.

        Args:
            words: Of all texts, one after the other; none empty.
            offsets: int64 [texts + 1]: where each text begins, and the end of the last.

        Returns:
            uint8 [words]: the tags of the likeliest path through each text.

        Raises:
            UsageError: The offsets do not fit the words.
            InputError: A word is empty or holds a lone surrogate.
        """
        offsets = np.ascontiguousarray(offsets, np.int64)
        _check(len(words), offsets)
        if not words:
            return np.empty(0, np.uint8)
        text, starts = _bytes(words)
        if not (starts[1:] > starts[:-1]).all():
            raise InputError(sentence("words of at least one character", "an empty word"))
        out = np.empty(len(words), np.uint8)
        tag_texts(self._lexicon, self._known, self._moves, text, starts, offsets, out)
        return out


@lru_cache(maxsize=1)
def load_hmm() -> HmmTagger:
    """Load the tagger that the package carries; it is kept."""
    return HmmTagger(read(_FOLDER))


def _check(count: int, offsets: NDArray[np.int64]) -> None:
    fits = offsets.ndim == 1 and offsets.size > 0 and offsets[0] == 0 and offsets[-1] == count
    if not fits or (offsets[1:] < offsets[:-1]).any():
        found = f"{offsets[:5].tolist()} … for {count:,} words"
        raise UsageError(sentence("offsets that rise from 0 to the number of words", found))


def _bytes(words: Sequence[str]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    try:
        array = pa.array(words, pa.large_string())
    except (UnicodeEncodeError, pa.ArrowInvalid) as error:
        raise InputError(sentence("words that UTF-8 can hold", str(error))) from error
    return _buffers(array, np.int64)


def _buffers(array: pa.Array, offset: type[np.generic]) -> tuple[NDArray[np.uint8], NDArray[Any]]:
    _, starts, text = array.buffers()
    places = np.frombuffer(starts, offset)[: len(array) + 1]
    return np.frombuffer(text or b"\0", np.uint8), places


def _lexicon(counts: Counts, states: NDArray[np.float64]) -> Lexicon:
    text, starts = _buffers(counts.words, np.int32)
    table = table_of(text, starts)
    suffixes = learn(table, counts.starts, counts.word_tags, counts.word_counts, len(counts.tags))
    return Lexicon(
        table,
        counts.starts,
        counts.word_tags,
        counts.word_counts,
        suffixes,
        states,
        UNIT,
    )


def _known(lexicon: Lexicon) -> Choices:
    words = lexicon.table.starts.size - 1
    room = words * MOST_TAGS
    choices = Choices(
        np.empty(words + 1, np.int64), np.empty(room, np.uint8), np.empty(room, np.int32)
    )
    choose_all(lexicon, choices)
    count = int(choices.starts[-1])
    return Choices(choices.starts, choices.states[:count].copy(), choices.scores[:count].copy())
