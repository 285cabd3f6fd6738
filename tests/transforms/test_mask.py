"""Static masking: what is chosen, what becomes of it, and the labels."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from driving import CLS, MASK, PAD, SEP, UNK, cut, make_rows, make_setting, run_step
from hypothesis import example, given, settings
from hypothesis import strategies as st
from plain_noise import WHOLE, below, chi_square, chosen, word

from transferset.errors import SetError, UsageError
from transferset.steps import Mask
from transferset.transforms import Position, buffers

#: The first example may have to wait for the compiler.
EXAMPLES = settings(max_examples=60, deadline=None)

#: Of the ids 5 to 39 those that 3 divides continue a word.
WORD_START = np.arange(40) % 3 != 0
WORD_START[:5] = True
SETTING = make_setting(40, word_start=WORD_START)

#: Standard deviations that are allowed: what is right passes with a chance above 99.7 %.
LIMIT = 5

CONTENT = st.lists(st.integers(5, 39) | st.sampled_from([UNK, MASK]), max_size=12)
ROWS = st.lists(
    st.builds(lambda a, b: [CLS, *a, SEP, *b, SEP, PAD], CONTENT, CONTENT)
    | st.lists(st.integers(0, 39), max_size=9),
    max_size=6,
)
STEPS = st.builds(
    Mask,
    p=st.sampled_from([0.15, 0.5, 1.0]) | st.floats(1e-3, 1),
    words=st.booleans(),
    rule=st.sampled_from(["mask", "bert"]),
    labels=st.booleans(),
)


def masked_plainly(row, address, key, step):
    """Ids and labels by the definition: word i chooses, words n + 2i and n + 2i + 1 replace."""
    table = WORD_START if step.words else None
    yes = chosen(row, *address, key, step.p, table)
    out, n, spare = list(row), len(row), [3 * len(row)]
    for i in range(n):
        rule = word(n + 2 * i, *address, key) if step.rule == "bert" else 0
        if yes[i] and rule < round(0.8 * WHOLE):
            out[i] = MASK
        elif yes[i] and rule < round(0.9 * WHOLE):
            # the pieces beside the five special ones are 5 to 39
            out[i] = 5 + below(35, n + 2 * i + 1, spare, *address, key)
    return out, [row[i] if yes[i] else -100 for i in range(n)]


@EXAMPLES
@given(ROWS, STEPS, st.integers(0, 2**64 - 1))
@example([[CLS, *range(5, 40), SEP], [], [CLS, SEP], [7]], Mask(1.0), 3)
@example([[CLS, *range(5, 40), SEP, *range(5, 40), SEP]], Mask(0.5, words=True, rule="bert"), 3)
@pytest.mark.parametrize("ids", [pa.uint16(), pa.int32()])
def test_rows_are_masked_as_defined(ids, rows, step, seed):
    addresses = [(2**33 + 5 * i, i % 2) for i in range(len(rows))]
    batch = make_rows(rows, ids=ids, addresses=addresses, doc_id=range(len(rows)))
    driven = run_step(step, [batch], SETTING, seed=seed, ordinal=1)
    (found,) = driven.batches
    key = Position(seed, 1).key
    expected = [masked_plainly(r, a, key, step) for r, a in zip(rows, addresses, strict=True)]
    assert found.column("input_ids").to_pylist() == [ids_ for ids_, _ in expected]
    if step.labels:
        assert found.column("labels").to_pylist() == [labels for _, labels in expected]
        assert found.schema.field("labels").type == pa.list_(pa.int32())
    names = batch.schema.names
    assert found.schema.names == ([*names, "labels"] if step.labels else names)
    assert found.select(names[1:]).equals(batch.select(names[1:]))
    assert not driven.ledger


@EXAMPLES
@given(ROWS, STEPS)
def test_only_content_is_masked_and_labels_undo_it(rows, step):
    step = Mask(step.p, step.words, step.rule, labels=True)
    for before, after in zip(rows, run_step(step, [make_rows(rows)], SETTING).rows(), strict=True):
        undone = [
            token if label == -100 else label
            for token, label in zip(after["input_ids"], after["labels"], strict=True)
        ]
        assert undone == before
        content = [token not in (CLS, SEP, PAD, MASK) for token in before]
        assert all(
            yes or label == -100 for yes, label in zip(content, after["labels"], strict=True)
        )
        if step.p == 1:
            assert [label != -100 for label in after["labels"]] == content


@EXAMPLES
@given(ROWS, STEPS, st.lists(st.integers(1, 6)))
def test_a_row_is_the_same_in_any_batch(rows, step, bounds):
    batch = make_rows(rows)
    whole = run_step(step, [batch], SETTING)
    assert run_step(step, cut(batch, bounds), SETTING).rows() == whole.rows()


def test_both_rules_choose_the_same_tokens():
    batch = make_rows([[CLS, *range(5, 40), SEP]] * 20)
    rows = [run_step(Mask(0.3, rule=rule), [batch], SETTING).rows() for rule in ("mask", "bert")]
    assert [row["labels"] for row in rows[0]] == [row["labels"] for row in rows[1]]
    assert [row["input_ids"] for row in rows[0]] != [row["input_ids"] for row in rows[1]]


def test_a_larger_p_chooses_more_and_never_others():
    batch = make_rows([[CLS, *range(5, 40), SEP]] * 20)
    few, more = (
        np.array([row["labels"] for row in run_step(Mask(p), [batch], SETTING).rows()]) != -100
        for p in (0.1, 0.4)
    )
    assert (more | ~few).all()
    assert few.sum() < more.sum()


def test_whole_words_are_chosen_or_not():
    # heads 5, 7, 8 with pieces 6, 9, 12; [MASK] and [SEP] end a word, so 9 and 12 begin one there
    row = [CLS, 5, 6, 6, 7, 8, 9, MASK, 9, SEP, 12, 12, SEP]
    words = [[1, 2, 3], [4], [5, 6], [8], [10, 11]]
    seen = set()
    rows = run_step(Mask(0.5, words=True), [make_rows([row] * 200)], SETTING).rows()
    for found in rows:
        yes = [found["input_ids"][i] == MASK for i in range(len(row))]
        assert all(len({yes[i] for i in word}) == 1 for word in words)
        seen.add(tuple(yes[word[0]] for word in words))
    assert len(seen) > 25, "of 32: words are chosen independently"


# 400,000 content tokens. At p = 0.15 the share that is chosen has a standard deviation of 0.00056,
# so a choice that is off by 0.0045 is found with a chance above 99 %.
def big_batch(vocab_size=1005, rows=10_000, content=40):
    random = np.random.default_rng(5)
    ids = random.integers(5, vocab_size, (rows, content + 2)).astype(np.uint16)
    ids[:, 0], ids[:, -1] = CLS, SEP
    offsets = np.arange(rows + 1, dtype=np.int32) * (content + 2)
    return buffers.addressed(pa.record_batch({"input_ids": buffers.lists(ids.ravel(), offsets)}), 0)


def matrices(step, batch, setting, **how):
    """Ids before and after, and labels, of the content, shape [rows, tokens]."""
    (found,) = run_step(step, [batch], setting, **how).batches
    columns = [buffers.flat(batch)[0], buffers.flat(found)[0], buffers.flat(found, "labels")[0]]
    return [column.reshape(batch.num_rows, -1)[:, 1:-1].astype(np.int64) for column in columns]


@pytest.mark.parametrize("p", [0.001, 0.15, 0.5, 0.9])
def test_each_place_is_chosen_with_probability_p(p):
    *_, labels = matrices(Mask(p), big_batch(), make_setting(1005))
    yes = labels != -100
    deviation = (p * (1 - p)) ** 0.5
    assert abs(yes.mean() - p) < LIMIT * deviation / yes.size**0.5
    assert (abs(yes.mean(axis=0) - p) < LIMIT * deviation / len(yes) ** 0.5).all(), "at each place"
    # the number chosen in a row is binomial: its variance, of which the sample's own has a standard
    # deviation of about √(2 / rows) of it (and a little for kurtosis)
    wanted = yes.shape[1] * p * (1 - p)
    spread = (2 / len(yes) + 1 / (wanted * len(yes))) ** 0.5
    assert abs(yes.sum(axis=1).var() / wanted - 1) < LIMIT * spread


@pytest.mark.parametrize("how", [{"seed": 1}, {"ordinal": 1}, {}])
def test_choices_of_rows_seeds_and_steps_are_independent(how):
    # correlation of 400,000 pairs of choices: 0.012 is seen (7.5 standard deviations, 5 allowed)
    yes = matrices(Mask(0.5), big_batch(), make_setting(1005))[2] != -100
    other = matrices(Mask(0.5), big_batch(), make_setting(1005), **how)[2] != -100
    if not how:
        other = np.roll(yes, 1, axis=0)
        beside = np.corrcoef(yes[:, 1:].ravel(), yes[:, :-1].ravel())[0, 1]
        assert abs(beside) < LIMIT / yes[:, 1:].size ** 0.5
    assert abs(np.corrcoef(yes.ravel(), other.ravel())[0, 1]) < LIMIT / yes.size**0.5


@pytest.mark.parametrize("words", [False, True])
def test_eight_in_ten_become_mask_one_another_piece_and_one_stays(words):
    # 200,000 of the chosen: 79 % instead of 80 % would be 11 standard deviations off
    setting = make_setting(1005, word_start=np.arange(1005) % 3 > 0)
    before, after, labels = matrices(Mask(0.5, words, "bert"), big_batch(), setting)
    yes = labels != -100
    assert (after == before)[~yes].all()
    assert (labels == before)[yes].all()
    masked, same = (after == MASK)[yes], (after == before)[yes]
    random = ~masked & ~same
    # a random piece is the old one in 1 of 1,000 cases
    shares = np.array([0.8, 0.1 + 0.1 / 1000, 0.1 - 0.1 / 1000])
    counts = [masked.sum(), same.sum(), random.sum()]
    assert abs(chi_square(counts, shares * yes.sum())) < LIMIT
    pieces = np.bincount(after[yes][random], minlength=1005)
    assert pieces[:5].sum() == 0, "no special piece"
    assert abs(chi_square(pieces[5:], random.sum() / 1000)) < LIMIT


def test_pieces_of_a_chosen_word_have_draws_of_their_own():
    # words of two pieces, all chosen: both become [MASK] in 64 %, not in 80 %
    setting = make_setting(1005, word_start=np.arange(1005) % 2 > 0)
    rows = 20_000
    ids = np.tile(np.array([CLS, 7, 8, SEP], np.uint16), rows)
    offsets = np.arange(rows + 1, dtype=np.int32) * 4
    batch = buffers.addressed(pa.record_batch({"input_ids": buffers.lists(ids, offsets)}), 0)
    _, after, _ = matrices(Mask(1.0, words=True, rule="bert"), batch, setting)
    both = (after == MASK).all(axis=1).mean()
    assert abs(both - 0.64) < LIMIT * (0.64 * 0.36 / rows) ** 0.5


def test_masked_twice_keeps_the_first_labels():
    batch = make_rows([[CLS, *range(5, 40), SEP]] * 40)
    once = run_step(Mask(0.3, rule="bert"), [batch], SETTING, ordinal=0).batches
    twice = run_step(Mask(0.5), once, SETTING, ordinal=1)
    rows = zip(pa.Table.from_batches(once).to_pylist(), twice.rows(), strict=True)
    changed = 0
    for before, after in rows:
        original = [CLS, *range(5, 40), SEP]
        for i, label in enumerate(after["labels"]):
            assert label in (-100, original[i]), "what stood there first"
            if before["labels"][i] != -100:
                assert label == before["labels"][i]
            if before["input_ids"][i] != original[i] and before["input_ids"][i] != MASK:
                changed += label == original[i] and after["input_ids"][i] == MASK
    assert changed, "a random piece of the first time was chosen the second time"
    assert twice.batches[0].schema.names.count("labels") == 1


def test_labels_may_be_left_out_and_stay_if_they_are_there():
    batch = make_rows([[CLS, 7, SEP]], labels=[[-100, 9, -100]])
    (row,) = run_step(Mask(1.0, labels=False), [batch], SETTING).rows()
    assert row["input_ids"] == [CLS, MASK, SEP]
    assert row["labels"] == [-100, 9, -100]


def test_labels_that_are_not_as_many_as_ids_are_refused_with_their_row():
    batch = make_rows(
        [[CLS, 7, SEP], [CLS, 8, SEP]],
        labels=[[-100, 7, -100], [-100, -100]],
        addresses=[(4, 0), (6, 1)],
    )
    with pytest.raises(SetError, match="expected 3 labels, found 2 at row 6"):
        run_step(Mask(0.5), [batch], SETTING)


def test_no_rows_are_no_rows_with_labels():
    (found,) = run_step(Mask(0.5, rule="bert"), [make_rows([])], SETTING).batches
    assert found.num_rows == 0
    assert found.schema.field("labels").type == pa.list_(pa.int32())


def test_what_a_tokenizer_cannot_do_is_refused():
    with pytest.raises(UsageError, match="where words begin"):
        run_step(Mask(0.5, words=True), [make_rows([])], make_setting(40))
    with pytest.raises(UsageError, match="pieces beside the special ones, found 5 pieces"):
        run_step(Mask(0.5, rule="bert"), [make_rows([])], make_setting(5))
