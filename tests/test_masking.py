"""Dynamic masks: addressed, at the stated rates."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transferset import rng
from transferset.errors import InputError, UsageError
from transferset.masking import Masking, rates_of

SPECIAL = [0, 1, 2, 3, 4]
MASK, SIZE = 4, 50


def text(rows=40, seed=0):
    generator = np.random.default_rng(seed)
    lists = [[2, *generator.integers(5, SIZE, generator.integers(0, 12)), 3] for _ in range(rows)]
    ids = np.concatenate(lists).astype(np.int32)
    return ids, np.append(0, np.cumsum([len(one) for one in lists])).astype(np.int64)


def uniform(share=0.15, seed=7):
    return Masking(rates_of(SIZE, SPECIAL, share=share), MASK, seed)


def plain(masking, ids, offsets, rows, epoch):
    """The rule in plain Python, on `rng.philox`: words are choice, kind, other."""
    others = [i for i, rate in enumerate(masking.rates) if rate > 0]
    out, positions = list(ids), []
    for row, start, stop in zip(rows, offsets[:-1], offsets[1:], strict=True):
        for i in range(start, stop):
            address = (row & 0xFFFFFFFF, row >> 32, epoch, i - start)
            counter = tuple(np.array([word], np.uint32) for word in address)
            drawn = rng.philox(counter, rng.step_key(masking.seed, 0xFFFF_FFFC))
            choice, kind, other = (int(word[0]) for word in drawn[:3])
            if choice >= round(masking.rates[ids[i]] * 2**32):
                continue
            positions.append(i)
            if kind < round(0.8 * 2**32):
                out[i] = MASK
            elif kind < round(0.9 * 2**32):
                out[i] = others[other * len(others) >> 32]
    return out, positions


@pytest.mark.parametrize("share", [0.15, 0.9])
def test_masks_are_those_of_the_plain_rule(share):
    ids, offsets = text()
    rows = np.arange(40, dtype=np.int64) * 7 + (1 << 33)
    found = uniform(share)(ids, offsets, rows, 3)
    out, positions = plain(uniform(share), ids.tolist(), offsets.tolist(), rows.tolist(), 3)
    assert found.ids.tolist() == out
    assert found.positions.tolist() == positions


@settings(max_examples=40)
@given(st.permutations(range(12)))
def test_a_row_does_not_depend_on_those_beside_it(order):
    ids, offsets = text(12)
    rows = np.arange(100, 112)
    whole = uniform(0.5)(ids, offsets, rows, 1)
    lists = [ids[offsets[i] : offsets[i + 1]] for i in order]
    ends = np.append(0, np.cumsum([len(one) for one in lists])).astype(np.int64)
    found = uniform(0.5)(np.concatenate(lists), ends, rows[list(order)], 1)
    for place, i in enumerate(order):
        here, there = slice(ends[place], ends[place + 1]), slice(offsets[i], offsets[i + 1])
        assert np.array_equal(found.ids[here], whole.ids[there])


def test_whole_words_are_those_of_the_plain_rule():
    """A word's first piece decides; ids from 30 on go on with a word, special ones end it."""
    ids, offsets = text(seed=3)
    starts = np.arange(SIZE) < 30
    rows = np.arange(40, dtype=np.int64)
    pieces = uniform(0.5)(ids, offsets, rows, 3)
    chosen = set(pieces.positions.tolist())
    rates = uniform(0.5).rates
    found = Masking(rates, MASK, 7, starts)(ids, offsets, rows, 3)
    expected = []
    for a, b in zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True):
        wanted = inside = False
        for i in range(a, b):
            if ids[i] in SPECIAL:
                inside = False
                continue
            wanted = wanted if inside and ids[i] >= 30 else i in chosen
            inside = True
            expected += [i] * wanted
    assert found.positions.tolist() == expected
    both = np.intersect1d(found.positions, pieces.positions)
    assert np.array_equal(found.ids[both], pieces.ids[both])  # each piece has its own draw


def test_as_many_starts_as_pieces():
    with pytest.raises(UsageError, match="words' starts of 50 pieces, found 3"):
        Masking(uniform().rates, MASK, 7, np.ones(3, bool))


def test_epochs_and_seeds_mask_otherwise():
    ids, offsets = text()
    rows = np.arange(40)
    first = uniform()(ids, offsets, rows, 0)
    assert np.array_equal(uniform()(ids, offsets, rows, 0).ids, first.ids)
    for other in (uniform()(ids, offsets, rows, 1), uniform(seed=8)(ids, offsets, rows, 0)):
        assert not np.array_equal(other.positions, first.positions)


