"""Logits as columns: types, bytes, and the manifest's word on who they are of."""

from __future__ import annotations

import itertools
import json
import math
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from blake3 import blake3
from hypothesis import given, settings
from hypothesis import strategies as st
from sets import make_set
from teacher_sets import CLASSIFIER, HALF, MASKED, make_logits, make_top, top_columns

from transferset import schema
from transferset.errors import SetError, UsageError
from transferset.manifest import MANIFEST, Manifest, digest_json, pretty
from transferset.reading import read_rows
from transferset.shards import ShardSet, ShardWriter, stated_schema
from transferset.steps.step import STALE

FULL = schema.logits_type(3)
TYPES = st.builds(
    schema.logits_type, st.integers(1, 65_536), st.sampled_from([pa.float32(), pa.float16()])
)


@given(TYPES)
def test_a_manifest_tells_the_type_of_logits(kind):
    made = schema.make_schema(["text", "logits"], pa.uint16(), logits=kind)
    told = schema.describe(made)
    number = "float" if kind.value_type == pa.float32() else "halffloat"
    assert told["logits"] == f"fixed_size_list<{number}>[{kind.list_size}]"
    assert schema.stated_logits(told) == kind == made.field("logits").type


@pytest.mark.parametrize("told", [
    "list<float>", "fixed_size_list<float>[0]", "fixed_size_list<double>[2]",
    "fixed_size_list<float>[2] ", "fixed_size_list<float>[٢]", "fixed_size_list<float>[02]",
    "fixed_size_list<float>[-2]", "fixed_size_list<float>[100000]",
])  # fmt: skip
def test_another_type_of_logits_is_none(told):
    assert schema.stated_logits({"logits": told}) is None


@pytest.mark.parametrize("classes", [0, -1, 65_537, 2**40])
def test_logits_have_a_class_or_several(classes):
    with pytest.raises(UsageError, match=r"1 to 65,536 classes"):
        schema.logits_type(classes)


def test_logits_need_their_type():
    with pytest.raises(UsageError, match="logits with their type"):
        schema.make_schema(["input_ids", "logits"], pa.uint16())
    assert "logits" not in schema.make_schema(["input_ids"], pa.uint16(), logits=FULL).names


@pytest.mark.parametrize("ids", [pa.uint16(), pa.int32()])
def test_top_ids_are_as_wide_as_ids(ids):
    made = schema.make_schema(["input_ids", "labels", *schema.TEACHER[1:]], ids)
    assert made.field("top_ids").type == pa.list_(ids) == made.field("input_ids").type
    assert made.field("top_logits").type == made.field("tail").type == pa.list_(pa.float16())


def test_datasets_is_told_the_width():
    features = schema.features(schema.make_schema(["text", "logits"], pa.uint16(), logits=HALF))
    half = {"dtype": "float16", "_type": "Value"}
    assert features["logits"] == {"feature": half, "length": 2, "_type": "List"}
    features = schema.features(schema.make_schema(["text", "logits"], pa.uint16(), logits=FULL))
    assert features["logits"]["feature"]["dtype"] == "float32"


def test_a_step_that_changes_ids_drops_all_that_teachers_said():
    assert set(schema.TEACHER) <= set(STALE)


BITS = {16: np.uint16, 32: np.uint32}


@settings(max_examples=60, deadline=None)
@given(
    width=st.integers(1, 5),
    bits=st.sampled_from([16, 32]),
    rows=st.integers(0, 12),
    around=st.tuples(st.integers(0, 5), st.integers(0, 5)),
    seed=st.integers(0, 2**32 - 1),
)
def test_bytes_are_those_of_the_rows_alone(width, bits, rows, around, seed, tmp_path_factory):
    """Slices of longer columns, and rows that arrive in parts, give equal bytes; any bits stay."""
    root = tmp_path_factory.mktemp("shards")
    kind = schema.logits_type(width, {16: pa.float16(), 32: pa.float32()}[bits])
    of_set = schema.make_schema(["text", "logits"], pa.uint16(), logits=kind)
    before, after = around
    total = before + rows + after
    drawn = np.random.default_rng(seed).integers(0, 2**bits, total * width).astype(BITS[bits])
    values = pa.array(drawn.view(f"f{bits // 8}"), kind.value_type)
    texts = pa.array([f"{i}" for i in range(total)])
    whole = pa.table([texts, pa.FixedSizeListArray.from_arrays(values, type=kind)], schema=of_set)
    part = whole.slice(before, rows)
    copied = drawn[before * width : (before + rows) * width].copy()
    own = pa.FixedSizeListArray.from_arrays(
        pa.array(copied.view(f"f{bits // 8}"), kind.value_type), type=kind
    )
    alone = pa.table(
        [pa.array([f"{i}" for i in range(before, before + rows)], pa.string()), own], schema=of_set
    )
    digests = []
    ways = [[alone], [part], [part.slice(i, 1) for i in range(rows)], part.to_batches()]
    for i, tables in enumerate(ways):
        with ShardWriter(root / f"{i}.arrow", of_set) as writer:
            for table in tables:
                writer.write(table)
            digests.append(writer.commit().blake3)
    assert len(set(digests)) == 1
    read = pa.ipc.open_stream((root / "1.arrow").read_bytes()).read_all().column("logits")
    flat = [chunk.flatten().to_numpy() for chunk in read.chunks]
    assert np.concatenate([np.zeros(0, f"f{bits // 8}"), *flat]).tobytes() == copied.tobytes()


