"""A download arrives whole and right or not at all, and what is right is not asked for again."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from blake3 import blake3
from web_server import (
    CONTENT,
    OTHER,
    Stage,
    cut_after,
    page,
    unpinned,
    wanted,
    without_length,
)

from transferset.errors import InputError, TransfersetError
from transferset.sources.downloads import download
from transferset.sources.slots import RemoteFile
from transferset.sources.web import Web


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if not path.name.endswith(".lock")}


def test_a_file_arrives_whole_under_its_name_only(
    stage: Stage, web: Web, file: RemoteFile, tmp_path: Path
) -> None:
    seen: list[tuple[str, int, int | None]] = []
    path = download(file, tmp_path / "new", web, lambda *block: seen.append(block))
    assert path.read_bytes() == CONTENT
    assert names(tmp_path / "new") == {"big.bin", "big.bin.json"}
    assert seen[-1] == ("big.bin", 300_000, 300_000)
    assert [there for _, there, _ in seen] == sorted(there for _, there, _ in seen)
    assert stage.served == [300_000]


def test_what_is_there_and_right_is_not_asked_for_again(
    stage: Stage, web: Web, file: RemoteFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    download(file, tmp_path, web)
    monkeypatch.setattr(
        "transferset.sources.slots.digest_of", lambda *_: pytest.fail("hashed again")
    )
    assert download(file, tmp_path, web).read_bytes() == CONTENT
    assert len(stage.asked) == 1


def test_a_file_that_was_touched_is_hashed_again_but_not_fetched(
    stage: Stage, web: Web, file: RemoteFile, tmp_path: Path
) -> None:
    path = download(file, tmp_path, web)
    path.write_bytes(CONTENT)  # the same bytes, another time
    assert download(file, tmp_path, web) == path
    assert len(stage.asked) == 1
    assert json.loads((tmp_path / "big.bin.json").read_text())["mtime_ns"] == (
        path.stat().st_mtime_ns
    )


def test_a_file_put_into_the_cache_by_hand_is_taken(
    stage: Stage, web: Web, file: RemoteFile, tmp_path: Path
) -> None:
    (tmp_path / "big.bin").write_bytes(CONTENT)
    assert download(file, tmp_path, web).read_bytes() == CONTENT
    assert stage.asked == []


def test_a_file_that_was_damaged_in_the_cache_is_fetched_anew(
    stage: Stage, web: Web, file: RemoteFile, tmp_path: Path
) -> None:
    path = download(file, tmp_path, web)
    path.write_bytes(OTHER)
    assert download(file, tmp_path, web).read_bytes() == CONTENT
    assert len(stage.asked) == 2


def test_another_digest_for_the_same_name_is_another_file(
    stage: Stage, web: Web, file: RemoteFile, tmp_path: Path
) -> None:
    download(file, tmp_path, web)
    stage.files["/big.bin"] = OTHER
    assert download(wanted(stage, OTHER), tmp_path, web).read_bytes() == OTHER


def test_a_file_without_a_digest_is_kept_with_the_digest_it_had(
    stage: Stage, web: Web, tmp_path: Path
) -> None:
    download(unpinned(stage), tmp_path, web)
    download(unpinned(stage), tmp_path, web)
    record = json.loads((tmp_path / "big.bin.json").read_text())
    assert record["digests"] == {"blake3": blake3(CONTENT).hexdigest()}
    assert len(stage.asked) == 1


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "blake3"])
def test_every_known_digest_is_checked(
    stage: Stage, web: Web, tmp_path: Path, algorithm: str
) -> None:
    hasher = blake3(CONTENT) if algorithm == "blake3" else hashlib.new(algorithm, CONTENT)
    url = f"{stage.root}/big.bin"
    right = RemoteFile(url, "right.bin", None, {algorithm: hasher.hexdigest().upper()})
    wrong = RemoteFile(url, "wrong.bin", None, {algorithm: "0" * len(hasher.hexdigest())})
    download(right, tmp_path, web)
    with pytest.raises(InputError, match=algorithm):
        download(wrong, tmp_path, web)


def test_an_empty_file_is_a_file(stage: Stage, web: Web, tmp_path: Path) -> None:
    stage.files["/none.bin"] = b""
    assert download(wanted(stage, b"", "none.bin"), tmp_path, web).read_bytes() == b""


def test_a_wrong_checksum_names_both_digests_and_sets_the_file_aside(
    stage: Stage, web: Web, file: RemoteFile, tmp_path: Path
) -> None:
    stage.files["/big.bin"] = OTHER
    with pytest.raises(InputError) as error:
        download(file, tmp_path, web)
    message = str(error.value)
    assert error.value.exit_code == 3
    assert hashlib.sha1(CONTENT).hexdigest() in message
    assert hashlib.sha1(OTHER).hexdigest() in message
    assert str(tmp_path / "big.bin") in message
    assert names(tmp_path) == {"big.bin.bad"}
    assert len(stage.asked) == 1
    stage.files["/big.bin"] = CONTENT  # and the next run starts afresh
    assert download(file, tmp_path, web).read_bytes() == CONTENT


@pytest.mark.parametrize("length", [299_999, 300_001])
def test_another_length_than_expected_is_refused_before_a_byte_is_written(
    stage: Stage, web: Web, file: RemoteFile, tmp_path: Path, length: int
) -> None:
    stage.files["/big.bin"] = bytes(length)
    with pytest.raises(InputError, match=f"expected 300000 bytes, found {length} bytes"):
        download(file, tmp_path, web)
    assert not (tmp_path / "big.bin.part").exists()


def test_a_body_without_length_that_runs_on_is_cut_off(
    stage: Stage, web: Web, file: RemoteFile, tmp_path: Path
) -> None:
    stage.always = without_length(bytes(5_000_000))
    with pytest.raises(InputError, match="expected at most 300000 bytes, found more"):
        download(file, tmp_path, web)
    assert names(tmp_path) == set()


def test_a_body_without_length_that_ends_early_is_continued(
    stage: Stage, web: Web, file: RemoteFile, tmp_path: Path
) -> None:
    stage.script.append(without_length(CONTENT[:120_000]))
    assert download(file, tmp_path, web).read_bytes() == CONTENT
    assert stage.ranges == [None, "bytes=120000-"]


def test_a_file_of_unknown_size_is_bounded(stage: Stage, web: Web, tmp_path: Path) -> None:
    stage.always = without_length(CONTENT)
    small = RemoteFile(f"{stage.root}/big.bin", "big.bin", at_most=1000)
    with pytest.raises(InputError, match="expected at most 1000 bytes"):
        download(small, tmp_path, web)
    assert names(tmp_path) == set()


def test_a_page_that_says_slow_down_is_not_the_file(
    stage: Stage, web: Web, file: RemoteFile, tmp_path: Path, waits: list[float]
) -> None:
    stage.script.extend([cut_after(100_000), page])
    assert download(file, tmp_path, web).read_bytes() == CONTENT  # and what was there is kept
    assert sum(asked.served for asked in stage.asked if asked.served > 50) == 300_000
    stage.always = page
    with pytest.raises(TransfersetError, match="an HTML page instead of the file") as error:
        download(unpinned(stage), tmp_path / "again", web)
    assert error.value.exit_code == 1
    assert waits == [1.0, 2.0, 1.0, 2.0, 3.0]


def test_a_missing_file_says_so_at_once(
    stage: Stage, web: Web, tmp_path: Path, waits: list[float]
) -> None:
    with pytest.raises(InputError, match=r"expected a file, found 404 Not Found at .*/gone\.bin"):
        download(RemoteFile(f"{stage.root}/gone.bin", "gone.bin"), tmp_path, web)
    assert len(stage.asked) == 1
    assert waits == []


def test_without_digest_another_address_or_size_is_another_file(
    stage: Stage, web: Web, tmp_path: Path
) -> None:
    download(unpinned(stage), tmp_path, web)
    stage.files["/other/big.bin"] = OTHER
    moved = RemoteFile(f"{stage.root}/other/big.bin", "big.bin")
    assert download(moved, tmp_path, web).read_bytes() == OTHER
    stage.files["/other/big.bin"] = OTHER + b"more"
    grown = RemoteFile(moved.url, "big.bin", len(OTHER) + 4)
    assert download(grown, tmp_path, web).read_bytes() == OTHER + b"more"
