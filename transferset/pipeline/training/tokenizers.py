"""Which tokenizer a model's file is: the same pieces may be written in several ways."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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


def identity_of(sets: Sequence[ShardSet]) -> Callable[[Path], str]:
    """What says which tokenizer a file is, as the manifests of these sets have it.

    Args:
        sets: A file that means the same as one of theirs is that one.

    Returns:
        A function from a path to a SHA-256: of a file unlike theirs that of its bytes.
    """
    known = {one.manifest.tokenizer["sha256"] for one in sets if one.manifest.tokenizer}

    def identity(path: Path) -> str:
        from transferset.teachers.vocabulary import file_digest
        from transferset.tokens import load_tokenizer

        own = file_digest(path)
        if own in known:
            return own
        try:
            canonical: str = load_tokenizer(str(path), engine="tokenizers").info.sha256
        except TransfersetError:  # of a kind that sets do not have
            return own
        return canonical if canonical in known else own

    return identity
