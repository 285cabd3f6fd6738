"""The digests of what an export holds, against a plain loop over symbols."""

from __future__ import annotations

import struct

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transferset.exports.contents import POINTS, PRIME, Digest, digest


def plain(rows: list[list[int]], ends: bool = True) -> tuple[int, ...]:
    """The definition: of each row its values increased by 2, then a 1."""
    values = [0] * len(POINTS)
    for row in rows:
        for symbol in [value + 2 for value in row] + ([1] if ends else []):
            values = [(h * x + symbol) % PRIME for h, x in zip(values, POINTS, strict=True)]
    return tuple(values)


some_ids = st.lists(st.lists(st.integers(0, 65535), max_size=9), max_size=9)


@given(some_ids, st.integers(0, 9), st.booleans())
def test_pieces_add_up_to_the_whole_wherever_it_is_cut(rows, cut, ends):
    column = pa.array(rows, pa.list_(pa.uint16()))
    pieces = digest(column[:cut], ends=ends) + digest(column[cut:], ends=ends)
    assert pieces == digest(column, ends=ends)
    assert pieces.values == plain(rows, ends)
    assert Digest.from_json(pieces.to_json()) == pieces
    assert len(pieces.hex) == 32


@given(some_ids)
def test_the_width_of_ids_makes_no_difference(rows):
    narrow, wide = (pa.array(rows, pa.list_(kind)) for kind in (pa.uint16(), pa.int32()))
    assert digest(narrow) == digest(wide)


@given(st.lists(st.text(max_size=5), max_size=6), st.integers(0, 3))
def test_texts_are_their_bytes(texts, start):
    column = pa.array(texts, pa.string())[start:]
    assert digest(column).values == plain([list(text.encode()) for text in texts[start:]])


@pytest.mark.parametrize(
    ("column", "rows"),
    [
        (pa.array([1, None, 258], pa.int64()), [struct.pack("<q", 1), b"", struct.pack("<q", 258)]),
        (pa.array([0.5, 3], pa.float32()), [struct.pack("<f", 0.5), struct.pack("<f", 3)]),
        (pa.array([True, False]), [b"\1", b"\0"]),
        (pa.array([["ab", ""], [], ["é"]]), [b"ab\xff\xff", b"", "é".encode() + b"\xff"]),
        (pa.array([["x"], ["ab"], ["é"]])[1:], [b"ab\xff", "é".encode() + b"\xff"]),
        (pa.array([[True], []], pa.list_(pa.bool_())), [b"\1", b""]),
        (
            pa.array([[0, 0], [1, 2], [3, 4]], pa.list_(pa.float16(), 2))[1:],
            [struct.pack("<ee", 1, 2), struct.pack("<ee", 3, 4)],
        ),
        (pa.array([2**64 - 1], pa.uint64()), [b"\xff" * 8]),
    ],
    ids=lambda one: str(one.type) if isinstance(one, pa.Array) else "",
)
def test_other_columns_are_bytes_in_little_endian(column, rows):
    assert digest(column).values == plain([list(row) for row in rows])


def test_order_bounds_of_rows_and_every_value_matter():
    rows = [[1, 2], [3]]
    whole = digest(pa.array(rows, pa.list_(pa.uint16())))
    for other in ([[3], [1, 2]], [[1], [2, 3]], [[1, 2], [4]], [[1, 2], [3], []]):
        assert digest(pa.array(other, pa.list_(pa.uint16()))) != whole


def test_labels_below_zero_are_told_apart_from_ids():
    labels = pa.array([[-100, 5]], pa.list_(pa.int32()))
    assert digest(labels) != digest(pa.array([[5, 5]], pa.list_(pa.int32())))
