"""Rows and batches of a set in torch: which they are, however many read them."""

from __future__ import annotations

import pickle
import subprocess
import sys

import numpy as np
import pytest
from sets import make_set
from teacher_sets import make_logits, make_top
from torch_feeds import FEW_PROCESSORS, content, digests

pytest.importorskip("torch")
import torch
from torch.utils.data import DataLoader

from transferset.errors import UsageError
from transferset.feeds import (
    Loader,
    MaskedLm,
    Padding,
    ShardBatches,
    ShardDataset,
    arrays,
)

pytestmark = pytest.mark.filterwarnings(FEW_PROCESSORS)

ROWS = 207


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    return make_set(tmp_path_factory.mktemp("feeds") / "set", [120, 80, 7], text=True)


@pytest.fixture(scope="module")
def ids(found):
    """The rows as lists."""
    return [row for batch in found.batches() for row in batch.column("input_ids").to_pylist()]


def numbers(rows):
    return [row.number for row in rows]


class TestRows:
    def test_a_row_by_number_is_the_sets(self, found, ids):
        rows = ShardDataset(found, columns=["input_ids", "text", "doc_id"])
        assert len(rows) == ROWS
        for i in (0, 119, 120, 206, -1):
            assert rows[i]["input_ids"].tolist() == ids[i]
            assert rows[i]["input_ids"].dtype == torch.int64
            assert rows[i]["text"] == f"row {i % ROWS}"
            assert rows[i]["doc_id"] == i % ROWS
        assert list(rows[3]) == ["input_ids", "text", "doc_id"]

    def test_rows_asked_for_at_once_are_read_at_once(self, found, ids):
        rows = ShardDataset(found).__getitems__([200, 3, 3, -1])
        assert [row["input_ids"].tolist() for row in rows] == [ids[200], ids[3], ids[3], ids[-1]]
        assert len({id(row.batch) for row in rows}) == 1

    @pytest.mark.parametrize("index", [ROWS, -ROWS - 1])
    def test_a_row_that_is_not_there(self, found, index):
        with pytest.raises(IndexError, match=f"expected rows 0 to {ROWS - 1}"):
            ShardDataset(found)[index]

    def test_logits_and_labels_are_tensors_and_numbers(self, tmp_path):
        row = ShardDataset(make_logits(tmp_path / "set"))[8]
        assert dict(row).keys() == {"input_ids", "label", "logits"}
        assert row["logits"].tolist() == [1, 0]
        assert row["logits"].dtype == torch.float32
        assert row["label"] == 0

    @pytest.mark.parametrize("context", ["fork", "spawn"])
    def test_a_loader_by_number_in_any_process(self, found, ids, context):
        loader = DataLoader(
            ShardDataset(found), batch_size=50, collate_fn=Padding(found), num_workers=2,
            multiprocessing_context=context,
        )  # fmt: skip
        assert [row for batch in loader for row in content(batch)] == ids

    def test_an_epoch_has_each_row_once_over_all_ranks(self, found):
        for world in (1, 2, 3):
            ranks = [ShardDataset(found, seed=5, rank=r, world_size=world) for r in range(world)]
            seen = [numbers(rows) for rows in ranks]
            assert sorted(sum(seen, [])) == list(range(ROWS))  # noqa: RUF017
            assert max(map(len, seen)) - min(map(len, seen)) <= 1

    def test_epochs_follow_each_other_in_other_orders(self, found):
        rows = ShardDataset(found, seed=5)
        first, second = numbers(rows), numbers(rows)
        assert first != second != list(range(ROWS))
        assert sorted(first) == sorted(second)
        assert numbers(ShardDataset(found, seed=5, epoch=1)) == second
        rows.set_epoch(0)
        assert numbers(rows) == first
        assert numbers(ShardDataset(found, shuffle=False)) == list(range(ROWS))

    def test_rows_one_by_one_resume_at_any_row(self, found):
        whole = numbers(ShardDataset(found, seed=5, rank=1, world_size=2))
        for stop in (0, 1, 60, len(whole)):
            rows = ShardDataset(found, seed=5, rank=1, world_size=2)
            given = iter(rows)
            before = [next(given).number for _ in range(stop)]
            other = ShardDataset(found, seed=5, rank=1, world_size=2)
            other.load_state_dict(rows.state_dict())
            assert before + numbers(other) == whole

    def test_it_survives_pickling(self, found):
        rows = ShardDataset(found, seed=5, epoch=2)
        again = pickle.loads(pickle.dumps(rows))
        assert numbers(again) == numbers(rows)


