"""A download goes on where it stopped, and never joins pieces of two files."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from web_server import (
    CONTENT,
    OTHER,
    Handler,
    Stage,
    cut_after,
    etag,
    saying,
    slowly,
    status,
    unpinned,
    wanted,
    whole,
)

from transferset.errors import TransfersetError
from transferset.sources.downloads import download, download_all
from transferset.sources.slots import RemoteFile
from transferset.sources.web import Web


def test_a_dropped_connection_is_continued_and_no_byte_is_served_twice(
    stage: Stage, web: Web, file: RemoteFile, tmp_path: Path, waits: list[float]
) -> None:
    stage.script.extend([cut_after(100_000), cut_after(50_000)])
    assert download(file, tmp_path, web).read_bytes() == CONTENT
    assert stage.ranges == [None, "bytes=100000-", "bytes=150000-"]
    assert sum(stage.served) == 300_000
    assert stage.asked[1].headers["if-range"] == etag(CONTENT)
    assert waits == [1.0, 2.0]


def test_what_a_run_leaves_behind_the_next_run_continues(
    stage: Stage, web: Web, file: RemoteFile, tmp_path: Path
) -> None:
    stage.always = cut_after(20_000)
    with pytest.raises(TransfersetError, match="within 4 tries"):
        download(file, tmp_path, web)
    assert (tmp_path / "big.bin.part").read_bytes() == CONTENT[:80_000]
    assert not (tmp_path / "big.bin").exists()
    stage.always = None
    assert download(file, tmp_path, web).read_bytes() == CONTENT
    assert sum(stage.served) == 300_000


def test_a_server_without_ranges_starts_over(
    stage: Stage, web: Web, file: RemoteFile, tmp_path: Path
) -> None:
    stage.script.extend([cut_after(100_000), whole])
    assert download(file, tmp_path, web).read_bytes() == CONTENT
    assert stage.served == [100_000, 300_000]


@pytest.mark.parametrize("pinned", [True, False])
def test_a_file_that_changed_between_two_attempts_is_fetched_from_its_start(
    stage: Stage, web: Web, tmp_path: Path, pinned: bool
) -> None:
    stage.files["/big.bin"] = OTHER
    stage.script.append(cut_after(100_000))
    stage.script.append(status(503))

    class Changing(list[float]):
        def append(self, seconds: float) -> None:
            stage.files["/big.bin"] = CONTENT

    web._sleep = Changing().append
    file = wanted(stage, CONTENT) if pinned else unpinned(stage)
    assert download(file, tmp_path, web).read_bytes() == CONTENT
    assert stage.served == [100_000, 0, 300_000]
    assert stage.asked[2].headers["if-range"] == etag(OTHER)


def test_a_206_of_another_etag_is_not_joined(
    stage: Stage, web: Web, file: RemoteFile, tmp_path: Path
) -> None:
    rest = CONTENT[100_000:]
    says = {"Content_Range": "bytes 100000-299999/300000", "ETag": '"new"'}
    stage.script.extend([cut_after(100_000), saying(206, rest, **says)])
    assert download(file, tmp_path, web).read_bytes() == CONTENT
    assert stage.ranges == [None, "bytes=100000-", None]


@pytest.mark.parametrize(
    "answer",
    [
        "bytes 99999-299999/300000",
        "bytes 100000-299998/300000",
        "bytes 100000-299999/*",
        "bytes 100000-299999/400000",
        "octets 100000-299999/300000",
        "",
    ],
)
def test_a_wrong_content_range_is_refused_and_the_part_kept(
    stage: Stage, web: Web, file: RemoteFile, tmp_path: Path, answer: str
) -> None:
    stage.script.extend([cut_after(100_000), saying(206, b"x" * 200_000, Content_Range=answer)])
    with pytest.raises(TransfersetError, match=r"expected Content-Range from byte 100000"):
        download(file, tmp_path, web)
    assert (tmp_path / "big.bin.part").stat().st_size == 100_000
    assert len(stage.asked) == 2


def test_416_starts_over(stage: Stage, web: Web, file: RemoteFile, tmp_path: Path) -> None:
    stage.script.extend([cut_after(100_000), status(416)])
    assert download(file, tmp_path, web).read_bytes() == CONTENT
    assert stage.ranges == [None, "bytes=100000-", None]


def test_a_part_that_is_already_whole_needs_no_request(
    stage: Stage, web: Web, file: RemoteFile, tmp_path: Path
) -> None:
    stage.script.append(cut_after(100_000))
    stage.always = status(403)
    with pytest.raises(TransfersetError):
        download(file, tmp_path, web)
    (tmp_path / "big.bin.part").write_bytes(CONTENT)  # as if killed before the check
    assert download(file, tmp_path, web).read_bytes() == CONTENT
    assert len(stage.asked) == 2


def test_another_mirror_continues_a_file_whose_digest_is_known(
    stage: Stage, web: Web, file: RemoteFile, tmp_path: Path
) -> None:
    stage.script.append(cut_after(100_000))
    stage.always = status(403)
    with pytest.raises(TransfersetError):
        download(file, tmp_path, web)
    stage.always, stage.files["/mirror/big.bin"] = None, CONTENT
    moved = RemoteFile(f"{stage.root}/mirror/big.bin", "big.bin", 300_000, file.digests)
    assert download(moved, tmp_path, web).read_bytes() == CONTENT
    assert stage.ranges[-1] == "bytes=100000-"
    assert "if-range" not in stage.asked[-1].headers


def test_without_digest_another_address_starts_over(stage: Stage, web: Web, tmp_path: Path) -> None:
    stage.script.append(cut_after(100_000))
    stage.always = status(403)
    with pytest.raises(TransfersetError):
        download(unpinned(stage), tmp_path, web)
    stage.always, stage.files["/mirror/big.bin"] = None, OTHER
    moved = RemoteFile(f"{stage.root}/mirror/big.bin", "big.bin")
    assert download(moved, tmp_path, web).read_bytes() == OTHER
    assert stage.ranges[-1] is None


@pytest.mark.parametrize("sidecar", ["", "[]", "{}", '{"url": 3}', '{"url": "x", "more": 1}'])
def test_a_broken_sidecar_costs_a_download_and_nothing_else(
    stage: Stage, web: Web, tmp_path: Path, sidecar: str
) -> None:
    (tmp_path / "big.bin.part").write_bytes(OTHER[:1000])
    (tmp_path / "big.bin.json").write_text(sidecar)
    assert download(unpinned(stage), tmp_path, web).read_bytes() == CONTENT


def test_progress_earns_patience_and_the_lack_of_it_does_not(
    stage: Stage, web: Web, tmp_path: Path, waits: list[float]
) -> None:
    content = random.Random(3).randbytes(9 << 20)
    stage.files["/huge.bin"] = content
    stage.always = cut_after((1 << 20) + 5)  # eight failures in a row, four tries allowed
    path = download(wanted(stage, content, "huge.bin"), tmp_path, web)
    assert path.read_bytes() == content
    assert len(stage.asked) == 9
    assert waits == [1.0] * 8


def test_a_server_that_lets_us_start_over_for_ever_is_given_up(
    stage: Stage, web: Web, tmp_path: Path
) -> None:
    content = random.Random(3).randbytes(4 << 20)
    stage.files["/huge.bin"] = content
    stage.script.extend([cut_after(2 << 20), status(416)] * 20)
    with pytest.raises(TransfersetError, match="within 4 tries"):
        download(wanted(stage, content, "huge.bin"), tmp_path, web)
    assert len(stage.asked) < 8


def test_kill_9_loses_nothing(stage: Stage, web: Web, file: RemoteFile, tmp_path: Path) -> None:
    stage.always = slowly(0.15)
    code = f"""
        from pathlib import Path
        from transferset.sources.downloads import download
        from transferset.sources.slots import RemoteFile
        from transferset.sources.web import Web
        file = RemoteFile({file.url!r}, "big.bin", 300000, {dict(file.digests)!r})
        download(file, Path({str(tmp_path)!r}), Web(named=({stage.root!r},)))
    """
    part = tmp_path / "big.bin.part"
    child = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)])
    deadline = time.monotonic() + 20
    while not (part.exists() and part.stat().st_size > 60_000) and time.monotonic() < deadline:
        time.sleep(0.01)
    child.send_signal(signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    have = part.stat().st_size
    assert 60_000 < have < 300_000
    stage.always = None
    assert download(file, tmp_path, web).read_bytes() == CONTENT
    assert stage.asked[-1].headers["range"] == f"bytes={have}-"
    assert stage.asked[-1].served == 300_000 - have


def test_ctrl_c_stops_all_transfers_and_the_next_run_resumes(
    stage: Stage, web: Web, tmp_path: Path
) -> None:
    files = []
    for name in ("a.bin", "b.bin", "c.bin"):
        stage.files[f"/{name}"] = OTHER * 20
        files.append(wanted(stage, OTHER * 20, name))
    stage.always = slowly(0.1)  # ten seconds a file
    facts = [(file.url, file.name, file.size, dict(file.digests)) for file in files]
    code = f"""
        from pathlib import Path
        from transferset.sources.downloads import download_all
        from transferset.sources.slots import RemoteFile
        from transferset.sources.web import Web
        files = [RemoteFile(*facts) for facts in {facts!r}]
        with Web(named=({stage.root!r},)) as web:
            try:
                download_all(files, Path({str(tmp_path)!r}), web)
            except KeyboardInterrupt:
                raise SystemExit(130)
    """
    child = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)])
    parts = [tmp_path / "a.bin.part", tmp_path / "b.bin.part"]
    deadline = time.monotonic() + 20
    while not all(part.exists() for part in parts) and time.monotonic() < deadline:
        time.sleep(0.01)
    start = time.monotonic()
    child.send_signal(signal.SIGINT)
    assert child.wait() == 130
    assert time.monotonic() - start < 5
    assert not (tmp_path / "c.bin.part").exists()
    have = sum(part.stat().st_size for part in parts)
    stage.always = None
    asked = len(stage.asked)
    download_all(files, tmp_path, web)
    assert sum(stage.served[asked:]) == 3 * 20 * 300_000 - have


def test_a_part_longer_than_the_file_is_begun_anew(
    stage: Stage, web: Web, file: RemoteFile, tmp_path: Path
) -> None:
    (tmp_path / "big.bin.part").write_bytes(bytes(400_000))
    (tmp_path / "big.bin.json").write_text('{"url": "https://elsewhere.example/"}')
    assert download(file, tmp_path, web).read_bytes() == CONTENT
    assert stage.ranges == [None]


def test_a_weak_etag_is_no_ground_to_continue(stage: Stage, web: Web, tmp_path: Path) -> None:
    def weakly(to: Handler) -> None:
        to.head(200, len(CONTENT), ETag='W/"1"')
        to.body(CONTENT[:100_000])
        to.close_connection = True

    stage.script.append(weakly)
    assert download(unpinned(stage), tmp_path, web).read_bytes() == CONTENT
    assert stage.ranges == [None, None]
