"""Reading sets at URLs."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from sets import make_set, reshard

import transferset
from transferset.errors import SetError, TransfersetError
from transferset.files import digest_file
from transferset.manifest import digest_json, pretty
from transferset.reading import read_rows
from transferset.shards import ShardSet
from transferset.storage import mounts, travelling
from transferset.storage.urls import parse

ROWS = [40, 30, 50]


@pytest.fixture
def here(tmp_path) -> ShardSet:
    return make_set(tmp_path / "here", ROWS)


@pytest.fixture
def url(bucket, here) -> str:
    return bucket.upload(here.root, "sets/toy")


def shards_of(root: Path) -> list[str]:
    return sorted(path.name for path in root.glob("data-*.arrow"))


def ids(found: ShardSet) -> list:
    return [row for batch in found.batches() for row in batch.column("input_ids").to_pylist()]


def test_rows_are_those_of_the_local_set_and_shards_come_when_they_are_read(url, here):
    found = transferset.open(url)
    assert (found.manifest, len(found)) == (here.manifest, len(here))
    assert shards_of(found.root) == []
    assert found.rows([75]) == here.rows([75])
    assert shards_of(found.root) == ["data-00002-of-00003.arrow"]
    assert ids(found) == ids(here)
    assert [b.to_pydict() for _, b in read_rows(found, 35, 80)] == [
        b.to_pydict() for _, b in read_rows(here, 35, 80)
    ]
    assert transferset.verify(url).manifest == here.manifest


def test_a_set_at_a_url_is_called_by_it_and_never_by_the_cache(url, cache, bucket):
    found = transferset.open(Path(url))
    assert repr(found) == f"ShardSet('toy', 120 rows, '{url}')"
    assert found.label == "toy"
    bucket.client.delete_object(Bucket=bucket.name, Key="sets/toy/data-00001-of-00003.arrow")
    with pytest.raises(SetError) as error:
        ids(found)
    assert f"{url}/data-00001-of-00003.arrow" in str(error.value)
    assert str(cache) not in str(error.value)


def test_a_shard_of_another_digest_is_refused_and_not_kept(url, bucket):
    key = "sets/toy/data-00001-of-00003.arrow"
    raw = bytearray(bucket.objects()[key])
    raw[len(raw) // 2] ^= 1
    bucket.put(key, bytes(raw))
    found = transferset.open(url)
    with pytest.raises(SetError, match=r"expected digest \w+, found another at s3://.*00001"):
        ids(found)
    assert shards_of(found.root) == ["data-00000-of-00003.arrow"]


def test_an_object_of_another_size_is_found_when_the_set_is_opened(url, bucket):
    bucket.put("sets/toy/data-00001-of-00003.arrow", b"short")
    with pytest.raises(SetError, match=r"expected [\d,]+ bytes, found 5 at s3://"):
        transferset.open(url)
    bucket.client.delete_object(Bucket=bucket.name, Key="sets/toy/data-00001-of-00003.arrow")
    with pytest.raises(SetError, match=r"found no such object at s3://"):
        transferset.open(url)


def test_no_more_than_stated_is_read_of_an_object_that_has_grown_since(url, bucket):
    found = transferset.open(url)
    bucket.put("sets/toy/data-00000-of-00003.arrow", b"x" * 10_000_000)
    with pytest.raises(SetError, match=r"expected [\d,]+ bytes, found more at s3://"):
        ids(found)
    assert list(found.root.glob("*.tmp-*")) == []


@pytest.mark.parametrize("name", ["../../evil", "/etc/evil", "a/b", "..", "_run/x", ""])
def test_a_manifest_that_names_files_elsewhere_is_refused(url, bucket, name, tmp_path):
    body = json.loads(bucket.objects()["sets/toy/manifest.json"])
    del body["digest"]
    body["shards"][0]["file"] = name
    bucket.put("sets/toy/manifest.json", pretty({**body, "digest": digest_json(body)}))
    with pytest.raises(SetError, match="shards"):
        transferset.open(url)
    body["shards"][0]["file"] = "data-00000-of-00003.arrow"
    body["files"] = [{"file": name, "bytes": 1, "blake3": "0" * 64}]
    bucket.put("sets/toy/manifest.json", pretty({**body, "digest": digest_json(body)}))
    with pytest.raises(SetError, match="files"):
        transferset.open(url)
    assert not list(tmp_path.rglob("evil"))


def test_objects_with_names_that_lead_elsewhere_are_not_brought(bucket, tmp_path):
    from transferset.pipeline.remote import local

    bucket.put("texts/a.txt", b"one\n")
    bucket.put("texts/\x1b[31m.txt", b"two\n")
    with pytest.raises(TransfersetError, match="plain names") as error:
        local(f"{bucket.url}/texts")
    assert "\x1b" not in str(error.value)


def test_a_set_that_was_replaced_is_read_anew(url, here, bucket, tmp_path):
    before = transferset.open(url)
    ids(before)
    other = reshard(here, tmp_path / "other", [40, 80])
    for key in bucket.objects():
        bucket.client.delete_object(Bucket=bucket.name, Key=key)
    bucket.upload(other.root, "sets/toy")
    after = transferset.open(url)
    assert after.manifest == other.manifest
    assert ids(after) == ids(here)
    assert shards_of(after.root) == shards_of(other.root)


def test_a_set_that_was_removed_is_not_read_from_the_cache(url, bucket):
    ids(transferset.open(url))
    for key in bucket.objects():
        bucket.client.delete_object(Bucket=bucket.name, Key=key)
    with pytest.raises(SetError, match=rf"expected a shard set, found .* at {url}"):
        transferset.open(url)


def test_the_cache_is_bounded_and_every_row_is_read_all_the_same(
    bucket, tmp_path, cache, monkeypatch
):
    here = make_set(tmp_path / "many", [400] * 12)
    url = bucket.upload(here.root, "many")
    size = here.manifest.shards[0].bytes
    monkeypatch.setenv("TRANSFERSET_CACHE_BYTES", str(5 * size))
    found = transferset.open(url)
    for _ in range(2):
        assert ids(found) == ids(here)
        held = sum(path.stat().st_size for path in cache.rglob("data-*.arrow"))
        assert held <= 5 * size
    assert shards_of(found.root)
    assert (found.root / "manifest.json").is_file()


def test_a_mapped_shard_may_be_evicted(bucket, tmp_path, monkeypatch):
    here = make_set(tmp_path / "many", [400] * 8)
    monkeypatch.setenv("TRANSFERSET_CACHE_BYTES", "1")
    found = transferset.open(bucket.upload(here.root, "many"))
    batches = list(found.batches())  # each is mapped
    assert len(shards_of(found.root)) < 8
    assert [b.to_pydict() for b in batches] == [b.to_pydict() for b in here.batches()]


def test_a_missing_bucket_is_named(bucket):
    with pytest.raises(TransfersetError, match=r"expected a bucket, found none .* at s3://no"):
        transferset.open("s3://no-such-bucket-here/sets/toy")


def test_a_store_that_does_not_answer_is_told_in_one_sentence(cache, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "someone")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "something")
    with pytest.raises(TransfersetError, match="expected a store that answers, found ") as error:
        transferset.open("s3://bucket/sets/toy")
    assert "\n" not in str(error.value)


def test_any_store_of_fsspec_will_do(here, cache, tmp_path):
    fsspec = pytest.importorskip("fsspec")
    memory = fsspec.filesystem("memory")
    memory.put(str(here.root), "/shelf/toy", recursive=True)
    assert ids(transferset.open("memory://shelf/toy")) == ids(here)
    shutil.copytree(here.root, tmp_path / "elsewhere")
    found = transferset.open(f"file://{tmp_path}/elsewhere")
    assert found.root != tmp_path / "elsewhere"
    assert ids(found) == ids(here)
    memory.rm("/shelf", recursive=True)


def test_a_path_is_all_that_another_process_needs(url, here):
    root = transferset.open(url).root
    assert mounts.remote(root / "x") == parse(url) / "x"
    assert mounts.place(parse(url)) == root
    path = mounts.present(root / "data-00001-of-00003.arrow")
    assert digest_file(path) == here.manifest.shards[1].blake3
    assert not mounts.present(root / "nothing").exists()
    assert mounts.remote(here.root) is None
    assert mounts.present(here.root / "nothing") == here.root / "nothing"


def test_work_that_travels_finds_the_cache_of_the_other_machine(url, here, monkeypatch, tmp_path):
    found = transferset.open(url)
    raw = travelling.pack({"set": found, "text": str(found.root), "other": Path("/elsewhere")})
    assert str(found.root).encode() not in raw
    monkeypatch.setenv("TRANSFERSET_CACHE", str(tmp_path / "another"))
    there = travelling.unpack(raw)
    assert str(there["set"].root).startswith(str(tmp_path / "another"))
    assert there["text"] == str(there["set"].root)
    assert there["other"] == Path("/elsewhere")
    assert ids(there["set"]) == ids(here)
