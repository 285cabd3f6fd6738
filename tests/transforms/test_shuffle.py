"""Order noise: what stays, what moves, and that it is what the plain algorithm does."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from driving import CLS, MASK, PAD, SEP, UNK, cut, make_rows, make_setting, run_step
from hypothesis import example, given, settings
from hypothesis import strategies as st
from plain_noise import segments, shuffled

from transferset.errors import UsageError
from transferset.steps import Shuffle
from transferset.transforms import Position

#: The first example may have to wait for the compiler.
EXAMPLES = settings(max_examples=60, deadline=None)

#: Of the ids 5 to 39 those that 3 divides continue a word.
WORD_START = np.arange(40) % 3 != 0
WORD_START[:5] = True
SETTING = make_setting(40, word_start=WORD_START)

STEPS = st.builds(
    Shuffle,
    words=st.booleans(),
    window=st.none() | st.integers(1, 4) | st.sampled_from([50, 65_535]),
)
CONTENT = st.lists(st.integers(5, 39) | st.sampled_from([UNK, MASK]), max_size=12)


@st.composite
def natural_rows(draw):
    """[CLS] a [SEP], [CLS] a [SEP] b [SEP], some padded."""
    parts = draw(st.lists(CONTENT, min_size=1, max_size=2))
    body = [token for part in parts for token in (*part, SEP)]
    return [CLS, *body, *[PAD] * draw(st.integers(0, 2))]


#: Any ids at all, also rows that no build makes.
ROWS = st.lists(natural_rows() | st.lists(st.integers(0, 39), max_size=9), max_size=6)


def shuffle(step, rows, *, seed=0, ordinal=0, ids=None, **more):
    batch = make_rows(rows, ids=ids, **more)
    driven = run_step(step, [batch], SETTING, seed=seed, ordinal=ordinal)
    assert not driven.ledger
    (found,) = driven.batches
    assert found.schema.equals(batch.schema)
    assert found.drop_columns("input_ids").equals(batch.drop_columns("input_ids"))
    return found.column("input_ids").to_pylist()


@EXAMPLES
@given(ROWS, STEPS, st.integers(0, 2**64 - 1), st.integers(0, 9))
@example([[CLS, *range(5, 40), SEP, *range(39, 4, -1), SEP]], Shuffle(), 3, 1)
@example([[CLS, *range(5, 40), SEP]], Shuffle(words=True, window=3), 3, 1)
@example([[], [CLS, SEP], [CLS, SEP, SEP], [SEP, SEP], [7]], Shuffle(), 0, 0)
@pytest.mark.parametrize("ids", [pa.uint16(), pa.int32()])
def test_rows_are_as_the_plain_algorithm_shuffles_them(ids, rows, step, seed, ordinal):
    key = Position(seed, ordinal).key
    addresses = [(2**33 + 5 * i, i % 2) for i in range(len(rows))]
    found = shuffle(step, rows, seed=seed, ordinal=ordinal, ids=ids, addresses=addresses)
    table = WORD_START if step.words else None
    assert found == [
        shuffled(row, *address, key, table, step.window)
        for row, address in zip(rows, addresses, strict=True)
    ]


@EXAMPLES
@given(ROWS, STEPS)
def test_specials_stay_and_each_segment_keeps_its_tokens(rows, step):
    for before, after in zip(rows, shuffle(step, rows), strict=True):
        assert len(after) == len(before)
        spans = segments(before)
        assert segments(after) == spans
        inside = {i for begin, end in spans for i in range(begin, end)}
        assert all(after[i] == before[i] for i in range(len(before)) if i not in inside)
        for begin, end in spans:
            assert Counter(after[begin:end]) == Counter(before[begin:end])


@EXAMPLES
@given(st.lists(st.integers(0, 60), min_size=1, max_size=5), st.integers(1, 70), st.booleans())
def test_nothing_moves_farther_than_the_window(lengths, window, words):
    # rows of different words that begin a word each, so that places can be told apart
    setting = make_setting(200, word_start=np.ones(200, np.bool_))
    rows = [[CLS, *range(5, 5 + n), SEP, *range(100, 100 + n), SEP] for n in lengths]
    driven = run_step(Shuffle(words=words, window=window), [make_rows(rows)], setting)
    for before, after in zip(rows, driven.rows(), strict=True):
        now = after["input_ids"]
        assert all(abs(now.index(t) - before.index(t)) <= window for t in before if t > SEP)


@EXAMPLES
@given(ROWS, st.none() | st.integers(1, 3))
def test_pieces_stay_behind_the_head_of_their_word(rows, window):
    def words(row):
        return [
            tuple(row[i] for i in unit)
            for begin, end in segments(row)
            for unit in word_places(row, begin, end)
        ]

    # a segment that begins with a continuing piece has a head that cannot be told from a piece
    # once it stands behind another word: those are compared with the plain algorithm above
    rows = [
        row for row in rows if all(WORD_START[row[begin]] for begin, _ in segments(row))
    ]  # fmt: skip
    for before, after in zip(rows, shuffle(Shuffle(words=True, window=window), rows), strict=True):
        assert Counter(words(after)) == Counter(words(before))


def word_places(row, begin, end):
    heads = [i for i in range(begin, end) if i == begin or WORD_START[row[i]]]
    return [range(a, b) for a, b in zip(heads, [*heads[1:], end], strict=True)]


@EXAMPLES
@given(ROWS, STEPS, st.lists(st.integers(1, 6)))
def test_a_row_is_the_same_in_any_batch(rows, step, bounds):
    batch = make_rows(rows)
    (whole,) = run_step(step, [batch], SETTING).batches
    parts = run_step(step, cut(batch, bounds), SETTING).batches
    assert pa.Table.from_batches(parts).to_pylist() == whole.to_pylist()
    dropped = batch.filter(pa.array([i % 2 == 1 for i in range(len(rows))], pa.bool_()))
    assert run_step(step, [dropped], SETTING).rows() == whole.to_pylist()[1::2]


def test_other_columns_are_left_alone():
    shuffle(
        Shuffle(),
        [[CLS, 7, 8, SEP], [CLS, SEP]],
        doc_id=[4, 4],
        sentence=[0, 1],
        source=[1, 0],
    )


def test_seeds_steps_and_copies_have_orders_of_their_own():
    row = [CLS, *range(5, 40), SEP]
    address = {"addresses": [(9, 0), (9, 1)]}
    found = [
        *shuffle(Shuffle(), [row, row], **address),
        *shuffle(Shuffle(), [row, row], seed=1, **address),
        *shuffle(Shuffle(), [row, row], ordinal=1, **address),
    ]
    assert len({tuple(row) for row in found}) == 6


def test_words_of_a_tokenizer_without_them_are_refused():
    with pytest.raises(UsageError, match="where words begin"):
        run_step(Shuffle(words=True), [make_rows([])], make_setting(40))


@pytest.mark.parametrize("window", [None, 3, 65_535])
def test_long_rows_are_shuffled_in_linear_time(window):
    # 65,535 ids: what is quadratic would take minutes
    ids = np.arange(65_535) % 30 + 5
    ids[0], ids[-1] = CLS, SEP
    (found,) = shuffle(Shuffle(window=window), [ids.tolist()])
    assert sorted(found) == sorted(ids.tolist())
    assert found != ids.tolist()
