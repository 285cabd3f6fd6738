"""Counting words."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from token_texts import TEXTS
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer

from transferset.tokens.words import LONGEST_WORD, WordCounts


def counted(texts: list[str], **limits: int) -> WordCounts:
    words = WordCounts(lowercase=True, strip_accents=None, **limits)
    words.add(texts)
    return words


def test_words_are_normalised_and_split_at_punctuation() -> None:
    assert counted(["Été, été\tand the\nété."]).counts == {
        "ete": 3, ",": 1, "and": 1, "the": 1, ".": 1,
    }  # fmt: skip


@pytest.mark.parametrize("lowercase", [True, False])
@pytest.mark.parametrize("strip_accents", [None, False])
@given(texts=st.lists(TEXTS, max_size=5))
def test_counting_between_spaces_is_counting_the_whole(
    texts: list[str], lowercase: bool, strip_accents: bool | None
) -> None:
    normalizer = BertNormalizer(lowercase=lowercase, strip_accents=strip_accents)
    expected = Counter(
        word
        for text in texts
        for word, _ in BertPreTokenizer().pre_tokenize_str(normalizer.normalize_str(text))
    )
    words = WordCounts(lowercase=lowercase, strip_accents=strip_accents, most_pending=3)
    words.add(texts)
    long = sum(count for word, count in expected.items() if len(word) > LONGEST_WORD)
    assert words.counts == {w: c for w, c in expected.items() if len(w) <= LONGEST_WORD}
    assert words.forgotten == long


def test_the_rarest_words_are_forgotten_when_memory_is_short() -> None:
    texts = ["often " * 50 + " ".join(f"rare{i}" for i in range(30))] * 2
    words = counted(texts, most_pending=5, most_words=10)
    assert words.counts["often"] == 100
    assert len(words.counts) <= 10
    assert words.counts.total() + words.forgotten == 160
