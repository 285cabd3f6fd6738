"""The documents table: written the same however documents arrive, read only as it was written."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sets import make_set

from transferset.documents import (
    BATCH_DOCUMENTS,
    DOCUMENTS,
    SCHEMA,
    read_documents,
    write_documents,
)
from transferset.errors import SetError
from transferset.files import write_atomic
from transferset.manifest import MANIFEST
from transferset.shards import ShardSet
from transferset.verification import verify


def rows(count: int, start: int = 0, each: int = 1) -> pa.RecordBatch:
    """Documents numbered from `start`, each with so many rows."""
    texts = {f.name: [f"{f.name} {i}" for i in range(start, start + count)] for f in SCHEMA}
    numbers = {
        "source": [0] * count,
        "doc_id": list(range(start, start + count)),
        "rev_id": [7] * count,
        "words": [3] * count,
        "rows": [each] * count,
    }
    return pa.RecordBatch.from_pydict({**texts, **numbers}, SCHEMA)


def with_table(root, batch: pa.RecordBatch) -> ShardSet:
    """A set with a documents table."""
    found = make_set(root, [20])
    entry = write_documents(root, [batch], SCHEMA)
    manifest = replace(found.manifest, files=(*found.manifest.files, entry))
    write_atomic(root / MANIFEST, manifest.to_bytes())
    return ShardSet.open(root)


@settings(max_examples=20, deadline=None)
@given(cuts=st.lists(st.integers(0, 2 * BATCH_DOCUMENTS + 5), max_size=4))
def test_bytes_do_not_depend_on_how_documents_arrive(tmp_path_factory, cuts):
    whole = rows(2 * BATCH_DOCUMENTS + 5)
    bounds = [0, *sorted(cuts), whole.num_rows]
    parts = [whole.slice(a, b - a) for a, b in pairwise(bounds)]
    one, other = (tmp_path_factory.mktemp("table") for _ in range(2))
    assert write_documents(one, [whole], SCHEMA) == write_documents(other, parts, SCHEMA)
    assert (one / DOCUMENTS).read_bytes() == (other / DOCUMENTS).read_bytes()


def test_what_was_written_is_read(tmp_path):
    found = with_table(tmp_path / "set", rows(20))
    (batch,) = read_documents(found.root, found.manifest)
    assert batch.to_pylist() == rows(20).to_pylist()
    verify(found.root)


def test_a_set_without_a_table_has_no_documents(tmp_path):
    found = make_set(tmp_path / "set", [20])
    assert list(read_documents(found.root, found.manifest)) == []


def test_a_changed_byte_is_found(tmp_path):
    found = with_table(tmp_path / "set", rows(20))
    path = found.root / DOCUMENTS
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)
    with pytest.raises(SetError, match=r"documents\.arrow"):
        list(read_documents(found.root, found.manifest))


def test_another_table_in_its_place_is_refused(tmp_path):
    found = make_set(tmp_path / "set", [20])
    other = pa.RecordBatch.from_pydict({"title": ["x"]})
    entry = write_documents(found.root, [other], other.schema)
    manifest = replace(found.manifest, files=(*found.manifest.files, entry))
    with pytest.raises(SetError, match="a table of documents"):
        list(read_documents(found.root, manifest))


def test_documents_with_more_rows_than_the_set_are_found_by_verify(tmp_path):
    found = with_table(tmp_path / "set", rows(20, each=2))
    with pytest.raises(SetError, match="documents of 20 rows"):
        verify(found.root)
