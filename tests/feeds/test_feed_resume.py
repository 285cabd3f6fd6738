"""Exact resume in torch: stop anywhere, restore, and what remains is what would have come."""

from __future__ import annotations

import json
import random

import pytest
from sets import make_set
from torch_feeds import FEW_PROCESSORS, digests

pytest.importorskip("torch")
from torch.utils.data import DataLoader

from transferset.errors import UsageError
from transferset.feeds import Loader, MaskedLm, ShardDataset

pytestmark = pytest.mark.filterwarnings(FEW_PROCESSORS, "ignore:'set_vital':UserWarning")

SIZES = [{"rows": 7}, {"tokens": 120}]
#: Sizes, worker processes, rank of how many; processes take their time to start.
SITUATIONS = [
    (SIZES[(workers + rank) % 2], workers, rank, world)
    for workers in (0, 1, 3)
    for rank, world in ((0, 1), (1, 2))
]


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    return make_set(tmp_path_factory.mktemp("resume") / "set", [120, 80, 7])


@pytest.fixture(scope="module")
def batches(found):
    """Makes the stream of a rank, with small windows, so that many are crossed."""
    collate = MaskedLm(found, seed=9)

    def make(size, rank=0, world=1, **more):
        rows = ShardDataset(found, seed=5, window=60, rank=rank, world_size=world)
        return rows.batches(**size, collate=collate, **more)

    return make


def some(stream, count):
    given = iter(stream)
    return digests(next(given) for _ in range(count))


@pytest.mark.parametrize(("size", "workers", "rank", "world"), SITUATIONS)
def test_a_loader_goes_on_as_if_it_had_not_stopped(batches, size, workers, rank, world):
    """Two epochs, stopped once in each at random; another number of workers goes on."""
    whole = Loader(batches(size, rank, world))
    epochs = [digests(whole), digests(whole)]
    loader = Loader(batches(size, rank, world), workers=workers)
    chance = random.Random(f"{size} {rank} {workers}")
    for epoch, expected in enumerate(epochs):
        stop = chance.randrange(1, len(expected))
        before = some(loader, stop)
        state = json.loads(json.dumps(loader.state_dict()))
        assert (state["epoch"], state["position"]) == (epoch, stop)
        loader = Loader(batches(size, rank, world), workers=(workers + 1) % 3)
        loader.load_state_dict(state)
        assert before + digests(loader) == expected
        assert (loader.epoch, loader.position) == (epoch + 1, 0)


@pytest.mark.parametrize("size", SIZES)
def test_a_loader_that_was_left_goes_on_where_it_was(batches, size):
    expected = digests(Loader(batches(size)))
    loader = Loader(batches(size), workers=1)
    assert some(loader, 3) + digests(loader) == expected


def test_a_state_may_be_taken_before_and_after_an_epoch(batches):
    loader = Loader(batches(SIZES[0]))
    at_first = loader.state_dict()
    epochs = [digests(loader), digests(loader)]
    again = Loader(batches(SIZES[0]))
    again.load_state_dict(at_first)
    assert digests(again) == epochs[0]
    later = Loader(batches(SIZES[0]))
    later.load_state_dict(again.state_dict())
    assert digests(later) == epochs[1]


def test_the_epoch_that_is_read_goes_on_when_it_is_set_again(batches):
    """Trainers call `set_epoch` at the beginning of each, resumed or not."""
    expected = digests(Loader(batches(SIZES[1])))
    loader = Loader(batches(SIZES[1]))
    before = some(loader, 4)
    resumed = Loader(batches(SIZES[1]))
    resumed.load_state_dict(loader.state_dict())
    resumed.set_epoch(0)
    assert before + digests(resumed) == expected
    resumed.set_epoch(0)
    assert digests(resumed) == expected


@pytest.mark.parametrize("size", SIZES)
def test_batches_in_a_plain_loader_begin_where_a_state_says(batches, size):
    whole, stream = digests(batches(size)), batches(size)
    given = iter(stream)
    before = digests(next(given) for _ in range(5))
    for workers in (0, 2):
        resumed = batches(size)
        resumed.load_state_dict(stream.state_dict())
        loader = DataLoader(resumed, batch_size=None, num_workers=workers)
        resumed.set_epoch(0)
        assert before + digests(loader) == whole


