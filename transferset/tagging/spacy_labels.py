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


_OTHER: Final = "name another model, or choose --tagger lexicon"


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
    tagger, ruler = by_factory.get("tagger"), by_factory.get("attribute_ruler")
    if tagger is None and "morphologizer" not in by_factory:
        expected = "a spaCy model with a tagger or a morphologizer"
        raise UsageError(sentence(expected, model, do=_OTHER))
    fine = _fine(pipeline, tagger, ruler)
    running = [*_EMBEDDING, "tagger", "attribute_ruler", "morphologizer"]
    if fine is not None:
        running.remove("morphologizer")
        if not _retags(pipeline, ruler):
            running.remove("attribute_ruler")
    _run_only(pipeline, [by_factory[name] for name in running if name in by_factory])
    return fine or _universal()


def _fine(pipeline: Language, tagger: str | None, ruler: str | None) -> Labels | None:
    """The fine-grained tags, if there are some and few enough."""
    if tagger is None:
        return None
    from spacy.attrs import TAG

    labels: Any = pipeline.get_pipe(tagger)
    names = {*labels.labels, *_rules(pipeline, ruler)}
    if len(names) > MOST_TAGS:
        return None
    return Labels(TAG, {name: pipeline.vocab.strings.add(name) for name in names})


def _universal() -> Labels:
    from spacy.attrs import POS
    from spacy.parts_of_speech import IDS

    return Labels(POS, dict(IDS))


def _retags(pipeline: Language, ruler: str | None) -> bool:
    """Whether the rules give fine-grained tags to anything but white space, which we have not."""
    return any(
        patterns != [[{"IS_SPACE": True}]]
        for found in _rules(pipeline, ruler).values()
        for patterns in found
    )


def _rules(pipeline: Language, ruler: str | None) -> dict[str, list[Any]]:
    """The patterns of the rules that give a fine-grained tag, by tag."""
    found: dict[str, list[Any]] = {}
    component: Any = pipeline.get_pipe(ruler) if ruler else None
    for rule in component.patterns if component else []:
        if "TAG" in rule["attrs"]:
            found.setdefault(rule["attrs"]["TAG"], []).append(rule["patterns"])
    return found


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
