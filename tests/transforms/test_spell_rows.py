"""Rows of words as rows of ids."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spelled_rows import Row, Spelled, masking, pieces, row
from word_texts import BERTS, WORDS, bert, byte_level, english, listed

from transferset.errors import TransfersetError, UsageError
from transferset.transforms import spell_rows

ROWS = st.builds(masking, WORDS, st.lists(st.integers(0, 9), max_size=3))


@pytest.fixture(scope="module", params=BERTS)
def spelled(request: pytest.FixtureRequest) -> Spelled:
    return Spelled(BERTS[request.param]())


@pytest.fixture(scope="module")
def tiny() -> Spelled:
    return Spelled(bert(lowercase=True))


@settings(max_examples=40, deadline=None)
@given(rows=st.lists(ROWS, max_size=4))
def test_rows_are_spelled_as_the_tokenizer_spells_their_texts(
    spelled: Spelled, rows: list[Row]
) -> None:
    spelled.compare(rows)


@settings(max_examples=40, deadline=None)
@given(pairs=st.lists(st.tuples(ROWS, ROWS), max_size=3), room=st.integers(3, 24))
def test_long_pairs_are_cut_as_the_tokenizer_cuts_them(
    tiny: Spelled, pairs: list[tuple[Row, Row]], room: int
) -> None:
    tiny.compare([a for a, _ in pairs], [b for _, b in pairs])
    tiny.compare([a for a, _ in pairs], [b for _, b in pairs], max_len=room)
    tiny.compare([a for a, _ in pairs], max_len=room)


def test_pairs_of_all_lengths_are_cut_as_the_tokenizer_cuts_them(tiny: Spelled) -> None:
    texts: list[Row] = [[("the", True)] * n for n in range(9)]
    for room in range(3, 15):
        firsts = [text for text in texts for _ in texts]
        tiny.compare(firsts, texts * len(texts), max_len=room)


def test_words_that_touch_are_spelled_together(tiny: Spelled) -> None:
    assert pieces(tiny, "did", "n't ") == ["did", "##n", "'", "t"]
    assert pieces(tiny, "did ", "n't ") == ["did", "n", "'", "t"]
    assert pieces(tiny, "(", "did", ")", "n") == ["(", "did", ")", "n"]


def test_a_mask_is_one_piece_and_parts_what_touches_it(tiny: Spelled) -> None:
    assert pieces(tiny, "can ", None, "the ") == ["can", "[MASK]", "the"]
    touching: Row = [("can", False), (None, False), ("not", False)]
    speller = tiny.speller({"can", "not"})
    side = tiny.side([touching])
    assert tiny.tokenizer.pieces(speller.ids((side,))[0]) == [
        "[CLS]", "can", "[MASK]", "not", "[SEP]",
    ]  # fmt: skip
    assert speller.texts(side).to_pylist() == ["can[MASK]not"]


def test_a_word_that_spells_the_mask_is_text(tiny: Spelled) -> None:
    assert pieces(tiny, "[MASK] ", None) == ["[", "mask", "]", "[MASK]"]
    assert pieces(tiny, "[", "MASK", "] ") == ["[", "mask", "]"]


def test_words_are_too_long_together_that_are_not_alone(tiny: Spelled) -> None:
    assert pieces(tiny, "a" * 60, "a" * 40) == ["a", *["##a"] * 99]
    assert pieces(tiny, "a" * 60, "a" * 41) == ["[UNK]"]
    assert pieces(tiny, "a" * 60, "\u200b", "a" * 41) == ["[UNK]"]


def test_rows_and_sides_may_be_empty(tiny: Spelled) -> None:
    speller = tiny.speller({"the"})
    empty, some = tiny.side([[], []]), tiny.side([[], row("the ")])
    for sides, wanted in (((empty,), [2, 2]), ((empty, some), [3, 4]), ((some, some), [3, 5])):
        _, offsets, _ = speller.ids(sides)
        assert np.diff(offsets).tolist() == wanted
    assert speller.texts(some).to_pylist() == ["", "the"]
    none = tiny.side([])
    ids, offsets, cut = speller.ids((none,))
    assert (ids.tolist(), offsets.tolist(), cut) == ([], [0], 0)
    assert speller.texts(none).to_pylist() == []


def test_the_space_after_the_last_word_means_nothing(tiny: Spelled) -> None:
    speller = tiny.speller({"did", "n't"})
    one = tiny.side([[("did", True)], [("n't", True)]])
    other = tiny.side([[("did", False)], [("n't", False)]])
    assert speller.ids((one,))[0].tolist() == speller.ids((other,))[0].tolist()
    assert speller.texts(one).to_pylist() == speller.texts(other).to_pylist() == ["did", "n't"]


def test_ids_have_the_type_of_the_set(tiny: Spelled) -> None:
    speller = tiny.speller({"the"}, ids_type=pa.int32())
    assert speller.ids((tiny.side([row("the ", None)]),))[0].dtype == np.int32


def test_rows_do_not_depend_on_batches(tiny: Spelled) -> None:
    rows = [row("did", "n't ", None), [], row("n't", "did ", "n't"), row("did", "did", "n't")]
    speller = tiny.speller({"did", "n't"})
    ids, offsets, _ = speller.ids((tiny.side(rows),))
    alone = [speller.ids((tiny.side([one]),))[0].tolist() for one in rows[::-1]]
    assert listed(ids, offsets) == alone[::-1]


def test_what_offsets_cannot_hold_is_refused(
    tiny: Spelled, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spell_rows, "MOST", 12)
    speller = tiny.speller({"the"})
    twice = [row("the ", "the "), row("the ")]
    assert speller.texts(tiny.side(twice)).to_pylist() == ["the the", "the"]  # 10 bytes
    with pytest.raises(TransfersetError, match="13 bytes or ids"):
        speller.texts(tiny.side([*twice, row("the ")]))
    with pytest.raises(TransfersetError, match="15 bytes or ids"):
        speller.ids((tiny.side([row("the ")] * 5),))


def test_a_row_has_room_for_special_pieces(tiny: Spelled) -> None:
    with pytest.raises(UsageError, match="at least 3"):
        tiny.speller({"the"}, max_len=2)


BYTES = Spelled(byte_level())
#: Words without the mask's own spelling, which the oracle would not take for text.
OTHER = st.lists(
    st.tuples(st.sampled_from(["the", "he", "t", "é", "中", ",", "\u0301", "<", ""]), st.booleans())
)


@settings(max_examples=60, deadline=None)
@given(
    pairs=st.lists(
        st.tuples(
            st.builds(masking, OTHER, st.lists(st.integers(0, 9), max_size=3)),
            st.builds(masking, OTHER, st.lists(st.integers(0, 9), max_size=3)),
        ),
        max_size=3,
    ),
    room=st.one_of(st.none(), st.integers(3, 30)),
)
def test_texts_of_other_tokenizers_are_encoded_whole(
    pairs: list[tuple[Row, Row]], room: int | None
) -> None:
    BYTES.compare([a for a, _ in pairs], [b for _, b in pairs], max_len=room)
    BYTES.compare([a for a, _ in pairs], max_len=room)


def test_words_that_spell_the_mask_are_text_to_other_tokenizers_too() -> None:
    spell = ["<", "m", "a", "s", "k", ">"]
    assert pieces(BYTES, "<mask>") == spell
    assert pieces(BYTES, "<mask>", None) == [*spell, "<mask>"]
    assert pieces(BYTES, "he ", "<mask>") == ["he", "Ġ<", *spell[1:]]
    assert pieces(BYTES, None, "<mas", "k>", "he") == ["<mask>", "Ġ", *spell, "he"]
    assert pieces(BYTES, "<mask>", None, "<mask>") == [*spell, "<mask>", "Ġ", *spell]


@pytest.fixture(scope="module")
def real() -> Spelled:
    return Spelled(english())


@pytest.mark.slow
@settings(max_examples=250, deadline=None)
@given(pairs=st.lists(st.tuples(ROWS, ROWS), max_size=8))
def test_rows_of_real_pieces_are_the_tokenizers(
    real: Spelled, pairs: list[tuple[Row, Row]]
) -> None:
    for room in (None, 16, 33):
        real.compare([a for a, _ in pairs], [b for _, b in pairs], max_len=room)
