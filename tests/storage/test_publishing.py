"""Sets that commands make at URLs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest
from deriving import files_of
from sets import make_set

import transferset
from transferset import Sample, Shuffle
from transferset.errors import SetError, TransfersetError
from transferset.manifest import MANIFEST
from transferset.shards import ShardSet
from transferset.storage import publishing, stores

STEPS = [Sample("80%"), Shuffle()]


@pytest.fixture
def parent(tmp_path) -> ShardSet:
    return make_set(tmp_path / "parent", [400, 300, 500])


@pytest.fixture
def derived(parent, tmp_path) -> ShardSet:
    """What the same command makes here."""
    return transferset.derive(parent.root, tmp_path / "derived", steps=STEPS, shards=3)


def published(bucket, prefix: str) -> dict[str, bytes]:
    """Objects below a prefix, but those of the run."""
    found = {k.removeprefix(f"{prefix}/"): raw for k, raw in bucket.objects().items()}
    return {name: raw for name, raw in found.items() if not name.startswith("_run/")}


def derive(parent, out, steps=STEPS, **options) -> ShardSet:
    return transferset.derive(parent.root, out, steps=steps, shards=3, **options)


def test_a_set_at_a_url_has_the_bytes_of_a_local_one(bucket, parent, derived):
    source = bucket.upload(parent.root, "parent")
    found = transferset.derive(source, f"{bucket.url}/derived", steps=STEPS, shards=3, workers=2)
    objects = {k: raw for k, raw in bucket.objects().items() if k.startswith("derived/")}
    assert {k.removeprefix("derived/") for k in objects} == {
        *files_of(derived.root),
        "_run/recipe.json",
    }
    for name, raw in files_of(derived.root).items():
        assert objects[f"derived/{name}"] == raw, name
    assert repr(found).endswith(f"'{bucket.url}/derived')")
    assert transferset.verify(f"{bucket.url}/derived").manifest == derived.manifest


def test_a_set_that_is_there_already_is_opened(bucket, parent, monkeypatch, tmp_path):
    url = f"{bucket.url}/derived"
    first = derive(parent, url)
    monkeypatch.setenv("TRANSFERSET_CACHE", str(tmp_path / "another machine"))
    before = bucket.client.head_object(Bucket=bucket.name, Key="derived/manifest.json")
    again = derive(parent, url)
    after = bucket.client.head_object(Bucket=bucket.name, Key="derived/manifest.json")
    assert again.manifest == first.manifest
    assert before["LastModified"] == after["LastModified"]
    assert list(again.root.glob("data-*")) == []


def test_another_recipe_is_refused_and_force_replaces_it(bucket, parent, monkeypatch, tmp_path):
    url = f"{bucket.url}/derived"
    derive(parent, url)
    monkeypatch.setenv("TRANSFERSET_CACHE", str(tmp_path / "another machine"))
    with pytest.raises(SetError, match=r'sample.size was "80%", is "10%" at s3://') as error:
        derive(parent, url, [Sample("10%"), Shuffle()])
    assert "--force" in str(error.value)
    found = transferset.derive(
        parent.root, url, steps=[Sample("10%"), Shuffle()], shards=2, force=True
    )
    names = {n for n in published(bucket, "derived") if n.startswith("data-")}
    assert names == {"data-00000-of-00002.arrow", "data-00001-of-00002.arrow"}
    assert transferset.verify(url).manifest == found.manifest


def test_a_run_that_fails_while_publishing_leaves_no_set_and_goes_on(
    bucket, parent, derived, monkeypatch
):
    url = f"{bucket.url}/derived"
    put, count = stores.put, []

    def failing(path, at):
        count.append(at.key)
        if len(count) > 4:
            raise TransfersetError("the network is gone")
        return put(path, at)

    with monkeypatch.context() as patch:
        patch.setattr(stores, "put", failing)
        with pytest.raises(TransfersetError, match="the network is gone"):
            derive(parent, url)
    assert "derived/manifest.json" not in bucket.objects()
    with pytest.raises(SetError, match="expected a"):
        transferset.open(url)
    sent = [one for one in count[:4] if "data-" in one]
    count.clear()
    monkeypatch.setattr(stores, "put", lambda path, at: count.append(at.key) or put(path, at))
    found = derive(parent, url)
    assert found.manifest == derived.manifest
    assert sent
    assert not set(sent) & set(count)  # what was sent is not sent again
    assert published(bucket, "derived") == files_of(derived.root)


KILLED = """
import sys
from transferset.storage import stores
put, sent = stores.put, []
def slow(path, at):
    size = put(path, at)
    sent.append(at)
    if len(sent) == 2:
        print("two", flush=True)
        sys.stdin.read()
    return size
