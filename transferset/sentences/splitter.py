"""Choosing a splitter by name and language."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol

from transferset.errors import UsageError, sentence
from transferset.sentences import languages

NAMES = ("nupunkt", "punkt", "spacy", "rules")

Split = Callable[[str], list[str]]


class Splitter(Protocol):
    """Cuts passages into sentences."""

    @property
    def name(self) -> str:
        """What `get_splitter` was asked for, or chose."""

    @property
    def version(self) -> str:
        """What identifies the decisions: releases, model, language."""

    def split(self, passage: str) -> list[str]:
        """Split a passage.

        Args:
            passage: A paragraph; without line breaks, white space normalised.

        Returns:
            The sentences in order, stripped, none empty. Joined they are the passage, up to
            white space at the cuts.
        """


@dataclass(frozen=True, slots=True)
class NamedSplitter:
    """A splitter that knows its name; pickles as name and language."""

    name: str
    version: str
    language: str
    split: Split = field(repr=False, compare=False)

    def __reduce__(self) -> tuple[Callable[[str, str], Splitter], tuple[str, str]]:
        return get_splitter, (self.name, self.language)


def default_name(language: str) -> str:
    """Return the splitter that a language gets.

    Args:
        language: A MediaWiki or ISO code.

    Returns:
        `nupunkt` for English, `punkt` for the other languages that it was trained for, else
        `rules`: the abbreviations of English would join sentences of another language.
    """
    code = languages.normalised(language)
    if code == "en":
        return "nupunkt"
    return "punkt" if code in languages.PUNKT else "rules"


def get_splitter(name: str | None, language: str) -> Splitter:
    """Return a splitter; its model is loaded once in a process.

    Args:
        name: `nupunkt`, `punkt`, `rules`, `spacy`, `spacy:MODEL`; None for the default.
        language: A MediaWiki or ISO code such as `en`, `simple`, `pt-br`, `zh-yue`.

    Returns:
        The splitter.

    Raises:
        UsageError: The name is unknown, or the splitter does not know the language or is not
            installed.
    """
    return _load(name or default_name(language), languages.normalised(language))


@lru_cache(maxsize=32)
def _load(name: str, language: str) -> NamedSplitter:
    kind, _, model = name.partition(":")
    if kind not in NAMES or (model and kind != "spacy"):
        found = f"splitter {name!r}"
        raise UsageError(sentence("one of " + ", ".join(NAMES), found, do="choose one of them"))
    split, version = _LOADERS[kind](model, language)
    return NamedSplitter(name, version, language, split)


def _nupunkt(_: str, __: str) -> tuple[Split, str]:
    from transferset.sentences import nupunkt_rules as rules

    return rules.NupunktSplitter(rules.load()).split, f"{rules.RELEASE}/default"


def _punkt(_: str, language: str) -> tuple[Split, str]:
    from transferset.sentences import punkt_rules as rules

    model = languages.PUNKT.get(language)
    if model is None:
        expected = "a language with a Punkt model: " + ", ".join(sorted(languages.PUNKT))
        raise UsageError(sentence(expected, language, do="choose --splitter rules"))
    return rules.PunktSplitter(rules.load(model)).split, f"{rules.RELEASE}/{model}"


def _rules(_: str, language: str) -> tuple[Split, str]:
    from transferset.sentences import rules

    splitter, version = rules.load(language)
    return splitter.split, version


def _spacy(model: str, language: str) -> tuple[Split, str]:
    from transferset.sentences import spacy_pipeline

    splitter, version = spacy_pipeline.load(model, language)
    return splitter.split, version


_LOADERS: dict[str, Callable[[str, str], tuple[Split, str]]] = {
    "nupunkt": _nupunkt,
    "punkt": _punkt,
    "rules": _rules,
    "spacy": _spacy,
}
