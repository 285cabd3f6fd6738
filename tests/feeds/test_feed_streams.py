from __future__ import annotations

import json
import pickle
import subprocess
import sys
from itertools import zip_longest

import numpy as np
import pyarrow as pa
import pytest
from feed_sets import ids_set
from hypothesis import example, given, settings
from hypothesis import strategies as st

from transferset.errors import UsageError
from transferset.feeds import MappedRows, arrays, record_batches

SHARDS = [[0], [1], [7, 5], [300], [4_000, 6_000, 1], [9_999, 13_458]]

sets_ = st.integers(0, len(SHARDS) - 1)
ranks = st.integers(1, 5)
workers = st.integers(1, 4)
seeds = st.integers(0, 2**64 - 1)
rules = st.one_of(
    st.builds(lambda rows: {"rows": rows}, st.integers(20, 12_000)),
    st.builds(
        lambda tokens, multiple: {"tokens": tokens, "multiple": multiple},
        st.integers(100, 60_000),
        st.sampled_from([1, 8]),
    ),
)
windows = st.sampled_from([1, 20_000])


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    root = tmp_path_factory.mktemp("feeds")
    return [ids_set(root / str(i), shards, seed=i) for i, shards in enumerate(SHARDS)]


@pytest.fixture(scope="module")
def largest(found):
    return found[-1]


def turns(feed, workers=1):
    """The planned batches as a loader with some workers takes them in turn."""
    streams = [list(feed.planned(k, workers)) for k in range(workers)]
    return [one for turn in zip_longest(*streams) for one in turn if one is not None]


def rows_of(stream):
    return [one.rows.tolist() for one in stream]


def flat(stream):
    return sorted(row for rows in rows_of(stream) for row in rows)


@given(of=sets_, rule=rules, seed=seeds, epoch=st.integers(0, 9), window=windows,
       world=ranks, workers=workers)  # fmt: skip
@example(of=5, rule={"tokens": 100}, seed=0, epoch=0, window=1, world=3, workers=2)
@settings(max_examples=30)
def test_each_row_is_read_once_an_epoch_by_one_rank_and_worker(
    found, of, rule, seed, epoch, window, world, workers
):
    given = {**rule, "seed": seed, "epoch": epoch, "window": window}
    alone = turns(arrays(found[of], **given))
    assert flat(alone) == list(range(len(found[of])))
    shares = [
        turns(arrays(found[of], rank=rank, world_size=world, **given), workers)
        for rank in range(world)
    ]
    # dealt in turn: which batch it is depends on neither ranks nor workers
    dealt = [one for turn in zip_longest(*shares) for one in turn if one is not None]
    assert rows_of(dealt) == rows_of(alone)
    assert [one.place for one in dealt] == [one.place for one in alone]
    assert [one.place.number for one in alone] == list(range(len(alone)))
    for rank, share in enumerate(shares):
        assert len(arrays(found[of], rank=rank, world_size=world, **given)) == len(share)


@given(of=sets_, rule=rules, seed=seeds, window=windows, world=ranks, workers=workers,
       even=st.sampled_from(["pad", "drop"]))  # fmt: skip
@example(of=1, rule={"rows": 20}, seed=0, window=1, world=5, workers=3, even="pad")
@example(of=1, rule={"tokens": 100}, seed=0, window=1, world=5, workers=3, even="drop")
@settings(max_examples=30)
def test_ranks_in_step_get_equally_many_batches(
    found, of, rule, seed, window, world, workers, even
):
    given = {**rule, "seed": seed, "window": window, "epoch": 1}
    alone = rows_of(turns(arrays(found[of], **given)))
    feeds = [
        arrays(found[of], rank=rank, world_size=world, even=even, **given) for rank in range(world)
    ]
    shares = [turns(feed, workers) for feed in feeds]
    assert {len(share) for share in shares} == {len(feed) for feed in feeds}
    dealt = [one.rows.tolist() for turn in zip(*shares, strict=True) for one in turn]
    left_out = {feed.left_out() for feed in feeds}
    if even == "drop":
        whole = len(alone) // world * world
        assert dealt == alone[:whole]
        assert left_out == {sum(map(len, alone[whole:]))}
    else:
        assert left_out == {0}
        assert dealt[: len(alone)] == alone
        assert len(dealt) - len(alone) < world
        # what is repeated is the epoch's beginning, round and round if need be
        assert all(rows == alone[i % len(alone)] for i, rows in enumerate(dealt))


@given(of=sets_, rule=rules, window=windows, world=st.integers(1, 3), workers=workers,
       even=st.sampled_from([None, "pad", "drop"]), data=st.data())  # fmt: skip
