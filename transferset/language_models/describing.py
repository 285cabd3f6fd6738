"""What a recipe records of a language model, so that another one makes another recipe."""

from __future__ import annotations

from pathlib import Path

from transferset.files import digest_file
from transferset.language_models.checkpoint import (
    CONFIG,
    TOKENIZER,
    WEIGHTS,
    check_folder,
    releases,
)
from transferset.language_models.vector_files import describe_vectors
from transferset.manifest import Json


def describe(path: str | Path, vectors: str | None = None) -> Json:
    """What a recipe records of a model and its word vectors.

    Args:
        path: A directory with `config.json`, `model.safetensors` and `tokenizer.json`.
        vectors: A file of word vectors, `spacy:MODEL`, or None.

    Returns:
        `name` of the directory; BLAKE3 digests of `config`, `weights` and `tokenizer`; `vectors`,
        see `describe_vectors`; and the releases of `torch` and `transformers`, for another one may
        round sums otherwise.

    Raises:
        InputError: There is no such directory or file.
        UsageError: torch, transformers or spaCy is not installed, or has no such pipeline.
    """
    folder = check_folder(path)
    files = {"config": CONFIG, "weights": WEIGHTS, "tokenizer": TOKENIZER}
    digests = {name: digest_file(folder / file) for name, file in files.items()}
    name = folder.resolve().name
    return {"name": name, **digests, "vectors": describe_vectors(vectors), **releases()}
