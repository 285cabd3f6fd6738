"""Books arrive whole or not at all, and what was asked once is not asked again."""

from __future__ import annotations

import hashlib
import io
import json
import signal
import subprocess
import sys
import textwrap
import time as real_time
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from book_server import BOOK, FAST, ME, START, Entry, Server, Time, book_server, fetch, reason
from web_server import Handler, cut_after, etag, page, saying, slowly, status, whole

from transferset.errors import InputError, TransfersetError, UsageError
from transferset.files import lock
from transferset.sources.books.fetch import fetch_books
from transferset.sources.books.looks import not_a_book, suffix_of

OTHER = BOOK.upper()


@pytest.fixture
def server() -> Iterator[Server]:
    with book_server(Time()) as server:
        yield server


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def archive() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        made.writestr("mimetype", "application/epub+zip")
    return file.getvalue()


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


@pytest.mark.parametrize(
    ("path", "suffix"),
    [
        ("/files/1342/1342-0.txt", ".txt"),
        ("/ebooks/1342.txt.utf-8", ".txt"),
        ("/ebooks/1342.epub.noimages", ".epub"),
        ("/ebooks/1342.epub3.images", ".epub"),
        ("/cache/pg1342-images-3.EPUB", ".epub"),
        ("/files/1342.zip", ".zip"),
        ("/a.zip/book", ".txt"),
        ("/epubs/1", ".txt"),
        ("", ".txt"),
    ],
)
def test_suffixes(path: str, suffix: str) -> None:
    assert suffix_of(path) == suffix


def test_a_dropped_connection_is_continued(server: Server, tmp_path: Path) -> None:
    entry = server.book("1.txt")
    server.play("/1.txt", cut_after(5000), cut_after(2000), lambda to: well_again(to))
    book = fetch(server, tmp_path, entry).files[0]
    assert book is not None
    assert book.path.read_bytes() == BOOK
    assert server.stage.ranges[1:] == [None, "bytes=5000-", "bytes=7000-"]
    assert sum(server.stage.served) == len(BOOK)
    assert server.stage.asked[2].headers["if-range"] == etag(BOOK)


def well_again(to: Handler) -> None:
    cut_after(10**9)(to)


def test_a_book_that_changed_in_between_is_read_from_its_start(
    server: Server, tmp_path: Path
) -> None:
    entry = server.book("1.txt")

    def then_other(to: Handler) -> None:
        server.stage.files["/1.txt"] = OTHER
        well_again(to)

    server.play("/1.txt", cut_after(5000), then_other)
    book = fetch(server, tmp_path, entry).files[0]
    assert book is not None
    assert book.path.read_bytes() == OTHER
    assert book.etag == etag(OTHER)


def test_a_206_of_another_etag_is_not_joined(server: Server, tmp_path: Path) -> None:
    entry = server.book("1.txt")
    says = {"Content_Range": f"bytes 5000-{len(BOOK) - 1}/{len(BOOK)}", "ETag": '"new"'}
    server.play("/1.txt", cut_after(5000), saying(206, OTHER[5000:], **says), well_again)
    book = fetch(server, tmp_path, entry).files[0]
    assert book is not None
    assert book.path.read_bytes() == BOOK


def test_an_answer_that_continues_elsewhere_is_begun_anew(server: Server, tmp_path: Path) -> None:
    entry = server.book("1.txt")
    says = {"Content_Range": f"bytes 4000-{len(BOOK) - 1}/{len(BOOK)}"}
    server.play("/1.txt", cut_after(5000), saying(206, BOOK[4000:], **says), whole)
    book = fetch(server, tmp_path, entry).files[0]
    assert book is not None
    assert book.path.read_bytes() == BOOK


def test_a_length_that_is_never_reached_is_given_up(server: Server, tmp_path: Path) -> None:
    def short(to: Handler) -> None:
        to.head(200, len(BOOK) + 1)
        to.body(BOOK)
        to.close_connection = True

    entry = server.book("1.txt")
    server.play("/1.txt", short)
    assert "(4 tries)" in reason(fetch(server, tmp_path, entry))
    assert not list(tmp_path.glob("*.txt"))


