"""spaCy's sentences, for those who have it (`pip install 'transferset[spacy]'`).

`spacy` is a blank pipeline of the language with the rule-based sentencizer. `spacy:MODEL` is an
installed model with the component that it uses for sentences, so that a recipe says which model
decided, whatever else is installed.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from transferset.errors import UsageError, sentence

if TYPE_CHECKING:
    from spacy.language import Language

# spaCy refuses longer texts with components that it considers costly; ours are linear.
_LONGEST = 1 << 31

# What sets sentence starts, the cheapest first, and what each needs before it.
_COMPONENTS = {"senter": ("tok2vec",), "sentencizer": (), "parser": ("tok2vec", "transformer")}


class SpacySplitter:
    """Splits with a spaCy pipeline.

    Args:
        pipeline: A loaded pipeline that sets sentence starts.
    """

    def __init__(self, pipeline: Language) -> None:
        self._pipeline = pipeline

    def split(self, passage: str) -> list[str]:
        """Split a passage.

        Args:
            passage: Any text.

        Returns:
            The sentences in order, stripped, none empty.
        """
        found = (span.text.strip() for span in self._pipeline(passage).sents)
        return [text for text in found if text]


def load(model: str, language: str) -> tuple[SpacySplitter, str]:
    """Load a pipeline.

    Args:
        model: Name of an installed model; empty for the blank pipeline with the sentencizer.
        language: A normalised code, used without a model.

    Returns:
        The splitter, and the version of spaCy and of the model.

    Raises:
        UsageError: spaCy or the model is missing, the model finds no sentences, or spaCy does
            not know the language.
    """
    try:
        release = version("spacy")
    except PackageNotFoundError as error:
        do = "pip install 'transferset[spacy]'"
        raise UsageError(sentence("spaCy for --splitter spacy", "none", do=do)) from error
    pipeline = _installed(model) if model else _blank(language)
    name = f"{model}-{pipeline.meta['version']}" if model else f"{language}-sentencizer"
    pipeline.max_length = _LONGEST
    return SpacySplitter(pipeline), f"{release}/{name}"


def _blank(language: str) -> Language:
    import spacy

    try:
        pipeline = spacy.blank("nb" if language == "no" else language)
    except ImportError as error:
        do = "choose --splitter rules"
        raise UsageError(sentence("a language of spaCy's", language, do=do)) from error
    pipeline.add_pipe("sentencizer")
    return pipeline


def _installed(model: str) -> Language:
    import spacy

    try:
        pipeline = spacy.load(model)
    except OSError as error:
        do = f"python -m spacy download {model}"
        raise UsageError(sentence("an installed spaCy model", model, do=do)) from error
    for component, needed in _COMPONENTS.items():
        if component in pipeline.component_names:
            pipeline.enable_pipe(component)
            unused = set(pipeline.pipe_names) - {component, *needed}
            pipeline.select_pipes(disable=sorted(unused))
            return pipeline
    do = "name a model with a senter, sentencizer or parser"
    raise UsageError(sentence("a spaCy model that finds sentences", model, do=do))
