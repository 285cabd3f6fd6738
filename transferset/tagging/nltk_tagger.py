"""NLTK's words and tags: what `nltk.pos_tag(nltk.word_tokenize(text))` gives for a sentence.

The literature's code cuts and tags so. Words are those of `NLTKWordTokenizer`, as they stand in the
text (it makes other characters of quotation marks, which only the perceptron gets to see); weights
are read as JSON from the user's `nltk_data`, NLTK's older pickles are not.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from itertools import chain, pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from blake3 import blake3

from transferset.errors import InputError, UsageError, sentence
from transferset.tagging.stop_words import ENGLISH
from transferset.tagging.tagger import MOST_TAGS, Tagged, TaggerInfo
from transferset.tagging.words import ENGLISH_WORD, Cut, gathered, on_spaces

if TYPE_CHECKING:
    from nltk.tag.perceptron import PerceptronTagger

_LEXICON: Final = "or choose --tagger lexicon"
_WEIGHTS: Final = "NLTK's averaged_perceptron_tagger_eng"
_DATA: Final = f"python -m nltk.downloader averaged_perceptron_tagger_eng, {_LEXICON}"


class NltkTagger:
    """Cuts and tags English texts, each as one sentence.

    Args:
        words: One of `tagger.WORDS`.
        model: A tagger with its weights.
        release: NLTK's version.
    """

    def __init__(self, words: str, model: PerceptronTagger, release: str) -> None:
        tags = _checked(model)
        self._model = model
        self._code = {tag: code for code, tag in enumerate(tags)}
        self._treebank = Treebank() if words == "tagger" else None
        self.info = TaggerInfo(
            spec="nltk",
            name="nltk",
            version=f"{release}/{_digest(model)}",
            language="en",
            words=words,
            tags=tags,
            stop_words=ENGLISH,
            word_pattern=ENGLISH_WORD,
        )

    def tag(self, texts: Sequence[str]) -> Tagged:
        """Cut and tag normal texts."""
        cut = (self._treebank or on_spaces)(texts)
        tagged = chain.from_iterable(map(self._model.tag, self._forms(texts, cut)))
        codes = (self._code[tag] for _, tag in tagged)
        return Tagged(
            cut.words, cut.space, np.fromiter(codes, np.uint8, len(cut.words)), cut.offsets
        )

    def _forms(self, texts: Sequence[str], cut: Cut) -> Iterator[list[str]]:
        """The words of each text as the perceptron learned them."""
        for text, (start, end) in zip(texts, pairwise(cut.offsets.tolist()), strict=True):
            words = cut.words[start:end]
            yield self._treebank.forms(text, words) if self._treebank else words


class Treebank:
    """The words of `NLTKWordTokenizer`, as they stand in the text."""

    def __init__(self) -> None:
        from nltk.tokenize.destructive import NLTKWordTokenizer

        self._tokenizer = NLTKWordTokenizer()

    def __call__(self, texts: Sequence[str]) -> Cut:
        """Cut normal texts.

        Raises:
            InputError: NLTK gave up on a text.
        """
        return gathered(map(self._cut, texts))

    def forms(self, text: str, words: list[str]) -> list[str]:
        """The words with the marks that NLTK makes of quotation marks.

        Args:
            text: A normal text.
            words: Its words.
        """
        quoted = '"' in text or "''" in text
        return list(self._tokenizer.tokenize(text)) if quoted else words

    def _cut(self, text: str) -> tuple[list[str], list[bool]]:
        try:
            spans = list(self._tokenizer.span_tokenize(text))
        except (TimeoutError, ValueError) as error:  # of nltk's regular expressions and search
            expected = "texts that NLTK cuts into words"
            found = f"one of {len(text):,} characters: {text[:40]}"
            raise InputError(sentence(expected, found, do="choose another --tagger")) from error
        words = [text[start:end] for start, end in spans]
        return words, [text.startswith(" ", end) for _, end in spans]


def load(words: str) -> NltkTagger:
    """Load the perceptron from the user's `nltk_data`.

    Args:
        words: One of `tagger.WORDS`.

    Raises:
        UsageError: NLTK or its data is missing.
        InputError: The data is damaged.
    """
    try:
        release = version("nltk")
        from nltk.tag.perceptron import PerceptronTagger
    except (PackageNotFoundError, ImportError) as error:
        do = f"pip install 'transferset[nltk]', {_LEXICON}"
        raise UsageError(sentence("NLTK for --tagger nltk", "none", do=do)) from error
    try:
        return NltkTagger(words, PerceptronTagger(lang="eng"), release)
    except LookupError as error:
        found = "none in nltk_data"
        raise UsageError(sentence(_WEIGHTS, found, do=_DATA)) from error
    except (ValueError, TypeError, OSError) as error:
        found = f"a damaged one: {str(error).strip().splitlines()[0]}"
        raise InputError(sentence(_WEIGHTS, found, do=_DATA)) from error


def _checked(model: Any) -> tuple[str, ...]:
    """The names of the tags.

    Raises:
        ValueError: The weights are not what the tagger needs.
    """
    if not (isinstance(model.model.weights, dict) and isinstance(model.tagdict, dict)):
        raise ValueError("its weights or its words are no JSON object")
    if not all(isinstance(tag, str) for tag in model.classes):
        raise ValueError("its tags are no strings")
    if not 0 < len(model.classes) <= MOST_TAGS or not model.classes >= set(model.tagdict.values()):
        raise ValueError(f"it has none or more than {MOST_TAGS} tags, or words with others")
    for by_tag in model.model.weights.values():
        if not (isinstance(by_tag, dict) and _numbers(by_tag)):
            raise ValueError("its weights are no numbers")
    return tuple(sorted(model.classes))


def _numbers(by_tag: dict[str, Any]) -> bool:
    return all(isinstance(weight, (int, float)) for weight in by_tag.values())


def _digest(model: Any) -> str:
    parts = [model.model.weights, model.tagdict, sorted(model.classes)]
    return blake3(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]
