from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from row_sets import make_rows, row

from transferset.report.bigrams import NgramTable
from transferset.report.divergence import divergence, ngram_divergence

COUNTS = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=1, max_size=20)


def compare(child: list[int], parent: list[int]):
    return divergence(np.array(child), np.array(parent))


def test_two_types_worked_out_by_hand():
    # child 1, 3 and parent 3, 1 of 4. With ½ more on each: (1.5, 3.5) and (3.5, 1.5) of 5.
    # KL = .3 log2(.3/.7) + .7 log2(.7/.3) = .4 log2(7/3), and the same the other way
    # JS of (¼, ¾) and (¾, ¼), middle (½, ½): each side ¼ log2(½) + ¾ log2(1½) = 1 − H(¼)
    found = compare([1, 3], [3, 1])
    assert found is not None
    assert found.kl == pytest.approx(0.4 * math.log2(7 / 3), rel=1e-12)
    assert found.kl_reverse == pytest.approx(0.4 * math.log2(7 / 3), rel=1e-12)
    assert found.js == pytest.approx(0.75 * math.log2(1.5) - 0.25, rel=1e-12)
    assert (found.outside, found.outside_types, found.sampled_share) == (0.0, 0.0, 1.0)


def test_a_type_that_the_parent_has_not():
    # child 2, 2, 0 and parent 0, 3, 1; the last place, which neither has, is no type.
    # smoothed: (2.5, 2.5, .5) of 5.5 and (.5, 3.5, 1.5) of 5.5
    found = compare([2, 2, 0, 0], [0, 3, 1, 0])
    p, q = [5 / 11, 5 / 11, 1 / 11], [1 / 11, 7 / 11, 3 / 11]
    assert found is not None
    assert found.kl == pytest.approx(sum(x * math.log2(x / y) for x, y in zip(p, q, strict=True)))
    assert found.kl_reverse == pytest.approx(
        sum(y * math.log2(y / x) for x, y in zip(p, q, strict=True))
    )
    # (½, ½, 0) and (0, ¾, ¼), middle (¼, ⅝, ⅛)
    half = 0.5 * 1 + 0.5 * math.log2(0.5 / 0.625), 0.75 * math.log2(0.75 / 0.625) + 0.25 * 1
    assert found.js == pytest.approx(sum(half) / 2)
    assert (found.outside, found.outside_types) == (0.5, 0.5)


def test_sets_without_a_type_in_common_are_one_bit_apart():
    found = compare([5, 1, 0, 0], [0, 0, 2, 2])
    assert found is not None
    assert (found.js, found.outside, found.outside_types) == (1.0, 1.0, 1.0)


def test_a_set_does_not_diverge_from_itself():
    found = compare([5, 0, 2], [5, 0, 2])
    assert found is not None
    assert (found.kl, found.kl_reverse, found.js, found.outside) == (0, 0, 0, 0)


@pytest.mark.parametrize(("child", "parent"), [([0, 0], [1, 1]), ([1, 1], [0, 0])])
def test_nothing_is_not_compared(child, parent):
    assert compare(child, parent) is None


@settings(deadline=None)
@given(COUNTS)
def test_divergences_are_those_of_the_definitions(counts):
    child, parent = ([pair[i] for pair in counts] for i in (0, 1))
    found = compare(child, parent)
    if not sum(child) or not sum(parent):
        assert found is None
        return
    assert found is not None
    union = [(c, d) for c, d in counts if c or d]
    p = [(c + 0.5) / (sum(child) + len(union) / 2) for c, _ in union]
    q = [(d + 0.5) / (sum(parent) + len(union) / 2) for _, d in union]
    assert found.kl == pytest.approx(kl(p, q), abs=1e-12)
    assert found.kl_reverse == pytest.approx(kl(q, p), abs=1e-12)
    p, q = [c / sum(child) for c, _ in union], [d / sum(parent) for _, d in union]
    middle = [(x + y) / 2 for x, y in zip(p, q, strict=True)]
    assert found.js == pytest.approx((kl(p, middle) + kl(q, middle)) / 2, abs=1e-12)
    assert found.outside == pytest.approx(sum(c for c, d in counts if not d) / sum(child))


def kl(p: list[float], q: list[float]) -> float:
    return sum(x * math.log2(x / y) for x, y in zip(p, q, strict=True) if x)


def test_of_a_sample_of_types_the_divergences_are_near_those_of_all(tmp_path):
    # 47,500 bigrams of each set with a fixed seed and a fixed hash. The child draws from the lower
    # part of the vocabulary more often than the parent does.
    def rows(seed: int, power: int) -> list[list[int]]:
        drawn = np.random.default_rng(seed).random((2500, 20)) ** power * 300
        return [row(*ids) for ids in (drawn.astype(int) + 5).tolist()]

    child = make_rows(tmp_path / "child", rows(1, 3))
    parent = make_rows(tmp_path / "parent", rows(2, 2))
    found = []
    for bits in (18, 13):
        table = NgramTable(2, most_bits=bits)
        table.count(child, 0)
        table.count(parent, 1)
        found.append(ngram_divergence(table))
    exact, sampled = found
    assert exact is not None
    assert sampled is not None
    assert exact.sampled_share == 1.0
    assert sampled.sampled_share <= 1 / 4
    # some 5,000 types of about equal weight: relative errors of the order of 1/√5000 = 1.4 %
    for name in ("kl", "kl_reverse", "js", "outside", "outside_types"):
        assert getattr(sampled, name) == pytest.approx(getattr(exact, name), rel=0.06), name
