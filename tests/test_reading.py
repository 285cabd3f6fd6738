"""Ranges of rows, each byte checked as it is read."""

from __future__ import annotations

import re

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sets import make_set

from transferset import SetError
from transferset.manifest import PIECE_BYTES
from transferset.reading import read_rows

ROWS = [10_000, 25_003, 1, 40_000]


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    return make_set(tmp_path_factory.mktemp("set") / "set", ROWS)


@pytest.fixture(scope="module")
def table(found):
    return pa.Table.from_batches(found.batches()).combine_chunks()


@given(st.integers(0, sum(ROWS)), st.integers(0, sum(ROWS)))
def test_a_range_is_those_rows(found, table, a, b):
    start, stop = min(a, b), max(a, b)
    batches = list(read_rows(found, start, stop))
    rows = [row for row, _ in batches]
    assert rows == sorted(rows)
    assert all(batch.num_rows for _, batch in batches)
    got = pa.Table.from_batches([batch for _, batch in batches], table.schema)
    assert got.equals(table.slice(start, stop - start))
    for row, batch in batches:
        assert batch.column("doc_id")[0].as_py() == row


def test_only_the_columns_asked_for(found):
    _, batch = next(read_rows(found, 5, 6, ["doc_id", "input_ids"]))
    assert batch.schema.names == ["doc_id", "input_ids"]


def test_shards_of_several_pieces_are_there(found):
    assert max(shard.bytes for shard in found.manifest.shards) > PIECE_BYTES


@pytest.mark.parametrize("place", [0.01, 0.3, 0.6, 0.97])
def test_a_flipped_bit_is_noticed_where_it_is_read(tmp_path, place):
    found = make_set(tmp_path / "set", [40_000])
    path = found.root / found.manifest.shards[0].file
    raw = bytearray(path.read_bytes())
    at = int(len(raw) * place)
    raw[at] ^= 8
    path.write_bytes(raw)
    first = at // PIECE_BYTES * PIECE_BYTES
    with pytest.raises(SetError, match=re.escape(f"{path}, bytes {first}–")):
        list(read_rows(found, 0, 40_000))


def test_damage_elsewhere_does_not_matter_to_a_range(tmp_path):
    found = make_set(tmp_path / "set", [300_000])
    assert found.manifest.shards[0].bytes > 9 * PIECE_BYTES  # farther than is read ahead
    path = found.root / found.manifest.shards[0].file
    raw = bytearray(path.read_bytes())
    raw[-PIECE_BYTES // 8] ^= 8
    path.write_bytes(raw)
    assert sum(batch.num_rows for _, batch in read_rows(found, 0, 10)) == 10


@pytest.mark.parametrize("keep", [0, 100, 200_000])
def test_a_cut_file_is_noticed(tmp_path, keep):
    found = make_set(tmp_path / "set", [40_000])
    path = found.root / found.manifest.shards[0].file
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(SetError):
        list(read_rows(found, 0, 40_000))
