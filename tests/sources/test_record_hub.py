"""Data sets of the hub: Parquet files alone, of a pinned revision, checked, fetched once."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from reading_records import texts
from record_hub import COMMIT, RecordHub

from transferset.errors import InputError, TransfersetError, UsageError
from transferset.sources.records import finding, hub, open_records


def parquet(*rows: str) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table({"text": list(rows)}), sink)
    return sink.getvalue()


#: Laid out as wikimedia/wikipedia is.
WIKI = {
    "README.md": b"---\nlicense: cc-by-sa-3.0\n---\n",
    "wikipedia.py": b"raise RuntimeError('run')",
    "20231101.simple/train-00001-of-00002.parquet": parquet("c"),
    "20231101.simple/train-00000-of-00002.parquet": parquet("a", "b"),
    "20231101.en/train-00000-of-00001.parquet": parquet("d"),
}

ONE = {
    "data/train-00000-of-00001-0123abcd.parquet": parquet("a"),
    "data/test-00000-of-00001-0123abcd.parquet": parquet("b"),
}


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    from huggingface_hub.utils import disable_progress_bars, enable_progress_bars

    disable_progress_bars()
    yield
    enable_progress_bars()


def find(
    served: RecordHub, name: str, cache: Path, split: str | None = None
) -> list[finding.LocalRecords]:
    return hub.find(name, split, cache, served.address)


def test_a_folder_of_a_data_set(tmp_path: Path) -> None:
    with RecordHub("wikimedia/wikipedia", WIKI) as served:
        found = find(served, "wikimedia/wikipedia/20231101.simple", tmp_path)
        first = found[0]
        assert [text for file in found for text in texts(file.path)] == ["a", "b", "c"]
        name = "20231101.simple/train-00000-of-00002.parquet"
        assert (first.name, first.kind) == (f"wikimedia/wikipedia/{name}", "parquet")
        assert first.origin["revision"] == COMMIT
        assert first.origin["licence"] == "cc-by-sa-3.0"
        path = f"/datasets/wikimedia/wikipedia/resolve/{COMMIT}/{name}"
        assert first.origin["url"] == f"{served.address}{path}"
    asked = [path for path in served.asked if "/resolve/" in path]
    assert asked
    assert all(path.endswith(".parquet") and "20231101.simple" in path for path in asked)


def test_what_is_there_is_not_fetched_again(tmp_path: Path) -> None:
    name = "wikimedia/wikipedia/20231101.en"
    with RecordHub("wikimedia/wikipedia", WIKI) as served:
        first = find(served, name, tmp_path)
        served.asked.clear()
        assert find(served, name, tmp_path) == first
        assert served.asked == ["/api/datasets/wikimedia/wikipedia"]
        served.asked.clear()
        assert find(served, f"{name}@{COMMIT}", tmp_path) == first
        assert served.asked == []


def test_a_pinned_revision_needs_no_network(tmp_path: Path) -> None:
    name = f"wikimedia/wikipedia/20231101.en@{COMMIT}"
    with RecordHub("wikimedia/wikipedia", WIKI) as served:
        first = find(served, name, tmp_path)
    found = find(served, name, tmp_path)
    assert [file.path for file in found] == [file.path for file in first]
    assert texts(found[0].path) == ["d"]
    with pytest.raises(TransfersetError, match="an answer of the hub"):
        find(served, "wikimedia/wikipedia/20231101.en", tmp_path)


def test_a_folder_must_be_named_where_there_are_several(tmp_path: Path) -> None:
    with RecordHub("wikimedia/wikipedia", WIKI) as served:
        folders = r"hub:wikimedia/wikipedia/20231101\.en, hub:wikimedia/wikipedia/20231101\.simple"
        for name in ("wikimedia/wikipedia", "wikimedia/wikipedia/20231101.xx"):
            with pytest.raises(UsageError, match=f"{folders}; name one"):
                find(served, name, tmp_path)
        assert not any("/resolve/" in path for path in served.asked)


def test_a_split_must_be_named_where_there_are_several(tmp_path: Path) -> None:
    with RecordHub("owner/name", ONE) as served:
        with pytest.raises(UsageError, match="--split out of test, train, found no --split"):
            find(served, "owner/name", tmp_path)
        with pytest.raises(UsageError, match="--split out of test, train, found dev"):
            find(served, "owner/name", tmp_path, "dev")
        (file,) = find(served, "owner/name", tmp_path, "test")
        assert texts(file.path) == ["b"]


@pytest.mark.parametrize(
    ("path", "folder", "split"),
    [
        ("train-00000-of-00041.parquet", ".", "train"),
        ("data/train-00000-of-00001-a9bf0e.parquet", "data", "train"),
        ("en/partial-train/0000.parquet", "en/partial-train", "train"),
        ("default/test/0000.parquet", "default", "test"),
        ("validation/0000.parquet", ".", "validation"),
        ("data/unsupervised-00000-of-00001.parquet", "data", "unsupervised"),
        ("wikitext_test.parquet", ".", "test"),
        ("contest.parquet", ".", "train"),
        ("000_00000.parquet", ".", "train"),
        ("a/b/c.parquet", "a/b", "train"),
    ],
)
def test_folder_and_split_of_a_path(path: str, folder: str, split: str) -> None:
    assert (hub.folder_of(path), hub.split_of(path)) == (folder, split)


@pytest.mark.parametrize("change", [lambda raw: raw[:-1] + b"?", lambda raw: raw + b"?"])
def test_a_file_that_is_not_the_listed_one_is_an_error(change: Any, tmp_path: Path) -> None:
    path = "data/train-00000-of-00001-0123abcd.parquet"
    with RecordHub("owner/name", ONE) as served:
        served.served[path] = change(ONE[path])
        for _ in range(2):  # it is not trusted the second time either
            with pytest.raises((InputError, TransfersetError), match="hub:owner/name/data/train"):
                find(served, "owner/name", tmp_path, "train")
        served.served[path] = ONE[path]
        (file,) = find(served, "owner/name", tmp_path, "train")
        assert texts(file.path) == ["a"]


@pytest.mark.parametrize(
    "listed",
    [
        {"siblings": [{"rfilename": "../a.parquet"}]},
        {"siblings": [{"rfilename": "/a.parquet"}]},
        {"siblings": [{"rfilename": "a\\b.parquet"}]},
        {"sha": "main"},
        {"sha": None},
    ],
)
def test_a_listing_that_cannot_be_one_is_an_error(listed: Any, tmp_path: Path) -> None:
    with (
        RecordHub("owner/name", ONE, listed=listed) as served,
        pytest.raises(TransfersetError, match="an answer of the hub"),
    ):
        find(served, "owner/name", tmp_path, "train")
    assert list(tmp_path.rglob("*.parquet")) == []


def test_a_kept_listing_that_is_damaged_is_asked_for_again(tmp_path: Path) -> None:
    name = f"owner/name@{COMMIT}"
    with RecordHub("owner/name", ONE) as served:
        first = find(served, name, tmp_path, "test")
        (kept,) = tmp_path.rglob(f"{COMMIT}.json")
        for text in ("", "[]", '{"commit": 1}', '{"commit": "x", "licence": 1, "files": []}'):
            kept.write_text(text)
            served.asked.clear()
            assert find(served, name, tmp_path, "test") == first
            assert served.asked == [f"/api/datasets/owner/name/revision/{COMMIT}"]


def test_what_the_hub_does_not_have(tmp_path: Path) -> None:
    with RecordHub("owner/name", ONE) as served:
        with pytest.raises(UsageError, match="a data set on the hub or a path, found none"):
            find(served, "owner/other", tmp_path)
        with pytest.raises(UsageError, match="no such revision"):
            find(served, "owner/name@gone", tmp_path)
    with (
        RecordHub("owner/name", {"a.csv": b"a"}) as served,
        pytest.raises(UsageError, match="Parquet files, found none"),
    ):
        find(served, "owner/name", tmp_path)
    with (
        RecordHub("owner/name", ONE, gated=True) as served,
        pytest.raises(InputError, match="accept its terms"),
    ):
        find(served, "owner/name", tmp_path)


@pytest.mark.parametrize(
    ("stated", "licence"),
    [("mit", "mit"), (["cc-by-sa-3.0", "gfdl"], "cc-by-sa-3.0; gfdl"), (None, None)],
)
def test_licences(stated: Any, licence: str | None, tmp_path: Path) -> None:
    with RecordHub("owner/name", ONE, licence=stated) as served:
        (file,) = find(served, "owner/name", tmp_path, "train")
    assert file.origin["licence"] == licence


@pytest.mark.parametrize(
    ("source", "asked"),
    [
        ("hub:owner/name", "owner/name"),
        ("owner/name", "owner/name"),
        ("owner/name@v1.0", "owner/name@v1.0"),
        ("hub:owner/name/a/b@main", "owner/name/a/b@main"),
        ("owner/name/a", None),
        ("owner/name.jsonl", None),
        ("owner/name.jsonl.gz", None),
        ("./owner/name", None),
        ("name", None),
    ],
)
def test_what_is_a_name_on_the_hub(
    source: str, asked: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.parquet"
    path.write_bytes(parquet("a"))
    names: list[str] = []

    def fake(name: str, split: str | None, cache: Path | None) -> list[finding.LocalRecords]:
        names.append(name)
        return [finding.LocalRecords(path, name, "parquet")]

    monkeypatch.setattr(hub, "find", fake)
    if asked is None:
        with pytest.raises(UsageError, match="no such file"):
            open_records([source])
    else:
        open_records([source])
        assert names == [asked]


def test_a_path_comes_before_a_name_on_the_hub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "owner" / "name").mkdir(parents=True)
    (tmp_path / "owner" / "name" / "a.txt").write_text("a")
    assert [file.name for file in open_records(["owner/name"])] == ["a.txt"]
