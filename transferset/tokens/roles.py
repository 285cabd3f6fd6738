"""What a tokenizer's pieces are for: the special ones, and those that start a word."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from transferset.errors import UsageError, sentence
from transferset.tokens.definition import ROLES, UINT16_PIECES, Definition, TokenizerInfo

_USUAL: Mapping[str, tuple[str, ...]] = {
    "pad": ("[PAD]", "<pad>"),
    "unk": ("[UNK]", "<unk>"),
    "mask": ("[MASK]", "<mask>"),
}


def describe(definition: Definition, tokenizer: Tokenizer, vocab_size: int) -> TokenizerInfo:
    """Say what the manifest records of a tokenizer.

    Args:
        definition: The tokenizer as read.
        tokenizer: The same, loaded.
        vocab_size: Largest id + 1.

    Raises:
        UsageError: It lacks a special piece that rows need.
    """
    special = _special_ids(definition, tokenizer)
    return TokenizerInfo(
        name=definition.name,
        kind=definition.kind,
        sha256=hashlib.sha256(definition.text.encode()).hexdigest(),
        vocab_size=vocab_size,
        cls_id=special["cls"],
        sep_id=special["sep"],
        pad_id=special["pad"],
        unk_id=special["unk"],
        mask_id=special["mask"],
        lowercase=definition.lowercase,
        dtype="uint16" if vocab_size <= UINT16_PIECES else "int32",
    )


def _special_ids(definition: Definition, tokenizer: Tokenizer) -> dict[str, int]:
    """Ids by role; [CLS] and [SEP] are what the template puts around a text."""
    around, row = tokenizer.encode("").ids, tokenizer.encode("a").ids
    found: dict[str, int] = {}
    if len(around) == 2 and len(row) > 2 and [row[0], row[-1]] == around:
        found["cls"], found["sep"] = around
    for role, usual in _USUAL.items():
        for piece in (definition.specials.get(role), *usual):
            number = None if piece is None else tokenizer.token_to_id(piece)
            if number is not None:
                found.setdefault(role, number)
    if missing := [role for role in ROLES if role not in found]:
        raise UsageError(
            sentence(
                "a tokenizer that puts [CLS] … [SEP] around a text and has [PAD] [UNK] [MASK]",
                f"one without {', '.join(missing)}",
                definition.name,
                "pass the tokenizer of a BERT-like encoder",
            )
        )
    return found


def word_starts(
    definition: Definition, tokenizer: Tokenizer, pieces: Sequence[str], info: TokenizerInfo
) -> npt.NDArray[np.bool_]:
    """Return bool[vocab_size], whether each piece starts a word; special pieces do.

    WordPiece marks continuations (`##`); SentencePiece (`▁`) and byte-level (`Ġ`) models mark the
    space before a word.

    Raises:
        UsageError: The model marks neither (it marks the ends of words, say).
    """
    if prefix := getattr(tokenizer.model, "continuing_subword_prefix", None):
        table = np.array([not piece.startswith(prefix) for piece in pieces], np.bool_)
    else:
        markers = [m for m in ("Ġ", "▁") if f'"{m}' in definition.text]
        counts = {m: sum(piece.startswith(m) for piece in pieces) for m in markers}
        marker = max(counts, key=lambda m: counts[m], default=None)
        if marker is None or getattr(tokenizer.model, "end_of_word_suffix", None):
            expected = "a tokenizer that marks where words start (##, ▁ or Ġ)"
            raise UsageError(sentence(expected, "no such marks", definition.name))
        table = np.array([piece.startswith(marker) for piece in pieces], np.bool_)
    table[[info.cls_id, info.sep_id, info.pad_id, info.unk_id, info.mask_id]] = True
    table.flags.writeable = False
    return table
