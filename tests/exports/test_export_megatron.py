"""Megatron's files hold the set's rows, as its own reader finds them, and its documents."""

from __future__ import annotations

import struct
from itertools import pairwise

import numpy as np
import pytest
from label_sets import make_labelled
from sets import make_set

import transferset
from transferset.errors import SetError, UsageError
from transferset.exports import megatron
from transferset.exports.cutting import pieces


def read_index(path):
    """The numbers of an index: type of an id, lengths, places, ends of documents."""
    raw = path.read_bytes()
    mark, version, code, sequences, documents = struct.unpack_from("<9sQBQQ", raw)
    assert (mark, version) == (b"MMIDIDX\0\0", 1)
    numbers = struct.unpack_from(f"<{sequences}i{sequences}q{documents}q", raw, 34)
    assert len(raw) == 34 + 12 * sequences + 8 * documents
    lengths, rest = numbers[:sequences], numbers[sequences:]
    return {8: "<u2", 4: "<i4"}[code], lengths, rest[:sequences], rest[sequences:]


def read_rows(prefix):
    """Rows as lists of ids."""
    kind, lengths, places, _ = read_index(prefix.with_suffix(".idx"))
    raw = prefix.with_suffix(".bin").read_bytes()
    size = np.dtype(kind).itemsize
    return [
        np.frombuffer(raw[place : place + size * length], kind).tolist()
        for place, length in zip(places, lengths, strict=True)
    ]


def ids_of(found):
    return [row for batch in found.batches() for row in batch.column("input_ids").to_pylist()]


def with_documents(root, documents):
    """A set whose rows belong to documents: (doc_id, sentence) of each row."""
    return make_labelled(
        root,
        {
            "input_ids": [[2, 5 + i % 900, 3] for i in range(len(documents))],
            "doc_id": [document for document, _ in documents],
            "sentence": [number for _, number in documents],
        },
    )


def test_a_small_export_by_hand(tmp_path):
    make_labelled(tmp_path / "set", {"input_ids": [[2, 5, 6, 3], [2, 3]]})
    transferset.export(tmp_path / "set", tmp_path / "out", to="megatron", workers=1)
    assert (tmp_path / "out/train.bin").read_bytes() == struct.pack("<6H", 2, 5, 6, 3, 2, 3)
    assert (tmp_path / "out/train.idx").read_bytes() == (
        b"MMIDIDX\0\0"
        + struct.pack("<QBQQ", 1, 8, 2, 3)
        + struct.pack("<2i", 4, 2)
        + struct.pack("<2q", 0, 8)
        + struct.pack("<3q", 0, 1, 2)
    )


@pytest.fixture
def several_tasks(monkeypatch):
    monkeypatch.setattr(megatron, "pieces", lambda found: pieces(found, 1))


def test_each_row_is_a_sequence_and_a_document(tmp_path, several_tasks):
    found = make_set(tmp_path / "set", [12_000, 13_500])
    made = transferset.export(found.root, tmp_path / "out", to="megatron", workers=1)
    assert read_rows(tmp_path / "out/train") == ids_of(found)
    assert read_index(tmp_path / "out/train.idx")[3] == tuple(range(25_501))
    assert made.record.rows == 25_500
    transferset.verify_export(tmp_path / "out")


def test_two_workers_write_the_same_bytes(tmp_path, several_tasks):
    found = make_set(tmp_path / "set", [25_500])
    made = {}
    for workers in (1, 2):
        out = tmp_path / str(workers)
        transferset.export(found.root, out, to="megatron", workers=workers)
        made[workers] = [(out / f"train.{kind}").read_bytes() for kind in ("bin", "idx")]
    assert made[1] == made[2]


def test_ids_can_be_of_32_bits(tmp_path):
    found = make_set(tmp_path / "set", [50])
    transferset.export(found.root, tmp_path / "out", to="megatron", dtype="int32", workers=1)
    assert read_index(tmp_path / "out/train.idx")[0] == "<i4"
    assert read_rows(tmp_path / "out/train") == ids_of(found)
    transferset.verify_export(tmp_path / "out")


def test_documents_are_the_rows_of_one_doc_id(tmp_path, several_tasks):
    # documents of seven rows: some lie in two tasks and in two record batches
    rows = [(9000 - i // 7, i % 7) for i in range(20_500)]
    found = with_documents(tmp_path / "set", rows)
    transferset.export(found.root, tmp_path / "out", to="megatron", document="doc", workers=1)
    assert read_rows(tmp_path / "out/train") == ids_of(found)
    assert read_index(tmp_path / "out/train.idx")[3] == (*range(0, 20_500, 7), 20_500)


def test_documents_of_two_sources_may_have_one_id(tmp_path):
    columns = {
        "input_ids": [[2, 5, 3]] * 4,
        "doc_id": [7, 7, 7, 7],
        "sentence": [0, 1, 0, 1],
        "source": [0, 0, 1, 1],
    }
    make_labelled(tmp_path / "set", columns)
    transferset.export(tmp_path / "set", tmp_path / "out", to="megatron", document="doc", workers=1)
    assert read_index(tmp_path / "out/train.idx")[3] == (0, 2, 4)


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([(1, 0), (2, 0), (1, 1)], "document 1 once more at .*row 2"),
        ([(1, 0), (1, 2), (1, 1)], "sentence 1 after 2 at .*row 2"),
    ],
)
def test_scattered_documents_are_refused(tmp_path, rows, told):
    found = with_documents(tmp_path / "set", rows)
    with pytest.raises(UsageError, match=told):
        transferset.export(found.root, tmp_path / "out", to="megatron", document="doc", workers=1)
    assert not (tmp_path / "out/export.json").exists()
    transferset.export(found.root, tmp_path / "out", to="megatron", document="row", workers=1)