@settings(max_examples=30)
def test_resumed_anywhere_the_rest_is_the_same(found, of, rule, window, world, workers, even, data):
    given = {**rule, "window": window, "world_size": world, "even": even, "seed": 5, "epoch": 2}
    of = found[of]
    feed = arrays(of, rank=world - 1, **given)
    unbroken = turns(feed)
    stop = data.draw(st.integers(0, len(unbroken)))
    stream = iter(feed)
    assert rows_of(next(stream) for _ in range(stop)) == rows_of(unbroken[:stop])
    state = json.loads(json.dumps(feed.state_dict()))
    assert (state["epoch"], state["position"]) == (2, stop)
    resumed = arrays(of, rank=world - 1, **given)
    resumed.load_state_dict(state)
    assert resumed.state_dict() == state
    assert rows_of(turns(resumed, workers)) == rows_of(unbroken[stop:])
    assert rows_of(resumed) == rows_of(unbroken[stop:])
    # and so is the next epoch
    assert (resumed.epoch, resumed.position) == (3, 0)
    later = arrays(of, rank=world - 1, **{**given, "epoch": 3})
    assert rows_of(resumed) == rows_of(later)


@given(rule=rules, window=windows, world=ranks, even=st.sampled_from([None, "pad", "drop"]),
       data=st.data())  # fmt: skip
@settings(max_examples=15)
def test_the_state_of_one_rank_serves_all(largest, rule, window, world, even, data):
    given = {**rule, "window": window, "world_size": world, "even": even}
    giver, taker = (data.draw(st.integers(0, world - 1)) for _ in range(2))
    one, other = (arrays(largest, rank=rank, **given) for rank in (giver, taker))
    expected = turns(other)
    stop = data.draw(st.integers(0, min(len(one), len(other))))
    for planned in turns(one)[:stop]:
        one.delivered(planned.place)
    other.load_state_dict(one.state_dict())
    assert rows_of(turns(other)) == rows_of(expected[stop:])


