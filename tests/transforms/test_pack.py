"""Packing: cases worked out by hand, and the plain packer on generated rows."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from driving import CLS, SEP, make_rows, make_setting
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_packing import Packed, Row, as_batch, drive, plain_pack

from transferset.errors import InputError, UsageError
from transferset.steps import Pack
from transferset.transforms import pack_documents
from transferset.transforms.pack_documents import check_together
from transferset.transforms.pack_survey import PackSurvey


def rows_of(*contents, documents=None):
    """Rows with addresses (0, 0), (1, 0), …; documents are ids, or none are known."""
    known = [None if documents is None else (0, 0, d) for d in documents or contents]
    return [Row(c, d, i) for i, (c, d) in enumerate(zip(contents, known, strict=True))]


def packed(rows, length, by="set", **driven):
    done = drive(as_batch(rows), Pack(length, by), total=len(rows), **driven)
    return [row.ids for row in done.packed]


A, B, C, D = [11, 12], [21, 22, 23], [31], [41, 42, 43, 44]


def test_rows_of_one_document_stand_side_by_side():
    # room for 6: 2 + 3 + 1 fill it, 4 begin the next
    rows = rows_of(A, B, C, D, documents=[7, 7, 7, 7])
    assert packed(rows, 8) == [[CLS, *A, *B, *C, SEP], [CLS, *D, SEP]]
    assert packed(rows, 8, "document") == packed(rows, 8)


def test_a_separator_stands_where_the_document_changes():
    # 2 + [SEP] + 3 fill 6; 1 + 4 are of one document and have no [SEP] between them
    rows = rows_of(A, B, C, D, documents=[7, 8, 9, 9])
    assert packed(rows, 8) == [[CLS, *A, SEP, *B, SEP], [CLS, *C, *D, SEP]]


def test_a_separator_takes_room():
    # 2 + 3 fit into 5, but not with the [SEP] between them
    rows = rows_of(A, B, *[C] * 4, documents=[7, 8, 8, 8, 8, 8])
    assert packed(rows, 8)[0] == [CLS, *A, SEP, *B, SEP]
    rows = rows_of(D, B, documents=[7, 8])
    assert packed(rows, 9) == [[CLS, *D, SEP], [CLS, *B, SEP]]
    assert packed(rows, 10) == [[CLS, *D, SEP, *B, SEP]]


@pytest.mark.parametrize("size", [1, 2, 3])
def test_the_document_of_the_last_row_counts_across_batches(size):
    # 8 follows 8, wherever the batch ends, though the packed row began with 7
    rows = rows_of(A, B, C, documents=[7, 8, 8])
    assert packed(rows, 20, size=size) == [[CLS, *A, SEP, *B, *C, SEP]]


def test_a_row_alone_is_a_document_where_none_is_known():
    assert packed(rows_of(A, B, C), 12) == [[CLS, *A, SEP, *B, SEP, *C, SEP]]


def test_by_document_packed_rows_end_with_their_documents():
    rows = rows_of(A, B, C, D, documents=[7, 8, 8, 9])
    assert packed(rows, 100, "document") == [
        [CLS, *A, SEP],
        [CLS, *B, *C, SEP],
        [CLS, *D, SEP],
    ]


def test_a_row_too_long_becomes_near_equal_rows_that_stay_alone():
    # 13 ids, room for 6: three parts of 4, 4 and 5; the short rows around do not join them
    long = list(range(100, 113))
    rows = rows_of(C, long, C, C, documents=[7, 7, 7, 7])
    expected = [
        [CLS, *C, SEP],
        [CLS, *long[:4], SEP],
        [CLS, *long[4:8], SEP],
        [CLS, *long[8:], SEP],
        [CLS, *C, *C, SEP],
    ]
    assert packed(rows, 8) == expected
    done = drive(as_batch(rows), Pack(8), total=4)
    assert [(row.parent_row, row.copy) for row in done.packed] == [
        (0, 0), (1, 0), (1, 1), (1, 2), (2, 0),
    ]  # fmt: skip
    # the books: 4 rows + 2 parts more than rows = 5 rows + 1 joined
    assert done.joined == 1
    assert done.model["rows"] == 5
    assert done.model["tokens"] == sum(map(len, expected))


def test_separators_inside_rows_stay():
    pair = [11, SEP, 12]
    rows = rows_of(pair, B, documents=[7, 7])
    assert packed(rows, 8) == [[CLS, *pair, *B, SEP]]


def test_rows_without_content_join_like_others():
    rows = rows_of([], A, [], B, documents=[7, 7, 8, 8])
    assert packed(rows, 9) == [[CLS, *A, SEP, *B, SEP]]
    assert packed(rows_of([]), 8) == [[CLS, SEP]]


def test_equal_ids_of_documents_from_different_sources_are_different_documents():
    rows = [Row(A, (0, 0, 7), 0), Row(B, (0, 1, 7), 1), Row(C, (1, 1, 7), 2)]
    assert packed(rows, 50) == [[CLS, *A, SEP, *B, SEP, *C, SEP]]
    assert packed(rows, 50, "document") == [[CLS, *A, SEP], [CLS, *B, SEP], [CLS, *C, SEP]]


def test_packed_rows_of_one_parent_row_are_numbered():
    # copies of row 3, of which one was dropped: (3, 0) and (3, 2) are one packed row, (3, 5) joins
    # row 4 in the next
    rows = [Row(A, None, 3, 0), Row(A, None, 3, 2), Row(D, None, 3, 5), Row(C, None, 4, 0)]
    done = drive(as_batch(rows), Pack(8), total=9)
    assert done.packed == [
        Packed([CLS, *A, SEP, *A, SEP], 3, 0),
        Packed([CLS, *D, SEP, *C, SEP], 3, 1),
    ]


def test_by_document_the_documents_columns_stay():
    rows = rows_of(A, B, C, D, documents=[7, 7, 8, 8])
    more = {"rev_id": [70, 71, 80, 81], "sentence": [0, 1, 0, 1], "text": ["a", "b", "c", "d"]}
    for size in (1, 2, 3, 4):
        done = drive(as_batch(rows, **more), Pack(12, "document"), total=4, size=size)
        table = pa.Table.from_batches(done.batches).to_pydict()
        assert set(table) == {
            "input_ids", "doc_id", "rev_id", "source", "part", "parent_row", "copy",
        }  # fmt: skip
        assert table["doc_id"] == [7, 8]
        assert table["rev_id"] == [70, 80]  # of the first row
    done = drive(as_batch(rows, **more), Pack(12), total=4)
    assert set(done.batches[0].schema.names) == {"input_ids", "parent_row", "copy"}


@pytest.mark.parametrize("ids", [pa.uint16(), pa.int32()])
def test_ids_keep_their_type(ids):
    batch = make_rows([[CLS, 9, SEP], [CLS, 8, SEP]], ids=ids)
    done = drive(batch, Pack(8), total=2)
    assert done.batches[-1].column("input_ids").type == pa.list_(ids)
    assert done.packed == [Packed([CLS, 9, SEP, 8, SEP], 0, 0)]


def test_no_rows_are_packed_into_none():
    done = drive(make_rows([]), Pack(8), total=10, bounds=[4])
    assert done.packed == []
    assert done.model == {"rows": 0, "tokens": 0, "bounds": [0, 10]}


@pytest.mark.parametrize("size", [1, 2, 3, 10])
def test_ranges_are_cut_where_packed_rows_begin(size):
    # packed rows of rows 0–2, 3–4, 5–6, 7
    rows = rows_of(A, A, A, D, A, A, A, D, documents=[7] * 8)
    model = drive(as_batch(rows), Pack(8), total=8, bounds=range(1, 8), size=size).model
    assert model["bounds"] == [0, 3, 5, 7, 8]
    model = drive(as_batch(rows), Pack(8), total=8, bounds=[2, 6], size=size).model
    assert model["bounds"] == [0, 3, 7, 8]


def test_ranges_are_not_cut_within_copies_of_a_row():
    rows = [Row(D, None, 0, 0), Row(D, None, 0, 1), Row(D, None, 1, 0), Row(D, None, 1, 1)]
    model = drive(as_batch(rows), Pack(8), total=2, bounds=[1]).model
    assert model["bounds"] == [0, 1, 2]
    rows = [Row(D, None, 0, 0), Row(C, None, 0, 1), Row(C, None, 1, 0), Row(D, None, 1, 1)]
    model = drive(as_batch(rows), Pack(11), total=2, bounds=[1]).model
    assert model["bounds"] == [0, 2]  # the packed row of row 0 takes (1, 0) in, and (1, 1) is late


def test_packing_by_document_needs_documents():
    with pytest.raises(UsageError, match="a column doc_id to --pack by=document"):
        packed(rows_of(A, B), 8, "document")


def test_a_document_that_comes_again_is_named():
    rows = rows_of(A, B, C, D, documents=[7, 8, 8, 7])
    with pytest.raises(UsageError, match=r"document 7 a second time at row 3; .*--no-shuffle"):
        packed(rows, 8, "document")
    assert len(packed(rows, 8)) == 2  # of no matter to packing by set


@pytest.mark.parametrize("size", [1, 3, 10_000])
def test_documents_that_come_again_are_found_across_batches_and_ranges(size, monkeypatch):
    monkeypatch.setattr(pack_documents, "_FIRST_LOOK", 16)
    apart = rows_of(*[C] * 200, documents=[i // 2 for i in range(200)])
    assert len(packed(apart, 8, "document", size=size, cuts=[1, 50, 51])) == 100
    again = [*apart[:-1], apart[-1]._replace(document=(0, 0, 31))]
    with pytest.raises(UsageError, match="document 31 a second time at row 199"):
        packed(again, 8, "document", size=size, cuts=[1, 50, 51])


def test_rows_in_random_order_are_refused_early():
    def batches():
        rows = rows_of(*[C] * 100, documents=[i * 37 % 50 for i in range(100)])
        for batch in [as_batch(rows)] * (pack_documents._FIRST_LOOK // 100 + 2):
            yield PackSurvey(Pack(8, "document"), make_setting()).add(batch)
        pytest.fail("read on")

    class Endless:
        def batches(self):
            return batches()

    with pytest.raises(UsageError, match="document 0 a second time at row 50"):
        check_together(Endless())


def test_documents_of_equal_hash_are_not_taken_for_one(monkeypatch):
    monkeypatch.setattr(pack_documents, "_hashed", lambda runs: (runs.doc_id % 2).astype(np.uint64))
    rows = rows_of(A, B, C, D, documents=[7, 8, 9, 10])
    assert len(packed(rows, 8, "document")) == 4
    with pytest.raises(UsageError, match="document 8 a second time at row 4"):
        packed(rows_of(A, B, C, D, C, documents=[7, 8, 9, 10, 8]), 8, "document")


@pytest.mark.parametrize("row", [[], [CLS], [CLS, 9], [9, SEP], [9, CLS, 9, SEP]])
def test_a_row_of_another_shape_is_refused(row):
    batch = make_rows([[CLS, 9, SEP], row, [CLS, SEP]], addresses=[(3, 0), (5, 0), (9, 0)])
    with pytest.raises(InputError, match=r"rows \[CLS\] … \[SEP\], found another one at row 5"):
        drive(batch, Pack(8), total=10)


@st.composite
def sets(draw, *, by, longest=15):
    """Rows, SRC's size and a length to pack to."""
    known = by == "document" or draw(st.booleans())
    ids = st.sampled_from([SEP, 10, 11, 12, 13])
    content = st.lists(ids, max_size=4) | st.lists(ids, max_size=longest)
    drawn = draw(
        st.lists(st.tuples(content, st.integers(0, 2), st.integers(0, 3)), min_size=1, max_size=30)
    )
    documents = [document for _, document, _ in drawn]
    if by == "document":
        documents.sort()
    rows, parent, copy = [], 0, 0
    for (ids, _, step), document in zip(drawn, documents, strict=True):
        parent, copy = (parent + step, 0) if step else (parent, copy + 1)
        rows.append(Row(ids, (0, document % 2, document) if known else None, parent, copy))
    return rows, parent + draw(st.integers(1, 3)), draw(st.integers(8, 20))


