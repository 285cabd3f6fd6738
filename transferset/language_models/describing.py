"""What a recipe records of a language model, so that another one makes another recipe."""

from __future__ import annotations

from pathlib import Path

from transferset.files import digest_file
from transferset.language_models.checkpoint import MASKED, Kind, check_folder, releases
from transferset.language_models.model_files import (
    CONFIG,
    digest_weights,
    weight_files,
)
from transferset.language_models.vector_files import describe_vectors
from transferset.manifest import Json


def describe(path: str | Path, vectors: str | None = None) -> Json:
    """What a recipe records of a masked language model and its word vectors.

    Args:
        path: A directory with `config.json`, weights in safetensors and `tokenizer.json`.
        vectors: A file of word vectors, `spacy:MODEL`, or None.

    Returns:
        See `describe_files`; and `vectors`, see `describe_vectors`.

    Raises:
        InputError: There is no such directory or file.
        UsageError: torch, transformers or spaCy is not installed, or has no such pipeline.
    """
    return describe_files(path, MASKED) | {"vectors": describe_vectors(vectors)}


def describe_files(path: str | Path, kind: Kind) -> Json:
    """What a recipe records of a model.

    Args:
        path: Its directory.
        kind: What it has to be.

    Returns:
        `name` of the directory; BLAKE3 digests of `config`, `weights` and `tokenizer`; and the
        releases of `torch` and `transformers`, for another one may round sums otherwise.

    Raises:
        InputError: There is no such directory or file.
        UsageError: torch or transformers is not installed.
    """
    folder = check_folder(path, kind)
    return {
        "name": folder.resolve().name,
        "config": digest_file(folder / CONFIG),
        "weights": digest_weights(weight_files(folder, kind.remedy)),
        "tokenizer": digest_file(folder / kind.vocabulary),
        **releases(),
    }
