"""Rows that fit, each with its own span of text."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from token_texts import TEXTS
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors

from transferset.errors import UsageError
from transferset.tokens import Rows, WordPiece
from transferset.tokens.definition import from_json
from transferset.tokens.rows import layout


def contents(rows: Rows) -> list[list[int]]:
    return [rows.ids[a + 1 : b - 1].tolist() for a, b in itertools.pairwise(rows.offsets)]


def joined(rows: Rows, texts: int) -> list[list[int]]:
    """Content ids by source text."""
    found: list[list[int]] = [[] for _ in range(texts)]
    for source, content in zip(rows.source, contents(rows), strict=True):
        found[source] += content
    return found


def whole(tokenizer: WordPiece, texts: list[str]) -> list[list[int]]:
    ids, offsets = tokenizer.encode(texts)
    return [ids[a + 1 : b - 1].tolist() for a, b in itertools.pairwise(offsets)]


def test_rows_that_fit_are_left_alone(small: WordPiece) -> None:
    texts = ["the harbour", "", "ships"]
    rows = small.encode_rows(texts, 512)
    assert rows.texts == texts
    assert rows.source.tolist() == [0, 1, 2]
    np.testing.assert_array_equal(rows.ids, small.encode(texts)[0])


def test_a_long_row_between_short_ones_becomes_near_equal_spans(small: WordPiece) -> None:
    texts = ["the wall", "the ships and the boats and the lamps and the wall", "the sand"]
    assert len(whole(small, texts)[1]) == 11
    rows = small.encode_rows(texts, 6)
    assert rows.texts == [
        "the wall",
        "the ships and the",
        "boats and the",
        "lamps and the wall",
        "the sand",
    ]
    assert rows.source.tolist() == [0, 1, 1, 1, 2]
    assert joined(rows, 3) == whole(small, texts)


def test_no_texts_give_no_rows(small: WordPiece) -> None:
    rows = small.encode_rows([], 8)
    assert rows.ids.tolist() == []
    assert rows.offsets.tolist() == [0]


def test_a_row_must_have_room_for_one_token(small: WordPiece) -> None:
    with pytest.raises(UsageError, match="at least 3"):
        small.encode_rows(["a"], 2)


@given(st.lists(TEXTS, max_size=4), st.integers(3, 40))
def test_no_content_token_is_lost(small: WordPiece, texts: list[str], max_len: int) -> None:
    rows = small.encode_rows(texts, max_len)
    lengths = np.diff(rows.offsets)
    assert all(lengths <= max_len)
    assert len(rows.texts) == len(rows.source) == len(lengths)
    assert set(rows.ids[rows.offsets[:-1]].tolist()) <= {small.info.cls_id}
    assert set(rows.ids[rows.offsets[1:] - 1].tolist()) <= {small.info.sep_id}
    assert joined(rows, len(texts)) == whole(small, texts)


@given(TEXTS)
def test_spans_encode_to_their_rows_where_every_word_fits(small: WordPiece, text: str) -> None:
    # A word has at most 100 pieces, or it is one [UNK].
    rows = small.encode_rows([text * 6], 102)
    assert whole(small, rows.texts) == contents(rows)
    assert small.split(text * 6, 102) == rows.texts


@given(TEXTS, st.integers(3, 30))
def test_spans_follow_each_other_and_leave_only_spaces_out(
    small: WordPiece, text: str, max_len: int
) -> None:
    spans = small.split(text, max_len)
    if len(spans) > 1:
        assert "".join("".join(spans).split()) == "".join(text.split())


def test_models_that_mark_spaces_are_cut_after_spaces_too() -> None:
    text = "the quay and the wall and the sea and the sand"
    pieces = ["<s>", "</s>", "<pad>", "<unk>", "<mask>", *{f"▁{word}": 0 for word in text.split()}]
    tokenizer = Tokenizer(models.Unigram([(piece, -1.0) for piece in pieces], unk_id=3))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 1)]
    )
    loaded = WordPiece(from_json(tokenizer.to_str().encode(), "unigram", {}))
    assert loaded.split(text, 6) == ["the quay and the", "wall and the", "sea and the sand"]
    assert joined(loaded.encode_rows([text], 6), 1) == whole(loaded, [text])


def test_a_space_counts_to_the_token_that_carries_it() -> None:
    tokenizer = Tokenizer(models.Unigram([("<unk>", -1.0), ("▁sea", -1.0), (".", -1.0)], unk_id=0))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    encoding = tokenizer.encode("sea. sea")
    assert encoding.offsets == [(0, 3), (3, 4), (4, 8)]
    begins, spaced, starts = layout("sea. sea", encoding)
    assert begins.tolist() == [0, 3, 4]
    assert spaced.tolist() == [False, False, True]
    assert starts.tolist() == [True, False, True]
