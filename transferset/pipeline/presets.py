"""Parameters exactly as publications had them, and where we cannot do as they did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from transferset.errors import UsageError, sentence
from transferset.manifest import Json, Manifest
from transferset.pipeline.task_presets import WORKS, task_preset
from transferset.steps import Generate, Sample, Shuffle, Step

#: van de Graaf 2021, "Size and composition of the transfer dataset", § 4.3.2 and chapter 5.
_THESIS: Final = "vandegraaf2021"

#: Steps of each condition: § 5.1.2 (sizes), § 5.2.2 (compositions, both from the 10 % sample).
_CONDITIONS: Final[Mapping[str, tuple[Step, ...]]] = {
    "10%": (Sample("10%"),),
    "1%": (Sample("1%"),),
    "0.1%": (Sample("0.1%"),),
    "randomised": (Sample("10%"), Shuffle()),
    "generated": (Sample("10%"), Generate("100%")),
}

#: How the corpus was made: NLTK's Punkt, rows of 12 to 512 ids, shuffled (§ 4.3.2 and its code).
_BUILD: Final[Mapping[str, Any]] = {
    "splitter": "punkt",
    "unit": "sentence",
    "min_len": 12,
    "max_len": 512,
    "shuffle": True,
}

#: What these parameters are when the user gives none.
_UNLESS_GIVEN: Final[Mapping[str, Any]] = {
    "splitter": None,
    "unit": "sentence",
    "min_len": 0,
    "max_len": 512,
    "shuffle": True,
}

_OF_CORPUS: Final = (
    "the corpus is what SRC was built from; the thesis had English Wikipedia of 2020 and a replica "
    "of the Toronto BookCorpus, 109.3 M sequences",
    "wikitext is cleaned by transferset, not by WikiExtractor",
    "rows above 512 ids are cut into near-equal parts without loss; the thesis' code loses tokens",
)

_OF_SIZES: Final = (
    "a sample has exactly round(p·N) rows; the thesis gives rounded figures",
    "the generator is Philox4x32-10; the thesis' seeds are not published",
    "samples of one seed nest (0.1 % in 1 % in 10 %); for independent ones, as in the thesis, give "
    "each its own --seed",
)

_OF_GENERATION: Final = (
    "a drawn length counts content tokens, as Algorithm 2 allocates l + 2",
    "token frequencies leave out [CLS], [SEP], [PAD] and [MASK] and keep [UNK]; the thesis does "
    "not say",
)


def derive_preset(
    name: str, src: Manifest, given: Sequence[Step] = ()
) -> tuple[tuple[Step, ...], Json]:
    """The steps of a publication's condition.

    Args:
        name: `vandegraaf2021:10%`, `:1%`, `:0.1%`, `:randomised` or `:generated`, or one of
            `task_presets`.
        src: The set that they are for.
        given: Steps that the user gives besides; only `jiao2019` wants one.

    Returns:
        The steps, and what the manifest says of them: name and remaining deviations.

    Raises:
        UsageError: No such publication or condition.
    """
    work, _, condition = name.partition(":")
    if work in WORKS:
        return task_preset(name, src, given)
    if work != _THESIS or condition not in _CONDITIONS:
        known = ", ".join(f"{_THESIS}:{c}" for c in _CONDITIONS)
        tasks = ", ".join(f"{one}:TASK" for one in WORKS)
        raise UsageError(sentence(f"--as one of {known}, {tasks}", name))
    if given:
        raise UsageError(sentence("steps, or --as", "both"))
    more = _OF_GENERATION if condition == "generated" else ()
    deviations = [*_OF_CORPUS, *_of_build(src), *_OF_SIZES, *more]
    return _CONDITIONS[condition], {"name": name, "deviations": deviations}


def _of_build(src: Manifest) -> list[str]:
    """Where SRC was not built as the publication built its corpus."""
    if src.op != "build wiki":
        return [f"SRC is not a corpus but was made by {src.op}"]
    return [
        f"SRC was built with {key} {src.params.get(key)}, not {value} (build wiki --as {_THESIS})"
        for key, value in _BUILD.items()
        if src.params.get(key) != value
    ]


def build_preset(name: str, given: Mapping[str, Any]) -> tuple[Json, Json]:
    """The parameters of a publication's corpus.

    Args:
        name: `vandegraaf2021`.
        given: Splitter, unit, min_len, max_len and shuffle as the user has them.

    Returns:
        The same parameters, and what the manifest says of them.

    Raises:
        UsageError: No such publication, or a parameter that contradicts it.
    """
    if name != _THESIS:
        raise UsageError(sentence(f"--as {_THESIS}", name))
    for key, value in _BUILD.items():
        if given[key] not in (value, _UNLESS_GIVEN[key]):
            do = "leave the option out, or --as"
            expected = f"--{key.replace('_', '-')} {value} as in {name}"
            raise UsageError(sentence(expected, str(given[key]), do=do))
    return {**given, **_BUILD}, {"name": name, "deviations": list(_OF_CORPUS)}
