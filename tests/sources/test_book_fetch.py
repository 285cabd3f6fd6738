"""A book arrives under its name with a record of it, and what was asked once is not asked again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from book_server import (
    BOOK,
    FAST,
    ME,
    OTHER,
    START,
    Entry,
    Server,
    Time,
    book_server,
    fetch,
    reason,
    sha256,
    well_again,
)
from web_server import cut_after, etag, status

from transferset.errors import TransfersetError, UsageError
from transferset.sources.books.fetch import fetch_books


@pytest.fixture
def server() -> Iterator[Server]:
    with book_server(Time()) as server:
        yield server


def log(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / "fetch.jsonl").read_text().splitlines()]


def test_a_book_and_what_is_remembered_of_it(server: Server, tmp_path: Path) -> None:
    before = datetime.now(UTC).date().isoformat()
    entry = server.book("1342.txt")
    got = fetch(server, tmp_path, Entry(entry.url, id=1342))
    book = got.files[0]
    assert book is not None
    assert book.path.read_bytes() == BOOK
    assert book.path.parent == tmp_path
    assert book.path.name == f"1342-{sha256(entry.url.encode())[:12]}.txt"
    assert (book.url, book.sha256, book.size) == (entry.url, sha256(BOOK), len(BOOK))
    assert (book.etag, book.content_type) == (etag(BOOK), "application/octet-stream")
    assert before <= book.retrieved <= datetime.now(UTC).date().isoformat()
    assert got.unavailable == ()


def test_a_second_run_asks_nothing(server: Server, tmp_path: Path) -> None:
    entries = [server.book("1.txt"), server.book("2.txt")]
    first = fetch(server, tmp_path, *entries)
    second = fetch(server, tmp_path, *entries)
    assert second.files == first.files
    assert (second.requests, len(server.asked)) == (0, 3)


def test_a_run_after_one_that_ended_asks_only_for_the_rest(server: Server, tmp_path: Path) -> None:
    entries = [server.book("1.txt"), server.book("2.txt")]
    server.play("/2.txt", status(403))
    with pytest.raises(TransfersetError):
        fetch(server, tmp_path, *entries)
    server.acts.clear()
    assert all(fetch(server, tmp_path, *entries).files)
    assert server.paths == ["/robots.txt", "/1.txt", "/2.txt", "/2.txt"]


@pytest.mark.parametrize("contact", ["", "nobody", "a@b\r\nX: y"])
def test_a_contact_is_needed(server: Server, tmp_path: Path, contact: str) -> None:
    with pytest.raises(UsageError, match="contact"):
        fetch(server, tmp_path, server.book("1.txt"), contact=contact)
    assert server.asked == []


def test_every_request_says_who_asks(server: Server, tmp_path: Path) -> None:
    fetch(server, tmp_path, server.book("1.txt"))
    assert all(f"(+{ME})" in asked.headers["user-agent"] for asked in server.stage.asked)


@pytest.mark.parametrize("code", [404, 410])
def test_a_book_that_is_gone_is_looked_for_at_its_other_addresses(
    server: Server, tmp_path: Path, code: int
) -> None:
    server.play("/1-0.txt", status(code))
    server.play("/1.txt", status(code))
    other = server.book("pg1.txt")
    entry = Entry(f"{server.root}/1-0.txt", (f"{server.root}/1.txt", other.url))
    book = fetch(server, tmp_path, entry).files[0]
    assert book is not None
    assert book.url == other.url
    assert server.paths == ["/robots.txt", "/1-0.txt", "/1.txt", "/pg1.txt"]
    assert fetch(server, tmp_path, entry).requests == 0


def test_a_book_that_is_nowhere_is_unavailable_and_the_others_come(
    server: Server, tmp_path: Path
) -> None:
    missing = Entry(f"{server.root}/1.txt", (f"{server.root}/2.txt",))
    got = fetch(server, tmp_path, missing, server.book("3.txt"))
    assert [book is not None for book in got.files] == [False, True]
    (gone,) = got.unavailable
    assert (gone.index, gone.url) == (0, missing.url)
    assert gone.reason == "404 Not Found (2 addresses)"


def test_what_is_gone_is_asked_for_again_only_after_a_day(server: Server, tmp_path: Path) -> None:
    entry = Entry(f"{server.root}/1.txt")
    fetch(server, tmp_path, entry)
    assert "not asked again for a day" in reason(fetch(server, tmp_path, entry))
    assert server.count("/1.txt") == 1
    server.time.now = START + 90_000
    server.book("1.txt")
    assert fetch(server, tmp_path, entry).files[0] is not None


def test_the_same_address_twice_is_asked_for_once(server: Server, tmp_path: Path) -> None:
    url = server.book("1.txt").url
    got = fetch(server, tmp_path, Entry(url, id=1), Entry(url, id=2))
    assert got.files[0] == got.files[1]
    assert server.count("/1.txt") == 1


def test_books_of_one_number_and_two_addresses_are_two_files(
    server: Server, tmp_path: Path
) -> None:
    one, two = server.book("a.txt"), server.book("b.txt", OTHER)
    got = fetch(server, tmp_path, Entry(one.url, id=5), Entry(two.url, id=5))
    assert [book.path.read_bytes() for book in got.files if book] == [BOOK, OTHER]


def test_a_book_put_there_by_hand_is_taken(server: Server, tmp_path: Path) -> None:
    url = server.book("1.txt").url
    entry = Entry(url, sha256=sha256(BOOK).upper(), id=7)
    (tmp_path / f"7-{sha256(url.encode())[:12]}.txt").write_bytes(BOOK)
    got = fetch(server, tmp_path, entry)
    assert got.files[0] is not None
    assert got.files[0].retrieved == datetime.now(UTC).date().isoformat()
    assert server.asked == []


def test_offline_asks_nothing(server: Server, tmp_path: Path) -> None:
    here, there = server.book("1.txt"), server.book("2.txt")
    fetch(server, tmp_path, here)
    asked = len(server.asked)
    got = fetch(server, tmp_path, here, there, offline=True)
    assert [book is not None for book in got.files] == [True, False]
    assert got.unavailable[0].reason == "not in the cache, and nothing is asked offline"
    assert (got.requests, len(server.asked)) == (0, asked)


def test_the_log_has_a_line_for_every_request(server: Server, tmp_path: Path) -> None:
    server.play("/2.txt", status(503, Retry_After="9"), cut_after(5000), well_again)
    got = fetch(server, tmp_path, server.book("1.txt"), server.book("2.txt"))
    lines = log(tmp_path)
    assert len(lines) == got.requests == len(server.asked)
    assert [line["status"] for line in lines] == [404, 200, 503, 200, 206]
    assert [line["bytes"] for line in lines] == server.stage.served
    assert lines[1]["url"] == f"{server.root}/1.txt"
    assert lines[1]["waited"] == FAST.pause
    assert lines[2]["retry_after"] == 9
    assert lines[4]["range"] == 5000
    assert str(lines[0]["time"]).startswith("2027-01-15T08:00:00.000")


@pytest.mark.parametrize("tail", ['{"time": "20', "null\n", '{"url": 5, "time": 3}\n', "\xff\n"])
def test_a_damaged_log_is_no_obstacle(server: Server, tmp_path: Path, tail: str) -> None:
    fetch(server, tmp_path, server.book("1.txt"))
    with (tmp_path / "fetch.jsonl").open("a", encoding="latin-1") as file:
        file.write(tail)
    assert fetch(server, tmp_path, server.book("2.txt")).files[0] is not None
    last = (tmp_path / "fetch.jsonl").read_bytes().splitlines()[-1]
    assert json.loads(last)["url"].endswith("/2.txt")


def test_progress_is_told(server: Server, tmp_path: Path) -> None:
    seen: list[tuple[str, int, int | None]] = []
    fetch(server, tmp_path, server.book("1.txt"), progress=lambda *block: seen.append(block))
    assert seen[-1][1:] == (len(BOOK), len(BOOK))


def test_nothing_to_fetch(tmp_path: Path) -> None:
    got = fetch_books([], tmp_path / "new", contact=ME)
    assert (got.files, got.unavailable, got.requests) == ((), (), 0)
    assert not (tmp_path / "new").exists()
