"""Labelled sets as masked batches: what a set says is what a batch has, row by row."""

from __future__ import annotations

import dataclasses
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from masked_toys import SIZE, ToyRows, masks
from sets import TOKENIZER, commit_set

from transferset import schema
from transferset.distillation.examples.mapped_lists import MappedLists
from transferset.distillation.masked.labelled_rows import FixedMasks
from transferset.errors import InputError, SetError
from transferset.files import write_atomic
from transferset.manifest import MANIFEST
from transferset.shards import ShardSet

K = 3
TEACHER = {
    "kind": "masked",
    "classes": None,
    "temperature": 2.0,
    "top_k": K,
    "models": [{"name": "toy", "weights": "0" * 64}],
}
COLUMNS = ("labels", "top_ids", "top_logits", "tail")


def lists(values, counts, kind):
    offsets = pa.array(np.append(0, np.cumsum(counts)).astype(np.int32))
    return pa.ListArray.from_arrays(offsets, pa.array(values, kind))


def table(rows=24, seed=0):
    """Rows masked once, with random logits."""
    batch = masks(rows, seed).batch(np.arange(rows), 0)
    random = np.random.default_rng(seed)
    masked = len(batch.positions)
    counts = np.diff(np.searchsorted(batch.positions, batch.rows.offsets))
    labels = np.full(len(batch.rows.ids), -100)
    labels[batch.positions] = batch.targets
    top = -np.sort(-random.normal(size=(masked, K)), axis=1).astype(np.float16)
    ids = np.array([random.permutation(SIZE)[:K] for _ in range(masked)]).reshape(masked, K)
    tail = random.normal(size=masked).astype(np.float16)
    lengths = batch.rows.lengths
    made = pa.table(
        {
            "input_ids": lists(batch.rows.ids, lengths, pa.uint16()),
            "labels": lists(labels, lengths, pa.int32()),
            "top_ids": lists(ids.ravel(), K * counts, pa.uint16()),
            "top_logits": lists(top.ravel(), K * counts, pa.float16()),
            "tail": lists(tail, counts, pa.float16()),
        }
    )
    return made, batch, top, ids, tail


def commit(root, made, teacher=TEACHER, cuts=()):
    of_set = schema.make_schema(made.column_names, pa.uint16())
    bounds = [0, *cuts, made.num_rows]
    tables = [made.slice(a, b - a).select(of_set.names).cast(of_set) for a, b in pairwise(bounds)]
    found = commit_set(root, of_set, tables, 1)
    tokenizer = {**TOKENIZER, "vocab_size": SIZE}
    manifest = dataclasses.replace(found.manifest, teacher=teacher, tokenizer=tokenizer)
    write_atomic(root / MANIFEST, manifest.to_bytes())
    return ShardSet.open(root)


@pytest.mark.parametrize("cuts", [(), (5, 17)])
@pytest.mark.parametrize("order", [range(24), [7], [20, 3, 3, 16, 5, 0]])
def test_a_batch_has_what_the_set_says(tmp_path, monkeypatch, cuts, order):
    monkeypatch.setattr(schema, "BATCH_ROWS", 4)  # several batches in a shard
    for module in ("distillation.examples.mapped_lists", "reading"):
        monkeypatch.setattr(f"transferset.{module}.BATCH_ROWS", 4)
    made, batch, top, ids, tail = table()
    found = FixedMasks(commit(tmp_path / "set", made, cuts=cuts))
    assert (found.temperature, found.top_k, found.masked) == (2.0, K, len(batch.positions))
    assert np.array_equal(found.lengths, ToyRows().lengths)
    rows = np.array(order)
    given = found.batch(rows, epoch=9)
    wanted = np.concatenate([np.arange(*batch.rows.offsets[row : row + 2]) for row in rows])
    assert np.array_equal(given.rows.ids, batch.rows.ids[wanted])
    assert np.array_equal(given.rows.lengths, batch.rows.lengths[rows])
    cut = np.searchsorted(batch.positions, batch.rows.offsets)
    places = np.concatenate([np.arange(*cut[row : row + 2]) for row in rows])
    assert np.array_equal(given.targets, batch.targets[places])
    assert np.array_equal(wanted[given.positions], batch.positions[places])
    for one, whole in zip(given.top, (ids, top, tail), strict=True):
        assert np.array_equal(one, whole[places])
    assert given.top.logits.dtype == np.float16


def test_labels_alone_are_enough(tmp_path):
    made, batch, *_ = table()
    found = FixedMasks(commit(tmp_path / "set", made.select(["input_ids", "labels"]), None))
    assert (found.temperature, found.top_k) == (None, 0)
    given = found.batch(np.arange(24), 0)
    assert given.top is None
    assert np.array_equal(given.targets, batch.targets)


