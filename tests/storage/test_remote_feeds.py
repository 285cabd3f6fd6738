"""Feeding from a set at a URL: the same stream as from the set here, in any process."""

from __future__ import annotations

import numpy as np
import pytest
from sets import make_set

from transferset import feeds
from transferset.errors import SetError

ROWS = [4000, 3000, 5000]


@pytest.fixture
def here(tmp_path):
    return make_set(tmp_path / "here", ROWS)


@pytest.fixture
def url(bucket, here):
    return bucket.upload(here.root, "sets/toy")


def read(stream):
    return [(batch.rows.tolist(), batch.columns["input_ids"].values.tolist()) for batch in stream]


def test_arrays_are_those_of_the_local_set(url, here):
    options = {"tokens": 500, "seed": 3, "window": 1000}
    assert read(feeds.arrays(url, **options)) == read(feeds.arrays(here, **options))


def test_a_cache_smaller_than_the_set_is_enough(url, here, monkeypatch):
    largest = max(entry.bytes for entry in here.manifest.shards)
    monkeypatch.setenv("TRANSFERSET_CACHE_BYTES", str(largest + (1 << 16)))
    options = {"rows": 100, "seed": 3}
    assert read(feeds.arrays(url, **options)) == read(feeds.arrays(here, **options))


def test_a_state_is_the_sets_wherever_it_lies(url, here):
    stream = feeds.arrays(url, rows=100, seed=3)
    given = iter(stream)
    before = read(next(given) for _ in range(7))
    resumed = feeds.arrays(here, rows=100, seed=3)
    resumed.load_state_dict(stream.state_dict())
    assert before + read(resumed) == read(feeds.arrays(here, rows=100, seed=3))


def test_a_shard_of_other_bytes_is_refused(url, here, bucket):
    key = f"sets/toy/{here.manifest.shards[1].file}"
    raw = bytearray(bucket.objects()[key])
    raw[len(raw) // 2] ^= 1
    bucket.put(key, bytes(raw))
    with pytest.raises(SetError, match=r"toy/data-00001-of-00003\.arrow"):
        read(feeds.arrays(url, rows=100))


def test_workers_bring_shards_themselves(url, here):
    pytest.importorskip("torch")
    own = feeds.Loader(feeds.ShardDataset(here, seed=3).batches(rows=500), feeds.Padding(here))
    remote = feeds.ShardDataset(url, seed=3).batches(rows=500, collate=feeds.Padding(here))
    loader = feeds.Loader(remote, workers=1, context="spawn")
    for a, b in zip(own, loader, strict=True):
        assert np.array_equal(a["input_ids"].numpy(), b["input_ids"].numpy())
