"""The small files by which `datasets` and `transformers` open a shard set as it is."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pyarrow as pa
from blake3 import blake3

from transferset.files import write_atomic, writing
from transferset.manifest import FileEntry, Json, ShardEntry, pretty
from transferset.tokens import WordPiece


def write_datasets_files(
    root: Path, recipe: str, schema: pa.Schema, shards: Sequence[ShardEntry], *, split: str
) -> list[FileEntry]:
    """Write `dataset_info.json` and `state.json`.

    Args:
        root: The set's directory.
        recipe: Digest of the recipe; becomes the fingerprint that `datasets` caches by.
        schema: The set's schema.
        shards: Its shards, in order.
        split: Name of the split that the set is.

    Returns:
        The two files' manifest entries.
    """
    info: Json = {
        "citation": "",
        "description": "",
        "features": json.loads(schema.metadata[b"huggingface"])["info"]["features"],
        "homepage": "",
        "license": "",
    }
    state: Json = {
        "_data_files": [{"filename": shard.file} for shard in shards],
        "_fingerprint": recipe[:16],
        "_format_columns": None,
        "_format_kwargs": {},
        "_format_type": None,
        "_output_all_columns": False,
        "_split": split,
    }
    return [write_json(root, "dataset_info.json", info), write_json(root, "state.json", state)]


#: What names the sets beside it as splits of one.
SPLITS: Final = "dataset_dict.json"


def write_splits(root: Path, names: Sequence[str]) -> None:
    """Write `dataset_dict.json`, by which `datasets` opens sibling sets as one `DatasetDict`.

    Args:
        root: The directory that the sets are in.
        names: Their names.
    """
    with writing(root):
        write_atomic(root / SPLITS, pretty({"splits": list(names)}))


def write_tokenizer(root: Path, tokenizer: WordPiece) -> list[FileEntry]:
    """Write `tokenizer.json` and the `tokenizer_config.json` that names its special pieces.

    Args:
        root: The set's directory; `AutoTokenizer.from_pretrained` and our workers read it there.
        tokenizer: The tokenizer that makes the ids.

    Returns:
        The two files' manifest entries.
    """
    info = tokenizer.info
    special = {role: getattr(info, f"{role}_id") for role in ("cls", "sep", "pad", "unk", "mask")}
    config: Json = {f"{role}_token": tokenizer.vocabulary[i] for role, i in special.items()}
    config["tokenizer_class"] = "PreTrainedTokenizerFast"
    return [
        write_file(root, "tokenizer.json", tokenizer.json.encode()),
        write_json(root, "tokenizer_config.json", config),
    ]


def write_json(root: Path, name: str, body: Json) -> FileEntry:
    """Write a JSON file of a set and return its manifest entry."""
    return write_file(root, name, pretty(body))


def write_file(root: Path, name: str, raw: bytes) -> FileEntry:
    """Write a small file of a set and return its manifest entry."""
    (root / name).parent.mkdir(exist_ok=True)
    write_atomic(root / name, raw)
    return FileEntry(name, len(raw), blake3(raw).hexdigest())
