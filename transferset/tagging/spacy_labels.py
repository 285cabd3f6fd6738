"""What a spaCy pipeline can tag with: which components run, and which tags there can be."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
from blake3 import blake3

from transferset.errors import UsageError, sentence
from transferset.tagging.tagger import MOST_TAGS

if TYPE_CHECKING:
    from spacy.language import Language

# Languages with a small pipeline trained on the web, and on news.
_WEB: Final = ("en", "zh")
# fmt: off
_NEWS: Final = (
    "ca", "da", "de", "el", "es", "fi", "fr", "hr", "it", "ja", "ko", "lt", "mk", "nb", "nl", "pl",
    "pt", "ro", "ru", "sl", "sv", "uk",
)
# fmt: on

# Factories whose output a tagger reads.
_EMBEDDING: Final = ("tok2vec", "transformer", "curated_transformer")


class Labels:
    """The tags that a pipeline can give, and their codes.

    Attributes:
        tags: In order of their codes.
        attribute: As below.

    Args:
        attribute: `TAG` or `POS`, as spaCy numbers attributes.
        ids: What spaCy calls each tag inside, by name.
    """

    def __init__(self, attribute: int, ids: dict[str, int]) -> None:
        self.tags = tuple(sorted(ids))
        self.attribute = attribute
        known = np.array([ids[tag] for tag in self.tags], np.uint64)
        self._order = np.argsort(known).astype(np.uint8)
        self._known = known[self._order]

    def codes(self, found: npt.NDArray[np.uint64], words: Sequence[str]) -> npt.NDArray[np.uint8]:
        """The codes of words' tags.

        Args:
            found: uint64[words], what spaCy calls the tags inside.
            words: Of what these are the tags.

        Returns:
            uint8[words], places in `tags`.

        Raises:
            UsageError: There is a tag that the pipeline did not announce.
        """
        places = np.searchsorted(self._known, found).clip(max=len(self._known) - 1)
        strange = np.flatnonzero(self._known[places] != found)
        if len(strange):
            expected = "words with tags that the pipeline lists as its labels"
            raise UsageError(sentence(expected, repr(words[int(strange[0])]), do=_OTHER))
        codes: npt.NDArray[np.uint8] = self._order[places]
        return codes


_OTHER: Final = "name another model, or choose another --tagger, for English lexicon"


def default_model(language: str) -> str:
    """The small pipeline that spaCy publishes for a language.

    Raises:
        UsageError: There is none.
    """
    if language in _WEB:
        return f"{language}_core_web_sm"
    if language in _NEWS:
        return f"{language}_core_news_sm"
    expected = f"a language with a spaCy pipeline: {', '.join(sorted((*_WEB, *_NEWS)))}"
    raise UsageError(sentence(expected, language, do="name a pipeline: --tagger spacy:MODEL"))


def choose(pipeline: Language, model: str) -> Labels:
    """Decide what tags, and let nothing else run.

    Args:
        pipeline: A pipeline; it is changed.
        model: Its name, for messages.

    Raises:
        UsageError: It has neither a tagger nor a morphologizer.
    """
    by_factory = {pipeline.get_pipe_meta(name).factory: name for name in pipeline.component_names}
    if not {"tagger", "morphologizer"} & set(by_factory):
        expected = "a spaCy model with a tagger or a morphologizer"
        raise UsageError(sentence(expected, model, do=_OTHER))
    rules = _rules(pipeline, by_factory.get("attribute_ruler"))
    labels = _fine(pipeline, by_factory.get("tagger"), rules)
    running = {*_EMBEDDING, "tagger"}
    if labels is None:
        labels = _universal()
        running.add("morphologizer")
        running |= {"attribute_ruler"} if rules else set()
    elif any(_retags(rule) for rule in rules):
        running.add("attribute_ruler")
    _run_only(pipeline, [name for factory, name in by_factory.items() if factory in running])
    return labels


def _rules(pipeline: Language, ruler: str | None) -> list[dict[str, Any]]:
    component: Any = pipeline.get_pipe(ruler) if ruler else None
    rules: list[dict[str, Any]] = component.patterns if component else []
    return rules


def _retags(rule: dict[str, Any]) -> bool:
    """Whether a rule gives fine-grained tags to anything but white space, which we have not."""
    return "TAG" in rule["attrs"] and rule["patterns"] != [[{"IS_SPACE": True}]]


def _fine(pipeline: Language, tagger: str | None, rules: Sequence[dict[str, Any]]) -> Labels | None:
    """The fine-grained tags, if there are some and few enough."""
    if tagger is None:
        return None
    from spacy.attrs import TAG

    component: Any = pipeline.get_pipe(tagger)
    names = {*component.labels, *(rule["attrs"]["TAG"] for rule in rules if _retags(rule))}
    if len(names) > MOST_TAGS:
        return None
    return Labels(TAG, {name: pipeline.vocab.strings.add(name) for name in names})


def _universal() -> Labels:
    from spacy.attrs import POS
    from spacy.parts_of_speech import IDS

    return Labels(POS, dict(IDS))


def _run_only(pipeline: Language, names: list[str]) -> None:
    for name in names:
        if name in pipeline.disabled:
            pipeline.enable_pipe(name)
    unused = sorted(set(pipeline.pipe_names) - set(names))
    if unused:
        pipeline.select_pipes(disable=unused)


def directory_digest(folder: Path) -> str:
    """What identifies the files of a directory: 16 hexadecimal digits of BLAKE3."""
    digest = blake3()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            name = path.relative_to(folder).as_posix().encode()
            digest.update(len(name).to_bytes(8, "little") + name)
            digest.update(path.stat().st_size.to_bytes(8, "little"))
            digest.update_mmap(path)
    return digest.hexdigest()[:16]
