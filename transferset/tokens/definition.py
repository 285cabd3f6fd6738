"""What a tokenizer is: one canonical `tokenizer.json`, and what a manifest says of it.

Every file that a tokenizer can come from is first brought into one form (no truncation, no
padding, pieces in the order of their ids, keys sorted), and everything else is made from that:
its SHA-256 is the tokenizer's identity, so that a `vocab.txt` and a `tokenizer.json` that tokenize
alike are one tokenizer.
"""

from __future__ import annotations

import json
import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from transferset.errors import InputError, sentence

#: Roles of special pieces, in the order used everywhere.
ROLES = ("cls", "sep", "pad", "unk", "mask")
BERT_SPECIALS: Mapping[str, str] = {
    "cls": "[CLS]",
    "sep": "[SEP]",
    "pad": "[PAD]",
    "unk": "[UNK]",
    "mask": "[MASK]",
}
#: Beyond this many pieces an id no longer fits 16 bits.
UINT16_PIECES = 65_536


@dataclass(frozen=True, slots=True)
class TokenizerInfo:
    """What a manifest records of a tokenizer; holds no machine path.

    Attributes:
        name: As it was found: a file's name, a package's, or a hub name.
        kind: `WordPiece`, `BPE` or `Unigram`.
        sha256: Of the canonical `tokenizer.json` (`WordPiece.json`), hexadecimal.
        vocab_size: Largest id + 1.
        cls_id: First id of every row.
        sep_id: Last id of every row.
        pad_id: Filler of padded rows.
        unk_id: What stands for text that the vocabulary cannot spell.
        mask_id: What a masked language model is asked to fill.
        lowercase: Whether the text is lower-cased first.
        dtype: Narrowest of `uint16` and `int32` that holds every id.
    """

    name: str
    kind: str
    sha256: str
    vocab_size: int
    cls_id: int
    sep_id: int
    pad_id: int
    unk_id: int
    mask_id: int
    lowercase: bool
    dtype: str


@dataclass(frozen=True, slots=True)
class Definition:
    """A tokenizer as read, before any engine runs it.

    Attributes:
        name: See `TokenizerInfo.name`.
        text: The canonical `tokenizer.json`.
        added: The `added_tokens` inside `text`, as written there.
        prose_added: The same without the special ones: what may be matched in running prose.
        kind: See `TokenizerInfo.kind`.
        lowercase: See `TokenizerInfo.lowercase`.
        bert: Whether words are split as BERT does, so that prose cannot spell a special piece.
        specials: Piece of each role that is known by now (`ROLES`).
    """

    name: str
    text: str
    added: str
    prose_added: str
    kind: str
    lowercase: bool
    bert: bool
    specials: Mapping[str, str]

    def for_prose(self) -> str:
        """Return `text` with no special piece left that an engine would match in prose."""
        return self.text.replace(self.added, self.prose_added, 1)


def from_json(data: bytes, name: str, specials: Mapping[str, str]) -> Definition:
    """Read a `tokenizer.json`.

    Args:
        data: The file's bytes.
        name: What to call it.
        specials: Special pieces by role, where a file beside it names them.

    Raises:
        InputError: It is not JSON, or not a tokenizer.
    """
    try:
        raw = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise InputError(
            sentence("a tokenizer.json", f"{error}", name, "pass a tokenizer.json or vocab.txt")
        ) from error
    if not (isinstance(raw, dict) and isinstance(raw.get("model"), dict)):
        raise InputError(sentence("a tokenizer.json with a model", "none", name))
    try:
        return _define(raw, name, specials)
    except (AttributeError, TypeError, ValueError) as error:
        raise InputError(sentence("a tokenizer.json", f"one with {error}", name)) from error


