"""The tagger that comes with the package: our own word rule and hidden Markov model."""

from __future__ import annotations

from collections.abc import Sequence

from transferset.tagging.english_words import RULE, EnglishWords
from transferset.tagging.hmm import HmmTagger, load_hmm
from transferset.tagging.stop_words import ENGLISH
from transferset.tagging.tagger import Tagged, TaggerInfo
from transferset.tagging.words import ENGLISH_WORD, Cutter, on_spaces


class LexiconTagger:
    """Cuts and tags English texts.

    Args:
        words: One of `tagger.WORDS`.
        model: The hidden Markov model.
    """

    def __init__(self, words: str, model: HmmTagger) -> None:
        self._model = model
        self._cut: Cutter = EnglishWords() if words == "tagger" else on_spaces
        self.info = TaggerInfo(
            spec="lexicon",
            name="lexicon",
            version=f"{RULE}/{model.version}",
            language="en",
            words=words,
            tags=model.tags,
            stop_words=ENGLISH,
            word_pattern=ENGLISH_WORD,
        )

    def tag(self, texts: Sequence[str]) -> Tagged:
        """Cut and tag normal texts."""
        words, space, offsets = self._cut(texts)
        return Tagged(words, space, self._model.tag(words, offsets), offsets)


def load(words: str) -> LexiconTagger:
    """Load the model of the package.

    Args:
        words: One of `tagger.WORDS`.
    """
    return LexiconTagger(words, load_hmm())
