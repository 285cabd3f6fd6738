"""Replacement noise: what is replaced, and that draws follow the set's unigram distribution."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from driving import CLS, MASK, PAD, SEP, UNK, cut, make_rows, make_setting, run_step
from hypothesis import example, given, settings
from hypothesis import strategies as st
from plain_noise import chi_square, chosen, word

from transferset.errors import TransfersetError, UsageError
from transferset.steps import Mask, Replace
from transferset.transforms import Position, buffers
from transferset.transforms.unigram import alias_table, draw_token

#: The first example may have to wait for the compiler.
EXAMPLES = settings(max_examples=40, deadline=None)

#: Of the ids 5 to 39 those that 3 divides continue a word.
WORD_START = np.arange(40) % 3 != 0
WORD_START[:5] = True
SETTING = make_setting(40, word_start=WORD_START)

#: Standard deviations that are allowed: what is right passes with a chance above 99.99 %.
LIMIT = 6

CONTENT = st.lists(st.integers(5, 39) | st.sampled_from([UNK, MASK]), max_size=8)
ROWS = st.lists(
    st.builds(lambda a: [CLS, *a, SEP, PAD], CONTENT)
    | st.builds(lambda a, b: [CLS, *a, SEP, *b, SEP], CONTENT, CONTENT)
    | st.lists(st.integers(0, 39), max_size=9),
    max_size=6,
)
STEPS = st.builds(
    Replace, p=st.sampled_from([0.1, 0.5, 1.0]) | st.floats(1e-3, 1), words=st.booleans()
)
SPECIAL = (CLS, SEP, PAD, MASK)


def content_counts(rows):
    return Counter(token for row in rows for token in row if token not in SPECIAL)


def replaced_plainly(row, address, key, step, table):
    yes = chosen(row, *address, key, step.p, WORD_START if step.words else None)
    n = len(row)
    words = [[word(n + 2 * i + k, *address, key) for k in (0, 1)] for i in range(n)]
    return [
        int(draw_token(np.uint32(w0), np.uint32(w1), *table)) if gone else token
        for token, gone, (w0, w1) in zip(row, yes, words, strict=True)
    ]


@EXAMPLES
@given(ROWS.filter(content_counts), STEPS, st.integers(0, 2**64 - 1), st.lists(st.integers(1, 5)))
@example([[CLS, 7, 8, SEP], [], [CLS, SEP], [9]], Replace(1.0), 0, [1, 2])
@pytest.mark.parametrize("ids", [pa.uint16(), pa.int32()])
def test_rows_are_replaced_as_defined_from_counts_of_the_whole_set(ids, rows, step, seed, bounds):
    batch = make_rows(rows, ids=ids, doc_id=range(len(rows)))
    driven = run_step(step, cut(batch, bounds), SETTING, seed=seed, ordinal=1, cuts=[2])
    counts = np.zeros(40, np.int64)
    for token, count in content_counts(rows).items():
        counts[token] = count
    key, table = Position(seed, 1).key, alias_table(counts)
    expected = [replaced_plainly(r, (i, 0), key, step, table) for i, r in enumerate(rows)]
    assert [row["input_ids"] for row in driven.rows()] == expected
    others = [{**row, "input_ids": None} for row in batch.to_pylist()]
    assert [{**row, "input_ids": None} for row in driven.rows()] == others
    assert all(found.schema.equals(batch.schema) for found in driven.batches)
    assert driven.model["rows"] == len(rows)
    assert driven.model["tokens"] == sum(map(len, rows))
    assert not driven.ledger


@EXAMPLES
@given(ROWS.filter(content_counts), STEPS)
def test_specials_stay_and_only_what_the_set_has_is_drawn(rows, step):
    known = content_counts(rows)
    for before, after in zip(rows, run_step(step, [make_rows(rows)], SETTING).rows(), strict=True):
        for old, new in zip(before, after["input_ids"], strict=True):
            assert new == old if old in SPECIAL else new in known


def test_the_same_tokens_are_chosen_as_by_mask():
    batch = make_rows([[CLS, *range(5, 40), SEP]] * 50)
    masked = run_step(Mask(0.3), [batch], SETTING).rows()
    replaced = run_step(Replace(0.3), [batch], SETTING).rows()
    changed = 0
    for before, one, two in zip(batch.to_pylist(), masked, replaced, strict=True):
        for i, token in enumerate(before["input_ids"]):
            if two["input_ids"][i] != token:
                assert one["labels"][i] == token
                changed += 1
    assert changed > 400, "of 525, but for draws of the same token"


def zipf_batch(rows=20_000, content=20, tokens=100):
    """Rows whose tokens have frequencies 1/1, 1/2, … from id 5 on."""
    weights = 1 / np.arange(1, tokens + 1)
    random = np.random.default_rng(4)
    ids = random.choice(tokens, (rows, content + 2), p=weights / weights.sum()) + 5
    ids[:, 0], ids[:, -1] = CLS, SEP
    offsets = np.arange(rows + 1, dtype=np.int32) * (content + 2)
    values = ids.astype(np.uint16).ravel()
    return buffers.addressed(pa.record_batch({"input_ids": buffers.lists(values, offsets)}), 0)


def contents(batch):
    return buffers.flat(batch)[0].reshape(batch.num_rows, -1)[:, 1:-1].astype(np.int64)


def test_draws_have_the_sets_unigram_distribution_whatever_was_there():
    # 400,000 draws of 100 tokens: frequencies that are off by 2 % (root mean square) are found
    # with a chance above 99 %: the statistic lies 160 higher, 75 above the limit, 3.5 of its
    # standard deviations
    batch = zipf_batch()
    (found,) = run_step(Replace(1.0), [batch], make_setting(105)).batches
    before, after = contents(batch), contents(found)
    expected = np.bincount(before.ravel(), minlength=105)[5:]
    assert abs(chi_square(np.bincount(after.ravel(), minlength=105)[5:], expected)) < LIMIT
    # the draw does not depend on the token that it replaces, nor on its neighbour
    share = expected / expected.sum()
    for other in (before, np.roll(after, 1, axis=1), np.roll(after, 1, axis=0)):
        both = np.bincount(
            np.minimum(other - 5, 9).ravel() * 10 + np.minimum(after - 5, 9).ravel(), minlength=100
        )
        tail = np.append(share[:9], share[9:].sum())
        assert abs(chi_square(both, np.outer(tail, tail).ravel() * after.size)) < LIMIT


def test_tokens_are_replaced_with_probability_p():
    # of 400,000 tokens; a draw is the old token with the probability Σ f²
    batch = zipf_batch()
    (found,) = run_step(Replace(0.2), [batch], make_setting(105)).batches
    share = np.bincount(contents(batch).ravel()) / 400_000
    p = 0.2 * (1 - (share**2).sum())
    changed = (contents(found) != contents(batch)).mean()
    assert abs(changed - p) < LIMIT * (p * (1 - p) / 400_000) ** 0.5


def test_all_pieces_of_a_chosen_word_are_replaced():
    # one word of the pieces 7 6 9 a row, and a word of its own: a piece is drawn anew with 1/2,
    # and then differs often
    rows = [[CLS, 7, 6, 9, SEP], [CLS, *range(20, 40), SEP]] * 400
    step = Replace(0.5, words=True)
    changed = Counter()
    for before, after in zip(rows, run_step(step, [make_rows(rows)], SETTING).rows(), strict=True):
        if len(before) == 5:
            differs = [a != b for a, b in zip(before, after["input_ids"], strict=True)]
            changed[tuple(differs[1:4])] += 1
    # a draw is a piece of 7 6 9 itself in 1 of 23 cases: all three differ or none, but for those
    assert changed[True, True, True] + changed[False, False, False] > 0.85 * 400
    assert changed[True, True, True] > 0.35 * 400


def test_a_set_without_content_has_nothing_to_draw_from():
    with pytest.raises(TransfersetError, match="expected content tokens for --replace"):
        run_step(Replace(0.5), [make_rows([[CLS, SEP]])], SETTING)


def test_words_of_a_tokenizer_without_them_are_refused():
    with pytest.raises(UsageError, match="where words begin"):
        run_step(Replace(0.5, words=True), [make_rows([[CLS, 7, SEP]])], make_setting(40))
