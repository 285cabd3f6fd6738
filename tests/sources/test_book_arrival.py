"""A book arrives whole, in time and as stated, or not at all."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
import time as real_time
from collections.abc import Iterator
from pathlib import Path

import pytest
from book_server import (
    BOOK,
    FAST,
    ME,
    OTHER,
    Entry,
    Server,
    Time,
    book_server,
    fetch,
    reason,
    sha256,
    well_again,
)
from web_server import Handler, cut_after, etag, saying, slowly, status, whole

from transferset.errors import InputError, TransfersetError
from transferset.files import lock


@pytest.fixture
def server() -> Iterator[Server]:
    with book_server(Time()) as server:
        yield server


def test_pieces_of_two_addresses_are_not_joined(server: Server, tmp_path: Path) -> None:
    server.book("a.txt")
    other = server.book("b.txt", OTHER)
    server.play("/a.txt", *[cut_after(2000)] * 4, status(404))
    entry = Entry(f"{server.root}/a.txt", (other.url,), sha256=sha256(OTHER))
    assert "(4 tries)" in reason(fetch(server, tmp_path, entry))
    book = fetch(server, tmp_path, entry).files[0]
    assert book is not None
    assert book.path.read_bytes() == OTHER
    assert server.stage.ranges[-2:] == ["bytes=8000-", None]


def test_a_dropped_connection_is_continued(server: Server, tmp_path: Path) -> None:
    entry = server.book("1.txt")
    server.play("/1.txt", cut_after(5000), cut_after(2000), lambda to: well_again(to))
    book = fetch(server, tmp_path, entry).files[0]
    assert book is not None
    assert book.path.read_bytes() == BOOK
    assert server.stage.ranges[1:] == [None, "bytes=5000-", "bytes=7000-"]
    assert sum(server.stage.served) == len(BOOK)
    assert server.stage.asked[2].headers["if-range"] == etag(BOOK)


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
    assert real_time.monotonic() - start < 9


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
