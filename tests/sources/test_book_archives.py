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
        _ = [read_book(book) for book in find_books([path])]
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
    for refused in (
        saved(tmp_path, b"x" * 11, "a.txt"),
        saved(tmp_path, packed({"a.txt": "x" * 11}), "a.zip"),
    ):
        with pytest.raises(InputError, match="at most 10 bytes"):
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


def test_an_open_archive_counts_what_it_unpacks(
    monkeypatch: pytest.MonkeyPatch, zipped: Path
) -> None:
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
        file.seek(book.packed.start)
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
    ["../a.txt", "a/../../b.txt", "/etc/a.txt", "C:/a.txt", "c:a.txt", "a\\b.txt", "..", "a/..",
     "a\0b.txt"],
)  # fmt: skip
def test_names_stay_inside(zipped: Path, name: str) -> None:
    data = packed({"good.txt": "x", name.replace("\0", "~"): "x"})
    message = refusal(zipped, data.replace(b"a~b.txt", b"a\0b.txt"))
    assert "a name inside the archive" in message
    assert "\0" not in message


def test_a_name_with_two_dots_in_it_is_but_a_name(zipped: Path) -> None:
    zipped.write_bytes(packed({"a..b/c..txt": "x"}))
    assert names([zipped]) == ["books.zip/a..b/c..txt"]


def test_a_name_that_does_not_say_that_it_is_utf_8(zipped: Path) -> None:
    data = packed({"caf\u00e9.txt": "x"})
    flags = 0x800
    assert data.count("café".encode()) == 2
    zipped.write_bytes(
        changed(
            data,
            "café.txt",
            FLAGS,
            number_in(data, "café.txt", FLAGS) & 0xFFFF & ~flags,
            also_local=True,
        )
    )
    assert names([zipped]) == ["books.zip/café.txt"]
    assert read_book(find_books([zipped])[0]).raw == b"x"


def test_every_name_is_there_once(zipped: Path) -> None:
    data = packed({"aa.txt": "x", "bb.txt": "y"}).replace(b"bb.txt", b"aa.txt")
    assert "every name once" in refusal(zipped, data)


def test_encrypted_members(zipped: Path) -> None:
    data = changed(packed({"a.txt": "x"}), "a.txt", FLAGS, 1, also_local=True)
    assert "an encrypted one" in refusal(zipped, data)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_methods(zipped: Path, method: int) -> None:
    message = refusal(zipped, packed({"a.txt": "x"}, method))
    assert f"stored or deflated, found method {method}" in message


def test_unknown_methods(zipped: Path) -> None:
    data = changed(packed({"a.txt": "x"}), "a.txt", METHOD, 97, also_local=True)
    assert "method 97" in refusal(zipped, data)


def test_an_archive_in_an_archive(zipped: Path) -> None:
    message = refusal(zipped, packed({"a.txt": "x", "inner.ZIP": packed({"b.txt": "x"})}))
    assert "another archive" in message
    assert "inner.ZIP" in message


def test_two_names_for_the_same_bytes(zipped: Path) -> None:
    """The plain form of Fifield's bomb: all entries point to one member."""
    data = packed({"a.txt": "x" * 99, "b.txt": "x" * 99})
    data = changed(data, "b.txt", OFFSET, number_in(data, "a.txt", OFFSET))
    assert "overlap" in refusal(zipped, data)


def test_a_member_that_reaches_over_the_next_one(zipped: Path) -> None:
    """The quoting form: a member's bytes hold the header of the next, and its bytes."""
    data = packed({"a.txt": "x" * 99, "b.txt": "y" * 99}, zipfile.ZIP_STORED)
    assert "overlap" in refusal(zipped, changed(data, "a.txt", PACKED, 160))


def test_a_member_whose_extra_field_reaches_over_the_next_one(zipped: Path) -> None:
    """The third form: the header says that its bytes begin within the next member."""
    data = bytearray(packed({"a.txt": "x" * 9, "b.txt": "y" * 99}, zipfile.ZIP_STORED))
    data[28:30] = (60).to_bytes(2, "little")
    assert "overlap" in refusal(zipped, bytes(data))


def test_a_header_that_names_another_member(zipped: Path) -> None:
    """Programs that go by the headers would see another archive than those that do not."""
    data = packed({"a.txt": "x"}).replace(b"a.txt", b"b.txt", 1)
    assert "the header of the member, found something else" in refusal(zipped, data)


def test_a_member_that_reaches_into_the_directory(zipped: Path) -> None:
    data = packed({"a.txt": "x" * 99}, zipfile.ZIP_STORED)
    assert "one in it" in refusal(zipped, changed(data, "a.txt", PACKED, 200))


# --- damage ------------------------------------------------------------------------------------

TEXT = random.Random(7).randbytes(400).hex()


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_damaged_bytes_are_named(zipped: Path, method: int) -> None:
    data = bytearray(packed({"first.txt": "x", "a.txt": TEXT}, method))
    data[data.index(b"a.txt") + 200] ^= 4
    message = refusal(zipped, bytes(data))
    assert "books.zip, a.txt" in message
    assert "fetch it again" in message


def test_a_wrong_crc_is_named(zipped: Path) -> None:
    data = bytearray(packed({"a.txt": TEXT}))
    data[entry_at(data, "a.txt") + 16] ^= 1
    assert f"found {zlib.crc32(TEXT.encode()):08x}" in refusal(zipped, bytes(data))


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_whatever_happens_to_an_archive_it_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    whole = packed({"a.txt": TEXT, "b.epub": epub("<p>Words.</p>"), "c.jpg": "x"})
    bad = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 4))):
        # half of the changes in the directory, where they mean most
        low = data.draw(st.sampled_from([0, whole.index(b"PK\1\2")]))
        bad[data.draw(st.integers(low, len(bad) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("bad") / "books.zip"
    path.write_bytes(bad[: data.draw(st.sampled_from([len(bad), len(bad) // 2, len(bad) - 9]))])
    try:
        books = [read_book(book) for book in find_books([path])]
    except (InputError, UsageError) as error:
        assert "\n" not in str(error)  # noqa: PT017
    else:
        assert all(book.raw == TEXT.encode() for book in books if book.raw is not None)


@pytest.mark.parametrize(
    "data", [b"", b"PK", b"PK\5\6", b"not a zip" * 99, b"PK\5\6" + b"\xff" * 18]
)
def test_what_is_no_archive(zipped: Path, data: bytes) -> None:
    assert "a ZIP archive" in refusal(zipped, data)
    path = saved(zipped.parent, data, "a.epub")
    with pytest.raises(InputError, match=r"a ZIP archive.*a\.epub"):
        read_book(find_books([path])[0])


def test_nothing_is_written(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    saved(tmp_path / "in", packed({"a/b.txt": "x", "c.epub": epub("<p>x</p>")}), "a.zip")
    before = sorted(tmp_path.rglob("*"))
    assert len([read_book(book) for book in find_books([tmp_path])]) == 2
    assert sorted(tmp_path.rglob("*")) == before
