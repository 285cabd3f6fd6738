"""A loaded tokenizer."""

from __future__ import annotations

import hashlib
import itertools
import pickle

import numpy as np
import pytest
from hypothesis import given
from token_texts import PROSE, TEXTS, needs_english
from tokenizers import Tokenizer

from transferset.errors import InputError
from transferset.tokens import Vocabulary, WordPiece, load_tokenizer
from transferset.tokens.definition import BERT_SPECIALS


def rows(tokenizer: WordPiece, texts: list[str]) -> list[list[str]]:
    ids, offsets = tokenizer.encode(texts)
    return [tokenizer.pieces(ids[a:b]) for a, b in itertools.pairwise(offsets)]


def test_rows_stand_between_cls_and_sep(small: WordPiece) -> None:
    assert rows(small, ["The wall.", ""]) == [
        ["[CLS]", "the", "wall", ".", "[SEP]"],
        ["[CLS]", "[SEP]"],
    ]


def test_ids_and_offsets_are_flat_arrays(small: WordPiece) -> None:
    ids, offsets = small.encode(["the wall", "", "the"])
    assert (ids.dtype, offsets.dtype) == (np.uint32, np.int64)
    assert offsets.tolist() == [0, 4, 6, 9]
    assert len(ids) == 9


def test_no_text_gives_no_rows(small: WordPiece) -> None:
    ids, offsets = small.encode([])
    assert (ids.tolist(), offsets.tolist()) == ([], [0])


def test_nothing_is_cut_or_padded(small: WordPiece) -> None:
    _, offsets = small.encode(["wall " * 5000, "wall"])
    assert offsets.tolist() == [0, 5002, 5005]


@pytest.mark.parametrize("engine", ["auto", "tokenizers"])
@pytest.mark.parametrize("piece", BERT_SPECIALS.values())
def test_special_pieces_in_prose_are_text(uncased: Vocabulary, engine: str, piece: str) -> None:
    tokenizer = WordPiece(uncased.definition("fitted"), engine=engine)
    ids, _ = tokenizer.encode([f"a {piece} b{piece}"])
    special = {uncased.pieces.index(p) for p in BERT_SPECIALS.values()}
    assert not special & set(ids[1:-1].tolist())
    assert tokenizer.decode(ids).replace(" ", "") == f"a{piece}b{piece}".lower()


@given(TEXTS)
def test_ids_are_those_of_the_tokenizers_package(small: WordPiece, text: str) -> None:
    oracle = Tokenizer.from_str(small.json)
    oracle.encode_special_tokens = True
    assert small.encode([text])[0].tolist() == oracle.encode(text).ids


@pytest.mark.parametrize("engine", ["auto", "tokenizers"])
def test_a_lone_surrogate_is_bad_input(uncased: Vocabulary, engine: str) -> None:
    tokenizer = WordPiece(uncased.definition("fitted"), engine=engine)
    with pytest.raises(InputError, match=r"surrogate U\+DC80 at text 1 of the batch, character 2"):
        tokenizer.encode(["fine", "ab\udc80"])


def test_info_says_what_a_manifest_needs(uncased: Vocabulary) -> None:
    tokenizer = uncased.tokenizer("harbour")
    info = tokenizer.info
    assert (info.name, info.kind, info.lowercase, info.dtype) == (
        "harbour",
        "WordPiece",
        True,
        "uint16",
    )
    assert info.vocab_size == len(uncased.pieces) == len(tokenizer.vocabulary)
    assert info.sha256 == hashlib.sha256(tokenizer.json.encode()).hexdigest()
    named = (info.cls_id, info.sep_id, info.pad_id, info.unk_id, info.mask_id)
    assert tokenizer.pieces(named) == ["[CLS]", "[SEP]", "[PAD]", "[UNK]", "[MASK]"]


def test_words_start_where_a_piece_does_not_continue_one(small: WordPiece) -> None:
    expected = [not piece.startswith("##") for piece in small.vocabulary]
    assert small.word_start.tolist() == expected
    assert 0 < sum(expected) < len(expected)
    with pytest.raises(ValueError, match="read-only"):
        small.word_start[0] = False


def test_decoding_drops_special_pieces(small: WordPiece) -> None:
    ids, _ = small.encode(["The wall, and the boats."])
    assert small.decode(ids) == "the wall, and the boats."


@pytest.mark.parametrize("wrong", [-1, 900, 10**9])
def test_ids_of_another_tokenizer_are_refused(small: WordPiece, wrong: int) -> None:
    for method in (small.pieces, small.decode):
        with pytest.raises(InputError, match=rf"expected ids below {small.info.vocab_size}"):
            method([5, wrong])


def test_a_tokenizer_travels_to_a_worker(small: WordPiece) -> None:
    arrived = pickle.loads(pickle.dumps(small))
    assert (arrived.info, arrived.origin) == (small.info, small.origin)
    np.testing.assert_array_equal(arrived.encode(PROSE)[0], small.encode(PROSE)[0])


@needs_english
def test_the_default_gives_the_ids_of_bert() -> None:
    ids, _ = load_tokenizer(None).encode(["Hello, world!"])
    assert ids.tolist() == [101, 7592, 1010, 2088, 999, 102]
