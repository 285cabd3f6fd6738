"""Generated rows, exactly: what is fitted, and how a row follows from its random words."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from driving import CLS, MASK, PAD, SEP, UNK, make_rows, make_setting, run_step
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_random import philox, step_key

from transferset.errors import InputError, TransfersetError
from transferset.steps import Generate
from transferset.transforms import Position, implement
from transferset.transforms.fit import Fit, read_fit
from transferset.transforms.generate import FitSurvey, MadeRows
from transferset.transforms.unigram import alias_table


def pairs(*values):
    return np.array(values, np.int64).reshape(-1, 2)


SOME = Fit(60, pairs((0, 1), (1, 2), (2, 3), (5, 4), (40, 2)), pairs((1, 5), (7, 1), (59, 20)))


def fitted(rows, folder, size="100%", cuts=(), vocab_size=60):
    """The model and the fit of some rows, surveyed in ranges."""
    step, setting = Generate(size), make_setting(vocab_size)
    batch = make_rows(rows)
    surveys = []
    for a, b in pairwise([0, *cuts, len(rows)]):
        survey = FitSurvey(setting)
        survey.add(batch.slice(a, b - a))
        surveys.append(survey.finish())

    class Found:
        def __init__(self):
            self.rows = len(rows)

        def batches(self):
            return iter(surveys)

    model = implement(step, setting).conclude(Found(), Position(0, 0), folder, intact=True)
    return model, read_fit(folder / "fit-generate.json", setting)


ROWS = [
    [CLS, 7, 7, SEP],
    [CLS, 8, SEP, UNK, 9, SEP],  # a pair: three content tokens
    [CLS, MASK, 9, SEP, PAD],  # one
    [CLS, SEP],  # none
    [CLS, 9, 10, 9, SEP],  # three
]


def test_lengths_and_tokens_count_content_alone(tmp_path):
    model, fit = fitted(ROWS, tmp_path)
    assert fit.lengths.tolist() == [[0, 1], [1, 1], [2, 1], [3, 2]]
    assert fit.tokens.tolist() == [[UNK, 1], [7, 2], [8, 1], [9, 4], [10, 1]]
    assert model == {"rows": 5, "tokens": 5 * 2 + 9}  # 9 content tokens in 5 rows


@settings(deadline=None)  # the first call may have to compile
@given(st.sets(st.integers(0, 5)))
def test_the_fit_does_not_depend_on_ranges(tmp_path_factory, cuts):
    folder = tmp_path_factory.getbasetemp()
    whole = fitted(ROWS, folder)[1].to_bytes()
    assert fitted(ROWS, folder, cuts=sorted(cuts))[1].to_bytes() == whole


@pytest.mark.parametrize(("size", "rows"), [("100%", 5), ("40%", 2), ("50%", 2), ("7", 7),
                                            ("1k", 1000), ("300%", 15), ("1%", 0)])  # fmt: skip
def test_sizes_are_exact_and_halves_go_to_the_even_number(tmp_path, size, rows):
    model, _ = fitted(ROWS, tmp_path, size)
    assert model["rows"] == rows
    assert model["tokens"] == round(rows * (2 + 9 / 5))


def test_nothing_can_be_fitted_on_no_rows(tmp_path):
    with pytest.raises(TransfersetError, match="rows to fit --generate on, found none"):
        fitted([], tmp_path, "100")


def test_an_id_outside_the_vocabulary_is_refused(tmp_path):
    with pytest.raises(InputError, match="ids below 9, found 9 at row 1"):
        fitted(ROWS, tmp_path, vocab_size=9)


def test_a_fit_that_is_there_already_is_drawn_from(tmp_path):
    """`--fit OTHER`: sizes are shares of these rows, distributions are another's."""
    made = implement(Generate("50%"), make_setting(60))
    model = made.conclude_with(SOME, 8, tmp_path)
    assert model == {"rows": 4, "tokens": round(4 * (2 + (2 + 6 + 20 + 80) / 12))}
    rows = made.fitted(model, tmp_path).make(0, 200, Position(1, 2)).column(0).to_pylist()
    assert {len(row) - 2 for row in rows} == {0, 1, 2, 5, 40}
    assert {token for row in rows for token in row[1:-1]} == {1, 7, 59}