@pytest.mark.parametrize("last", [3, 12])
def test_sentences_are_compared_across_tasks(tmp_path, several_tasks, last):
    # the document of row 9,999 goes on in the next task: two tasks of 10,000 rows
    rows = [(i, 0) for i in range(9_999)] + [(9_999, 5), (9_999, last)]
    rows += [(10_000 + i, 0) for i in range(9_999)]
    found = with_documents(tmp_path / "set", rows)
    arguments = {"to": "megatron", "document": "doc", "workers": 1}
    if last < 5:
        with pytest.raises(UsageError, match="sentence 3 after 5"):
            transferset.export(found.root, tmp_path / "out", **arguments)
    else:
        transferset.export(found.root, tmp_path / "out", **arguments)
        ends = read_index(tmp_path / "out/train.idx")[3]
        assert [b - a for a, b in pairwise(ends)][9_999] == 2


@pytest.mark.parametrize(
    ("columns", "options", "told"),
    [
        ({"text": ["a"]}, {}, "a column input_ids for --to megatron, found text"),
        ({"input_ids": [[2, 3]]}, {"document": "doc"}, "a column doc_id, found input_ids"),
        ({"input_ids": [[2, 3]]}, {"document": "page"}, "--document row or doc, found page"),
        ({"input_ids": [[2, 3]]}, {"dtype": "uint32"}, "--dtype uint16 or int32 .*, found uint32"),
    ],
)
def test_what_cannot_be_is_told_before_anything_is_written(tmp_path, columns, options, told):
    make_labelled(tmp_path / "set", columns)
    with pytest.raises(UsageError, match=told):
        transferset.export(tmp_path / "set", tmp_path / "out", to="megatron", workers=1, **options)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("place", "value", "told"),
    [
        (0, b"XXIDIDX\0\0", "an index of Megatron's"),
        (9, b"\2", "an index of Megatron's"),
        (18, struct.pack("<Q", 51), "50 sequences, found 51"),
        (34, struct.pack("<i", 1 << 30), "rows one after the other"),
        (34, struct.pack("<i", -3), "rows one after the other"),
        (34 + 4 * 50, struct.pack("<q", 6), "rows one after the other"),
        (34 + 4 * 50, struct.pack("<q", -6), "rows one after the other"),
    ],
)
def test_a_wrong_index_is_refused_by_our_own_reading(tmp_path, monkeypatch, place, value, told):
    monkeypatch.setattr(megatron, "_theirs", lambda: None)
    found = make_set(tmp_path / "set", [50])
    made = transferset.export(found.root, tmp_path / "out", to="megatron", workers=1)
    path = tmp_path / "out/train.idx"
    raw = bytearray(path.read_bytes())
    raw[place : place + len(value)] = value
    path.write_bytes(raw)
    with pytest.raises(SetError, match=told):
        list(megatron.FORMAT.read(made.root, made.record, "train"))


def test_an_index_without_its_end_is_refused(tmp_path):
    found = make_set(tmp_path / "set", [50])
    made = transferset.export(found.root, tmp_path / "out", to="megatron", workers=1)
    path = tmp_path / "out/train.idx"
    for size in (300, 20, 0):
        path.write_bytes(path.read_bytes()[:size])
        with pytest.raises(SetError, match="a readable file of an export"):
            list(megatron.FORMAT.read(made.root, made.record, "train"))


def test_megatrons_reader_finds_the_rows_and_its_builder_writes_the_same_bytes(tmp_path):
    theirs = pytest.importorskip("megatron.core.datasets.indexed_dataset")
    torch = pytest.importorskip("torch")
    found = make_set(tmp_path / "set", [400])
    transferset.export(found.root, tmp_path / "out", to="megatron", workers=1)
    rows = ids_of(found)
    read = theirs.IndexedDataset(str(tmp_path / "out/train"))
    assert [read[i].tolist() for i in range(len(read))] == rows
    builder = theirs.IndexedDatasetBuilder(str(tmp_path / "b.bin"), dtype=np.uint16)
    for row in rows:
        builder.add_document(torch.tensor(row), [len(row)])
    builder.finalize(str(tmp_path / "b.idx"))
    for kind in ("bin", "idx"):
        ours = (tmp_path / f"out/train.{kind}").read_bytes()
        assert ours == (tmp_path / f"b.{kind}").read_bytes()