def test_special_pieces_are_never_masked_nor_come_in():
    ids, offsets = text()
    found = uniform(0.99)(ids, offsets, np.arange(40), 0)
    special = np.isin(ids, SPECIAL)
    assert np.array_equal(found.ids[special], ids[special])
    assert not np.isin(found.positions, np.flatnonzero(special)).any()
    assert set(found.ids[~special]) <= {MASK, *range(5, SIZE)}


def test_shares():
    """100,000 positions: a share of 15 % is known to 0.11 points, one of 80 % of these to 0.33."""
    ids = np.random.default_rng(1).integers(5, SIZE, 100_000).astype(np.int32)
    found = uniform()(ids, np.arange(0, 100_001, 100), np.arange(1000), 0)
    chosen = found.positions
    assert len(chosen) / 1e5 == pytest.approx(0.15, abs=0.005)
    after, before = found.ids[chosen], ids[chosen]
    assert (after == MASK).mean() == pytest.approx(0.8, abs=0.015)
    # one random piece in 45 is the piece itself
    assert (after == before).mean() == pytest.approx(0.1 + 0.1 / 45, abs=0.01)
    random = after[(after != MASK) & (after != before)]
    counts = np.bincount(random, minlength=SIZE)[5:]
    assert counts.sum() == pytest.approx(0.1 * 44 / 45 * len(chosen), rel=0.1)
    # χ² of 44 degrees of freedom: 99.9 % are below 79
    assert ((counts - counts.mean()) ** 2 / counts.mean()).sum() < 79


def test_smoothing_by_hand():
    """Counts 1 and 16, exponent 1/2: weights 1 and 1/4; c·(1·1 + 16/4) = 17·share."""
    found = rates_of(3, [0], share=0.1, counts=np.array([99, 1, 16]), smoothing=0.5)
    assert found.tolist() == pytest.approx([0, 1.7 / 5, 1.7 / 20])


def test_what_would_exceed_1_is_always_masked_and_the_others_make_up_for_it():
    """Half of 10,101 is 5,050.5: rare pieces give 101 of them, the frequent one the rest."""
    found = rates_of(4, [0], share=0.5, counts=np.array([7, 1, 100, 10_000]), smoothing=1.0)
    assert found.tolist() == pytest.approx([0, 1, 1, (5050.5 - 101) / 10_000])


@settings(max_examples=40)
@given(
    st.lists(st.integers(0, 10**6), min_size=3, max_size=30).filter(sum),
    st.floats(0.01, 0.99),
    st.floats(0, 2),
)
def test_the_expected_share_over_the_text_is_exact(counts, share, smoothing):
    counts = np.array([5, *counts])
    found = rates_of(len(counts), [0], share=share, counts=counts, smoothing=smoothing)
    assert ((found >= 0) & (found <= 1)).all()
    assert found[0] == 0
    seen = counts[1:]
    assert (found[1:] * seen).sum() == pytest.approx(share * seen.sum(), rel=1e-9)
    free = (found[1:] < 1) & (seen > 0)
    scale = found[1:][free] * seen[free] ** smoothing
    assert scale == pytest.approx(np.full(len(scale), scale[0] if len(scale) else 0), rel=1e-9)


def test_without_counts_or_smoothing_all_are_alike():
    even = rates_of(SIZE, SPECIAL, counts=np.arange(SIZE), smoothing=0)
    assert even == pytest.approx(rates_of(SIZE, SPECIAL))
    assert rates_of(SIZE, SPECIAL, counts=np.zeros(SIZE, int)) == pytest.approx(even)


def test_nothing_to_mask():
    empty = uniform()(np.empty(0, np.int32), np.zeros(1, np.int64), np.empty(0, np.int64), 0)
    assert len(empty.ids) == len(empty.positions) == 0
    only = uniform()(np.array([2, 3], np.int32), np.array([0, 2]), np.array([0]), 0)
    assert only.ids.tolist() == [2, 3]


@pytest.mark.parametrize("id_", [-1, SIZE])
def test_an_id_out_of_range(id_):
    with pytest.raises(InputError, match="ids from 0 to 49"):
        uniform()(np.array([5, id_], np.int32), np.array([0, 2]), np.array([0]), 0)


@pytest.mark.parametrize(
    "settings",
    [{"share": 0}, {"share": 1}, {"smoothing": -1}, {"counts": np.ones(3)}],
)
def test_numbers_out_of_range(settings):
    with pytest.raises(UsageError, match="expected"):
        rates_of(SIZE, SPECIAL, **settings)
