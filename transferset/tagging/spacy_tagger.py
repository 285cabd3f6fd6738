"""spaCy's words and tags, for those who have it (`pip install 'transferset[spacy]'`).

Of a pipeline only what tags is run. A word's tag is the fine-grained one (`Token.tag_`) if the
tagger has few enough for a byte, else the universal one (`Token.pos_`).
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from transferset.errors import UsageError, sentence
from transferset.tagging.spacy_labels import Labels, choose, default_model, directory_digest
from transferset.tagging.tagger import Tagged, TaggerInfo
from transferset.tagging.words import ANY_WORD, ENGLISH_WORD, ends, on_spaces

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc

# spaCy refuses longer texts for the sake of components that we do not run.
_LONGEST: Final = 1 << 31

# Texts that go through the network at once.
_BATCH: Final = 256

# Heavy, and no tagger needs them; others are loaded and then not run.
_NEVER: Final = (
    "parser",
    "senter",
    "ner",
    "lemmatizer",
    "entity_linker",
    "entity_ruler",
    "span_ruler",
    "spancat",
    "textcat",
    "textcat_multilabel",
)

_LEXICON: Final = "or choose another --tagger, for English lexicon"


class SpacyTagger:
    """Cuts and tags with a spaCy pipeline.

    Args:
        pipeline: It runs nothing but what `labels` needs.
        labels: The tags that it can give.
        info: What it is.
    """

    def __init__(self, pipeline: Language, labels: Labels, info: TaggerInfo) -> None:
        self.info = info
        self._pipeline = pipeline
        self._labels = labels

    def tag(self, texts: Sequence[str]) -> Tagged:
        """Cut and tag normal texts."""
        # spaCy keeps every word that it has seen; in a zone it forgets them at the end
        with self._pipeline.memory_zone():
            return self._tag(texts)

    def _tag(self, texts: Sequence[str]) -> Tagged:
        from spacy.attrs import SPACY

        words: list[str] = []
        found: list[npt.NDArray[np.uint64]] = [np.empty((0, 2), np.uint64)]
        for doc in self._pipeline.pipe(self._docs(texts), batch_size=_BATCH):
            words.extend([token.text for token in doc])
            found.append(
                doc.to_array([SPACY, self._labels.attribute]).astype(np.uint64, copy=False)
            )
        sizes = np.fromiter(map(len, found[1:]), np.int64, len(found) - 1)
        space, tags = np.concatenate(found).T
        return Tagged(words, space.astype(np.bool_), self._labels.codes(tags, words), ends(sizes))

    def _docs(self, texts: Sequence[str]) -> Iterator[Doc]:
        if self.info.words == "tagger":
            return map(self._pipeline.make_doc, texts)
        return self._ready_made(texts)

    def _ready_made(self, texts: Sequence[str]) -> Iterator[Doc]:
        from spacy.tokens import Doc

        words, space, offsets = on_spaces(texts)
        spaces = space.tolist()
        for start, end in pairwise(offsets.tolist()):
            yield Doc(self._pipeline.vocab, words=words[start:end], spaces=spaces[start:end])


def load(model: str, language: str, words: str) -> SpacyTagger:
    """Load a pipeline.

    Args:
        model: Name of an installed package or a directory; empty for the language's small one.
        language: A normalised code, used without a model.
        words: One of `tagger.WORDS`.

    Returns:
        The tagger.

    Raises:
        UsageError: spaCy or the model is missing, they do not fit each other, or the model does
            not tag.
    """
    try:
        release = version("spacy")
    except PackageNotFoundError as error:
        do = f"pip install 'transferset[spacy]', {_LEXICON}"
        raise UsageError(sentence("spaCy for --tagger spacy", "none", do=do)) from error
    named = model or default_model(language)
    pipeline = _installed(named, release)
    labels = choose(pipeline, named)
    shown, build = _identity(pipeline, named)
    info = TaggerInfo(
        spec=f"spacy:{shown}" if model else "spacy",
        name=f"spacy:{shown}",
        version=f"{release}/{build}",
        language=str(pipeline.lang),
        words=words,
        tags=labels.tags,
        stop_words=tuple(sorted({word.lower() for word in pipeline.Defaults.stop_words})),
        word_pattern=ENGLISH_WORD if pipeline.lang == "en" else ANY_WORD,
    )
    return SpacyTagger(pipeline, labels, info)


def _identity(pipeline: Language, model: str) -> tuple[str, str]:
    """The name to show, and what identifies the weights."""
    from spacy.util import is_package

    meta = pipeline.meta
    build = f"{meta['lang']}_{meta['name']}-{meta['version']}"
    if is_package(model):
        return model, build
    # a directory may hold anything under any version, and where it lies is nobody's affair
    folder = Path(model).resolve()
    return folder.name, f"{build}/{directory_digest(folder)}"


def _installed(model: str, release: str) -> Language:
    import spacy

    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            pipeline = spacy.load(model, exclude=_NEVER)
    except OSError as error:
        folder = Path(model).is_dir()
        do = "name the one with config.cfg" if folder else f"python -m spacy download {model}"
        expected = "a directory with a spaCy model" if folder else "an installed spaCy model"
        raise UsageError(sentence(expected, model, do=f"{do}, {_LEXICON}")) from error
    except (ValueError, ImportError, KeyError, TypeError, AttributeError) as error:
        found = f"{model}: {str(error).strip().splitlines()[0]}"
        do = f"python -m spacy download {model}, {_LEXICON}"
        raise UsageError(sentence(f"a model for spaCy {release}", found, do=do)) from error
    if any("[W095]" in str(warning.message) for warning in caught):
        # its tags may be worse than those that it was published with
        found = f"{model}, made for spaCy {pipeline.meta.get('spacy_version')}"
        do = f"python -m spacy download {model}, {_LEXICON}"
        raise UsageError(sentence(f"a model for spaCy {release}", found, do=do))
    pipeline.max_length = _LONGEST
    return pipeline
