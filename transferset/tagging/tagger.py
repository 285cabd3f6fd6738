"""Choosing a tagger by name and language."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from transferset.errors import UsageError, sentence

NAMES: Final = ("spacy", "lexicon", "nltk")

#: How texts become words: by the tagger's own rule, or at their spaces.
WORDS: Final = ("tagger", "whitespace")

#: A tag is stored as uint8; one code stays free.
MOST_TAGS: Final = 255

# Codes of wikis that are not the code of their language, or name a variety of it.
_SAME: Final = {"simple": "en", "no": "nb", "nn": "nb"}


@dataclass(frozen=True, slots=True)
class TaggerInfo:
    """What there is to know of a tagger; all of it follows from what decides about words and tags.

    Attributes:
        spec: What it was asked for; of a directory its last name only.
        name: `spacy:MODEL`, `lexicon` or `nltk`.
        version: What identifies the decisions: releases, digests.
        language: ISO code, the pipeline's own for spaCy.
        words: One of `WORDS`.
        tags: Names of the codes.
        stop_words: Words that say little about their text; sorted, in lower case.
        word_pattern: Regular expression that a word in lower case is as a whole if it may be
            replaced.
    """

    spec: str
    name: str
    version: str
    language: str
    words: str
    tags: tuple[str, ...]
    stop_words: tuple[str, ...]
    word_pattern: str


class Tagged(NamedTuple):
    """Words of some texts with their tags.

    Attributes:
        words: Flat over all texts; none is empty or holds a space.
        space: bool[words], whether a space follows; False for the last word of a text.
        pos: uint8[words], places in `TaggerInfo.tags`.
        offsets: int64[texts + 1]: text i has the words offsets[i] to offsets[i + 1].
    """

    words: list[str]
    space: npt.NDArray[np.bool_]
    pos: npt.NDArray[np.uint8]
    offsets: npt.NDArray[np.int64]


class Tagger(Protocol):
    """Cuts texts into words and tags them."""

    @property
    def info(self) -> TaggerInfo:
        """What it is."""

    def tag(self, texts: Sequence[str]) -> Tagged:
        """Cut and tag texts; each on its own, whatever the others are.

        Args:
            texts: Normal texts, see `normal_text`.

        Returns:
            Their words; with their spaces they are the texts again.
        """


def load_tagger(spec: str, *, language: str = "en", words: str = "tagger") -> Tagger:
    """Return a tagger; its model is loaded once in a process.

    Args:
        spec: `spacy` (spaCy's small pipeline of the language), `spacy:MODEL` (an installed
            package or a directory), `lexicon` or `nltk`.
        language: A MediaWiki or ISO code such as `en`, `de`, `pt-br`; a named pipeline knows its
            own.
        words: One of `WORDS`; `whitespace` for texts that are already tokenised.

    Returns:
        The tagger.

    Raises:
        UsageError: The name is unknown, or the tagger does not know the language, is not
            installed, or does not fit the installed version.
    """
    kind, _, model = spec.partition(":")
    if kind not in NAMES or (model and kind != "spacy") or spec.endswith(":"):
        do = "choose one of them, for instance --tagger lexicon, or none"
        raise UsageError(sentence("a tagger spacy, spacy:MODEL, lexicon or nltk", spec, do=do))
    if words not in WORDS:
        raise UsageError(sentence(f"--words {' or '.join(WORDS)}", words))
    return _load(kind, model, code_of(language), words)


def code_of(language: str) -> str:
    """A language's code as taggers have it: `no` and `nb-NO` are `nb`."""
    code = language.strip().lower().replace("_", "-").split("-")[0]
    return _SAME.get(code, code)


@lru_cache(maxsize=8)
def _load(kind: str, model: str, language: str, words: str) -> Tagger:
    return _LOADERS[kind](model, language, words)


def _spacy(model: str, language: str, words: str) -> Tagger:
    from transferset.tagging import spacy_tagger

    return spacy_tagger.load(model, language, words)


def _lexicon(_: str, language: str, words: str) -> Tagger:
    _only_english("lexicon", language)
    from transferset.tagging import lexicon_tagger

    return lexicon_tagger.load(words)


def _nltk(_: str, language: str, words: str) -> Tagger:
    _only_english("nltk", language)
    from transferset.tagging import nltk_tagger

    return nltk_tagger.load(words)


def _only_english(name: str, language: str) -> None:
    if language != "en":
        do = f"name a spaCy pipeline of {language}: --tagger spacy:MODEL"
        raise UsageError(sentence(f"English for --tagger {name}", language, do=do))


_LOADERS: Final[dict[str, Callable[[str, str, str], Tagger]]] = {
    "spacy": _spacy,
    "lexicon": _lexicon,
    "nltk": _nltk,
}
