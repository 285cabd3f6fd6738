"""How many derivations lie between a set and its corpus: what keeps their random numbers apart.

A step's random numbers are a function of the seed, of the row and of the step's ordinal. Were the
ordinal its place in the recipe alone, a set that is derived from a derived one under the same seed
would meet the very numbers that made its parent: a sample of generated rows would be of short ones.
So the generation of the parent stands in the upper bits of the ordinal.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from transferset.errors import SetError, sentence
from transferset.manifest import Manifest

#: Steps of a derivation, and sets of a mix, are numbered in so many bits.
PLACE_BITS: Final = 16

#: Most of either.
MOST_STEPS: Final = (1 << PLACE_BITS) - 1

#: Set where it is not a step but the choice and the order of a mix.
_MIXES: Final = 1 << PLACE_BITS

#: An ordinal has 32 bits.
_MOST: Final = 1 << (32 - PLACE_BITS - 1)


def first_ordinal(parents: Iterable[Manifest], *, mixes: bool = False) -> int:
    """The ordinal of the first step of a derivation, or of the first set of a mix.

    It depends on how often the parents were derived and on nothing else of them, so a parent in
    other shards gives the same rows, and samples of one set nest.

    Args:
        parents: Manifests of the sets whose rows are read, not that of a fit.
        mixes: They are mixed.

    Returns:
        A number below 2**32; the next `MOST_STEPS` belong to the same derivation.

    Raises:
        SetError: A parent comes of more derivations than can be told apart.
    """
    generation = max(map(generation_of, parents))
    return generation << (PLACE_BITS + 1) | (_MIXES if mixes else 0)


def generation_of(manifest: Manifest) -> int:
    """The generation of a set that is going to be a parent.

    Raises:
        SetError: It comes of more derivations than can be told apart.
    """
    generation = known_generation(manifest)
    if generation >= _MOST:
        raise SetError(sentence(f"fewer than {_MOST:,} derivations", "more", manifest.name))
    return generation


def known_generation(manifest: Manifest) -> int:
    """0 for a corpus, else one more than that of the parent with the highest, fits included."""
    entries = [entry for entry in manifest.parents if isinstance(entry, Mapping)]
    return _above(entries) if entries else 0


def _above(entries: Sequence[Mapping[str, Any]]) -> int:
    """One more than the highest generation, by what is written and by what stands above."""
    highest, depth = 0, 1
    while entries:
        highest = max(highest, depth, *(depth + _written(entry) for entry in entries))
        entries = [one for entry in entries for one in _parents(entry)]
        depth += 1
    return min(highest, _MOST)


def _written(entry: Mapping[str, Any]) -> int:
    value = entry.get("generation")
    right = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST
    return value if isinstance(value, int) and right else 0


def _parents(entry: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found = entry.get("parents")
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []
