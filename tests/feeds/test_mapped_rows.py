from __future__ import annotations

import pickle
import threading

import numpy as np
import pyarrow as pa
import pytest
from feed_sets import ROWS, SHARDS, all_kinds, ids_set, set_of
from hypothesis import given
from hypothesis import strategies as st

from transferset.errors import SetError, UsageError
from transferset.feeds import MappedRows, Ragged, mapped
from transferset.shards import ShardSet

picks = st.lists(st.integers(0, ROWS - 1), max_size=40).map(lambda rows: np.array(rows, np.int64))


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    return set_of(tmp_path_factory.mktemp("kinds") / "set", all_kinds(ROWS), SHARDS)


@pytest.fixture(scope="module")
def table(found):
    return pa.Table.from_batches(found.batches()).combine_chunks()


@pytest.fixture(scope="module")
def reader(found):
    return MappedRows(found, found.schema.names)


@given(rows=picks)
def test_any_rows_come_as_arrow_takes_them(rows, reader, table):
    got = reader.arrow(rows)
    got.validate(full=True)
    expected = table.take(pa.array(rows)).replace_schema_metadata()
    assert pa.Table.from_batches([got]).equals(expected)


@given(rows=picks)
def test_numpy_gets_the_same_values(rows, found, table):
    names = ["input_ids", "labels", "top_logits", "text", "logits", "doc_id", "finished"]
    got = MappedRows(found, names).gather(rows)
    for name in names:
        expected = table.column(name).take(pa.array(rows)).combine_chunks()
        if isinstance(got[name], Ragged):
            assert got[name].values.dtype == expected.type.value_type.to_pandas_dtype()
            assert [got[name].row(i).tolist() for i in range(len(rows))] == expected.to_pylist()
        else:
            assert got[name].tolist() == expected.to_pylist()


def test_all_rows_at_once_and_each_alone_are_the_same(reader, table):
    assert pa.Table.from_batches([reader.arrow(np.arange(ROWS))]).equals(
        table.replace_schema_metadata()
    )
    one_by_one = [reader.arrow(np.array([row])) for row in range(0, ROWS, 997)]
    assert pa.Table.from_batches(one_by_one).equals(
        table.take(pa.array(np.arange(0, ROWS, 997))).replace_schema_metadata()
    )


def test_a_missing_label_is_one_that_losses_leave_out(found, table):
    rows = np.arange(0, ROWS, 3)
    got = MappedRows(found, ["label"]).gather(rows)["label"]
    expected = table.column("label").take(pa.array(rows)).fill_null(-100).to_numpy()
    assert got.dtype == np.int64
    assert np.array_equal(got, expected)
    assert (got == -100).any()


def test_a_missing_score_is_no_number(tmp_path):
    ids = pa.array([[2, 3]] * 3, pa.list_(pa.uint16()))
    columns = {"input_ids": ids, "label": pa.array([0.5, None, 2.0], pa.float32())}
    reader = MappedRows(set_of(tmp_path / "set", columns, [3]))
    rows = np.array([2, 1, 0])
    assert np.array_equal(reader.gather(rows)["label"], [2.0, np.nan, 0.5], equal_nan=True)
    assert reader.arrow(rows)["label"].to_pylist() == [2.0, None, 0.5]


def test_what_models_learn_from_is_read_unless_told_otherwise(found):
    learnt = ("input_ids", "labels", "top_ids", "top_logits", "label", "logits")
    assert MappedRows(found).columns == learnt
    assert MappedRows(found, ["doc_id", "text"]).columns == ("text", "doc_id")


def test_lengths_are_those_of_ids(found, table):
    rows = np.arange(ROWS)[::-1]
    lengths = table.column("input_ids").combine_chunks().value_lengths().to_numpy()
    assert np.array_equal(MappedRows(found, ["input_ids"]).lengths(rows), lengths[::-1])


def test_a_pickled_reader_maps_for_itself(found):
    reader, rows = MappedRows(found), np.array([5, ROWS - 1, 12_345])
    before = reader.arrow(rows)
    raw = pickle.dumps(reader)
    assert len(raw) < 20_000
    assert pickle.loads(raw).arrow(rows).equals(before)


def test_few_shards_stay_mapped_and_rows_are_right_all_the_same(found, table, monkeypatch):
    monkeypatch.setattr(mapped, "_MOST_MAPPED", 2)
    reader = MappedRows(found, ["input_ids", "words"])
    expected = table.select(["input_ids", "words"]).replace_schema_metadata()
    for rows in ([5], [12_345], [30_000], [36_000, 6], [ROWS - 1], [5, 12_345, 36_000], [30_000]):
        got = pa.Table.from_batches([reader.arrow(np.array(rows))])
        assert got.equals(expected.take(pa.array(rows)))
        assert len(reader._mapped) <= max(2, len(rows))