def test_the_same_epoch_again_after_one_that_was_resumed(batches):
    stream = batches(SIZES[0])
    some(stream, 3)
    resumed = batches(SIZES[0])
    resumed.load_state_dict(stream.state_dict())
    assert len(digests(resumed)) == len(resumed) - 3
    assert len(digests(resumed)) == len(resumed)


@pytest.mark.parametrize("even", ["pad", "drop"])
def test_even_ranks_resume_too(batches, even):
    for rank in range(2):
        expected = digests(Loader(batches(SIZES[1], rank, 2, even=even)))
        loader = Loader(batches(SIZES[1], rank, 2, even=even), workers=2)
        before = some(loader, len(expected) - 1)
        resumed = Loader(batches(SIZES[1], rank, 2, even=even), workers=2)
        resumed.load_state_dict(loader.state_dict())
        assert before + digests(resumed) == expected


@pytest.mark.parametrize(("size", "workers", "rank", "world"), SITUATIONS)
def test_torchdata_goes_on_as_if_it_had_not_stopped(batches, size, workers, rank, world):
    stateful = pytest.importorskip("torchdata.stateful_dataloader").StatefulDataLoader
    expected = digests(batches(size, rank, world))
    chance = random.Random(f"{size} {rank} {workers}")
    for stop in (chance.randrange(1, len(expected)), len(expected)):
        loader = stateful(batches(size, rank, world), batch_size=None, num_workers=workers)
        before = some(loader, stop)
        resumed = stateful(batches(size, rank, world), batch_size=None, num_workers=workers)
        resumed.load_state_dict(loader.state_dict())
        assert before + digests(resumed) == expected


def test_torchdata_in_a_later_epoch(batches):
    """The epoch comes out of the state: nobody has to set it."""
    stateful = pytest.importorskip("torchdata.stateful_dataloader").StatefulDataLoader
    stream = batches(SIZES[1])
    stream.set_epoch(4)
    expected = digests(stream)
    for workers in (0, 2):
        stream = batches(SIZES[1])
        stream.set_epoch(4)
        loader = stateful(stream, batch_size=None, num_workers=workers)
        before = some(loader, 6)
        other = batches(SIZES[1])
        resumed = stateful(other, batch_size=None, num_workers=workers)
        resumed.load_state_dict(loader.state_dict())
        assert before + digests(resumed) == expected
        assert other.epoch == 4


def test_a_state_of_something_else_is_refused(batches):
    state = Loader(batches(SIZES[0])).state_dict()
    for size, rank, world in ((SIZES[1], 0, 1), ({"rows": 8}, 0, 1), (SIZES[0], 0, 2)):
        with pytest.raises(UsageError, match="a state of this feed"):
            Loader(batches(size, rank, world)).load_state_dict(state)
    worker = {**state, "worker": 1, "workers": 3}
    with pytest.raises(UsageError, match=r"that of worker \(1, 3\); resume with as many workers"):
        batches(SIZES[0]).load_state_dict(worker)
    with pytest.raises(UsageError, match="a state of a feed"):
        Loader(batches(SIZES[0])).load_state_dict({"epoch": 0})


def test_an_epoch_that_is_set_meanwhile_comes_next(batches):
    feed = batches({"rows": 7}).feed
    running = iter(feed)
    next(running)
    feed.set_epoch(5)
    assert next(running).place.epoch == 0  # what runs goes on
    assert (feed.epoch, feed.position) == (5, 0)
    assert {batch.place.epoch for batch in feed} == {5}
    assert feed.epoch == 6


def test_a_position_behind_the_end_is_refused(batches):
    feed = batches({"rows": 7}).feed
    list(feed)
    state = feed.state_dict() | {"position": len(feed)}
    feed.load_state_dict(state)
    with pytest.raises(UsageError, match="position"):
        feed.load_state_dict(state | {"position": len(feed) + 1})


@pytest.mark.parametrize("size", [{"rows": 1.5}, {"rows": "3"}, {"tokens": 1 << 63}])
def test_sizes_that_are_no_numbers_of_rows_are_refused(batches, size):
    with pytest.raises(UsageError, match="rows or tokens of at least 1"):
        batches(size)