stores.put = slow
import transferset
from transferset import Sample, Shuffle
transferset.derive(sys.argv[1], sys.argv[2], steps=[Sample("80%"), Shuffle()], shards=3)
"""


def test_a_killed_run_is_finished_by_the_same_command(bucket, parent, derived):
    url = f"{bucket.url}/derived"
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(parent.root), url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ},
    ) as other:
        assert other.stdout.readline() == "two\n"
        other.send_signal(signal.SIGKILL)
    assert MANIFEST not in published(bucket, "derived")
    assert derive(parent, url).manifest == derived.manifest
    assert published(bucket, "derived") == files_of(derived.root)


def test_a_run_that_lost_its_cache_begins_anew_and_makes_the_same(
    bucket, parent, derived, monkeypatch, tmp_path
):
    url = f"{bucket.url}/derived"
    with monkeypatch.context() as patch:
        patch.setattr(publishing, "_commit", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            derive(parent, url)
    monkeypatch.setenv("TRANSFERSET_CACHE", str(tmp_path / "another machine"))
    assert derive(parent, url).manifest == derived.manifest
    assert published(bucket, "derived") == files_of(derived.root)


def test_of_two_writers_of_one_recipe_both_find_the_set(
    bucket, parent, derived, monkeypatch, tmp_path
):
    url = f"{bucket.url}/derived"
    commit = publishing._commit

    def slower(path, at, word):
        with monkeypatch.context() as patch:  # the other writer is done meanwhile
            patch.setattr(publishing, "_commit", commit)
            patch.setenv("TRANSFERSET_CACHE", str(tmp_path / "another machine"))
            derive(parent, url)
        commit(path, at, word)

    monkeypatch.setattr(publishing, "_commit", slower)
    assert derive(parent, url).manifest == derived.manifest
    assert published(bucket, "derived") == files_of(derived.root)


def test_of_two_writers_of_two_recipes_the_second_is_refused(
    bucket, parent, derived, monkeypatch, tmp_path
):
    url = f"{bucket.url}/derived"
    publish = publishing.publish
    seen = []

    def slower(*given):
        with monkeypatch.context() as patch:
            patch.setenv("TRANSFERSET_CACHE", str(tmp_path / "another machine"))
            with pytest.raises(SetError, match="no unfinished set of another recipe") as error:
                derive(parent, url, [Sample("10%"), Shuffle()])
            seen.append(str(error.value))
        publish(*given)

    monkeypatch.setattr("transferset.holding.publish", slower)
    assert derive(parent, url).manifest == derived.manifest
    assert "sample.size" in seen[0]
    assert published(bucket, "derived") == files_of(derived.root)


def test_a_set_that_another_replaced_meanwhile_is_not_committed(
    bucket, parent, monkeypatch, tmp_path
):
    url = f"{bucket.url}/derived"
    commit = publishing._commit

    def slower(path, at, word):
        bucket.put("derived/manifest.json", b"of another")
        commit(path, at, word)

    monkeypatch.setattr(publishing, "_commit", slower)
    with pytest.raises(SetError, match="another set published meanwhile at s3://"):
        derive(parent, url)
    assert bucket.objects()["derived/manifest.json"] == b"of another"


def test_a_folder_of_something_else_is_not_written_to(bucket, parent):
    bucket.put("mine/thesis.tex", b"years of work")
    with pytest.raises(SetError, match="files that are not transferset's at s3://"):
        derive(parent, f"{bucket.url}/mine")
    assert bucket.objects() == {"mine/thesis.tex": b"years of work"}
    with pytest.raises(SetError, match="files that are not transferset's at s3://"):
        derive(parent, f"{bucket.url}/mine", force=True)


def test_nothing_is_left_where_nothing_came_of_it(bucket, parent):
    with pytest.raises(TransfersetError, match="at least one row"):
        derive(parent, f"{bucket.url}/none", [transferset.Filter("length > 1000")])
    assert bucket.objects() == {}


def test_splits_are_published_one_by_one(bucket, parent, tmp_path):
    steps = [transferset.Split("train=0.9,test=0.1")]
    there = transferset.derive(parent.root, f"{bucket.url}/split", steps=steps)
    here = transferset.derive(parent.root, tmp_path / "split", steps=steps)
    assert there.keys() == here.keys() == {"train", "test"}
    objects = bucket.objects()
    for name, found in here.items():
        for file, raw in files_of(found.root).items():
            assert objects[f"split/{name}/{file}"] == raw
    assert objects["split/dataset_dict.json"] == (tmp_path / "split/dataset_dict.json").read_bytes()
    assert transferset.open(f"{bucket.url}/split/test").label == "split/test"


def test_mixes_read_urls_with_weights(bucket, parent, tmp_path):
    other = make_set(tmp_path / "other", [600])
    first, second = (bucket.upload(one.root, one.root.name) for one in (parent, other))
    there = transferset.mix([f"{first}:0.5", f"{second}:0.5"], f"{bucket.url}/mix", rows=300)
    here = transferset.mix([(parent.root, 0.5), (other.root, 0.5)], tmp_path / "mix", rows=300)
    assert there.manifest == here.manifest


def test_the_cache_stays_bounded_while_a_set_is_made(bucket, parent, monkeypatch, cache):
    monkeypatch.setenv("TRANSFERSET_CACHE_BYTES", "1")
    found = transferset.derive(
        bucket.upload(parent.root, "parent"), f"{bucket.url}/out", steps=[Shuffle()], shards=9
    )
    assert len(found) == len(parent)
    left = [path for path in cache.rglob("data-*.arrow") if "out" in path.parts]
    assert len(left) < 9
    assert transferset.verify(f"{bucket.url}/out").manifest == found.manifest


def test_without_permission_one_sentence_tells_so(bucket, parent, monkeypatch):
    from moto import settings

    monkeypatch.setattr(settings, "INITIAL_NO_AUTH_ACTION_COUNT", 0)  # who asks is asked
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    with pytest.raises(TransfersetError, match="expected permission, found ") as error:
        derive(parent, f"{bucket.url}/derived")
    assert "AWS_ACCESS_KEY_ID" in str(error.value)
    assert "\n" not in str(error.value)
