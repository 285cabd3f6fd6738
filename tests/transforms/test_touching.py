"""Runs of words that must be spelled together."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spelled_rows import Spelled, masked_text, row
from word_texts import bert, listed

from transferset.tokens.spelling import WordSpelling
from transferset.transforms.spell_rows import RowSpeller
from transferset.transforms.touching import Runs, _number


@pytest.fixture(scope="module")
def tiny() -> Spelled:
    return Spelled(bert(lowercase=True))


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


#: All runs of two to four words out of two: 28, of which many begin alike.
ALIKE = [run for size in (2, 3, 4) for run in product((0, 1), repeat=size)]


@settings(deadline=None)
@given(st.permutations(ALIKE * 2))
def test_runs_that_meet_in_a_slot_keep_apart(runs: list[tuple[int, ...]]) -> None:
    codes = np.array([code for run in runs for code in run], np.int32)
    ends = np.cumsum([len(run) for run in runs])
    starts = ends - [len(run) for run in runs]
    slots = np.full(32, -1, np.int32)  # so few that most runs meet others
    numbers, at = np.empty(len(runs), np.int32), np.zeros(len(runs) + 1, np.int64)
    known = np.zeros(len(codes), np.int32)
    count = _number(codes, starts, ends, known, at, slots, 0, numbers)
    plain: dict[tuple[int, ...], int] = {}
    assert numbers.tolist() == [plain.setdefault(run, len(plain)) for run in runs]
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