def plain_draw(table, high, low):
    word, bits = high << 32 | low, int(table.bits)
    own, chance = divmod(word, 1 << (64 - bits))
    chances, other = divmod(int(table.columns[own]), 1 << bits)
    return own if chance < chances else other


def plain_row(fit, ordinal, key):
    """Algorithm 2 with the words of the row in order: two for the length, two a token."""

    def words():
        block = 0
        while True:
            yield from philox((ordinal & 0xFFFFFFFF, ordinal >> 32, 0, block), key)
            block += 1

    source = words()
    lengths, tokens = alias_table(fit.lengths[:, 1]), alias_table(fit.counts())
    length = int(fit.lengths[plain_draw(lengths, next(source), next(source)), 0])
    content = [plain_draw(tokens, next(source), next(source)) for _ in range(length)]
    return [CLS, *content, SEP]


@pytest.mark.parametrize("first", [0, 2**32 - 7, 2**40 + 1])
def test_rows_are_those_of_a_plain_reading_of_the_algorithm(first):
    made = MadeRows(SOME, make_setting(60)).make(first, first + 40, Position(2**63 + 5, 3))
    key = step_key(2**63 + 5, 3)
    assert made.column("input_ids").to_pylist() == [
        plain_row(SOME, i, key) for i in range(first, first + 40)
    ]
    assert made.column("parent_row").to_pylist() == list(range(first, first + 40))
    assert made.column("parent_row").type == pa.uint64()
    assert made.column("copy").to_pylist() == [0] * 40
    assert made.column("copy").type == pa.uint32()


@settings(deadline=None)  # the first call may have to compile
@given(st.sets(st.integers(0, 300), max_size=8))
def test_rows_do_not_depend_on_the_range_they_are_made_in(cuts):
    made = MadeRows(SOME, make_setting(60))
    at = Position(4, 1)
    whole = made.make(0, 300, at).to_pylist()
    parts = [made.make(a, b, at).to_pylist() for a, b in pairwise([0, *sorted(cuts), 300])]
    assert [row for part in parts for row in part] == whole


def test_other_seeds_and_steps_make_other_rows():
    made = MadeRows(SOME, make_setting(60))
    found = [
        made.make(0, 50, at).column(0).to_pylist()
        for at in (Position(0, 0), Position(1, 0), Position(0, 1))
    ]
    assert found[0] != found[1] != found[2] != found[0]


@pytest.mark.parametrize(("vocab_size", "kind"), [(65_536, pa.uint16()), (65_537, pa.int32())])
def test_ids_have_the_type_of_their_vocabulary(vocab_size, kind):
    fit = Fit(vocab_size, pairs((1, 1)), pairs((vocab_size - 1, 1)))
    made = MadeRows(fit, make_setting(vocab_size)).make(0, 2, Position(0, 0))
    assert made.column(0).type == pa.list_(kind)
    assert made.column(0).to_pylist() == [[CLS, vocab_size - 1, SEP]] * 2


def test_only_empty_rows_generate_empty_rows():
    made = MadeRows(Fit(60, pairs((0, 9)), pairs()), make_setting(60))
    assert made.make(0, 3, Position(0, 0)).column(0).to_pylist() == [[CLS, SEP]] * 3


def test_an_empty_range_is_no_rows():
    made = MadeRows(SOME, make_setting(60)).make(7, 7, Position(0, 0))
    assert made.num_rows == 0
    assert made.schema.names == ["input_ids", "parent_row", "copy"]


def test_more_ids_than_a_batch_can_have_are_refused():
    made = MadeRows(Fit(60, pairs((2**31 - 3, 1)), pairs((7, 1))), make_setting(60))
    with pytest.raises(TransfersetError, match="fewer than 2\\*\\*31 ids"):
        made.make(0, 2, Position(0, 0))


def test_a_derivation_generates_as_many_rows_as_there_were():
    batch = make_rows([[CLS, *[5 + i % 7] * (i % 4), SEP] for i in range(50)])
    driven = run_step(Generate("100%"), [batch], make_setting(60), seed=9, cuts=(20,))
    again = run_step(
        Generate("100%"), [batch.slice(0, 33), batch.slice(33)], make_setting(60), seed=9
    )
    assert driven.addresses() == [(i, 0) for i in range(50)]
    assert driven.rows() == again.rows()
    lengths = [len(row["input_ids"]) - 2 for row in driven.rows()]
    assert set(lengths) == {0, 1, 2, 3}
