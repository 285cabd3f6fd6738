"""Which pieces are text, and how a tokenizer makes text of them."""

from __future__ import annotations

from collections.abc import Set
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer, decoders, models

from transferset.errors import InputError, sentence

#: What decoders write for bytes that are no UTF-8.
BROKEN: Final = "\N{REPLACEMENT CHARACTER}"

#: A newline where bytes are pieces of their own.
_NEWLINE_BYTE: Final = "<0x0A>"


class Kinds(NamedTuple):
    """What the pieces of a vocabulary are.

    Attributes:
        is_text: bool[ids], whether a text may hold it.
        continues: bool[ids], whether it is the rest of a word.
    """

    is_text: npt.NDArray[np.bool_]
    continues: npt.NDArray[np.bool_]


def find_kinds(tokenizer: Tokenizer, size: int, no_text: Set[int]) -> Kinds:
    """What the pieces are.

    Args:
        tokenizer: Any.
        size: Ids are below it.
        no_text: Ids of pieces that no text holds.
    """
    is_text, continues = np.zeros(size, bool), np.zeros(size, bool)
    prefix = tokenizer.model.continuing_subword_prefix if is_word_pieces(tokenizer) else ""
    for piece, number in tokenizer.get_vocab(with_added_tokens=True).items():
        is_text[number] = number not in no_text
        continues[number] = bool(prefix) and piece.startswith(prefix) and piece != prefix
    return Kinds(is_text, continues)


def find_newline(tokenizer: Tokenizer) -> int | None:
    """The id of the piece that is a newline, if there is one."""
    spelled = tokenizer.encode("\n", add_special_tokens=False).ids
    candidates = [*(spelled if len(spelled) == 1 else []), tokenizer.token_to_id(_NEWLINE_BYTE)]
    for number in candidates:
        if number is not None and tokenizer.decode([number], skip_special_tokens=False) == "\n":
            return int(number)
    return None


def is_word_pieces(tokenizer: Tokenizer) -> bool:
    """Whether it is BERT's kind, where `##` marks the rest of a word."""
    return isinstance(tokenizer.model, models.WordPiece)


def with_decoder(tokenizer: Tokenizer, at: str) -> Tokenizer:
    """The tokenizer, able to make text of pieces that gives the same pieces again.

    Args:
        tokenizer: Is changed.
        at: For messages.

    Raises:
        InputError: It does not say how.
    """
    if is_word_pieces(tokenizer):
        # the usual one also makes "don't" of "do not"
        prefix = tokenizer.model.continuing_subword_prefix
        tokenizer.decoder = decoders.WordPiece(prefix=prefix, cleanup=False)
    elif tokenizer.decoder is None and not isinstance(tokenizer.model, models.WordLevel):
        do = "save it again from the model's own, by save_pretrained"
        raise InputError(sentence("a tokenizer.json with a decoder", "none", at, do))
    return tokenizer