CUTS = st.sets(st.integers(1, 40), max_size=6)
SIZES = st.integers(1, 3) | st.integers(1, 30)


@settings(deadline=None, max_examples=300)  # the first call may have to compile
@given(st.data(), st.sampled_from(["set", "document"]), CUTS, CUTS, SIZES)
def test_packing_is_the_plain_packers_however_ranges_and_batches_are_cut(
    data, by, bounds, cuts, size
):
    rows, total, length = data.draw(sets(by=by))
    bounds, cuts = ({c for c in of if c < total} for of in (bounds, cuts))
    done = drive(as_batch(rows), Pack(length, by), total=total, bounds=bounds, cuts=cuts, size=size)
    expected, joined = plain_pack(rows, length, by)
    assert done.packed == expected
    assert done.joined == joined
    assert done.model["rows"] == len(expected)
    assert done.model["tokens"] == sum(len(row.ids) for row in expected)


@settings(deadline=None)
@given(st.data(), st.sampled_from(["set", "document"]))
def test_nothing_is_lost_and_nothing_is_too_long(data, by):
    rows, total, length = data.draw(sets(by=by))
    done = drive(as_batch(rows), Pack(length, by), total=total)
    before = [t for row in rows for t in row.content if t != SEP]
    after = [t for row in done.packed for t in row.ids[1:-1] if t != SEP]
    assert after == before
    assert all(len(row.ids) <= length for row in done.packed)
    assert all(row.ids[0] == CLS and row.ids[-1] == SEP for row in done.packed)
    addresses = [(row.parent_row, row.copy) for row in done.packed]
    assert addresses == sorted(set(addresses))
    # the books
    parts = sum(-(-len(row.content) // (length - 2)) - 1 for row in rows if row.content)
    assert len(rows) + parts == len(done.packed) + done.joined


@settings(deadline=None)
@given(sets(by="document", longest=6))
def test_no_two_neighbours_of_one_document_would_fit_together(drawn):
    drawn_rows, _, length = drawn  # of which none is too long alone
    rows = [row._replace(parent_row=i, copy=0) for i, row in enumerate(drawn_rows)]
    done = drive(as_batch(rows), Pack(length, "document"), total=len(rows))
    for a, b in pairwise(pa.Table.from_batches(done.batches).to_pylist()):
        if a["doc_id"] == b["doc_id"]:
            # the second one's first row did not fit into the first one
            assert len(a["input_ids"]) + len(rows[b["parent_row"]].content) > length