def test_a_size_that_the_manifest_does_not_state(server: Server, tmp_path: Path) -> None:
    url = server.book("1.txt").url
    found = f"{len(BOOK)} bytes instead of 77 bytes"
    assert reason(fetch(server, tmp_path, Entry(url, size=77))) == found
    stated = Entry(url, size=77, sha256=sha256(BOOK))
    with pytest.raises(InputError, match=found):
        fetch(server, tmp_path, stated)


def test_another_digest_than_stated_is_an_error_naming_both(server: Server, tmp_path: Path) -> None:
    url = server.book("1.txt", OTHER).url
    with pytest.raises(InputError, match=f"{sha256(BOOK)}, found {sha256(OTHER)}"):
        fetch(server, tmp_path, Entry(url, sha256=sha256(BOOK)))
    assert not list(tmp_path.glob("*.txt"))
    assert len(list(tmp_path.glob("*.bad"))) == 1


def test_a_book_put_there_by_hand_is_taken(server: Server, tmp_path: Path) -> None:
    url = server.book("1.txt").url
    entry = Entry(url, sha256=sha256(BOOK).upper(), id=7)
    (tmp_path / f"7-{sha256(url.encode())[:12]}.txt").write_bytes(BOOK)
    got = fetch(server, tmp_path, entry)
    assert got.files[0] is not None
    assert got.files[0].retrieved == datetime.now(UTC).date().isoformat()
    assert server.asked == []


@pytest.mark.parametrize("announced", [True, False])
def test_a_book_beyond_the_size_bound_is_not_read(
    server: Server, tmp_path: Path, announced: bool
) -> None:
    def endless(to: Handler) -> None:
        to.head(200, None, Connection="close")
        to.close_connection = True
        while True:
            to.body(BOOK)

    entry = server.book("1.txt")
    if not announced:
        server.play("/1.txt", endless)
    small = FAST.__class__(tries=4, at_most=10_000)
    assert reason(fetch(server, tmp_path, entry, manners=small)) == "more than 10000 bytes"
    assert not list(tmp_path.glob("*.part"))


def test_a_book_whose_stated_size_is_beyond_the_bound_is_not_asked_for(
    server: Server, tmp_path: Path
) -> None:
    entry = Entry(server.book("1.txt").url, size=1 << 40)
    assert "more than" in reason(fetch(server, tmp_path, entry))
    assert server.asked == []


def dripping(server: Server, seconds: float) -> None:
    """Each block of 1000 bytes takes so many seconds of the test's time."""

    def act(to: Handler) -> None:
        to.head(200, len(BOOK))
        for at in range(0, len(BOOK), 1000):
            server.time.sleep(seconds)
            to.wfile.write(BOOK[at : at + 1000])
            to.wfile.flush()
            real_time.sleep(0.003)  # so that the blocks arrive one by one

    server.play("/1.txt", act)


def test_a_slow_drip_is_given_up_and_kept(server: Server, tmp_path: Path) -> None:
    entry = server.book("1.txt")
    dripping(server, 8.0)
    assert reason(fetch(server, tmp_path, entry)) == "too slow: less than 1024 bytes/s"
    (part,) = tmp_path.glob("*.part")
    assert 0 < part.stat().st_size < len(BOOK)


def test_a_book_that_takes_too_long_is_given_up(server: Server, tmp_path: Path) -> None:
    entry = server.book("1.txt")
    dripping(server, 100.0)
    patient = FAST.__class__(tries=4, least_rate=0.0)
    assert reason(fetch(server, tmp_path, entry, manners=patient)) == "too slow: more than 600 s"


