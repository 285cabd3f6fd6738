"""One canonical form for every file that a tokenizer comes from."""

from __future__ import annotations

import json

import pytest
from tokenizers import Tokenizer

from transferset.errors import InputError
from transferset.tokens import Vocabulary, WordPiece
from transferset.tokens.definition import from_json, from_pieces

PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b", "##b"]


def loaded(data: str | bytes) -> WordPiece:
    return WordPiece(from_json(data if isinstance(data, bytes) else data.encode(), "t.json", {}))


def test_the_canonical_form_is_its_own(uncased: Vocabulary) -> None:
    text = uncased.definition("x").text
    assert from_json(text.encode(), "y", {}).text == text


def test_layout_padding_and_truncation_do_not_count(uncased: Vocabulary) -> None:
    fitted = uncased.tokenizer()
    tokenizer = Tokenizer.from_str(fitted.json)
    tokenizer.enable_padding(length=128)
    tokenizer.enable_truncation(128)
    for pretty in (True, False):
        assert loaded(tokenizer.to_str(pretty=pretty)).info.sha256 == fitted.info.sha256


def test_what_changes_ids_changes_the_digest() -> None:
    digests = {
        WordPiece(from_pieces(pieces, "x", lowercase=lowercase)).info.sha256
        for pieces in (PIECES, [*PIECES, "c"], [*PIECES[:5], "b", "a", "##b"])
        for lowercase in (True, False)
    }
    assert len(digests) == 6


def test_the_name_does_not_change_the_digest() -> None:
    one, two = (from_pieces(PIECES, name, lowercase=True) for name in "xy")
    assert one.text == two.text


def test_a_wordpiece_model_without_its_type_is_completed() -> None:
    definition = from_pieces(PIECES, "x", lowercase=True)
    raw = json.loads(definition.text)
    del raw["model"]["type"], raw["model"]["continuing_subword_prefix"]
    assert from_json(json.dumps(raw).encode(), "x", {}).text == definition.text


def test_large_vocabularies_need_wider_ids() -> None:
    more = [f"p{i}" for i in range(65_536 - len(PIECES))]
    assert WordPiece(from_pieces([*PIECES, *more], "x", lowercase=True)).info.dtype == "uint16"
    assert WordPiece(from_pieces([*PIECES, *more, "z"], "x", lowercase=True)).info.dtype == "int32"


def test_a_piece_must_not_stand_twice() -> None:
    with pytest.raises(InputError, match=r"every piece once, found 'a' also in line 9 at v.txt:6"):
        from_pieces([*PIECES, "a"], "v.txt", lowercase=True)


def test_special_pieces_must_be_there() -> None:
    with pytest.raises(InputError, match=r"the special piece \[MASK\], found none at v.txt"):
        from_pieces([p for p in PIECES if p != "[MASK]"], "v.txt", lowercase=True)


CANONICAL = json.loads(from_pieces(PIECES, "x", lowercase=True).text)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xfe{}",
        b"[" * 100_000,
        b"null",
        b"[]",
        b"{}",
        b'{"model": []}',
        b'{"model": {}}',
        b'{"model": {"type": "WordPiece"}}',
        b'{"model": {"type": "WordPiece", "vocab": []}}',
        b'{"model": {"type": "WordPiece", "vocab": {"a": -1}}}',
        b'{"model": {"type": "WordPiece", "vocab": {"a": "b", "c": 1}}}',
        b'{"model": {"type": "WordPiece", "vocab": {"\\ud800": 0}}}',
        b'{"model": {"type": "BPE", "vocab": {"a": 0}, "merges": ["a b"]}}',
        b'{"model": {"type": "Unigram", "vocab": [["a", 0.0]], "unk_id": 7}}',
        json.dumps({**CANONICAL, "added_tokens": ["[MASK]"]}).encode(),
        json.dumps({**CANONICAL, "added_tokens": {"a": 1}}).encode(),
        json.dumps({**CANONICAL, "added_tokens": [{"id": "x"}]}).encode(),
        json.dumps({**CANONICAL, "normalizer": "lower"}).encode(),
        json.dumps({**CANONICAL, "normalizer": {"type": "Shell"}}).encode(),
        json.dumps({**CANONICAL, "pre_tokenizer": ["BertPreTokenizer"]}).encode(),
        json.dumps({**CANONICAL, "decoder": 5}).encode(),
        b'{"model": {"type": "WordPiece", "unk_token": "a", "vocab": {"a": 4000000000}}}',
    ],
)  # fmt: skip
def test_what_is_no_tokenizer_is_bad_input(data: bytes) -> None:
    with pytest.raises(InputError, match=r"t\.json"):
        loaded(data)
