"""A download asks little, waits when told to, and shares the disk."""

from __future__ import annotations

import random
import resource
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from web_server import (
    CONTENT,
    OTHER,
    Stage,
    cut_after,
    redirect,
    serving,
    silent,
    slowly,
    status,
    wanted,
)

from transferset.errors import InputError, TransfersetError, UsageError
from transferset.files import lock
from transferset.sources.cache import default_cache
from transferset.sources.downloads import download, download_all
from transferset.sources.manners import Manners
from transferset.sources.slots import RemoteFile
from transferset.sources.web import Web


def test_403_is_final(
    stage: Stage, web: Web, file: RemoteFile, tmp_path: Path, waits: list[float]
) -> None:
    stage.always = status(403, Retry_After="1")
    with pytest.raises(TransfersetError, match="403") as error:
        download(file, tmp_path, web)
    assert error.value.exit_code == 1
    assert "--contact" in str(error.value)
    assert (len(stage.asked), waits) == (1, [])


def test_retry_after_is_waited_for(
    stage: Stage, web: Web, file: RemoteFile, tmp_path: Path, waits: list[float]
) -> None:
    stage.script.extend([status(429, Retry_After="77"), status(503, Retry_After="0")])
    download(file, tmp_path, web)
    assert waits == [77.0, 2.0]  # never less than our own patience


def test_a_wait_too_long_ends_the_run_instead_of_asking_early(
    stage: Stage, web: Web, file: RemoteFile, tmp_path: Path, waits: list[float]
) -> None:
    stage.always = status(429, Retry_After="3600")
    with pytest.raises(TransfersetError, match="run the same command again in 3600 s"):
        download(file, tmp_path, web)
    assert (len(stage.asked), waits) == (1, [])


def test_backoff_doubles_up_to_its_cap_and_tries_are_bounded(
    stage: Stage, web: Web, file: RemoteFile, tmp_path: Path, waits: list[float]
) -> None:
    stage.always = status(503)
    with pytest.raises(TransfersetError, match="an answer within 4 tries, found 503"):
        download(file, tmp_path, web)
    assert len(stage.asked) == 4
    assert waits == [1.0, 2.0, 3.0]


def test_a_server_that_falls_silent_is_left_after_the_read_timeout(
    stage: Stage, web: Web, file: RemoteFile, tmp_path: Path
) -> None:
    stage.always = silent
    with pytest.raises(TransfersetError, match="ReadTimeout"):
        download(file, tmp_path, web)
    assert len(stage.asked) == 4


def test_a_slow_server_that_keeps_sending_is_waited_for(
    stage: Stage, web: Web, file: RemoteFile, tmp_path: Path
) -> None:
    stage.always = slowly(0.1)  # longer than the read timeout in all
    assert download(file, tmp_path, web).read_bytes() == CONTENT
    assert len(stage.asked) == 1


def test_no_more_than_two_connections_are_open_and_order_is_kept(
    stage: Stage, web: Web, tmp_path: Path
) -> None:
    files = []
    for number in range(6):
        content = random.Random(number).randbytes(70_000)
        stage.files[f"/{number}.bin"] = content
        files.append(wanted(stage, content, f"{number}.bin"))
    stage.always = slowly(0.02)
    paths = download_all(files, tmp_path, web)
    assert [path.name for path in paths] == [f"{number}.bin" for number in range(6)]
    assert stage.open_most == 2
    assert len(stage.asked) == 6


def test_one_bad_file_stops_the_others_and_keeps_what_they_have(
    stage: Stage, web: Web, file: RemoteFile, tmp_path: Path
) -> None:
    stage.files["/slow.bin"] = OTHER * 20
    slow = wanted(stage, OTHER * 20, "slow.bin")
    gone = RemoteFile(f"{stage.root}/gone.bin", "gone.bin")
    stage.always = slowly(0.03)
    start = time.monotonic()
    with pytest.raises(InputError, match="404"):
        download_all([slow, gone], tmp_path, web)
    assert time.monotonic() - start < 2.8  # the slow one alone takes three seconds
    assert not (tmp_path / "slow.bin").exists()