def test_headers_that_drip_are_cut_off(server: Server, tmp_path: Path) -> None:
    def act(to: Handler) -> None:
        to.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
        for _ in range(100):  # ten seconds; each byte is in time for the read timeout
            to.wfile.write(b"x")
            to.wfile.flush()
            real_time.sleep(0.1)

    entry = server.book("1.txt")
    server.play("/1.txt", act)
    hasty = FAST.__class__(tries=2, read_timeout=5.0, longest_head=0.3)
    start = real_time.monotonic()
    assert "(2 tries)" in reason(fetch(server, tmp_path, entry, manners=hasty))
    assert real_time.monotonic() - start < 4


PAGE = b"<html><body>Slow down, please.</body></html>"


@pytest.mark.parametrize(
    "act",
    [
        page,
        saying(200, PAGE, Content_Type="text/plain"),
        saying(200, b"\xef\xbb\xbf\r\n <!DOCTYPE HTML>" + PAGE),
        saying(200, b"<?xml version='1.0'?><!-- a --><!-- b --><HTML>"),
        saying(200, b""),
    ],
)
def test_a_throttle_page_is_tried_later_and_never_stored(
    server: Server, tmp_path: Path, act: object
) -> None:
    entry = server.book("1.txt")
    server.play("/1.txt", act, act, well_again)  # type: ignore[arg-type]
    book = fetch(server, tmp_path, entry).files[0]
    assert book is not None
    assert book.path.read_bytes() == BOOK
    assert server.gaps[1:] == [2.0, 2.0]  # backoff 1, 2; never less than the pause


def test_a_throttle_page_that_stays_is_a_refusal(server: Server, tmp_path: Path) -> None:
    entries = [server.book(f"{n}.txt") for n in range(4)]
    server.play("/0.txt", page)
    got = fetch(server, tmp_path, *entries)
    assert got.unavailable[0].reason.startswith("an HTML page instead of the file (4 tries)")
    assert [book is not None for book in got.files] == [False, True, True, True]
    assert list(tmp_path.glob("*.part")) == []


def test_a_second_one_in_a_row_ends_the_run(server: Server, tmp_path: Path) -> None:
    entries = [server.book(f"{n}.txt") for n in range(9)]
    for n in range(9):
        server.play(f"/{n}.txt", page)
    with pytest.raises(TransfersetError, match="nothing more is asked now"):
        fetch(server, tmp_path, *entries)
    assert len(server.asked) == 1 + 2 * FAST.tries


def test_an_epub_that_is_no_archive_is_tried_later(server: Server, tmp_path: Path) -> None:
    entry = server.book("1.epub", archive())
    server.play("/1.epub", saying(200, b"Please log in."), well_again)
    book = fetch(server, tmp_path, entry).files[0]
    assert book is not None
    assert book.path.suffix == ".epub"
    assert zipfile.is_zipfile(book.path)


def test_many_comments_take_no_time(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"<!---->" * 10_000)
    start = real_time.process_time()
    assert not_a_book(path) is None
    assert real_time.process_time() - start < 0.5


def test_a_book_that_tells_of_html_is_a_book(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"Chapter 1. <html> is where it begins.")
    assert not_a_book(path) is None


def test_offline_asks_nothing(server: Server, tmp_path: Path) -> None:
    here, there = server.book("1.txt"), server.book("2.txt")
    fetch(server, tmp_path, here)
    asked = len(server.asked)
    got = fetch(server, tmp_path, here, there, offline=True)
    assert [book is not None for book in got.files] == [True, False]
    assert got.unavailable[0].reason == "not in the cache, and nothing is asked offline"
    assert (got.requests, len(server.asked)) == (0, asked)


def unchanged(to: Handler) -> None:
    same = to.headers.get("If-None-Match") == etag(to.content or b"")
    to.head(304, None) if same else well_again(to)


def test_revalidation_keeps_what_has_not_changed(server: Server, tmp_path: Path) -> None:
    entry = server.book("1.txt")
    first = fetch(server, tmp_path, entry)
    server.play("/1.txt", unchanged)
    assert fetch(server, tmp_path, entry, revalidate=True).files == first.files
    assert server.stage.statuses[-1] == 304


