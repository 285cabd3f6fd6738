"""`--as`: training exactly as a publication did, and where we cannot do as it did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Final

from transferset.distillation.choice.params import VECTORS, StudentParams, unknown
from transferset.distillation.choice.preset_works import WORKS, Work
from transferset.manifest import Json

#: What `--as` takes; a bare name is the first variant.
PRESETS: Final = tuple(
    f"{name}:{variant}" if variant else name
    for name, variants in WORKS.items()
    for variant in variants
)

#: The student's options beside its kind.
_STUDENT: Final = tuple(field.name for field in fields(StudentParams) if field.name != "kind")

#: What belongs to an option and goes when another is stated in its place.
_WITH: Final[Mapping[str, tuple[str, ...]]] = {
    "student": _STUDENT,
    "optimizer": ("lr", "rho", "beta1", "beta2", "eps"),
}

#: Options of which one stands for the other.
_INSTEAD: Final[Mapping[str, str]] = {"steps": "epochs", "batch_tokens": "batch"}

#: Options that a publication decides, whether it states them or not.
_DECIDED: Final = frozenset(
    name for works in WORKS.values() for w in works.values() for name in w.settings
)

#: What no other loss has a use for.
_OF_SOFT: Final = frozenset({"temperature", "direction"})

_FLAGS: Final = frozenset({"mlm", "words", "projection", "freeze_positions"})


def distill_preset(name: str, given: Mapping[str, Any]) -> tuple[dict[str, Any], Json]:
    """The options of a publication.

    Args:
        name: Out of `PRESETS`, or a publication alone.
        given: Options that the user stated, by name; None, and a flag that is not set, is not
            stated. They win.

    Returns:
        All options, and what the record says: name and remaining deviations.

    Raises:
        UsageError: No such publication or variant.
    """
    full, work = _find(name)
    stated = {n: x for n, x in given.items() if x is not None and not (n in _FLAGS and x is False)}
    fixed, deviations = _with_vectors(work, stated)
    told = [_told(option, value, fixed) for option, value in stated.items()]
    deviations = [*(one for one in told if one is not None), *deviations]
    for option, others in _WITH.items():
        if stated.get(option, fixed.get(option)) != fixed.get(option):
            fixed = {n: x for n, x in fixed.items() if n not in others}
            deviations.append(f"what goes with {_option(option)} is as usual, where none is stated")
    gone = {other for option, other in _INSTEAD.items() if option in stated}
    if stated.get("soft") == 0:
        gone |= _OF_SOFT
    kept = {n: x for n, x in fixed.items() if n not in gone}
    return {**kept, **stated}, {"name": full, "deviations": deviations}


def _find(name: str) -> tuple[str, Work]:
    publication, colon, variant = name.partition(":")
    variants = WORKS.get(publication, {})
    if variants and not colon:
        variant = next(iter(variants))
    if variant not in variants:
        raise unknown(f"--as {', '.join(PRESETS)}", name, PRESETS)
    return f"{publication}:{variant}" if variant else publication, variants[variant]


def _with_vectors(work: Work, stated: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """With word vectors as the publication had them, where the user names some."""
    fixed, deviations = dict(work.settings), list(work.deviations)
    if work.vectors is None:
        return fixed, deviations
    if str(stated.get("embeddings", "")).startswith(VECTORS):
        told = f"word vectors are those that are given, of one length; theirs were {work.vectors}"
        return {**fixed, "channels": "multichannel"}, [told, *deviations]
    told = (
        f"embeddings begin at random, in one channel; theirs were {work.vectors}, in two channels "
        f"of which one is frozen (name some by --embeddings {VECTORS}PATH)"
    )
    return fixed, [told, *deviations]


def _told(option: str, value: Any, fixed: Mapping[str, Any]) -> str | None:
    """How a stated option departs from a publication, if it does."""
    other = _INSTEAD.get(option, option)
    if other in fixed and other != option:
        return f"{_shown(option, value)} instead of {_shown(other, fixed[other])}"
    if option in fixed:
        return (
            None
            if value == fixed[option]
            else f"{_shown(option, value)} instead of {fixed[option]}"
        )
    if option not in _DECIDED or str(value).startswith(VECTORS):
        return None
    return f"{_shown(option, value)}, which they do not have"


def _shown(option: str, value: Any) -> str:
    return _option(option) if value is True else f"{_option(option)} {value}"


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"