def from_pieces(
    pieces: Sequence[str],
    name: str,
    *,
    lowercase: bool,
    strip_accents: bool | None = None,
    chinese_chars: bool = True,
    specials: Mapping[str, str] = BERT_SPECIALS,
) -> Definition:
    """Make the BERT tokenizer of a vocabulary, as Devlin et al. 2019 define it.

    Args:
        pieces: The vocabulary; a piece's index is its id.
        name: What to call it.
        lowercase: Whether the text is lower-cased first.
        strip_accents: Whether accents go; None: as `lowercase` says.
        chinese_chars: Whether every Chinese character is a word.
        specials: Special pieces by role.

    Raises:
        InputError: A piece stands there twice, or a special one is missing.
    """
    ids = {piece: i for i, piece in enumerate(pieces)}
    if len(ids) != len(pieces):
        line = next(i for i, piece in enumerate(pieces) if ids[piece] != i)
        raise InputError(
            sentence(
                "every piece once",
                f"{pieces[line]!r} also in line {ids[pieces[line]] + 1}",
                f"{name}:{line + 1}",
                "pass the model's tokenizer.json instead",
            )
        )
    if missing := [piece for piece in specials.values() if piece not in ids]:
        raise InputError(sentence(f"the special piece {missing[0]}", "none", name))
    normalizer = {
        "type": "BertNormalizer",
        "clean_text": True,
        "handle_chinese_chars": chinese_chars,
        "strip_accents": strip_accents,
        "lowercase": lowercase,
    }
    raw = {
        "added_tokens": [_added(ids[piece], piece) for piece in specials.values()],
        "normalizer": normalizer,
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": _template(ids, specials["cls"], specials["sep"]),
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
        "model": {"type": "WordPiece", "unk_token": specials["unk"], "vocab": ids},
    }
    return _define(raw, name, specials)


def _added(number: int, piece: str) -> dict[str, Any]:
    flags = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
    return {"id": number, "content": piece, "special": True, **flags}


def _template(ids: Mapping[str, int], cls: str, sep: str) -> dict[str, Any]:
    def special(piece: str, kind: int) -> dict[str, Any]:
        return {"SpecialToken": {"id": piece, "type_id": kind}}

    first = [special(cls, 0), {"Sequence": {"id": "A", "type_id": 0}}, special(sep, 0)]
    second = [{"Sequence": {"id": "B", "type_id": 1}}, special(sep, 1)]
    return {
        "type": "TemplateProcessing",
        "single": first,
        "pair": first + second,
        "special_tokens": {p: {"id": p, "ids": [ids[p]], "tokens": [p]} for p in (cls, sep)},
    }


def _define(raw: Mapping[str, Any], name: str, specials: Mapping[str, str]) -> Definition:
    model = _complete(raw["model"])
    added = sorted(raw.get("added_tokens") or [], key=lambda token: int(token.get("id", 0)))
    written = _compact(added)
    parts = {
        "version": '"1.0"',
        "truncation": "null",
        "padding": "null",
        "added_tokens": written,
        **{
            key: _compact(raw.get(key))
            for key in ("normalizer", "pre_tokenizer", "post_processor", "decoder")
        },
        "model": _model_text(model),
    }
    return Definition(
        name=name,
        text="{" + ",".join(f'"{key}":{value}' for key, value in parts.items()) + "}",
        added=f'"added_tokens":{written}',
        prose_added='"added_tokens":' + _compact([t for t in added if not t.get("special")]),
        kind=str(model.get("type")),
        lowercase=_lowercases(raw.get("normalizer")),
        bert=(raw.get("pre_tokenizer") or {}).get("type") == "BertPreTokenizer",
        specials=_with_unknown(specials, model),
    )


def _complete(model: Mapping[str, Any]) -> dict[str, Any]:
    # Files written before the type was recorded, and what WordPiece assumes when a key is missing.
    if model.get("type") == "WordPiece" or "max_input_chars_per_word" in model:
        return {
            "type": "WordPiece",
            "unk_token": "[UNK]",
            "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100,
            **model,
        }
    return dict(model)


def _model_text(model: Mapping[str, Any]) -> str:
    vocabulary = model.get("vocab")
    if isinstance(vocabulary, dict):
        vocabulary = dict(sorted(vocabulary.items(), key=operator.itemgetter(1, 0)))
    rest = {key: value for key, value in model.items() if key != "vocab"}
    ordered = json.dumps(vocabulary, ensure_ascii=False, separators=(",", ":"))
    return f'{_compact(rest)[:-1]},"vocab":{ordered}}}'


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def _lowercases(normalizer: object) -> bool:
    """Whether a normalizer, or one nested in it, lower-cases."""
    if not isinstance(normalizer, dict):
        return False
    if normalizer.get("type") == "Lowercase" or normalizer.get("lowercase") is True:
        return True
    return any(_lowercases(inner) for inner in normalizer.get("normalizers") or [])


def _with_unknown(specials: Mapping[str, str], model: Mapping[str, Any]) -> dict[str, str]:
    unknown = model.get("unk_token")
    return {**({"unk": unknown} if isinstance(unknown, str) else {}), **specials}
