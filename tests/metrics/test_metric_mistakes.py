"""Which rows are shown as mistakes."""

from __future__ import annotations

import numpy as np
import plain_scores
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transferset import InputError
from transferset.metrics import softmax
from transferset.metrics.mistakes import largest_errors, mistakes

LOGITS = np.array([[2, 0], [0, 1], [0, 3], [5, 0], [1, 1]], np.float32)


def sure(margin):
    return pytest.approx(1 / (1 + np.exp(-margin)))


def test_mistakes_by_hand():
    found = mistakes(np.array([1, 0, 1, 1, 1]), LOGITS, most=2)
    # row 2 is right; equal logits decide for the first class
    assert found.rows == 4
    assert found.surest == [(3, 1, 0, sure(5)), (0, 1, 0, sure(2))]
    assert found.least_sure == [(4, 1, 0, 0.5), (1, 0, 1, sure(1))]


def test_nothing_wrong():
    assert mistakes(LOGITS.argmax(axis=1), LOGITS) == (0, [], [])


def test_of_equal_confidence_the_earlier_row_is_first():
    found = mistakes(np.zeros(4, int), np.tile(np.array([[0.0, 1.0]]), (4, 1)), most=3)
    assert [m.row for m in found.surest] == [0, 1, 2]
    assert [m.row for m in found.least_sure] == [0, 1, 2]


rows = st.lists(
    st.tuples(st.integers(0, 2), *[st.integers(-6, 6).map(lambda n: n / 2)] * 3),
    min_size=1, max_size=30,
)  # fmt: skip


@given(rows)
def test_mistakes_are_all_and_in_order(rows):
    gold = np.array([row[0] for row in rows])
    logits = np.array([row[1:] for row in rows], np.float32)
    found = mistakes(gold, logits, most=100)
    expected = []
    for i, (true, *some) in enumerate(rows):
        best = max(range(3), key=lambda k, some=some: (some[k], -k))
        if best != true:
            expected.append((i, true, best, pytest.approx(plain_scores.softmax(some)[best])))
    assert found.rows == len(expected)
    assert sorted(found.surest) == expected
    assert sorted(found.least_sure) == expected
    confidence = [m.confidence for m in found.surest]
    assert confidence == sorted(confidence, reverse=True)
    assert [m.confidence for m in found.least_sure] == sorted(confidence)


def test_many_rows_are_taken_in_blocks(monkeypatch):
    monkeypatch.setattr(softmax, "_BLOCK", 7)
    logits = np.random.default_rng(1).normal(size=(20, 3))
    decided, confidence = softmax.decide(logits)
    plain = [plain_scores.softmax(row) for row in logits.tolist()]
    assert decided.tolist() == [p.index(max(p)) for p in plain]
    assert confidence == pytest.approx(np.array([max(p) for p in plain]))


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_large_logits_do_not_overflow(kind):
    logits = np.array([[60000, -60000], [0, 60000]], kind)
    assert softmax.decide(logits)[1].tolist() == [1.0, 1.0]


def test_largest_errors_by_hand():
    found = largest_errors(np.array([1.0, 2, 3, 4]), np.array([1.5, 0, 3, 6], np.float32), most=3)
    assert found == [(1, 2.0, 0.0, -2.0), (3, 4.0, 6.0, 2.0), (0, 1.0, 1.5, 0.5)]


def test_what_is_wrong_with_the_input_is_said():
    with pytest.raises(InputError, match="expected finite logits, found nan at row 3"):
        mistakes(np.zeros(5, int), np.where(np.arange(5)[:, None] < 3, LOGITS, np.nan))
    with pytest.raises(InputError, match=r"gold classes and rows of logits of one shape"):
        mistakes(np.zeros(4, int), LOGITS)
    with pytest.raises(InputError, match="gold classes from 0 to 1, found 2"):
        mistakes(np.full(5, 2), LOGITS)
    with pytest.raises(
        InputError, match=r"of shape \[rows, classes\], found float32 of shape \[5\]"
    ):
        mistakes(np.zeros(5, int), LOGITS[:, 0])
    with pytest.raises(InputError, match="logits of at least one row"):
        mistakes(np.zeros(0, int), LOGITS[:0])
    with pytest.raises(InputError, match="gold and predicted of one shape"):
        largest_errors(np.zeros(2), np.zeros(3))