def test_lists_of_16_bit_numbers_are_written_as_they_are(tmp_path):
    found = make_top(tmp_path / "set", rows=30)
    given_columns = top_columns(30)
    rows = pa.Table.from_batches(found.batches())
    for name in ("top_ids", "top_logits", "tail"):
        assert rows[name].to_pylist() == [list(map(float, row)) for row in given_columns[name]]
    again = make_top(tmp_path / "again", rows=30)
    assert again.manifest.shards == found.manifest.shards


@pytest.mark.parametrize("logits", [[None, [1, 2]], [[1, None], [1, 2]]])
def test_nulls_are_not_written(tmp_path, logits):
    of_set = schema.make_schema(["text", "logits"], pa.uint16(), logits=HALF)
    batch = pa.record_batch([pa.array(["a", "b"]), pa.array(logits, HALF)], schema=of_set)
    with ShardWriter(tmp_path / "a.arrow", of_set) as writer:
        writer.write(batch)
        with pytest.raises(ValueError, match="no nulls"):
            writer.commit()


@pytest.mark.parametrize("kind", [HALF, FULL])
def test_a_set_is_read_as_a_parent_and_by_row(tmp_path, kind):
    teacher = {**CLASSIFIER, "classes": ["a", "b", "c"][: kind.list_size]}
    found = make_logits(tmp_path / "set", 13_000, logits=kind, teacher=teacher, shards=[12_000])
    assert stated_schema(found).equals(found.schema, check_metadata=True)
    expected = pa.Table.from_batches(found.batches())["logits"]
    parts = [batch["logits"] for _, batch in read_rows(found, 9_990, 12_010, ["logits"])]
    read = list(itertools.chain.from_iterable(part.to_pylist() for part in parts))
    assert read == expected.slice(9_990, 2_020).to_pylist()
    assert found.rows([12_999, 5])["logits"].to_pylist() == [
        expected[12_999].as_py(),
        expected[5].as_py(),
    ]


def test_nulls_of_a_stranger_are_refused_where_a_parent_is_read(tmp_path):
    found = make_logits(tmp_path / "set", 4)
    rows = pa.Table.from_batches(found.batches())
    holed = pa.array([[1, 2], [1, None], [3, 4], [5, 6]], HALF)
    table = rows.set_column(rows.column_names.index("logits"), found.schema.field("logits"), holed)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, found.schema) as stream:
        stream.write_batch(table.combine_chunks().to_batches()[0])
    rewrite(found, sink.getvalue().to_pybytes())
    with pytest.raises(SetError, match="logits in every row"):
        list(read_rows(ShardSet.open(found.root), 0, 4))


def rewrite(found, raw):
    """Other bytes in place of the only shard, and a manifest with their digests."""
    (found.root / found.manifest.shards[0].file).unlink()  # others have it mapped
    (found.root / found.manifest.shards[0].file).write_bytes(raw)
    digest = blake3(raw).hexdigest()
    entry = replace(found.manifest.shards[0], bytes=len(raw), blake3=digest, pieces=(digest[:16],))
    totals = {**found.manifest.totals, "bytes": len(raw)}
    manifest = replace(found.manifest, shards=(entry,), totals=totals)
    (found.root / MANIFEST).write_bytes(manifest.to_bytes())


@pytest.mark.parametrize("teacher", [CLASSIFIER, MASKED, {**CLASSIFIER, "classes": None}])
def test_the_teacher_stands_in_the_manifest(tmp_path, teacher):
    found = make_set(tmp_path / "set", [10])
    manifest = replace(found.manifest, teacher=teacher)
    assert Manifest.from_bytes(manifest.to_bytes(), "it").teacher == teacher


def test_a_manifest_without_a_teacher_says_nothing_of_one(tmp_path):
    raw = make_set(tmp_path / "set", [10]).manifest.to_bytes()
    assert "teacher" not in json.loads(raw)
    body = {**json.loads(raw), "teacher": None}
    del body["digest"]
    stated = pretty({**body, "digest": digest_json(body)})
    with pytest.raises(SetError, match="a manifest as written"):  # there is one way to say it
        Manifest.from_bytes(stated, "it")


WRONG = [
    ([], "an object"),
    ({**CLASSIFIER, "kind": "generator"}, "classifier or masked"),
    ({**CLASSIFIER, "kind": ["masked"]}, "classifier or masked"),
    ({**CLASSIFIER, "classes": "ab"}, "a list"),
    ({**CLASSIFIER, "classes": [1, 2]}, "a string"),
    ({**MASKED, "temperature": 0}, "a number above 0"),
    ({**MASKED, "temperature": True}, "a number above 0"),
    ({**MASKED, "temperature": "2"}, "a number above 0"),
    ({**MASKED, "top_k": 2.5}, "a whole number"),
    ({**MASKED, "models": [{"name": "x"}]}, "a member weights"),
    ({**MASKED, "models": ["x"]}, "an object"),
    ({**MASKED, "more": 1}, "found more"),
    ({k: v for k, v in MASKED.items() if k != "top_k"}, "a member top_k"),
]


@pytest.mark.parametrize(("teacher", "message"), WRONG)
def test_a_teacher_of_another_shape_is_refused(tmp_path, teacher, message):
    found = make_set(tmp_path / "set", [10])
    raw = replace(found.manifest, teacher=teacher).to_bytes()
    with pytest.raises(SetError, match=message) as caught:
        Manifest.from_bytes(raw, "it")
    assert "member teacher" in str(caught.value)


@given(st.floats())
def test_a_temperature_is_a_finite_number_above_zero(value):
    from transferset.shapes import above_zero

    assert above_zero(value) == (math.isfinite(value) and value > 0)
