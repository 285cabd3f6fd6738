"""Expected calibration error."""

from __future__ import annotations

import numpy as np
import plain_scores
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from transferset import InputError, UsageError
from transferset.metrics.calibration import calibration


def logits_of(confidences):
    """Logits of two classes; the first is predicted with that confidence."""
    p = np.array(confidences)
    return np.stack([np.log(p), np.log1p(-p)], axis=1)


def test_four_rows_by_hand():
    # bins of a tenth: two rows at 0.95 of which one is right, two around 0.7 that are right
    found = calibration(np.array([0, 1, 0, 0]), logits_of([0.95, 0.95, 0.72, 0.74]), bins=10)
    assert found.error == pytest.approx((2 * abs(0.5 - 0.95) + 2 * abs(1 - 0.73)) / 4)
    assert [b.rows for b in found.table] == [0, 0, 0, 0, 0, 0, 0, 2, 0, 2]
    assert found.table[7] == (0.7, 0.8, 2, pytest.approx(0.73), 1.0)
    assert found.table[9] == (0.9, 1.0, 2, pytest.approx(0.95), 0.5)
    assert found.table[0] == (0.0, 0.1, 0, None, None)


@pytest.mark.parametrize("classes", [2, 3, 4, 5])
def test_a_confidence_at_an_edge_is_in_the_bin_below(classes):
    found = calibration(np.zeros(1, int), np.zeros((1, classes)), bins=classes)
    assert found.table[0][2:] == (1, 1 / classes, 1.0)
    assert found.error == pytest.approx(1 - 1 / classes)


def test_certainty_is_in_the_last_bin():
    found = calibration(np.array([0, 0]), np.array([[900.0, 0], [0, 900.0]]))
    assert [b.rows for b in found.table] == [0] * 14 + [2]
    assert found.table[-1][2:] == (2, 1.0, 0.5)
    assert found.error == 0.5


number = st.integers(-600, 600).map(lambda n: n / 100)


@given(st.lists(st.tuples(st.integers(0, 2), *[number] * 3), min_size=1, max_size=40))
def test_the_error_is_as_defined(rows):
    bins = [[] for _ in range(15)]
    for true, *logits in rows:
        confidence = max(plain_scores.softmax(logits))
        # at an edge rounding would decide; edges have a test of their own
        assume(all(abs(confidence - edge / 15) > 1e-9 for edge in range(15)))
        right = logits.index(max(logits)) == true
        bins[min(14, int(confidence * 15))].append((confidence, right))
    error = sum(abs(sum(c for c, _ in b) - sum(r for _, r in b)) for b in bins) / len(rows)
    found = calibration(np.array([r[0] for r in rows]), np.array([r[1:] for r in rows]))
    assert [b.rows for b in found.table] == [len(b) for b in bins]
    assert found.error == pytest.approx(error, abs=1e-9)


def test_a_calibrated_model_has_a_small_error():
    # 20,000 rows right as often as they are sure; the error that chance leaves is about
    # Σ √(2/π · p(1 − p) · rows) / 20,000 over 8 bins: 0.006. Logits twice as large give 0.09.
    draw = np.random.default_rng(5)
    p = draw.uniform(0.5, 1, 20_000)
    gold = (draw.random(20_000) >= p).astype(int)
    assert calibration(gold, logits_of(p)).error < 0.015
    assert calibration(gold, 2 * logits_of(p)).error > 0.05


def test_what_is_wrong_with_the_input_is_said():
    with pytest.raises(UsageError, match="at least one bin, found 0"):
        calibration(np.zeros(1, int), np.zeros((1, 2)), bins=0)
    with pytest.raises(InputError, match="gold classes and rows of logits"):
        calibration(np.zeros(2, int), np.zeros((1, 2)))
    with pytest.raises(InputError, match="finite logits, found nan at row 0"):
        calibration(np.zeros(1, int), np.full((1, 2), np.nan))
