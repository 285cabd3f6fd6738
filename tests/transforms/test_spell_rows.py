"""Rows of words as rows of ids."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from word_texts import (
    BERTS,
    WORDS,
    Oracle,
    bert,
    byte_level,
    careless_disk,
    english,
    listed,
    text_of,
)

from transferset.errors import TransfersetError, UsageError
from transferset.tokens import WordPiece
from transferset.tokens.spelling import WordSpelling
from transferset.transforms import spell_rows
from transferset.transforms.spell_rows import RowSpeller
from transferset.transforms.touching import Runs, _number
from transferset.transforms.word_table import build_table, open_table
from transferset.transforms.wording import MASKED, Words

#: A row: its words, None for one that is masked, and whether a space follows.
Row = list[tuple[str | None, bool]]


class Spelled:
    """A tokenizer, and rows of words made into what a speller takes."""

    def __init__(self, tokenizer: WordPiece) -> None:
        self.tokenizer = tokenizer
        self.spelling = WordSpelling(tokenizer)
        self.oracles: dict[int | None, Oracle] = {}

    def speller(self, words: set[str], **settings: Any) -> RowSpeller:
        info = self.tokenizer.info
        # the files may go once they are mapped
        with tempfile.TemporaryDirectory() as folder, careless_disk():
            ordered = pa.array(sorted(words, key=str.encode), pa.string())
            build_table(Path(folder), ordered, self.spelling)
            self.table = open_table(Path(folder))
        known = {"cls": info.cls_id, "sep": info.sep_id, "mask": info.mask_id}
        rest = {"max_len": None, "ids_type": pa.uint16(), **settings}
        return RowSpeller(self.table, self.spelling, **known, **rest)

    def side(self, rows: Sequence[Row]) -> Words:
        flat = [one for row in rows for one in row]
        words = pa.array([word or "" for word, _ in flat], pa.string())
        codes = np.where([word is None for word, _ in flat], MASKED, 0).astype(np.int32)
        plain = np.flatnonzero(codes == 0)
        codes[plain] = self.table.codes(words.take(pa.array(plain)))
        space = np.array([space for _, space in flat], np.uint8)
        offsets = np.cumsum([0, *(len(row) for row in rows)])
        return Words(codes, space, offsets)

    def oracle(self, max_len: int | None = None) -> Oracle:
        if max_len not in self.oracles:
            self.oracles[max_len] = Oracle(self.tokenizer, max_len)
        return self.oracles[max_len]

    def compare(self, *sides: Sequence[Row], max_len: int | None = None) -> None:
        """Ids, cut and texts must be those of the `tokenizers` package."""
        words = {word for rows in sides for row in rows for word, _ in row if word is not None}
        speller = self.speller(words, max_len=max_len)
        ids, offsets, cut = speller.ids(tuple(self.side(rows) for rows in sides))
        texts = [[masked_text(row, Oracle.MASKED) for row in rows] for rows in sides]
        wanted = [self.oracle(max_len).ids(*row) for row in zip(*texts, strict=True)]
        assert listed(ids, offsets) == wanted
        whole = sum(len(self.oracle().ids(*row)) for row in zip(*texts, strict=True))
        assert (ids.dtype, offsets.dtype, cut) == (np.uint16, np.int32, whole - len(ids))
        for rows in sides:
            got = speller.texts(self.side(rows))
            got.validate(full=True)
            assert got.to_pylist() == [masked_text(row, self.spelling.mask) for row in rows]


def masked_text(row: Row, mask: str) -> str:
    return text_of([(mask if word is None else word, space) for word, space in row])


def masking(words: list[tuple[str, bool]], masked: list[int]) -> Row:
    return [(None if i in masked else word, space) for i, (word, space) in enumerate(words)]


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


@settings(max_examples=60, deadline=None)
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


def row(*words: str | None) -> Row:
    """Words, with a space after those that end in one; it is taken off."""
    return [(w and w.removesuffix(" "), w is None or w.endswith(" ")) for w in words]


def pieces(spelled: Spelled, *words: str | None) -> list[str]:
    one = row(*words)
    speller = spelled.speller({word for word, _ in one if word is not None})
    return spelled.tokenizer.pieces(speller.ids((spelled.side([one]),))[0])[1:-1]


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


class Listening:
    """A spelling that notes what it is asked to spell."""

    def __init__(self, spelling: WordSpelling) -> None:
        self.mask, self.joins, self.edges = spelling.mask, spelling.joins, spelling.edges
        self.spell_masked = spelling.spell_masked
        self._spelling = spelling
        self.asked: list[list[str]] = []

    def spell(self, texts: Sequence[str]) -> Any:
        self.asked.append(list(texts))
        return self._spelling.spell(texts)


def test_only_runs_that_are_new_are_spelled(tiny: Spelled) -> None:
    tiny.speller({"did", "n", "t", "can"})
    ear = Listening(tiny.spelling)
    info = tiny.tokenizer.info
    special = {"cls": info.cls_id, "sep": info.sep_id, "mask": info.mask_id}
    speller = RowSpeller(tiny.table, ear, **special, max_len=None, ids_type=pa.uint16())
    first = tiny.side([row("did", "n ", "can"), row("did", "n ", "t"), row("can", "t")])
    speller.ids((first, tiny.side([row("n", "t"), row("can", "t"), []])))
    assert ear.asked == [["didn", "cant"], ["nt"]]
    speller.ids((first,))
    speller.ids((tiny.side([row("did ", "n ", "can ")]),))
    assert len(ear.asked) == 2
    speller.ids((tiny.side([row("t", "can", "t")]),))
    assert ear.asked[2:] == [["tcant"]]


def test_words_that_only_stand_side_by_side_are_no_run(tiny: Spelled) -> None:
    speller = tiny.speller({"(", "did", "中", "..."})
    speller.ids((tiny.side([row("(", "did", "...", "中", "did", "(")]),))
    assert len(speller._runs) == 0


@settings(deadline=None)
@given(st.lists(st.lists(st.integers(0, 2), min_size=2, max_size=4), min_size=1, max_size=30))
def test_runs_that_meet_in_a_slot_keep_apart(runs: list[list[int]]) -> None:
    codes = np.array([code for run in runs for code in run], np.int32)
    ends = np.cumsum([len(run) for run in runs])
    starts = ends - [len(run) for run in runs]
    # one slot more than runs, so that most meet others
    slots = np.full(1 << len(runs).bit_length(), -1, np.int32)
    numbers, at = np.empty(len(runs), np.int32), np.zeros(len(runs) + 1, np.int64)
    known = np.full(len(codes) + 4, 2, np.int32)
    count = _number(codes, starts, ends, known, at, slots, 0, numbers)
    plain: dict[tuple[int, ...], int] = {}
    assert numbers.tolist() == [plain.setdefault(tuple(run), len(plain)) for run in runs]
    assert count == len(plain)


def test_thousands_of_runs_keep_apart(tiny: Spelled) -> None:
    # all triples of 16 letters, in two batches, of which the second has those of the first too
    letters = "abcdefghijklmnop"
    rows = [row(a, b, c) for a in letters for b in letters for c in letters]
    speller = tiny.speller(set(letters))
    oracle = tiny.oracle()
    for part in (rows[:3000], rows[1000:]):
        ids, offsets, _ = speller.ids((tiny.side(part),))
        assert listed(ids, offsets) == [oracle.ids(masked_text(one, "")) for one in part]
    assert len(speller._runs) == 16**3


def test_runs_are_forgotten_when_they_are_many(tiny: Spelled) -> None:
    letters = "abcdefgh"
    rows = [row(a, b) for a in letters for b in letters]
    speller = tiny.speller(set(letters))
    speller._runs = Runs(tiny.table, tiny.spelling, speller.texts, most=10)
    for part in (rows[:30], rows[20:50], rows):
        ids, offsets, _ = speller.ids((tiny.side(part), tiny.side(part[::-1])))
        texts = [masked_text(one, "") for one in part]
        assert listed(ids, offsets) == list(map(tiny.oracle().ids, texts, texts[::-1]))
        assert len(speller._runs) == len(part)  # of this batch alone


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
