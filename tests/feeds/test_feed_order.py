"""The order of an epoch. Seeds are fixed; chi-square is in standard deviations from its mean.

Power, as in test_shuffle_statistics: a fair shuffle stays below the limit of 6 with a chance above
99.9 %. With 12,000 epochs and 24 orders, a shuffle whose orders are off by 8.2 % (root mean square)
is found with a chance of 99 %: its statistic lies 12,000 · 0.082² = 81 higher. With 12,000 draws of
a row's place into 100 cells it is found from 11 % on: 12,000 · 0.11² = 145, 61 above the limit of
84, 2.5 of its standard deviations.
"""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from transferset.errors import UsageError
from transferset.feeds import EpochOrder
from transferset.rng import philox, step_key

LIMIT = 6
BLOCK = 10_000

counts = st.integers(0, 65_000)
windows = st.integers(1, 40_000)
regions = st.one_of(st.none(), st.integers(1, 50_000))


def whole(order):
    return order.rows(0, order.count)


def chi_square(observed, expected):
    """(χ² − its mean) / its standard deviation, of cells that are equally likely."""
    freedom = len(observed) - 1
    statistic = ((np.asarray(observed) - expected) ** 2 / expected).sum()
    return (statistic - freedom) / np.sqrt(2 * freedom)


def drawn_by_hand(values, address, seed, epoch, kind):
    """The shuffle as the module's text says it, on `rng.philox` and whole numbers of Python."""
    values = list(values)
    at = np.arange(address, address + len(values), dtype=np.uint64)
    fill = np.ones(len(values), np.uint32)
    low, high = (at & np.uint64(0xFFFFFFFF)).astype(np.uint32), (at >> np.uint64(32))
    counter = (low, high.astype(np.uint32), fill * np.uint32(epoch), fill * np.uint32(kind))
    a, b, _, _ = (word.tolist() for word in philox(counter, step_key(seed, 0xFFFF_FFFA)))
    for i in range(1, len(values)):
        other = ((a[i] << 32 | b[i]) * (i + 1)) >> 64
        values[i], values[other] = values[other], values[i]
    return values


@given(
    counts, windows, regions, st.integers(0, 2**64 - 1), st.integers(0, 2**32 - 1), st.booleans()
)
@example(0, 1, None, 0, 0, True)
@example(BLOCK, 1, 1, 0, 0, True)
@example(6 * BLOCK + 1, 2 * BLOCK, 3 * BLOCK, 5, 1, True)
@settings(max_examples=40)
def test_each_row_stands_at_one_position(count, window, region, seed, epoch, shuffle):
    found = whole(EpochOrder(count, seed, epoch, window, region, shuffle))
    assert np.array_equal(np.sort(found), np.arange(count))


@given(st.integers(1, 65_000), windows, regions, st.data())
@settings(max_examples=40)
def test_any_position_is_known_without_those_before(count, window, region, data):
    start = data.draw(st.integers(0, count))
    stop = data.draw(st.integers(start, min(count, start + 25_000)))
    settings = {"seed": 3, "window": window, "region": region}
    part = EpochOrder(count, **settings).rows(start, stop)
    assert np.array_equal(part, whole(EpochOrder(count, **settings))[start:stop])


@given(st.integers(1, 65_000), windows, regions)
@settings(max_examples=40)
def test_a_window_is_some_blocks_of_one_region(count, window, region):
    order = EpochOrder(count, 1, 0, window, region)
    width, size = -(-window // BLOCK), -(-(region or count) // BLOCK)
    position = 0
    while position < count:
        first, end = order.bounds(position)
        assert first == position
        rows = order.rows(first, end)
        blocks = np.unique(rows // BLOCK)
        assert len(blocks) <= width
        assert len(np.unique(blocks // size)) == 1
        full = np.minimum(BLOCK, count - blocks * BLOCK).sum()
        assert len(rows) == full, "a block is read as a whole"
        position = end


def test_the_order_is_the_documented_one():
    order = EpochOrder(45_003, 7, 2, window=20_000, region=30_000)
    regions = drawn_by_hand(range(2), 0, 7, 2, 0)
    expected, position = [], 0
    for region in regions:
        blocks = drawn_by_hand(range(region * 3, min(region * 3 + 3, 5)), region * 3, 7, 2, 1)
        for pair in (blocks[:2], blocks[2:]):
            rows = [r for b in pair for r in range(b * BLOCK, min((b + 1) * BLOCK, 45_003))]
            expected += drawn_by_hand(rows, position, 7, 2, 2)
            position += len(rows)
    assert whole(order).tolist() == expected


def test_it_is_one_of_seed_and_epoch_alone():
    orders = {(s, e): whole(EpochOrder(30_000, s, e)).tolist() for s in (0, 1) for e in (0, 1)}
    assert len({tuple(rows) for rows in orders.values()}) == 4
    assert whole(EpochOrder(30_000, 0, 1)).tolist() == orders[0, 1]


def test_without_shuffling_it_is_that_of_the_set():
    order = EpochOrder(25_000, 5, 3, window=10_000, shuffle=False)
    assert np.array_equal(whole(order), np.arange(25_000))
    assert np.array_equal(order.rows(9_990, 20_010), np.arange(9_990, 20_010))


def test_all_orders_of_a_window_are_equally_likely():
    rows = [tuple(whole(EpochOrder(4, 11, epoch)).tolist()) for epoch in range(12_000)]
    observed = [rows.count(order) for order in permutations(range(4))]
    assert sum(observed) == 12_000
    assert abs(chi_square(observed, 500)) < LIMIT


def test_a_row_is_equally_likely_at_every_place_of_a_window():
    places = [
        np.flatnonzero(np.isin(whole(EpochOrder(20_000, 3, epoch)), np.arange(0, 20_000, 250)))
        for epoch in range(150)
    ]
    observed = np.bincount(np.concatenate(places) // 200, minlength=100)
    assert observed.sum() == 12_000
    assert abs(chi_square(observed, 120)) < LIMIT


def test_every_block_is_equally_likely_to_come_first():
    # of 7 blocks, of which 3 make a region and the last is short: regions and blocks in one
    order = [EpochOrder(6 * BLOCK + 1, 1, e, window=1, region=3 * BLOCK) for e in range(2_100)]
    first = np.array([one.rows(0, 1)[0] // BLOCK for one in order])
    observed = np.bincount(first, minlength=7)
    # each of the three regions is first as often, and each of its blocks in it
    cells = [*observed[:6] / 233.33 - 1, observed[6] / 700 - 1]
    spread = [*np.full(6, 233.33**-0.5), 700**-0.5]
    assert np.all(np.abs(cells) < 4 * np.array(spread))


def test_epochs_are_unlike_each_other():
    one, other = (whole(EpochOrder(40_000, 0, e, window=20_000)) for e in (0, 1))
    # of independent orders 1 row stands where it stood, and the correlation is 0 ± 1/√n
    assert (one == other).sum() < 10
    within = [order % BLOCK for order in (one[:20_000], other[:20_000])]
    assert abs(np.corrcoef(*within)[0, 1]) < 5 / np.sqrt(20_000)


@pytest.mark.parametrize(
    "wrong", [{"window": 0}, {"region": 0}, {"epoch": -1}, {"epoch": 2**32}, {"seed": 2**64}]
)
def test_what_has_no_address_is_refused(wrong):
    with pytest.raises(UsageError, match="expected a"):
        EpochOrder(10, **wrong)
