"""Radix selection against sorting everything."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transferset.transforms import threshold

#: The first example may have to wait for the compiler.
EXAMPLES = settings(max_examples=30, deadline=None)

# keys that agree in their first 16, 32 and 48 bits, and ones that are equal
KEYS = st.sampled_from(
    [0, 1, 1 << 16, (1 << 16) + 1, 1 << 32, 1 << 48, (1 << 48) + 1, (1 << 64) - 1, 3 << 62]
)
ENTRIES = st.lists(st.tuples(KEYS, st.integers(0, 5)), max_size=60)


def source_of(entries, cut):
    def blocks():
        for start in range(0, len(entries), cut):
            some = entries[start : start + cut]
            yield (
                np.array([k for k, _ in some], np.uint64),
                np.array([s for _, s in some], np.int64),
                np.arange(start, start + len(some)),
            )

    return blocks


@pytest.mark.parametrize("most_kept", [0, 1, 3, 1 << 20])
@EXAMPLES
@given(
    entries=ENTRIES,
    cut=st.integers(1, 70),
    targets=st.lists(st.integers(0, 200), min_size=1, max_size=3),
)
def test_the_place_where_a_target_is_passed_is_that_of_the_sorted_entries(
    most_kept, entries, cut, targets
):
    before = threshold.MOST_KEPT
    threshold.MOST_KEPT = most_kept
    try:
        found = threshold.edges(source_of(entries, cut), targets)
    finally:
        threshold.MOST_KEPT = before
    ordered = sorted((key, number, size) for number, (key, size) in enumerate(entries))
    for target, edge in zip(targets, found, strict=True):
        total, last = 0, None
        for place, (_, _, size) in enumerate(ordered):
            total += size
            if total > target:
                last = place
                break
        if last is None:
            assert (edge.below, edge.entries) == (total, len(entries))
            assert len(edge.columns[0]) == 0
            continue
        numbers = edge.columns[2].tolist()
        around = [n for _, n, _ in ordered[edge.entries : edge.entries + len(numbers)]]
        assert numbers == around, "the entries around the place, in order"
        assert edge.below == sum(s for _, _, s in ordered[: edge.entries]) <= target
        assert edge.entries <= last < edge.entries + len(numbers)


def test_a_bucket_of_too_many_entries_is_divided_until_few_are_kept(monkeypatch):
    # 300 keys that agree in 32 bits. After 48 bits, those of i >> 8, the bucket has the 44 keys
    # from 256 on; they are still too many, so that all 64 bits are looked at, and one is left
    monkeypatch.setattr(threshold, "MOST_KEPT", 10)
    entries = [(7 << 32 | i << 8, 1) for i in range(300)]
    (edge,) = threshold.edges(source_of(entries, 64), [299])
    assert (edge.below, edge.entries, edge.columns[2].tolist()) == (299, 299, [299])
