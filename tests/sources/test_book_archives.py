"""Books are found in one order, read within bounds, and no archive gets more than its due."""

from __future__ import annotations

import hashlib
import os
import random
import zipfile
import zlib
from collections import Counter
from pathlib import Path

import pytest
from epubs import (
    FLAGS,
    METHOD,
    OFFSET,
    PACKED,
    SIZE,
    changed,
    entry_at,
    epub,
    number_in,
    packed,
    saved,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from transferset.errors import InputError, UsageError
from transferset.sources.books import archives, local
from transferset.sources.books.local import BookFile, RawBook, find_books, read_book
from transferset.sources.books.text_header import COPYRIGHTED, read_header

HEADER = """The Project Gutenberg eBook of Emma

This ebook is for the use of anyone anywhere in the United States.

Title: Emma

Author: Jane Austen

Release date: August 1, 1994 [eBook #158]
                Most recently updated: October 29, 2024

Language: English

*** START OF THE PROJECT GUTENBERG EBOOK EMMA ***

Title: not this one
"""


def names(paths: list[Path], skipped: Counter[str] | None = None) -> list[str]:
    return [book.name for book in find_books(paths, skipped)]


def refusal(path: Path, data: bytes) -> str:
    """What is said of an archive when its books are found, or else read."""
    path.write_bytes(data)
    with pytest.raises(InputError) as caught:
        for book in find_books([path]):
            read_book(book)
    message = str(caught.value)
    assert path.name in message
    assert "\n" not in message
    return message


@pytest.fixture
def zipped(tmp_path: Path) -> Path:
    return tmp_path / "books.zip"


# --- finding ---------------------------------------------------------------------------------


def test_a_folder_is_walked_in_the_order_of_bytes_and_the_rest_is_counted(tmp_path: Path) -> None:
    root = tmp_path / "books"
    (root / "b" / "deep").mkdir(parents=True)
    (root / ".git").mkdir()
    # "B" < "a" < "a/" would be sorted otherwise by a locale; "é" is two bytes above ASCII
    for name in ("a.TXT", "B.txt", "b/deep/z.txt", "b.txt", "é.txt", ".hidden.txt", ".git/x.txt"):
        (root / name).write_text("x")
    for name in ("cover.jpg", "back.JPG", "README", "b/notes.pdf"):
        (root / name).write_text("x")
    (tmp_path / "outside.txt").write_text("secret")
    (root / "link.txt").symlink_to(tmp_path / "outside.txt")
    (root / "loop").symlink_to(root)
    os.mkfifo(root / "pipe.txt")
    skipped: Counter[str] = Counter()
    assert names([root], skipped) == ["B.txt", "a.TXT", "b.txt", "b/deep/z.txt", "é.txt"]
    assert skipped == {
        ".jpg": 2,
        ".pdf": 1,
        local.NO_SUFFIX: 1,
        local.HIDDEN: 2,
        local.LINK: 2,
        local.NO_FILE: 1,
    }


def test_files_are_taken_in_the_order_given_and_once(tmp_path: Path) -> None:
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text("x")
    skipped: Counter[str] = Counter()
    assert names([tmp_path / "b.txt", tmp_path, tmp_path / "a.txt"], skipped) == ["b.txt", "a.txt"]
    assert skipped == {local.REPEATED: 2}


def test_a_name_that_is_not_utf_8_can_be_printed(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.txt"))
    path.write_text("x")
    assert names([tmp_path]) == ["caf\\xe9.txt"]


def test_an_archive_gives_a_book_for_each_text_and_epub_in_it(zipped: Path) -> None:
    inner = epub("<p>Inside.</p>")
    link = zipfile.ZipInfo("link.txt")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("z/b.txt", "second")
        archive.writestr("z/", "")
        archive.writestr("a.EPUB", inner)
        archive.writestr("cover.jpg", "x")
        archive.writestr("__MACOSX/._a.txt", "x")
        archive.writestr(link, "/etc/passwd")
    skipped: Counter[str] = Counter()
    books = find_books([zipped], skipped)
    assert [book.name for book in books] == ["books.zip/a.EPUB", "books.zip/z/b.txt"]
    assert [book.bytes for book in books] == [len(inner), 6]
    assert skipped == {".jpg": 1, local.HIDDEN: 1, local.LINK: 1}
    assert read_book(books[0]).text == "Inside."
    assert read_book(books[0]).sha256 == hashlib.sha256(inner).hexdigest()
    assert read_book(books[1]).raw == b"second"
    assert read_book(books[1]).sha256 == hashlib.sha256(b"second").hexdigest()


def test_a_book_is_read_by_its_names_alone(zipped: Path) -> None:
    """A task that was written to disk knows no more of a book than that."""
    zipped.write_bytes(packed({"a.txt": "one", "b.txt": "two"}))
    read = [read_book(BookFile(zipped, name, name, 3)).raw for name in ("a.txt", "b.txt")]
    assert read == [b"one", b"two"]
    with pytest.raises(InputError, match=r"found none at .*c\.txt"):
        read_book(BookFile(zipped, "c.txt", "c.txt", 3))
    saved(zipped.parent, packed({"a.txt": "changed"}), zipped.name)
    assert read_book(BookFile(zipped, "a.txt", "a.txt", 7)).raw == b"changed"


def test_where_there_is_no_book_the_user_is_told_what_there_is(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="found none"):
        find_books([tmp_path / "missing"])
    with pytest.raises(UsageError, match="found nothing"):
        find_books([tmp_path])
    (tmp_path / "a.pdf").write_text("x")
    for path in (tmp_path, tmp_path / "a.pdf"):
        with pytest.raises(UsageError, match=r"found only 1 \.pdf"):
            find_books([path])
    (tmp_path / "a.zip").write_bytes(packed({"a.html": "x"}))
    with pytest.raises(UsageError, match=r"1 \.html"):
        find_books([tmp_path / "a.zip"])


def test_a_file_that_is_gone_is_an_input_error(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x")
    books = find_books([tmp_path])
    (tmp_path / "a.txt").unlink()
    with pytest.raises(InputError, match=r"No such file.*a\.txt"):
        read_book(books[0])


# --- the header of a plain text ----------------------------------------------------------------


def test_a_plain_text_is_its_bytes_and_what_its_header_says(tmp_path: Path) -> None:
    raw = HEADER.encode()
    book = find_books([saved(tmp_path, raw, "158.txt")])[0]
    assert read_book(book) == RawBook(
        raw=raw,
        text=None,
        title="Emma",
        author="Jane Austen",
        language="en",
        rights="",
        identifier="158",
        sha256=hashlib.sha256(raw).hexdigest(),
        layout="book",
    )


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "cp1252", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_header_is_read_in_any_encoding(encoding: str, end: str) -> None:
    text = HEADER.replace("Austen", "Ausstén") + "é" * 9000  # cut within the 8 KiB, mid-character
    for pad in ("", "x"):
        found = read_header((pad + text).replace("\n", end).encode(encoding))
        assert (found.title, found.author) == ("Emma", "Jane Ausstén")


@pytest.mark.parametrize(
    ("line", "number"),
    [
        ("[eBook #1342]", "1342"),
        ("[EBook #1342]", "1342"),
        ("[Etext #105]", "105"),
        ("[EBook #0]", ""),
        ("[eBook #12345678]", ""),
        ("eBook 1342", ""),
    ],
)
def test_numbers(line: str, number: str) -> None:
    assert read_header(f"Project Gutenberg\nRelease Date: {line}".encode()).identifier == number


def test_fields_over_several_lines_and_rights_and_languages() -> None:
    head = (
        "The Project Gutenberg EBook\n\n** This is a COPYRIGHTED Project Gutenberg eBook **\n\n"
        "Title: Frankenstein;\n       Or, the Modern\tPrometheus\n\n"
        "Author: Alexander Hamilton\n        John Jay\n\nLanguage: French, English\n"
    )
    found = read_header(head.encode())
    assert found.title == "Frankenstein; Or, the Modern Prometheus"
    assert found.author == "Alexander Hamilton; John Jay"
    assert found.language == "fr"
    assert found.rights == COPYRIGHTED
    assert read_header(head.replace("French", "Klingon").encode()).language == ""


def test_a_novel_may_begin_with_a_title_and_a_header_must_begin_the_file() -> None:
    assert read_header(b"Title: A Play\nAuthor: Me\n") == read_header(b"")
    assert read_header(b"x" * 8192 + HEADER.encode()) == read_header(b"")


def test_a_header_is_no_way_to_steer_a_terminal_or_to_take_time() -> None:
    hostile = b"Project Gutenberg\nTitle: a\x1b[31mb\x07 " + b"x" * 8000
    title = read_header(hostile).title
    assert title.isprintable()
    assert len(title) == 1000
    for filler in (b"Title: ", b"Title:\n \n", b" ", b"Title: a\n b\n c:\n"):
        read_header(b"Project Gutenberg\n" + filler * 4000)


# --- bounds ------------------------------------------------------------------------------------


def test_the_bounds_are_those_that_the_documentation_states() -> None:
    assert local.MOST_TEXT == 64 * 1024**2
    assert archives.MOST_UNPACKED == 512 * 1024**2
    assert archives.MOST_RATIO == 200
    assert archives.MOST_MEMBERS == 20_000


def test_a_text_has_at_most_so_many_bytes(
    zipped: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "MOST_TEXT", 10)
    path = saved(tmp_path, b"x" * 10, "a.txt")
    assert read_book(find_books([path])[0]).raw == b"x" * 10
    for refused in (saved(tmp_path, b"x" * 11, "a.txt"), saved(tmp_path, packed({"a.txt": "x" * 11}), "a.zip")):
        with pytest.raises(InputError, match="at most 10 bytes|at most 10"):
            read_book(find_books([refused])[0])


def test_an_epub_in_an_archive_has_at_most_so_many_bytes(
    zipped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "MOST_NESTED", 100)
    assert "at most 100 bytes" in refusal(zipped, packed({"a.epub": epub("<p>x</p>")}))


def test_an_archive_of_books_unpacks_to_at_most_so_much(
    zipped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "MOST_UNPACKED", 10)
    zipped.write_bytes(packed({"a.txt": "12345", "b.txt": "67890", "c.jpg": "x" * 99}))
    assert len(find_books([zipped])) == 2
    found = refusal(zipped, packed({"a.txt": "12345", "b.txt": "67890", "c.txt": "x"}))
    assert "at most 10 bytes of books" in found


def test_an_open_archive_counts_what_it_unpacks(monkeypatch: pytest.MonkeyPatch, zipped: Path) -> None:
    monkeypatch.setattr(archives, "MOST_UNPACKED", 10)
    zipped.write_bytes(packed({"a": "12345", "b": "67890", "c": "x"}))
    with zipped.open("rb") as file:
        archive = archives.Archive(file, "books.zip")
        assert archive.read("a", 99) + archive.read("b", 99) == b"1234567890"
        with pytest.raises(InputError, match="at most 0 bytes"):
            archive.read("c", 99)


def test_what_is_packed_tighter_than_text_is_refused(zipped: Path) -> None:
    # zeros deflate 1 to 1,000; up to a mebibyte that is nobody's business
    assert "200 bytes in each packed byte" in refusal(zipped, packed({"a.txt": bytes(2 << 20)}))
    zipped.write_bytes(packed({"a.txt": bytes(1 << 20)}))
    assert read_book(find_books([zipped])[0]).raw == bytes(1 << 20)


@pytest.mark.parametrize("declared", [0, 1, 1000, 1 << 20])
def test_declared_sizes_are_not_believed(zipped: Path, declared: int) -> None:
    """Five mebibytes of zeros that pass for less: no more is unpacked than was declared."""
    bomb = changed(packed({"a.txt": bytes(5 << 20)}), "a.txt", SIZE, declared, also_local=False)
    assert "more" in refusal(zipped, bomb)
    zipped.write_bytes(bomb)
    book = find_books([zipped])[0]
    assert book.packed
    with zipped.open("rb") as file:
        assert len(archives._inflated(file, book.packed)) == declared + 1


def test_an_archive_has_at_most_so_many_members(
    zipped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "MOST_MEMBERS", 3)
    zipped.write_bytes(packed({f"{n}.txt": "x" for n in range(3)}))
    assert len(find_books([zipped])) == 3
    assert "at most 3 members" in refusal(zipped, packed({f"{n}.txt": "x" for n in range(4)}))


def test_a_directory_is_not_read_when_it_claims_to_be_huge(
    zipped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "MOST_DIRECTORY", 200)
    data = packed({f"{n}.txt": "x" for n in range(9)})
    assert "a directory of at most 200 bytes" in refusal(zipped, data)


# --- hostile archives --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["../a.txt", "a/../../b.txt", "/etc/a.txt", "C:/a.txt", "c:a.txt", "a\\b.txt", "..", "a/..", "a\0b.txt"],
)  # fmt: skip
def test_names_stay_inside(zipped: Path, name: str) -> None:
    data = packed({"good.txt": "x", name.replace("\0", "~"): "x"})
    message = refusal(zipped, data.replace(b"a~b.txt", b"a\0b.txt"))
    assert "a name inside the archive" in message
    assert "\0" not in message


def test_a_name_like_two_dots_is_but_a_name(zipped: Path) -> None:
    zipped.write_bytes(packed({"a..b/...txt/c..txt": "x"}))
    assert names([zipped]) == []if False else True  # noqa: SIM222
