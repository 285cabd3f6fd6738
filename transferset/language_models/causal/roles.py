"""Which pieces a causal language model's texts start and end with."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from tokenizers import Tokenizer, models

from transferset.errors import InputError, sentence
from transferset.language_models.model_files import CONFIG, GENERATION, STATEMENTS, read_json

#: What ends a text in BERT's vocabularies, and elsewhere where no file says it.
_WORD_PIECES_START, _WORD_PIECES_END = "[CLS]", "[SEP]"
_ENDS: Final = ("<|endoftext|>", "<|end_of_text|>", "</s>", "<eos>")


class Roles(NamedTuple):
    """Special pieces.

    Attributes:
        start: Id of the piece before a text.
        end: Id of the piece after a text.
        ends: Ids of all pieces after which a model has nothing more to say; `end` is the first.
        padding: Id of the piece that fills batches.
    """

    start: int
    end: int
    ends: tuple[int, ...]
    padding: int


def find_roles(tokenizer: Tokenizer, folder: Path, at: str) -> Roles:
    """Find the special pieces.

    Args:
        tokenizer: The model's.
        folder: Its directory, whose `config.json` and `generation_config.json` are believed before
            `tokenizer_config.json` where they name special pieces: not all do, for transformers
            writes its defaults whatever the tokenizer is.
        at: For messages.

    Raises:
        InputError: No piece ends a text, or a file is no JSON.
    """
    stated = _Stated(tokenizer, folder)
    is_word_pieces = isinstance(tokenizer.model, models.WordPiece)
    usual = (_WORD_PIECES_END,) if is_word_pieces else _ENDS
    ends = stated.ids("eos") or stated.pieces("eos") or _known(tokenizer, usual)[:1]
    if not ends:
        do = 'add "eos_token" to tokenizer_config.json beside it'
        raise InputError(sentence("a piece that ends a text", "none", at, do))
    first = (_WORD_PIECES_START,) if is_word_pieces else ()
    starts = stated.ids("bos") or stated.pieces("bos") or _known(tokenizer, first) or ends
    padding = stated.ids("pad") or stated.pieces("pad") or _known(tokenizer, ("[PAD]",)) or ends
    return Roles(starts[0], ends[0], tuple(dict.fromkeys(ends)), padding[0])


def special_ids(tokenizer: Tokenizer) -> frozenset[int]:
    """Ids of the pieces that are marked as special."""
    marked = tokenizer.get_added_tokens_decoder().items()
    return frozenset(number for number, piece in marked if piece.special)


def unknown_ids(tokenizer: Tokenizer, folder: Path) -> frozenset[int]:
    """Ids of the pieces for what a tokenizer cannot spell."""
    stated = getattr(tokenizer.model, "unk_token", None)
    names = ["[UNK]", "<unk>", *([stated] if isinstance(stated, str) else [])]
    return frozenset([*_known(tokenizer, names), *_Stated(tokenizer, folder).pieces("unk")])


def tokenizer_statement(roles: Mapping[str, str]) -> bytes:
    """A `tokenizer_config.json` with which transformers takes `tokenizer.json` as it is.

    Args:
        roles: How the pieces are written by what they are: `bos`, `eos`, …
    """
    members = {
        "clean_up_tokenization_spaces": False,
        "tokenizer_class": "PreTrainedTokenizerFast",
        **{f"{role}_token": piece for role, piece in roles.items()},
    }
    return f"{json.dumps(members, ensure_ascii=False, indent=2, sort_keys=True)}\n".encode()


def _known(tokenizer: Tokenizer, names: Sequence[str]) -> list[int]:
    found = [tokenizer.token_to_id(name) for name in names]
    return [number for number in found if number is not None]


class _Stated:
    """What the files beside a tokenizer say; each may be missing."""

    def __init__(self, tokenizer: Tokenizer, folder: Path) -> None:
        self._tokenizer = tokenizer
        self._added = set(tokenizer.get_added_tokens_decoder())
        self._numbers = list(_read(folder, (CONFIG, GENERATION)))
        self._names = list(_read(folder, reversed(STATEMENTS)))

    def ids(self, role: str) -> list[int]:
        """Ids that a model's configuration names; what text could spell is none."""
        found: list[int] = []
        for members in self._numbers:
            value = members.get(f"{role}_token_id")
            several = value if isinstance(value, list) else [value]
            found += [n for n in several if type(n) is int and n in self._added]
        return found

    def pieces(self, role: str) -> list[int]:
        """The id of the piece that a tokenizer's configuration names."""
        for members in self._names:
            value = members.get(f"{role}_token")
            name = value.get("content") if isinstance(value, dict) else value
            number = self._tokenizer.token_to_id(name) if isinstance(name, str) else None
            if number is not None:
                return [int(number)]
        return []


def _read(folder: Path, names: Iterable[str]) -> Iterator[dict[str, Any]]:
    for name in names:
        if (folder / name).is_file():
            yield read_json(folder / name)
