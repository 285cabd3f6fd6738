from __future__ import annotations

import itertools
import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sets import make_set, make_table

from transferset import schema
from transferset.errors import SetError, UsageError
from transferset.manifest import MANIFEST
from transferset.shards import ShardSet, ShardWriter

SCHEMA = schema.make_schema(["input_ids", "text", "doc_id"], pa.uint16())


def table(rows: int, start: int = 0) -> pa.Table:
    return make_table(rows, start).select(SCHEMA.names).cast(SCHEMA)


@settings(max_examples=40, deadline=None)
@given(cuts=st.lists(st.integers(0, 25_000), max_size=8))
def test_bytes_do_not_depend_on_how_rows_arrive(cuts, tmp_path_factory):
    root = tmp_path_factory.mktemp("shards")
    whole = table(25_000)
    with ShardWriter(root / "a.arrow", SCHEMA) as writer:
        writer.write(whole)
        one = writer.commit()
    bounds = [0, *sorted(cuts), 25_000]
    with ShardWriter(root / "b.arrow", SCHEMA) as writer:
        for a, b in itertools.pairwise(bounds):
            writer.write(whole.slice(a, b - a))
        other = writer.commit()
    assert (one.blake3, one.rows, one.tokens) == (other.blake3, other.rows, other.tokens)
    assert pa.ipc.open_stream((root / "b.arrow").read_bytes()).read_all().equals(whole)


def test_batches_hold_ten_thousand_rows(tmp_path):
    with ShardWriter(tmp_path / "a.arrow", SCHEMA) as writer:
        writer.write(table(25_000))
        writer.commit()
    reader = pa.ipc.open_stream((tmp_path / "a.arrow").read_bytes())
    assert [batch.num_rows for batch in reader] == [10_000, 10_000, 5_000]


def test_a_shard_is_not_there_before_commit_nor_after_a_failure(tmp_path):
    def fail() -> None:
        with ShardWriter(tmp_path / "a.arrow", SCHEMA) as writer:
            writer.write(table(20_000))
            assert not (tmp_path / "a.arrow").exists()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_a_schema_takes_known_columns_only():
    with pytest.raises(UsageError, match="colour"):
        schema.make_schema(["input_ids", "colour"], pa.uint16())
    with pytest.raises(UsageError, match="input_ids or text"):
        schema.make_schema(["doc_id"], pa.uint16())


@pytest.mark.parametrize(
    ("size", "expected"), [(30_522, pa.uint16()), (65_536, pa.uint16()), (65_537, pa.int32())]
)
def test_ids_take_the_narrowest_type(size, expected):
    assert schema.ids_type(size) == expected


def test_an_opened_set_gives_its_rows_in_order(tmp_path):
    made = make_set(tmp_path / "set", rows=[12_000, 9_000])
    read = pa.Table.from_batches(list(made.batches()))
    assert read.column("doc_id").to_pylist() == list(range(21_000))
    assert len(made) == 21_000


@pytest.mark.parametrize("world_size", [1, 2, 3, 5])
def test_ranks_share_the_batches_without_overlap(tmp_path, world_size):
    made = make_set(tmp_path / "set", rows=[25_000, 9_000])
    shares = [
        [b.column("doc_id")[0].as_py() for b in made.batches(rank, world_size)]
        for rank in range(world_size)
    ]
    assert sorted(itertools.chain(*shares)) == [0, 10_000, 20_000, 25_000]


def test_rows_come_in_the_order_asked_for(tmp_path):
    made = make_set(tmp_path / "set", rows=[12_000, 9_000])
    picked = made.rows([20_999, 0, 12_000, 11_999, 0])
    assert picked.column("doc_id").to_pylist() == [20_999, 0, 12_000, 11_999, 0]
    with pytest.raises(IndexError, match="21000"):
        made.rows([21_000])
    assert made.rows([]).num_rows == 0


def test_a_missing_or_unfinished_set_is_said_to_be_so(tmp_path):
    with pytest.raises(SetError, match="no such directory"):
        ShardSet.open(tmp_path / "nothing")
    (tmp_path / "half" / "_run").mkdir(parents=True)
    with pytest.raises(SetError, match="run its command again"):
        ShardSet.open(tmp_path / "half")


def test_a_shard_cut_at_a_batch_boundary_is_noticed_on_open(tmp_path):
    made = make_set(tmp_path / "set", rows=[30_000])
    path = made.root / made.manifest.shards[0].file
    with pa.ipc.open_stream(pa.memory_map(str(path))) as reader:
        first = reader.read_next_batch()
        schema_of = reader.schema
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, schema_of) as stream:
        stream.write_batch(first)
    path.write_bytes(sink.getvalue().to_pybytes())
    assert pa.ipc.open_stream(path.read_bytes()).read_all().num_rows == 10_000  # reads as whole
    with pytest.raises(SetError, match=r"data-00000-of-00001\.arrow, byte"):
        ShardSet.open(made.root)


@pytest.mark.parametrize("name", ["rows", "tokens", "bytes"])
def test_totals_that_are_not_those_of_the_shards_are_noticed_on_open(tmp_path, name):
    made = make_set(tmp_path / "set", [30, 20])
    totals = {**made.manifest.totals, name: made.manifest.totals[name] + 1}
    (made.root / MANIFEST).write_bytes(replace(made.manifest, totals=totals).to_bytes())
    with pytest.raises(SetError, match=f"totals of the shards, 50 rows.*found .*{totals[name]:,}"):
        ShardSet.open(made.root)


def test_a_newer_format_is_refused(tmp_path):
    made = make_set(tmp_path / "set", rows=[10], format=2)
    with pytest.raises(SetError, match="format 2"):
        ShardSet.open(made)


def test_metadata_holds_features_and_format_only(tmp_path):
    made = make_set(tmp_path / "set", rows=[10])
    metadata = made.schema.metadata
    assert sorted(metadata) == [b"huggingface", b"transferset"]
    features = json.loads(metadata[b"huggingface"])["info"]["features"]
    assert features["input_ids"] == {
        "feature": {"dtype": "uint16", "_type": "Value"},
        "_type": "List",
    }


def test_reading_a_set_copies_nothing(tmp_path):
    made = make_set(tmp_path / "set", rows=[60_000])
    before = pa.total_allocated_bytes()
    batches = list(made.batches())
    assert pa.total_allocated_bytes() == before
    ids = batches[3].column("input_ids").values.to_numpy(zero_copy_only=True)
    assert ids.dtype == np.uint16
