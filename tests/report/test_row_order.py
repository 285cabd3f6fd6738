from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from row_sets import CLS, MASK, PAD, SEP, make_rows, row

from transferset.errors import SetError
from transferset.report.row_order import RowByRow, occurs_in_order, row_by_row

CONTENT = st.sampled_from([MASK, SEP, 5, 6])
ROWS = st.lists(st.lists(CONTENT, max_size=4).map(lambda c: row(*c)), min_size=1, max_size=8)


def compared(tmp_path, a, b, **options) -> RowByRow | None:
    return row_by_row(
        make_rows(tmp_path / "a", a, **options), make_rows(tmp_path / "b", b, **options)
    )


def left_of(part: list, whole: list) -> bool:
    """Whether `part` is left of `whole` when members are deleted."""
    rest = iter(whole)
    return all(member in rest for member in part)


def test_pairs_of_rows_worked_out_by_hand(tmp_path):
    pairs = [
        (row(5, 6, 7), row(5, 6, 7)),  # the same
        (row(5, 6, 7), row(7, 5, 6)),  # permuted
        (row(5, 5, 6), row(5, 6, 6)),  # the same ids, but not as often; 4 of 5 in place
        ([CLS, 5, SEP, 6, 7, SEP], [CLS, 7, SEP, 5, 6, SEP]),  # permuted across a fixed [SEP]
        ([CLS, 5, SEP, 6, 7, SEP], [CLS, 6, 5, SEP, 7, SEP]),  # the [SEP] moved
        (row(5, MASK, 6), row(6, 5, MASK)),  # a [MASK] moved
        ([CLS, 5, SEP, PAD], [CLS, 5, PAD, SEP]),  # padding moved
        (row(5, 6, 7), row(5, 7)),  # a token deleted
        (row(5, 6, 7), row(7, 5)),  # no deletion: the order differs
        (row(5), row(5, 6)),  # longer
    ]
    found = compared(tmp_path, *zip(*pairs, strict=True))
    lengths = [5, 5, 5, 6, 6, 5, 4]
    in_place = [5, 2, 4, 3, 3, 2, 2]
    # the rows that are the same, and the deletion, are within
    assert found == RowByRow((), 10, 1, 2, 2, len(lengths), sum(lengths), sum(in_place))


def test_sets_of_other_numbers_of_rows_are_not_paired(tmp_path):
    assert compared(tmp_path, [row(5)], [row(5), row(6)]) is None


@settings(deadline=None, max_examples=60)
@given(a=ROWS, b=ROWS, data=st.data())
def test_pairs_are_those_of_a_plain_loop_however_the_sets_are_sharded(a, b, data):
    rows = min(len(a), len(b))
    a, b = a[:rows], b[:rows]
    cuts = [data.draw(st.integers(0, rows)) for _ in range(2)]
    with TemporaryDirectory() as folder:
        found = row_by_row(
            make_rows(Path(folder) / "a", a, shards=cuts[:1]),
            make_rows(Path(folder) / "b", b, shards=cuts[1:], ids=pa.int32()),
        )

    def specials(ids):
        return [(i, piece) for i, piece in enumerate(ids) if piece < 5]

    pairs = list(zip(a, b, strict=True))
    equal = [x == y for x, y in pairs]
    assert found is not None
    assert found.same == sum(equal)
    assert found.permuted == sum(
        x != y and sorted(x) == sorted(y) and specials(x) == specials(y) for x, y in pairs
    )
    assert found.within == sum(left_of(y, x) for x, y in pairs)
    assert found.same_length == sum(len(x) == len(y) for x, y in pairs)
    assert found.ids == sum(len(x) for x, y in pairs if len(x) == len(y))
    assert found.ids_in_place == sum(
        i == j for x, y in pairs if len(x) == len(y) for i, j in zip(x, y, strict=True)
    )


def test_other_columns_are_equal_if_all_their_rows_are(tmp_path):
    rows = [row(5)] * 4
    one = {"doc_id": [1, 2, 3, 4], "text": ["a", "b", "c", "d"], "source": [0, 0, 0, 0]}
    other = {"doc_id": [1, 2, 3, 5], "text": ["a", "b", "c", "d"], "sentence": [0, 0, 0, 0]}
    a = make_rows(tmp_path / "a", rows, columns=one, shards=[1])
    b = make_rows(tmp_path / "b", rows, columns=other, shards=[3])
    found = row_by_row(a, b)
    assert found is not None
    assert found.equal_columns == ("text",)


def test_a_text_that_is_no_utf8_is_damage_not_a_crash(tmp_path):
    sets = [
        make_rows(tmp_path / name, [row(5)] * 2, columns={"text": ["qqqq", "qqqq"]})
        for name in "ab"
    ]
    path = next(sets[1].root.glob("*.arrow"))
    path.write_bytes(path.read_bytes().replace(b"qqqqqqqq", b"\xff" * 8))
    with pytest.raises(SetError, match="a readable shard"):
        row_by_row(*sets)


@settings(deadline=None, max_examples=80)
@given(whole=ROWS, data=st.data())
def test_rows_occur_in_order_if_they_are_left_when_rows_are_deleted(whole, data):
    picked = data.draw(st.lists(st.integers(0, len(whole) - 1), min_size=1, max_size=8))
    picked = sorted(picked) if data.draw(st.booleans()) else picked
    part = [whole[i] for i in picked]
    cuts = [data.draw(st.integers(0, len(rows))) for rows in (part, whole)]
    with TemporaryDirectory() as folder:
        a = make_rows(Path(folder) / "part", part, shards=cuts[:1])
        b = make_rows(Path(folder) / "whole", whole, shards=cuts[1:], ids=pa.int32())
        assert occurs_in_order(a, b) == left_of(part, whole)


def test_many_batches_in_order(tmp_path):
    rows = [row(*ids) for ids in np.random.default_rng(1).integers(5, 900, (25_000, 2)).tolist()]
    kept = np.flatnonzero(np.random.default_rng(2).random(25_000) < 0.5)
    whole = make_rows(tmp_path / "whole", rows, shards=[7])
    part = make_rows(tmp_path / "part", [rows[i] for i in kept])
    assert occurs_in_order(part, whole)
    assert not occurs_in_order(whole, part)
    turned = [rows[i] for i in [kept[1], kept[0], *kept[2:]]]
    assert not occurs_in_order(make_rows(tmp_path / "turned", turned), whole)
