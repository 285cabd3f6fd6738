"""What recipe and record say of the models that a training reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from transferset.errors import InputError, sentence
from transferset.manifest import Json
from transferset.models import Model, is_model
from transferset.pipeline.training.stated import stated_origin
from transferset.shards import ShardSet

#: What is kept of the record of a model that transferset made.
_KEPT: Final = ("op", "licence", "base", "parents")

#: Where a model stands, which is no part of what it is.
_PLACES: Final = ("name", "path")

#: Besides the weights.
_FILES: Final = ("config.json", "tokenizer.json", "words.json", "heads.json", "heads.safetensors")

_REMEDY: Final = "save the model by save_pretrained, as safetensors"


def origin(path: str | Path, about: Json) -> Json:
    """A description with the model's lineage and licence.

    Args:
        path: The model's directory.
        about: Its name and digests.

    Raises:
        SetError: transferset made it, and it is damaged.
    """
    if not is_model(path):
        return {**about, **stated_origin(path)}
    known = Model.open(path).verify().record
    kept = {name: getattr(known, name) for name in _KEPT}
    return {**about, "digest": known.digest, **kept, "parents": list(known.parents)}


def nameless(about: Mapping[str, Any] | None) -> Json | None:
    """Without names of places: a model that was moved is the same.

    And without what the card of a foreign model says of its licence, for that can be put right.
    """
    if about is None:
        return None
    kept = {key: value for key, value in about.items() if key not in _PLACES}
    if "licence" in kept and "digest" not in kept:
        kept["licence"] = "unknown"
    return kept


def licences(*stated: str) -> str:
    """Licences as one expression; an empty one is unknown."""
    parts = {part or "unknown" for one in stated for part in one.split(" AND ")}
    return " AND ".join(sorted(parts))


def describe_directory(path: str | Path) -> Json:
    """Name of a model's directory, and digests of the files that say what it computes.

    Args:
        path: Of any kind of model that is trained here.

    Raises:
        InputError: It is no directory, or has no configuration or no weights in safetensors.
    """
    from transferset.files import digest_file
    from transferset.language_models.model_files import CONFIG, digest_weights, weight_files

    folder = Path(path)
    if not (folder / CONFIG).is_file():
        do = "name a directory that save_pretrained or transferset wrote: none is downloaded"
        raise InputError(sentence(f"a model's directory with {CONFIG}", "none", str(path), do))
    found = {"weights": digest_weights(weight_files(folder, _REMEDY))}
    for name in _FILES:
        if (folder / name).is_file():
            found[name.removesuffix(".json")] = digest_file(folder / name)
    return {"name": folder.resolve().name, **found}


def taggers_of(sets: Sequence[ShardSet]) -> tuple[str, ...]:
    """What made the words of sets, as `build task` was told: once each, sorted.

    Words split at white space, though a tagger has seen them, are told as such.
    """
    found = set()
    for one in sets:
        own = {"params": one.manifest.params, "parents": list(one.manifest.parents)}
        for params in _params(own):
            tagger = params.get("tagger")
            if isinstance(tagger, str) and tagger != "none":
                split = params.get("words") == "whitespace"
                found.add(f"{tagger} --words whitespace" if split else tagger)
    return tuple(sorted(found))


def _params(one: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Options of a set and of its ancestors; a manifest's parents are of any shape and depth."""
    waiting: list[Any] = [one]
    while waiting:
        entry = waiting.pop()
        if isinstance(entry, Mapping):
            if isinstance(entry.get("params"), Mapping):
                yield entry["params"]
            parents = entry.get("parents")
            waiting += parents if isinstance(parents, list) else []
