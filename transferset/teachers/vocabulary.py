"""What the ids of an encoder's directory mean."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tokenizers import Tokenizer

from transferset.errors import InputError, sentence
from transferset.language_models.causal.opening import check_vocabulary
from transferset.language_models.model_files import (
    STATEMENTS,
    TOKENIZER,
    open_tokenizer,
    read_json,
    tokenizer_size,
)
from transferset.students.config import Vocabulary

if TYPE_CHECKING:
    from transformers import PreTrainedModel

#: How special pieces are written where no file says it, by role.
_USUAL: Final[Mapping[str, tuple[str, ...]]] = {
    "cls": ("[CLS]", "<s>"),
    "sep": ("[SEP]", "</s>"),
    "pad": ("[PAD]", "<pad>"),
    "unk": ("[UNK]", "<unk>"),
    "mask": ("[MASK]", "<mask>"),
}


def vocabulary_of(folder: Path, model: PreTrainedModel, sha256: str | None = None) -> Vocabulary:
    """The ids that a model of a directory reads.

    Args:
        folder: With `tokenizer.json`, and files beside it that say which pieces are special.
        model: Of that directory.
        sha256: Which tokenizer it is, as manifests say it; None for the digest of the file.

    Returns:
        `size` is that of the model's embeddings.

    Raises:
        InputError: A file is malformed, no piece stands before or after a text, or the tokenizer
            has ids that the model does not know.
    """
    path = folder / TOKENIZER
    tokenizer = open_tokenizer(path)
    check_vocabulary(model, tokenizer_size(tokenizer), str(path))
    table: Any = model.get_input_embeddings()
    known = int(table.weight.shape[0])
    start, separator = _around(tokenizer, path)
    stated = getattr(model.config, "pad_token_id", None)
    # models that count positions by what is no padding go by their configuration
    padding = stated if type(stated) is int and 0 <= stated < known else None
    if padding is None:
        padding = find_piece(tokenizer, folder, "pad") or 0
    if padding in (start, separator):
        raise InputError(sentence("a padding of its own", f"id {padding}", str(path)))
    digest = sha256 or file_digest(path)
    return Vocabulary(size=known, sha256=digest, padding=padding, separator=separator, start=start)


def file_digest(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def find_piece(tokenizer: Tokenizer, folder: Path, role: str) -> int | None:
    """The id of a special piece.

    Args:
        tokenizer: The directory's.
        folder: Files in it are believed before what is usual.
        role: `cls`, `sep`, `pad`, `unk` or `mask`.

    Returns:
        None if there is no such piece.
    """
    for name in (*_stated(folder, role), *_USUAL[role]):
        number: int | None = tokenizer.token_to_id(name)
        if number is not None:
            return number
    return None


def _around(tokenizer: Tokenizer, path: Path) -> tuple[int, int]:
    """Ids of the pieces that the template puts before and after a text."""
    around, row = tokenizer.encode("").ids, tokenizer.encode("a").ids
    if len(around) != 2 or len(row) < 3 or [row[0], row[-1]] != around:
        expected = "a tokenizer that puts one piece before and one after a text"
        do = "take an encoder of BERT's kind"
        raise InputError(sentence(expected, f"{len(around)} pieces", str(path), do))
    return around[0], around[1]


def _stated(folder: Path, role: str) -> Iterator[str]:
    for name in STATEMENTS:
        if (folder / name).is_file():
            value = read_json(folder / name).get(f"{role}_token")
            piece = value.get("content") if isinstance(value, dict) else value
            if isinstance(piece, str):
                yield piece
