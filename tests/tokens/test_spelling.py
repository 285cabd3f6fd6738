"""Words as pieces."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from token_texts import TEXTS
from word_texts import BERTS, WORDS, Oracle, bert, byte_level, changed_bert, listed, text_of

from transferset.tokens import WordPiece
from transferset.tokens.nasty import WRITTEN
from transferset.tokens.spelling import WordSpelling


@pytest.fixture(scope="module")
def uncased_words() -> WordSpelling:
    return WordSpelling(bert(lowercase=True))


@pytest.fixture(scope="module", params=BERTS)
def spelled(request: pytest.FixtureRequest) -> tuple[WordSpelling, Oracle]:
    tokenizer = BERTS[request.param]()
    return WordSpelling(tokenizer), Oracle(tokenizer)


def pieces(spelling: WordSpelling, text: str, *, masked: bool = False) -> list[str]:
    ids, _ = (spelling.spell_masked if masked else spelling.spell)([text])
    return spelling._tokenizer.pieces(ids)


def opens(spelling: WordSpelling, *words: str) -> list[tuple[bool, bool]]:
    before, after = spelling.edges(words)
    return list(zip(before.tolist(), after.tolist(), strict=True))


def test_content_ids_are_those_of_the_row_without_its_ends(uncased_words: WordSpelling) -> None:
    ids, offsets = uncased_words.spell(["the mask", "", "did"])
    tokenizer = uncased_words._tokenizer
    assert listed(ids, offsets) == [
        row[1:-1] for row in listed(*tokenizer.encode(["the mask", "", "did"]))
    ]
    assert (ids.dtype, offsets.dtype) == (np.uint32, np.int64)


def test_nothing_is_spelled_as_nothing(uncased_words: WordSpelling) -> None:
    for spell in (uncased_words.spell, uncased_words.spell_masked):
        ids, offsets = spell([])
        assert (ids.tolist(), offsets.tolist()) == ([], [0])
    assert opens(uncased_words) == []


def test_a_mask_that_is_spelled_out_is_text_or_the_mask(uncased_words: WordSpelling) -> None:
    assert uncased_words.mask == "[MASK]"
    assert pieces(uncased_words, "the [MASK]") == ["the", "[", "mask", "]"]
    assert pieces(uncased_words, "the [MASK]", masked=True) == ["the", "[MASK]"]
    assert pieces(uncased_words, "can[MASK]not", masked=True) == ["can", "[MASK]", "not"]


def test_other_special_pieces_and_other_spellings_remain_text(uncased_words: WordSpelling) -> None:
    text = "[CLS] [SEP] [PAD] [UNK] [mask] [ MASK ]"
    assert pieces(uncased_words, text, masked=True) == pieces(uncased_words, text)


@settings(deadline=None)
@given(TEXTS.filter(lambda text: "[MASK]" not in text))
def test_without_a_mask_both_spellings_are_one(uncased_words: WordSpelling, text: str) -> None:
    assert pieces(uncased_words, text, masked=True) == pieces(uncased_words, text)


def test_the_masks_of_other_tokenizers_are_spelled_out_too() -> None:
    spelling = WordSpelling(byte_level())
    assert spelling.mask == "<mask>"
    assert pieces(spelling, "he <mask>", masked=True) == ["he", "Ġ", "<mask>"]
    assert pieces(spelling, "<mask>") == ["<", "m", "a", "s", "k", ">"]
    assert pieces(spelling, "<s>", masked=True) == ["<", "s", ">"]


def test_edges_of_words_by_hand(uncased_words: WordSpelling) -> None:
    words = ["did", "n't", ".", "well-", "-known", "中", "a中", "$5"]
    assert opens(uncased_words, *words) == [
        (True, True), (True, True), (False, False), (True, False), (False, True), (False, False),
        (True, False), (False, True),
    ]  # fmt: skip


def test_a_word_that_vanishes_is_open_on_both_sides(uncased_words: WordSpelling) -> None:
    words = ["", "\u200b", "\u0301", "\x07", "\ufffd", "\u200b\u0301"]
    assert opens(uncased_words, *words) == [(True, True)] * 6


def test_what_vanishes_at_an_edge_is_passed_over(uncased_words: WordSpelling) -> None:
    words = ["\u200b.", ".\u200b", "\u0301a", "\u0301\u200b中\u0301"]
    assert opens(uncased_words, *words) == [
        (False, False), (False, False), (True, True), (False, False),
    ]  # fmt: skip


def test_white_space_of_every_kind_separates(uncased_words: WordSpelling) -> None:
    assert opens(uncased_words, "\t", "\u00a0", "\u3000a") == [
        (False, False), (False, False), (False, True),
    ]  # fmt: skip


def test_edges_are_those_after_normalising(uncased_words: WordSpelling) -> None:
    # U+1FEF decomposes to a grave accent, U+2260 to an equals sign and a combining stroke
    assert opens(uncased_words, "\u1fef", "\u2260") == [(False, False)] * 2
    assert opens(WordSpelling(bert(lowercase=False)), "\u2260", "\u0301") == [(True, True)] * 2


def plain_runs(spelling: WordSpelling, words: list[tuple[str, bool]]) -> list[str]:
    """The words, those joined that touch at open edges."""
    before, after = spelling.edges([word for word, _ in words])
    runs: list[str] = []
    for i, (word, _) in enumerate(words):
        if i and not words[i - 1][1] and after[i - 1] and before[i]:
            runs[-1] += word
        else:
            runs.append(word)
    return runs


@settings(deadline=None)  # the first text loads the fast engine
@given(words=WORDS)
def test_a_text_is_spelled_as_its_runs(
    spelled: tuple[WordSpelling, Oracle], words: list[tuple[str, bool]]
) -> None:
    spelling, oracle = spelled
    assert spelling.joins
    ids, _ = spelling.spell(plain_runs(spelling, words))
    assert ids.tolist() == oracle.ids(text_of(words))[1:-1]


def test_every_character_may_stand_between_words(spelled: tuple[WordSpelling, Oracle]) -> None:
    # every 29th character, and all of the blocks of marks, punctuation and what is like it
    ranges = (
        range(1, 0x32000, 29),
        range(0x300, 0x370),
        range(0x2000, 0x2070),
        range(0x1D150, 0x1D180),
    )
    codes = [c for r in ranges for c in r if not 0xD800 <= c < 0xE000]
    spelling, oracle = spelled
    texts = [f"a{chr(c)}b" for c in codes]
    runs = [plain_runs(spelling, [("a", False), (chr(c), False), ("b", False)]) for c in codes]
    ids, offsets = spelling.spell([run for row in runs for run in row])
    starts = np.append(0, np.cumsum([len(row) for row in runs]))
    assert listed(ids, offsets[starts]) == [oracle.ids(text)[1:-1] for text in texts]


@pytest.mark.parametrize("text", WRITTEN[:40])
def test_prose_cut_anywhere_is_spelled_as_its_runs(uncased_words: WordSpelling, text: str) -> None:
    whole = Oracle(uncased_words._tokenizer).ids(text)[1:-1]
    for i in range(len(text)):
        ids, _ = uncased_words.spell(
            plain_runs(uncased_words, [(text[:i], False), (text[i:], True)])
        )
        assert ids.tolist() == whole


NEW_YORK = {
    "id": 5, "content": "the mask", "special": False, "single_word": False, "lstrip": False,
    "rstrip": False, "normalized": False,
}  # fmt: skip


@pytest.mark.parametrize(
    "make",
    [
        byte_level,
        lambda: changed_bert(normalizer={"type": "NFC"}),  # would compose < and U+0338 to ≮
        lambda: changed_bert(added_tokens=[NEW_YORK]),
        lambda: changed_bert(pre_tokenizer={"type": "Whitespace"}),
    ],
    ids=["byte-level", "composing normalizer", "piece with a space", "other splitting"],
)
def test_of_other_tokenizers_texts_must_be_spelled_whole(make: type[WordPiece]) -> None:
    spelling = WordSpelling(make())
    assert not spelling.joins
    assert opens(spelling, ".", "a") == [(True, True)] * 2


def test_workers_get_the_same_spelling(uncased_words: WordSpelling) -> None:
    copy = pickle.loads(pickle.dumps(uncased_words))
    assert listed(*copy.spell(WRITTEN)) == listed(*uncased_words.spell(WRITTEN))
    assert opens(copy, *WRITTEN) == opens(uncased_words, *WRITTEN)