class TestBatches:
    @pytest.mark.parametrize("size", [{"rows": 10}, {"tokens": 150}])
    def test_the_stream_is_the_same_for_any_number_of_workers(self, found, size):
        collate = MaskedLm(found, seed=3)
        streams = []
        for workers in (0, 1, 3):
            batches = ShardDataset(found, seed=5).batches(**size, collate=collate)
            loader = DataLoader(batches, batch_size=None, num_workers=workers)
            assert len(loader) == len(digests(loader))
            streams.append(digests(loader))
            streams.append(digests(Loader(batches, workers=workers)))
        assert all(stream == streams[0] for stream in streams)

    def test_an_epoch_of_batches_has_each_row_once(self, found, ids):
        batches = ShardDataset(found, seed=5).batches(tokens=150, collate=Padding(found))
        got = list(batches)
        assert sorted(row for batch in got for row in content(batch)) == sorted(ids)
        assert all(batch["input_ids"].numel() <= 150 for batch in got)

    @pytest.mark.parametrize("even", ["pad", "drop"])
    def test_even_ranks_have_equally_many_batches(self, found, even):
        counts = set()
        for rank in range(2):
            rows = ShardDataset(found, rank=rank, world_size=2)
            counts.add(len(list(rows.batches(rows=10, even=even))))
        assert counts == {11 if even == "pad" else 10}

    def test_workers_that_stay_hear_of_new_epochs(self, found):
        collate = MaskedLm(found)
        batches = ShardDataset(found, seed=5).batches(rows=50, collate=collate)
        loader = DataLoader(batches, batch_size=None, num_workers=2, persistent_workers=True)
        for epoch in (0, 1, 7, 7):
            batches.set_epoch(epoch)
            fresh = ShardDataset(found, seed=5, epoch=epoch).batches(rows=50, collate=collate)
            assert digests(loader) == digests(fresh)

    def test_rows_by_number_are_masked_anew_in_workers_that_stay(self, found):
        rows, collate = ShardDataset(found), MaskedLm(found)
        loader = DataLoader(
            rows, batch_size=50, collate_fn=collate, num_workers=1, persistent_workers=True
        )
        masked = []
        for epoch in (0, 1, 0):
            rows.set_epoch(epoch)
            masked.append(digests(loader))
        assert masked[0] == masked[2] != masked[1]

    def test_a_stream_of_arrays_serves_as_well(self, found):
        collate = Padding(found)
        own = ShardDataset(found, seed=5).batches(rows=10, collate=collate)
        assert digests(ShardBatches(arrays(found, rows=10, seed=5), collate)) == digests(own)

    def test_a_teachers_logits_come_with_their_rows(self, tmp_path):
        found = make_top(tmp_path / "set")
        batches = ShardDataset(found, seed=1).batches(rows=7)
        for batch in Loader(batches, Padding(found)):
            places = batch["labels"].ravel()[batch["positions"]]
            assert (places != -100).all()
            assert (batch["labels"] != -100).sum() == len(batch["top_ids"]) == len(batch["tail"])


class TestCollating:
    def test_rows_of_several_readings_are_one_batch(self, found):
        rows, collate = ShardDataset(found), MaskedLm(found, share=0.5)
        together = collate(rows.__getitems__([9, 2, 30]))
        assert digests([collate([rows[9], rows[2], rows[30]])]) == digests([together])
        turned = collate(list(reversed(rows.__getitems__([30, 2, 9]))))
        assert digests([turned]) == digests([together])

    def test_one_batch_in_a_list_as_loaders_of_batches_give_it(self, found):
        batch, collate = next(iter(arrays(found, rows=4))), Padding(found)
        assert digests([collate([batch])]) == digests([collate(batch)])

    def test_what_is_no_row(self, found):
        rows = ShardDataset(found)
        with pytest.raises(UsageError, match="rows of a ShardDataset, or one batch, found dict"):
            Padding(found)([{"input_ids": [1]}])
        first = rows[0]
        rows.set_epoch(1)
        with pytest.raises(UsageError, match="rows of one epoch"):
            Padding(found)([first, rows[1]])


def test_workers_below_0(found):
    with pytest.raises(UsageError, match="workers from 0"):
        Loader(ShardDataset(found).batches(rows=4), workers=-1)


def test_arrays_and_collators_need_no_torch(found):
    """In a process that cannot import torch."""
    code = f"""
import sys
sys.modules["torch"] = None
from transferset import feeds
for batch in feeds.arrays({str(found.root)!r}, rows=100, seed=1):
    made = feeds.MaskedLm({str(found.root)!r}).arrays(batch)
print(made["labels"].shape[0], feeds.record_batches is not None)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == f"{ROWS % 100} True\n", done.stderr


def test_masks_of_a_batch_are_addressed_by_its_rows(found):
    batches = ShardDataset(found, seed=5).batches(rows=20)
    collate = MaskedLm(found, share=0.5)
    of_row = dict(enumerate(_masked_rows(collate, ShardDataset(found))))
    for batch in batches:
        made = collate(batch)
        for place, row in enumerate(batch.rows.tolist()):
            width = len(of_row[row])
            assert np.array_equal(made["input_ids"][place, :width].numpy(), of_row[row])


def _masked_rows(collate, rows):
    for row in rows.__getitems__(list(range(len(rows)))):
        yield collate([row])["input_ids"][0].numpy()