def test_threads_may_share_a_reader(found, table, monkeypatch):
    monkeypatch.setattr(mapped, "_MOST_MAPPED", 1)
    reader, wrong = MappedRows(found, ["input_ids"]), []
    expected = table.select(["input_ids"]).replace_schema_metadata()

    def read(seed):
        for start in range(60):
            rows = np.random.default_rng([seed, start]).integers(0, ROWS, 8)
            if not pa.Table.from_batches([reader.arrow(rows)]).equals(
                expected.take(pa.array(rows))
            ):
                wrong.append(rows)

    threads = [threading.Thread(target=read, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


class TestRefused:
    def test_columns_that_the_set_lacks(self, found):
        with pytest.raises(UsageError, match=r"expected columns out of input_ids, .*found tail"):
            MappedRows(found, ["input_ids", "tail"])
        with pytest.raises(UsageError, match="found none"):
            MappedRows(found, [])

    @pytest.mark.parametrize("row", [-1, ROWS])
    def test_rows_that_the_set_lacks(self, reader, row):
        with pytest.raises(UsageError, match=f"expected rows from 0 to {ROWS - 1:,}"):
            reader.arrow(np.array([3, row]))

    def test_columns_that_numpy_cannot_hold(self, reader):
        with pytest.raises(UsageError, match=r"list<.*>; read it with record_batches"):
            reader.gather(np.array([3]))

    def test_lengths_of_a_set_without_ids(self, found):
        with pytest.raises(UsageError, match="a column of lists"):
            MappedRows(found, ["text"]).lengths(np.array([0]))


@pytest.fixture
def small(tmp_path):
    return ids_set(tmp_path / "set", [10_100, 50])


def damage(found, shard, change):
    path = found.root / found.manifest.shards[shard].file
    raw = bytearray(path.read_bytes())
    change(raw)
    path.write_bytes(raw)


class TestHostile:
    def test_offsets_that_lead_elsewhere(self, small):
        column = next(small.batches()).column("input_ids")
        offsets = column.offsets[5_000:5_004].to_numpy().tobytes()

        def wild(raw):
            at = raw.index(offsets)
            raw[at : at + 4] = (2**31 - 1).to_bytes(4, "little")

        damage(small, 0, wild)
        reader = MappedRows(small, ["input_ids"])
        with pytest.raises(SetError, match=r"data-00000-of-00002\.arrow"):
            reader.gather(np.array([3]))
        # what is wrong is refused again, and what is right is read
        with pytest.raises(SetError):
            reader.lengths(np.array([3]))
        assert reader.lengths(np.array([10_099, 10_149])).shape == (2,)

    def test_an_id_that_is_none(self, small):
        values = next(small.batches()).column("input_ids").values[:8].to_numpy().tobytes()

        def other(raw):
            at = raw.index(values)
            raw[at + 6 : at + 8] = (1000).to_bytes(2, "little")

        damage(small, 0, other)
        rows = np.arange(60)
        with pytest.raises(SetError, match=r"ids from 0 to 999, found 1000 at .*, row [0-9]+;"):
            MappedRows(small).gather(rows)
        assert MappedRows(small).gather(rows[20:])["input_ids"].rows == 40

    def test_a_shard_that_was_cut(self, small):
        reader = MappedRows(small)
        damage(small, 1, lambda raw: raw.__delitem__(slice(-8, None)))
        with pytest.raises(SetError, match="bytes, found"):
            reader.gather(np.array([10_149]))

    def test_a_shard_of_other_rows(self, small, tmp_path):
        other = ids_set(tmp_path / "other", [10_100, 49])
        changed = ShardSet(small.root, small.manifest)
        raw = (other.root / other.manifest.shards[1].file).read_bytes()
        size = small.manifest.shards[1].bytes
        path = small.root / small.manifest.shards[1].file
        path.write_bytes(raw[:size].ljust(size, b"\0"))
        with pytest.raises(SetError, match="readable shard"):
            MappedRows(changed).gather(np.array([10_149]))

    def test_no_shard(self, small):
        reader = MappedRows(small)
        (small.root / small.manifest.shards[1].file).unlink()
        assert reader.gather(np.array([7]))["input_ids"].rows == 1
        with pytest.raises(SetError, match="No such file"):
            reader.gather(np.array([7, 10_149]))