def test_a_redirect_to_a_private_address_is_not_followed(
    stage: Stage, web: Web, file: RemoteFile, tmp_path: Path
) -> None:
    with serving() as inside:
        inside.files["/big.bin"] = CONTENT
        stage.always = redirect(f"{inside.root}/big.bin")
        with pytest.raises(InputError, match="expected a public address"):
            download(file, tmp_path, web)
        assert inside.asked == []


def test_a_redirect_within_the_named_server_is_followed(
    stage: Stage, web: Web, file: RemoteFile, tmp_path: Path
) -> None:
    stage.files["/moved.bin"] = CONTENT
    stage.script.append(redirect("/moved.bin"))
    assert download(file, tmp_path, web).read_bytes() == CONTENT
    assert [asked.path for asked in stage.asked] == ["/big.bin", "/moved.bin"]


def test_two_writers_of_one_file_do_not_meet(
    stage: Stage, web: Web, file: RemoteFile, tmp_path: Path
) -> None:
    with (
        lock(tmp_path / ".big.bin.lock"),
        pytest.raises(TransfersetError, match=r"a lock that is free, found process \d+"),
    ):
        download(file, tmp_path, web)
    assert stage.asked == []
    download(file, tmp_path, web)


def test_a_full_disk_is_seen_before_anything_is_written(
    stage: Stage, web: Web, file: RemoteFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.script.append(cut_after(100_000))
    usage = shutil.disk_usage(tmp_path)
    calls: list[object] = []

    def filling(path: Path) -> object:
        calls.append(path)
        return usage if len(calls) == 1 else usage._replace(free=199_999)

    monkeypatch.setattr("shutil.disk_usage", filling)
    with pytest.raises(TransfersetError, match="expected 200000 bytes free, found 199999") as error:
        download(file, tmp_path, web)
    assert error.value.exit_code == 1
    assert (tmp_path / "big.bin.part").stat().st_size == 100_000


def test_a_disk_that_refuses_a_write_keeps_the_part(
    stage: Stage, web: Web, file: RemoteFile, tmp_path: Path
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, hard))
    try:
        with pytest.raises(TransfersetError, match=r"big\.bin\.part; make room") as error:
            download(file, tmp_path, web)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert error.value.exit_code == 1
    assert (tmp_path / "big.bin.part").stat().st_size == 150_000
    assert download(file, tmp_path, web).read_bytes() == CONTENT
    assert stage.ranges == [None, "bytes=150000-"]


def test_a_cache_that_is_a_file_is_an_error_in_one_sentence(
    web: Web, file: RemoteFile, tmp_path: Path
) -> None:
    (tmp_path / "cache").write_text("")
    with pytest.raises(TransfersetError, match="name another --cache"):
        download(file, tmp_path / "cache", web)


@pytest.mark.parametrize(
    "name", ["", "..", "a/b", "a\\b", ".hidden", "x.part", "x.json", "x.bad", "a\nb", "x" * 201]
)
def test_names_that_could_lead_elsewhere_are_refused(name: str) -> None:
    with pytest.raises(UsageError, match="a plain file name"):
        RemoteFile("https://example.org/x", name)


@pytest.mark.parametrize(
    "digests", [{"md5": "0" * 32}, {"sha1": "0" * 39}, {"sha256": "g" * 64}, {"blake3": ""}]
)
def test_digests_that_cannot_be_are_refused(digests: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="a digest out of sha1, sha256, blake3"):
        RemoteFile("https://example.org/x", "x", None, digests)


def test_the_default_cache_follows_xdg(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_cache() == tmp_path / "transferset"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert default_cache().is_absolute()


def test_threads_that_share_a_client_share_its_connections(stage: Stage) -> None:
    stage.always = slowly(0.02)
    manners = Manners(connections=1)
    with Web(named=(stage.root,), manners=manners) as web, ThreadPoolExecutor(4) as pool:
        bodies = pool.map(lambda _: web._body(f"{stage.root}/big.bin", 10**6), range(4))
        assert list(bodies) == [CONTENT] * 4
    assert stage.open_most == 1
