"""Masked batches and their parts."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from masked_toys import SIZE, ToyRows, masking, masks

from transferset.distillation.masked.batches import (
    DynamicMasks,
    MaskedBatch,
    TopRows,
    piece_counts,
)


def test_rows_are_masked_by_their_number_and_the_epoch():
    rows, plain = masks(), ToyRows()
    one, other = rows.batch(np.array([3, 8]), 0), rows.batch(np.array([8]), 0)
    start = one.rows.offsets[1]
    assert np.array_equal(one.rows.ids[start:], other.rows.ids)
    assert np.array_equal(one.targets, plain.take(np.array([3, 8])).ids[one.positions])
    epochs = [rows.batch(np.arange(24), epoch).positions.tolist() for epoch in range(3)]
    assert epochs[0] != epochs[1] != epochs[2]


@given(cuts=st.lists(st.integers(0, 24), max_size=6), with_top=st.booleans())
def test_parts_are_the_batch(cuts, with_top):
    whole = masks(share=0.2).batch(np.arange(24), 1)
    if with_top:
        count = len(whole.positions)
        ids = np.arange(count * 3).reshape(count, 3)
        whole = whole._replace(top=TopRows(ids, ids / 2, np.arange(count) / 4))
    bounds = [0, *sorted(cuts), 24]
    parts = [whole.part(slice(a, b)) for a, b in pairwise(bounds)]
    assert np.array_equal(np.concatenate([p.rows.ids for p in parts]), whole.rows.ids)
    starts = whole.rows.offsets[bounds[:-1]]
    places = [part.positions + start for part, start in zip(parts, starts, strict=True)]
    assert np.array_equal(np.concatenate(places), whole.positions)
    assert np.array_equal(np.concatenate([p.targets for p in parts]), whole.targets)
    assert [p.rows.offsets[0] for p in parts] == [0] * len(parts)
    if with_top:
        for field in range(3):
            found = np.concatenate([p.top[field] for p in parts])
            assert np.array_equal(found, whole.top[field])


def test_pieces_are_counted(monkeypatch):
    monkeypatch.setattr("transferset.distillation.masked.batches._COUNTED", 5)
    rows = ToyRows(23)
    counts = piece_counts(rows, SIZE)
    assert counts.tolist() == [int((rows.rows.ids == piece).sum()) for piece in range(SIZE)]


def test_nothing_masked():
    batch = DynamicMasks(ToyRows(), masking(share=1e-9)).batch(np.arange(5), 0)
    assert isinstance(batch, MaskedBatch)
    assert len(batch.positions) == len(batch.targets) == 0
    part = batch.part(slice(1, 3))
    assert len(part.positions) == 0
    assert part.rows.lengths == pytest.approx(ToyRows().lengths[1:3])