def test_revalidation_takes_what_has_changed(server: Server, tmp_path: Path) -> None:
    entry = server.book("1.txt")
    first = fetch(server, tmp_path, entry).files[0]
    server.book("1.txt", OTHER)
    server.play("/1.txt", unchanged)
    second = fetch(server, tmp_path, entry, revalidate=True).files[0]
    assert first is not None
    assert second is not None
    assert second.path == first.path
    assert second.path.read_bytes() == OTHER
    assert second.sha256 == sha256(OTHER)
    assert fetch(server, tmp_path, entry).requests == 0
    assert not (tmp_path / "revalidating").exists()


@pytest.mark.parametrize("act", [status(404), status(500), page])
def test_revalidation_that_fails_keeps_what_is_there(
    server: Server, tmp_path: Path, act: object
) -> None:
    entry = server.book("1.txt")
    first = fetch(server, tmp_path, entry)
    server.play("/1.txt", act)  # type: ignore[arg-type]
    assert fetch(server, tmp_path, entry, revalidate=True).files == first.files
    assert fetch(server, tmp_path, entry).files == first.files


def test_a_book_with_a_stated_digest_is_never_revalidated(server: Server, tmp_path: Path) -> None:
    entry = Entry(server.book("1.txt").url, sha256=sha256(BOOK))
    fetch(server, tmp_path, entry)
    assert fetch(server, tmp_path, entry, revalidate=True).requests == 0


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


def test_two_runs_in_one_folder_do_not_meet(server: Server, tmp_path: Path) -> None:
    with lock(tmp_path / ".fetch.lock"), pytest.raises(TransfersetError, match="a lock"):
        fetch(server, tmp_path, server.book("1.txt"))
    assert server.asked == []


def test_kill_9_and_again_fetches_no_byte_twice(server: Server, tmp_path: Path) -> None:
    content = [bytes([65 + n]) * 400_000 for n in range(3)]
    entries = [server.book(f"{n}.txt", text) for n, text in enumerate(content)]
    server.play("/1.txt", slowly(0.1))
    code = f"""
        from pathlib import Path
        from book_server import Entry
        from transferset.sources.books.book_manners import BookManners
        from transferset.sources.books.fetch import fetch_books
        fetch_books([Entry(url) for url in {[entry.url for entry in entries]!r}],
                    Path({str(tmp_path)!r}), contact={ME!r}, named=({server.root!r},),
                    manners=BookManners(pause=0.0))
    """
    part = tmp_path / f"{sha256(entries[1].url.encode())[:32]}.txt.part"
    child = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)], cwd=Path(__file__).parent
    )
    deadline = real_time.monotonic() + 20
    while real_time.monotonic() < deadline:
        if part.exists() and part.stat().st_size > 100_000:
            break
        real_time.sleep(0.01)
    child.send_signal(signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    have = part.stat().st_size
    assert 0 < have < 400_000
    server.acts.clear()
    server.time.now = real_time.time()  # the child wrote the rules down by the real clock
    books = fetch(server, tmp_path, *entries).files
    assert [book.path.read_bytes() for book in books if book] == content
    assert server.paths == ["/robots.txt", "/0.txt", "/1.txt", "/1.txt", "/2.txt"]
    assert server.stage.ranges[3] == f"bytes={have}-"


def test_progress_is_told(server: Server, tmp_path: Path) -> None:
    seen: list[tuple[str, int, int | None]] = []
    fetch(server, tmp_path, server.book("1.txt"), progress=lambda *block: seen.append(block))
    assert seen[-1][1:] == (len(BOOK), len(BOOK))


def test_nothing_to_fetch(tmp_path: Path) -> None:
    got = fetch_books([], tmp_path / "new", contact=ME)
    assert (got.files, got.unavailable, got.requests) == ((), (), 0)
    assert not (tmp_path / "new").exists()