@given(st.integers(40, 5_000), st.sampled_from([1, 8]), windows, st.integers(0, 3))
@settings(max_examples=10)
def test_a_batch_by_ids_keeps_to_its_budget(largest, tokens, multiple, window, epoch):
    reader = MappedRows(largest, ["input_ids"])
    for planned in turns(
        arrays(largest, tokens=tokens, multiple=multiple, window=window, epoch=epoch)
    ):
        longest = max(1, int(reader.lengths(planned.rows).max()))
        width = -(-longest // multiple) * multiple
        assert len(planned.rows) == 1 or len(planned.rows) * width <= tokens


def test_little_of_a_batch_by_ids_is_padding(largest):
    reader, ids, room = MappedRows(largest, ["input_ids"]), 0, 0
    stream = turns(arrays(largest, tokens=4_096))
    for planned in stream:
        lengths = reader.lengths(planned.rows)
        ids, room = ids + lengths.sum(), room + len(lengths) * lengths.max()
    assert ids / room > 0.97
    assert ids / len(stream) > 0.9 * 4_096


def test_batches_by_ids_come_in_no_order_of_length(largest):
    reader = MappedRows(largest, ["input_ids"])
    means = [reader.lengths(p.rows).mean() for p in turns(arrays(largest, tokens=2_048, seed=4))]
    # 0 ± 1/√n of independent ones
    assert abs(np.corrcoef(means, np.arange(len(means)))[0, 1]) < 4 / np.sqrt(len(means))


def test_the_stream_is_one_of_set_seed_epoch_and_rule(largest):
    told = [{}, {"seed": 1}, {"epoch": 1}, {"tokens": 999}, {"multiple": 8}, {"window": 1}]
    streams = {str(rows_of(turns(arrays(largest, **{"tokens": 500, **one})))) for one in told}
    assert len(streams) == len(told)
    assert str(rows_of(turns(arrays(largest, tokens=500)))) in streams


def test_without_shuffling_rows_come_as_they_stand(largest):
    stream = turns(arrays(largest, rows=1_000, shuffle=False))
    assert [row for rows in rows_of(stream) for row in rows] == list(range(len(largest)))


def test_batches_hold_the_rows_that_they_name(largest):
    table = pa.Table.from_batches(largest.batches()).replace_schema_metadata()
    numpy, arrow = (make(largest, tokens=3_000) for make in (arrays, record_batches))
    for one, other in zip(numpy, arrow, strict=True):
        expected = table.take(pa.array(one.rows))
        assert pa.Table.from_batches([other]).equals(expected)
        ids = one.columns["input_ids"]
        assert np.array_equal(ids.values, expected.column(0).combine_chunks().flatten())
        assert one.place.epoch == 0


def test_a_path_will_do(largest):
    stream = arrays(str(largest.root), rows=9_000, columns=["input_ids"])
    assert rows_of(stream) == rows_of(turns(arrays(largest, rows=9_000)))


class TestEpochs:
    def test_iterating_goes_on_with_the_next(self, largest):
        feed = arrays(largest, rows=9_000)
        first, second = rows_of(feed), rows_of(feed)
        assert first != second
        assert second == rows_of(arrays(largest, rows=9_000, epoch=1))
        assert feed.epoch == 2

    def test_the_one_that_is_read_goes_on(self, largest):
        feed = arrays(largest, rows=9_000)
        next(iter(feed))
        feed.set_epoch(0)
        assert (feed.epoch, feed.position) == (0, 1)
        feed.set_epoch(4)
        assert (feed.epoch, feed.position) == (4, 0)

    def test_one_can_be_begun_again(self, largest):
        feed = arrays(largest, tokens=90_000)
        next(iter(feed))
        feed.restart()
        assert rows_of(turns(feed)) == rows_of(turns(arrays(largest, tokens=90_000)))


def test_a_pickled_feed_goes_on_where_it_stood(largest):
    feed = arrays(largest, tokens=5_000, window=1)
    stream = iter(feed)
    for _ in range(90):
        next(stream)
    assert rows_of(pickle.loads(pickle.dumps(feed))) == rows_of(stream)


def test_resuming_reads_the_lengths_of_one_window(largest, monkeypatch):
    feed = arrays(largest, tokens=1_000, window=10_000)
    for planned in turns(feed)[:-3]:
        feed.delivered(planned.place)
    other = arrays(largest, tokens=1_000, window=10_000)
    other.load_state_dict(feed.state_dict())
    asked, lengths = [], MappedRows.lengths
    monkeypatch.setattr(
        MappedRows, "lengths", lambda self, r: asked.append(len(r)) or lengths(self, r)
    )
    assert len(turns(other)) == 3
    assert sum(asked) <= 10_000


class TestRefused:
    @pytest.mark.parametrize(
        ("changed", "told"),
        [
            ({"seed": 1}, "seed was 0, is 1"),
            ({"rows": 50}, "rows was 60, is 50"),
            ({"rows": None, "tokens": 60}, "rows was 60, is null, tokens was null, is 60"),
            ({"window": 5}, "window was 1000000, is 5"),
            ({"world_size": 3}, "world_size was 2, is 3"),
            ({"even": "pad"}, 'even was null, is "pad"'),
            ({"shuffle": False}, "shuffle was true, is false"),
        ],
    )
    def test_a_state_of_something_else(self, largest, changed, told):
        state = arrays(largest, rows=60, world_size=2).state_dict()
        feed = arrays(largest, **{"rows": 60, "world_size": 2, **changed})
        with pytest.raises(UsageError, match=f"found another: {told}$"):
            feed.load_state_dict(state)

    def test_a_state_of_another_set(self, found):
        state = arrays(found[3], rows=60).state_dict()
        with pytest.raises(UsageError, match="found another: region was 300, is 12, set was"):
            arrays(found[2], rows=60).load_state_dict(state)

    @pytest.mark.parametrize(
        "broken", [{"epoch": -1}, {"position": None}, {"window": 3}, {"first": 10**9}, {"feed": 1}]
    )
    def test_what_is_no_state(self, largest, broken):
        feed = arrays(largest, tokens=600)
        next(iter(feed))
        with pytest.raises(UsageError, match="expected a state of a feed"):
            feed.load_state_dict({**feed.state_dict(), **broken})

    @pytest.mark.parametrize(
        "wrong",
        [
            {},
            {"rows": 3, "tokens": 3},
            {"rows": 0},
            {"tokens": -1},
            {"rows": 3, "multiple": 0},
            {"rows": 3, "window": 0},
            {"rows": 3, "rank": 1},
            {"rows": 3, "rank": -1, "world_size": 2},
            {"rows": 3, "world_size": 0},
            {"rows": 3, "even": "both"},
            {"rows": 3, "seed": -1},
            {"rows": 3, "epoch": -1},
            {"rows": 3, "columns": ["text"]},
        ],
    )
    def test_wrong_arguments(self, largest, wrong):
        with pytest.raises(UsageError, match=r"expected .*, found "):
            arrays(largest, **wrong)


def test_nothing_of_torch_is_imported(largest):
    code = (
        "import sys; from transferset.feeds import arrays;"
        f"stream = arrays({str(largest.root)!r}, rows=100);"
        f"assert sum(len(batch.rows) for batch in stream) == {len(largest)};"
        "assert not {'torch', 'transformers', 'datasets'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
