"""Words and texts as the pieces that a tokenizer gives, without special ones."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer

from transferset.tokens.definition import Definition
from transferset.tokens.engines import Ids, Offsets, Oracle
from transferset.tokens.wordpiece import WordPiece

Flags = npt.NDArray[np.bool_]


class WordSpelling:
    """Spells what variants of rows are made of; see `transforms.protocol.Spelling`.

    Attributes:
        mask: The mask piece as text.
        joins: Whether a text's pieces are those of its words side by side, but where words touch
            at open edges. So it is where words are split as BERT does and nothing else is matched
            in prose; of other tokenizers whole texts must be encoded.
    """

    def __init__(self, tokenizer: WordPiece) -> None:
        """Spell with a tokenizer.

        Args:
            tokenizer: Of the set.
        """
        self._tokenizer = tokenizer
        self.mask = tokenizer.vocabulary[tokenizer.info.mask_id]
        self.joins = _splits_words(tokenizer.definition)
        self._known_edges: dict[str, _Edge | None] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        return WordSpelling, (self._tokenizer,)

    def spell(self, texts: Sequence[str]) -> tuple[Ids, Offsets]:
        """The content ids of each text; special pieces that it spells out are text.

        Args:
            texts: Any Unicode but lone surrogates.

        Returns:
            uint32 ids of all texts, and int64[texts + 1] offsets.

        Raises:
            InputError, TransfersetError: As `WordPiece.encode`.
        """
        return _content(*self._tokenizer.encode(list(texts)))

    def spell_masked(self, texts: Sequence[str]) -> tuple[Ids, Offsets]:
        """As `spell`, but the mask piece, where it is spelled out exactly, is the mask.

        Args:
            texts: Any Unicode but lone surrogates.
        """
        ids, offsets = _content(*self._masking.encode(list(texts)))
        info = self._tokenizer.info
        if not self._tokenizer.definition.bert:  # as `WordPiece.encode` does
            ids[np.isin(ids, (info.cls_id, info.sep_id, info.pad_id))] = info.unk_id
        return ids, offsets

    @cached_property
    def _masking(self) -> Oracle:
        definition, info = self._tokenizer.definition, self._tokenizer.info
        text = _with_plain_mask(definition.text, self.mask, info.mask_id)
        return Oracle(dataclasses.replace(definition, text=text))

    def edges(self, texts: Sequence[str]) -> tuple[Flags, Flags]:
        """Whether what touches a word before (after) it can change its pieces.

        BERT's normalizer changes each character by itself (but for the order of combining marks,
        none of which separates), so the first character that it leaves something of decides. Where
        it leaves nothing of any, the word's neighbours touch each other.

        Args:
            texts: Words.

        Returns:
            bool[texts] each: open before, open after.
        """
        before, after = np.ones(len(texts), np.bool_), np.ones(len(texts), np.bool_)
        if self.joins:
            for i, text in enumerate(texts):
                first, last = self._edge(text), self._edge(text[::-1])
                before[i] = first is None or first.before
                after[i] = last is None or last.after
        return before, after

    def _edge(self, characters: str) -> _Edge | None:
        """Of the first character that does not vanish."""
        known = self._known_edges
        for character in characters:
            if character not in known:
                known[character] = self._find_edge(character)
            if (edge := known[character]) is not None:
                return edge
        return None

    def _find_edge(self, character: str) -> _Edge | None:
        normal = self._normalizer.normalize_str(character) if self._normalizer else character
        return _Edge(_is_open(normal[0]), _is_open(normal[-1])) if normal else None

    @cached_property
    def _normalizer(self) -> BertNormalizer | None:
        members = json.loads(self._tokenizer.definition.text)["normalizer"]
        if members is None:
            return None
        return BertNormalizer(**{name: is_on for name, is_on in members.items() if name != "type"})


class _Edge(NamedTuple):
    """Whether what a character becomes is open to what stands before and after it."""

    before: bool
    after: bool


def _is_open(character: str) -> bool:
    """Whether a normalised character forms a word with letters that touch it."""
    joined = f"a{character}"
    return [part for part, _ in BertPreTokenizer().pre_tokenize_str(joined)] == [joined]


def _splits_words(definition: Definition) -> bool:
    """Whether nothing but touching can make a word's pieces depend on other words."""
    raw = json.loads(definition.text)
    normalizer = (raw["normalizer"] or {"type": "BertNormalizer"}).get("type")
    return (
        definition.bert
        and definition.kind == "WordPiece"
        and normalizer == "BertNormalizer"  # others may compose or replace across words
        and all(token.get("special") for token in raw["added_tokens"])
    )


def _with_plain_mask(text: str, mask: str, number: int) -> str:
    """A `tokenizer.json` in which the mask piece is matched in prose where no special one is."""
    raw = json.loads(text)
    others = [token for token in raw["added_tokens"] if token["content"] != mask]
    flags = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
    found = [token for token in raw["added_tokens"] if token["content"] == mask]
    own = found[0] if found else {"id": number, "content": mask, **flags}
    raw["added_tokens"] = sorted([*others, {**own, "special": False}], key=lambda one: one["id"])
    return json.dumps(raw, ensure_ascii=False)


def _content(ids: Ids, offsets: Offsets) -> tuple[Ids, Offsets]:
    """Rows without their first and last id, [CLS] and [SEP]."""
    inside = np.ones(len(ids), np.bool_)
    inside[offsets[:-1]] = inside[offsets[1:] - 1] = False
    return ids[inside], offsets - 2 * np.arange(len(offsets))
