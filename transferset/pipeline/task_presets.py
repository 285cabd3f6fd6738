"""Augmentation exactly as publications had it, and where we cannot do as they did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from transferset.errors import UsageError, sentence
from transferset.manifest import Json, Manifest
from transferset.steps import Augment, ReplaceLm, Step

_TEN: Final = Augment(mask=0.1, pos=0.1, target="10x")
_FORTY: Final = Augment(mask=0.1, pos=0.1, target="40x")

#: Liu 2020, "Knowledge distillation from BERT", § 3.3 and table 3.3.
_LIU: Final[Mapping[str, Augment]] = {
    **dict.fromkeys(("sst2", "mnli", "qqp"), _TEN),
    **dict.fromkeys(("stsb", "mrpc"), _FORTY),
    "mask-only": Augment(mask=0.1, target="10x"),
}

_TWENTY: Final = Augment(mask=0.1, pos=0.1, window=0.25, iterations=20)

#: Tang et al. 2019, "Distilling task-specific knowledge from BERT into simple neural networks",
#: §§ 3.2 and 4.2.
_TANG: Final[Mapping[str, Augment]] = {
    "sst2": _TWENTY,
    **dict.fromkeys(("mnli", "qqp"), replace(_TWENTY, iterations=10)),
}

#: Jiao et al. 2019, "TinyBERT", § 4.2; variants of each row by task as in the authors' code.
_JIAO: Final[Mapping[str, int]] = {
    **dict.fromkeys(("cola", "mrpc", "stsb", "rte"), 30),
    **dict.fromkeys(("sst2", "qnli"), 20),
    **dict.fromkeys(("mnli", "qqp"), 10),
}

_OF_ALL: Final = (
    "the generator is Philox4x32-10; the publication's seeds are not known",
    "a variant is left out if its ids are those of any row or earlier variant; the publication "
    "compares texts, or does not say",
)

_OF_WORDS: Final = (
    "a word is what the set's tagger says, and so are its tag and the words of equal tags",
    "one draw decides between masking and replacement (the interval is misprinted in the text)",
)

_OF_LIU: Final = (
    "attempts go on until the set has exactly the stated multiple of its rows, up to 50 attempts a "
    "row; the number of attempts is not stated",
)

_OF_JIAO: Final = (
    "the masked text is given to the model alone; the authors' code adds the unmasked text as "
    "second segment, where the model can read the word",
    "candidates are whole words of letters, and never the word itself",
    "N is the number of attempts; repeated ones are left out, as in the authors' code",
)

WORKS: Final = ("liu2020", "tang2019", "jiao2019")


def task_preset(name: str, src: Manifest, given: Sequence[Step]) -> tuple[tuple[Step, ...], Json]:
    """The step of a publication's augmentation.

    Args:
        name: `liu2020:sst2`, `:mask-only`, `tang2019:mnli`, `jiao2019:cola`, …
        src: The set that it is for.
        given: For `jiao2019` the model: one `ReplaceLm` with model and vectors alone.

    Returns:
        The steps, and what the manifest says of them: name and remaining deviations.

    Raises:
        UsageError: No such publication or task, or other steps besides.
    """
    work, _, task = name.partition(":")
    tasks: Mapping[str, object] = {"liu2020": _LIU, "tang2019": _TANG, "jiao2019": _JIAO}[work]
    if task not in tasks:
        known = ", ".join(f"{work}:{one}" for one in tasks)
        raise UsageError(sentence(f"--as one of {known}", name))
    made_by = [] if src.op == "build task" else [f"SRC is no task set but was made by {src.op}"]
    deviations = [*made_by, *_OF_ALL]
    if work == "jiao2019":
        step: Step = _with_model(_JIAO[task], given, name)
        return (step,), {"name": name, "deviations": [*deviations, *_OF_JIAO]}
    if given:
        raise UsageError(sentence("steps, or --as", "both"))
    more = _OF_LIU if work == "liu2020" else ()
    step = _LIU[task] if work == "liu2020" else _TANG[task]
    return (step,), {"name": name, "deviations": [*deviations, *_OF_WORDS, *more]}


def _with_model(iterations: int, given: Sequence[Step], name: str) -> ReplaceLm:
    do = "write --replace-lm model=DIR, and vectors=FILE if there are word vectors"
    if len(given) != 1 or not isinstance(given[0], ReplaceLm):
        raise UsageError(sentence(f"--as {name} with the model of --replace-lm", "none", do=do))
    model, vectors = given[0].model, given[0].vectors
    if given[0] != ReplaceLm(model=model, vectors=vectors):
        found = "other parameters"
        raise UsageError(sentence(f"--as {name} with model and vectors alone", found, do=do))
    return replace(given[0], p=0.4, candidates=15, iterations=iterations)
