"""A page that says "not now" is no book, and what is there is kept."""

from __future__ import annotations

import io
import time as real_time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from book_server import (
    BOOK,
    FAST,
    OTHER,
    Entry,
    Server,
    Time,
    book_server,
    fetch,
    sha256,
    well_again,
)
from web_server import Handler, etag, page, saying, status

from transferset.errors import TransfersetError
from transferset.sources.books.looks import not_a_book, suffix_of

PAGE = b"<html><body>Slow down, please.</body></html>"


def archive() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        made.writestr("mimetype", "application/epub+zip")
    return file.getvalue()


@pytest.fixture
def server() -> Iterator[Server]:
    with book_server(Time()) as server:
        yield server


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
    assert real_time.process_time() - start < 3


def test_a_book_that_tells_of_html_is_a_book(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"Chapter 1. <html> is where it begins.")
    assert not_a_book(path) is None


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