def test_rows_without_anything_masked(tmp_path):
    made, *_ = table(3)
    none = {"input_ids": made["input_ids"].combine_chunks()}
    lengths = np.diff(none["input_ids"].offsets.to_numpy())
    none["labels"] = lists(np.full(lengths.sum(), -100), lengths, pa.int32())
    for name, kind in (("top_ids", pa.uint16()), ("top_logits", pa.float16())):
        none[name] = lists(np.empty(0), np.zeros(3), kind)
    none["tail"] = none["top_logits"]
    found = FixedMasks(commit(tmp_path / "set", pa.table(none)))
    given = found.batch(np.array([2, 0]), 0)
    assert given.top.ids.shape == given.top.logits.shape == (0, K)


def test_a_mapped_column_gives_lengths_and_values_of_any_rows(tmp_path):
    made, *_ = table(24)
    found = commit(tmp_path / "set", made, cuts=(1, 2, 13))
    column = MappedLists(found, "tail")
    wanted = made["tail"].to_pylist()
    assert column.lengths().tolist() == [len(row) for row in wanted]
    values, offsets = column.take(np.array([23, 0, 1, 12, 13, 2]))
    parts = np.split(values, offsets[1:-1])
    assert [part.tolist() for part in parts] == [wanted[row] for row in (23, 0, 1, 12, 13, 2)]


class TestWhatIsRefused:
    def test_a_set_without_labels(self, tmp_path):
        made, *_ = table()
        found = commit(tmp_path / "set", made.select(["input_ids"]), None)
        with pytest.raises(InputError, match=r"a column labels, found none .*; transferset label"):
            FixedMasks(found)

    def test_a_teacher_of_classes(self, tmp_path):
        made, *_ = table()
        logits = pa.FixedSizeListArray.from_arrays(pa.array(np.zeros(48), pa.float32()), 2)
        given = made.select(["input_ids", "labels"]).append_column("logits", logits)
        of_set = schema.make_schema(
            given.column_names, pa.uint16(), logits=schema.logits_type(2, pa.float32())
        )
        found = commit_set(tmp_path / "set", of_set, [given.select(of_set.names).cast(of_set)], 1)
        teacher = {**TEACHER, "kind": "classifier", "classes": ["a", "b"]}
        teacher |= {"temperature": None, "top_k": None}
        manifest = dataclasses.replace(found.manifest, teacher=teacher)
        write_atomic(tmp_path / "set" / MANIFEST, manifest.to_bytes())
        with pytest.raises(InputError, match="logits of a masked language model, found those of"):
            FixedMasks(ShardSet.open(tmp_path / "set"))

    def test_top_logits_of_no_teacher(self, tmp_path):
        made, *_ = table()
        with pytest.raises(SetError, match="no top_ids with the teacher None"):
            FixedMasks(commit(tmp_path / "set", made, None))

    @pytest.mark.parametrize(
        ("name", "value", "said"),
        [
            ("labels", SIZE, "a label for each id, −100 or below 40"),
            ("labels", -1, "a label for each id, −100 or below 40"),
            ("top_ids", SIZE, "top_ids below 40"),
            ("top_logits", np.nan, "finite top_logits"),
            ("tail", np.inf, "finite tail"),
        ],
    )
    def test_values_out_of_range_name_their_row(self, tmp_path, name, value, said):
        made, *_ = table()
        column = made[name].combine_chunks()
        values = column.values.to_numpy(zero_copy_only=False).copy()
        counts = np.diff(column.offsets.to_numpy())
        row = int(np.flatnonzero(counts)[4])
        values[column.offsets[row].as_py()] = value
        index = made.column_names.index(name)
        made = made.set_column(index, name, lists(values, counts, column.type.value_type))
        with pytest.raises(SetError, match=f"{said}.* row {row}"):
            FixedMasks(commit(tmp_path / "set", made))

    def test_labels_of_other_lengths(self, tmp_path):
        made, *_ = table()
        counts = np.diff(made["labels"].combine_chunks().offsets.to_numpy())
        counts[[3, 4]] += [1, -1]
        values = made["labels"].combine_chunks().values
        made = made.set_column(1, "labels", lists(values.to_numpy(), counts, pa.int32()))
        with pytest.raises(SetError, match=r"a label for each id.* row 3"):
            FixedMasks(commit(tmp_path / "set", made))

    def test_bytes_that_were_changed(self, tmp_path):
        made, *_ = table()
        found = commit(tmp_path / "set", made)
        path = next((tmp_path / "set").glob("*.arrow"))
        raw = bytearray(path.read_bytes())
        raw[-200] ^= 1
        path.write_bytes(raw)
        with pytest.raises(SetError, match="bytes as written"):
            FixedMasks(found)
