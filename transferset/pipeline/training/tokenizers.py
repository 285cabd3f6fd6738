"""Which tokenizer a file is: the same pieces may be written in several ways."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from transferset.errors import TransfersetError
from transferset.manifest import Json
from transferset.shards import ShardSet

_FILE: Final = "tokenizer.json"


def tokenizer_file(sets: Sequence[ShardSet]) -> tuple[Json | None, Path | None]:
    """The tokenizer of the first set that has one: what its manifest says, and its file."""
    for one in sets:
        path = one.root / _FILE
        if one.manifest.tokenizer is not None and path.is_file():
            return one.manifest.tokenizer, path
    return None, None


def identity(path: Path) -> str:
    """Which tokenizer a `tokenizer.json` is, as manifests have it: a SHA-256 of what it means."""
    from transferset.teachers.vocabulary import file_digest
    from transferset.tokens import load_tokenizer

    try:
        canonical: str = load_tokenizer(str(path), engine="tokenizers").info.sha256
    except TransfersetError:  # of a kind that sets do not have
        return file_digest(path)
    return canonical
