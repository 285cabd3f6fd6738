"""Logits of many rows."""

from __future__ import annotations

import numpy as np
import pytest
from small_students import CLASSES, KINDS, lively, logits, random_rows, rows

pytest.importorskip("torch")

from transferset.errors import InputError, UsageError
from transferset.students import inference
from transferset.students.inference import StudentClassifier, batches


def asked(student, lists, *, pair=False):
    given = rows(*lists)
    return StudentClassifier(student).logits(given.ids.astype(np.int32), given.offsets, pair)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("pair", [False, True])
def test_logits_come_in_the_order_of_the_rows(monkeypatch, kind, pair):
    monkeypatch.setattr(inference, "_IDS", 40)
    student = lively(kind, pair=pair)
    given = random_rows(30, pair=pair)
    assert len(batches(rows(*given))) > 5
    found = asked(student, given, pair=pair)
    assert found.dtype == np.float32
    wanted = np.concatenate([logits(student, [row]) for row in given])
    assert found == pytest.approx(wanted, abs=1e-5)


def test_batches_hold_each_row_once_and_keep_to_their_bounds(monkeypatch):
    monkeypatch.setattr(inference, "_IDS", 40)
    monkeypatch.setattr(inference, "_ROWS", 6)
    given = rows(*random_rows(50), [5] * 100)
    found = batches(given)
    assert sorted(np.concatenate(found).tolist()) == list(range(51))
    for which in found:
        sizes = given.lengths[which]
        assert len(which) == 1 or (sizes.max() * len(which) <= 40 and len(which) <= 6)


def test_no_rows():
    assert asked(lively(), []).shape == (0, 3)


def test_what_everyone_asks_of_a_classifier():
    student = lively()
    classifier = StudentClassifier(student)
    assert classifier.classes == list(CLASSES)
    assert classifier.tokenizer_sha256 == "0" * 64
    assert StudentClassifier(lively(classes=None)).classes is None


def test_dropout_is_off_and_the_students_mode_comes_back():
    student = lively("transformer").train()
    given = random_rows(3)
    assert np.array_equal(asked(student, given), asked(student, given))
    assert student.training


def test_the_other_layout_is_refused():
    with pytest.raises(UsageError, match="expected single texts for this student, found pairs"):
        asked(lively(), random_rows(1), pair=True)
    with pytest.raises(UsageError, match="expected pairs for this student, found single texts"):
        asked(lively(pair=True), random_rows(1))


def test_ids_out_of_range():
    with pytest.raises(InputError, match="ids from 0 to 29, found 2 to 99"):
        asked(lively(), [[2, 99, 3]])
