"""`--as`: sampling exactly as a publication did, and where we cannot do as it did."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from transferset.errors import UsageError, sentence
from transferset.manifest import Json

#: Sučík 2020, § 3.2, after Tang and Lin 2019: 800,000 rows a task, sampled from the model as it is.
_SUCIK: Final[Mapping[str, Any]] = {
    "rows": 800_000,
    "prefix": "empirical",
    "temperature": 1.0,
    "top_k": 0,
    "top_p": 1.0,
    "max_length": 128,
    "originals": "first",
    "unfinished": "keep",
    "duplicates": "keep",
    "copies": "keep",
}

_DEVIATIONS: Final = (
    "the model is the one that is given; theirs was GPT-2 of 345 million parameters, fitted for "
    "one epoch",
    "attempts that gave no text (nothing, bytes that are no characters, no pair) are left out and "
    "made up for; they do not say what they did",
    "before the first piece the model is shown its start piece, as in fitting",
    "runs of white space are one space",
)

WORKS: Final[Mapping[str, Mapping[str, Any]]] = {"sucik2020": _SUCIK}


def require_free(name: str, given: Mapping[str, Any]) -> None:
    """Refuse options that a publication fixes otherwise.

    Args:
        name: Of the publication.
        given: Options that the user stated.

    Raises:
        UsageError: No such publication, or such an option; `rows` is free.
    """
    if name not in WORKS:
        raise UsageError(sentence(f"--as {' or '.join(WORKS)}", name))
    for option, value in given.items():
        fixed = WORKS[name].get(option, value)
        if option != "rows" and value != fixed:
            written = f"--{option.replace('_', '-')}"
            raise UsageError(sentence(f"--as {name} without {written}", f"{written} {value}"))


def sample_preset(name: str, given: Mapping[str, Any]) -> tuple[dict[str, Any], Json]:
    """The options of a publication's sampling.

    Args:
        name: `sucik2020`.
        given: Options as the user gave them; those that the publication fixes must not be among
            them, but `rows`: a smaller set is a smaller set.

    Returns:
        All options, and what the manifest says: name and remaining deviations.

    Raises:
        UsageError: No such publication, or an option that it fixes.
    """
    require_free(name, given)
    fixed = WORKS[name]
    fewer = given.get("rows", fixed["rows"])
    deviations = list(_DEVIATIONS)
    if fewer != fixed["rows"]:
        deviations.insert(0, f"{fewer:,} rows instead of {fixed['rows']:,}")
    return {**fixed, "rows": fewer}, {"name": name, "deviations": deviations}
