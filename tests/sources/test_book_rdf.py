"""RDF of single books, and the folders and archives in which it comes."""

from __future__ import annotations

import bz2
import gzip
import io
import tarfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from making_catalogs import COPYRIGHTED, PUBLIC, SITE, rdf, texts

from transferset.errors import InputError, UsageError
from transferset.sources.books import rdf_files, streams
from transferset.sources.books.gutenberg import (
    EPUB,
    TEXT,
    addresses,
    digit_path,
    file_name,
    is_free,
    licence_of,
)
from transferset.sources.books.rdf import LARGEST_RDF, BadRdf, RdfBook, RdfFile, parse_rdf
from transferset.sources.books.rdf_files import read_rdf_files

NAMES = {n: f"cache/epub/{n}/pg{n}.rdf" for n in (11, 84, 1342)}
FILES = {name: rdf(number) for number, name in NAMES.items()}


def test_what_the_rdf_of_a_book_says() -> None:
    files = {
        f"{SITE}/ebooks/1342.txt.utf-8": (772420, ["text/plain; charset=us-ascii"]),
        f"{SITE}/files/1342/1342-0.zip": (3, ["application/zip", "text/plain; charset=utf-8"]),
        f"{SITE}/a?b&c": ("none", ["Text/HTML"]),
    }
    assert parse_rdf(rdf(1342, files, creators=["Austen, Jane", "O'Neil & <Co>"])) == RdfBook(
        id=1342,
        rights=PUBLIC,
        creators=("Austen, Jane", "O'Neil & <Co>"),
        issued="1998-06-01",
        downloads=417,
        files=(
            RdfFile(f"{SITE}/ebooks/1342.txt.utf-8", 772420, ("text/plain",)),
            RdfFile(f"{SITE}/files/1342/1342-0.zip", 3, ("application/zip", "text/plain")),
            RdfFile(f"{SITE}/a?b&c", None, ("text/html",)),
        ),
    )


def test_the_licence_of_the_rdf_is_not_that_of_the_book() -> None:
    data = rdf(1).replace(b"<dcterms:rights>" + PUBLIC.encode() + b"</dcterms:rights>", b"")
    assert b"publicdomain/zero" in data
    assert parse_rdf(data).rights == ""


def test_two_statements_of_rights_are_both_kept() -> None:
    more = f"<dcterms:rights>{COPYRIGHTED}</dcterms:rights></pgterms:ebook>"
    book = parse_rdf(rdf(1).replace(b"</pgterms:ebook>", more.encode()))
    assert book.rights == f"{PUBLIC}; {COPYRIGHTED}"
    assert not is_free(book.rights)


BOMB = b"""<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;">]><x>&d;</x>"""


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (BOMB, "a DTD"),
        (b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><x/>', "a DTD"),
        (rdf(1)[:-20], "no XML"),
        (b"", "no XML"),
        (b"<html></html>", "0 books"),
        (rdf(1).replace(b"ebooks/1", b"ebooks/x"), "without its number"),
        (rdf(1).replace(b"Public", b"Publi\xe7"), "no XML"),
        (rdf(1).replace(b'encoding="utf-8"', b'encoding="klingon"'), "no XML"),
        (rdf(1).replace(b"Public", b"Pub\0lic"), "no XML"),
        (rdf(1) + b" " * LARGEST_RDF, "more than 1,048,576 bytes"),
        (
            rdf(1).replace(b"</rdf:RDF>", b'<pgterms:ebook rdf:about="ebooks/2"/></rdf:RDF>'),
            "2 books",
        ),
    ],
    ids=[
        "bomb",
        "system",
        "cut",
        "empty",
        "html",
        "number",
        "latin-1",
        "klingon",
        "nul",
        "large",
        "two",
    ],
)
def test_what_is_not_the_rdf_of_a_book(data: bytes, why: str) -> None:
    with pytest.raises(BadRdf, match=why):
        parse_rdf(data)


def test_deep_and_wide_rdf_takes_linear_time() -> None:
    for data in (b"<a>" * (LARGEST_RDF // 7) + b"</a>" * (LARGEST_RDF // 7), b"<a " * 300_000):
        start = time.process_time()
        with pytest.raises(BadRdf):
            parse_rdf(data)
        assert time.process_time() - start < 5


# --- where the files of a book are -------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "path"), [(7, "0/7"), (10, "1/10"), (84, "8/84"), (1342, "1/3/4/1342")]
)
def test_mirrors_have_a_folder_a_digit(number: int, path: str) -> None:
    assert digit_path(number) == path


def test_without_a_list_of_files_all_usual_places_are_tried() -> None:
    assert addresses(1342, "https://m", (), [TEXT, EPUB]) == [
        "https://m/cache/epub/1342/pg1342.txt",
        "https://m/files/1342/1342-0.txt",
        "https://m/files/1342/1342.txt",
        "https://m/1/3/4/1342/1342-0.txt",
        "https://m/1/3/4/1342/1342.txt",
        "https://m/cache/epub/1342/pg1342.epub",
        "https://m/cache/epub/1342/pg1342-images.epub",
        "https://m/cache/epub/1342/pg1342-images-3.epub",
    ]


def test_with_a_list_only_the_listed_files_are_asked_for() -> None:
    listed = ["1342-8.txt", "1342.txt", "pg1342-images.epub"]
    assert addresses(1342, "https://m", listed, [TEXT]) == [
        "https://m/files/1342/1342-8.txt",
        "https://m/files/1342/1342.txt",
        "https://m/1/3/4/1342/1342-8.txt",
        "https://m/1/3/4/1342/1342.txt",
    ]
    assert addresses(1342, "https://m", listed, [EPUB]) == [
        "https://m/cache/epub/1342/pg1342-images.epub"
    ]
    assert addresses(1342, "https://m", ["pg1342.epub"], [TEXT]) == []


@pytest.mark.parametrize(
    ("url", "name"),
    [
        (f"{SITE}/ebooks/1342.txt.utf-8", "pg1342.txt"),
        ("http://www.gutenberg.org/ebooks/1342.txt.utf-8", "pg1342.txt"),
        (f"{SITE}/ebooks/1342.epub3.images", "pg1342-images-3.epub"),
        (f"{SITE}/ebooks/1342.epub.images", "pg1342-images.epub"),
        (f"{SITE}/ebooks/1342.epub.noimages", "pg1342.epub"),
        (f"{SITE}/cache/epub/1342/pg1342.txt", "pg1342.txt"),
        (f"{SITE}/files/1342/1342-0.txt", "1342-0.txt"),
        (f"{SITE}/files/1342/1342-8.txt", "1342-8.txt"),
        (f"{SITE}/files/1342/1342.txt", "1342.txt"),
        (f"{SITE}/files/1342/1342-readme.txt", None),
        (f"{SITE}/files/1342/1342-0.zip", None),
        (f"{SITE}/files/1342/../84/84-0.txt", None),
        (f"{SITE}/files/84/84-0.txt", None),
        (f"{SITE}/files/84/1342-0.txt", None),
        (f"{SITE}/ebooks/84.txt.utf-8", None),
        (f"{SITE}/ebooks/txt.utf-8", None),
        (f"{SITE}/ebooks/1342.html.images", None),
        ("https://evil.example/files/1342/1342-0.txt", None),
        ("https://evil.example/www.gutenberg.org/files/1342/1342-0.txt", None),
        ("file:///files/1342/1342-0.txt", None),
    ],
)
def test_an_address_of_the_rdf_means_a_file_of_that_book_or_nothing(
    url: str, name: str | None
) -> None:
    assert file_name(1342, url) == name


@pytest.mark.parametrize(
    ("rights", "free", "licence"),
    [
        (PUBLIC, True, "Public domain in the USA"),
        ("public domain in the usa", True, "Public domain in the USA"),
        (COPYRIGHTED, False, COPYRIGHTED),
        ("None", False, "Not stated; see the book"),
        ("", False, "Not stated; see the book"),
        ("Not public domain in the USA.", False, "Not public domain in the USA."),
    ],
)
def test_rights_are_free_only_when_they_say_exactly_that(
    rights: str, free: bool, licence: str
) -> None:
    assert (is_free(rights), licence_of(rights)) == (free, licence)


# --- folders and archives ----------------------------------------------------------------------


def tar(files: dict[str, bytes], **header: object) -> bytes:
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            member.mtime = 0.5  # gives a pax header before the member, as tar itself writes
            for key, value in header.items():
                setattr(member, key, value)
            archive.addfile(member, io.BytesIO(data))
    return sink.getvalue()


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return sink.getvalue()


def in_streams(data: bytes) -> bytes:
    """bzip2 of several streams, as parallel compressors write."""
    return b"".join(bz2.compress(data[at : at + 9000]) for at in range(0, len(data), 9000))


ARCHIVES: dict[str, Callable[[dict[str, bytes]], bytes]] = {
    "rdf-files.tar": tar,
    "rdf-files.tar.gz": lambda files: gzip.compress(tar(files)),
    "rdf-files.tar.bz2": lambda files: bz2.compress(tar(files)),
    "streams.tar.bz2": lambda files: in_streams(tar(files)),
    "rdf-files.tar.zip": lambda files: zipped({"rdf-files.tar": tar(files)}),
    "rdf-files.zip": zipped,
}


def put(tmp_path: Path, data: bytes) -> Path:
    path = tmp_path / "archive"
    path.write_bytes(data)
    return path


def read(source: Path, wanted: object = frozenset(NAMES)) -> dict[int, bytes]:
    assert isinstance(wanted, set | frozenset)
    return {number: data for number, _, data in read_rdf_files(source, wanted)}


@pytest.mark.parametrize("name", ARCHIVES)
def test_archives(tmp_path: Path, name: str) -> None:
    others = {"cache/epub/7/pg7.rdf": b"not wanted", "README": b"x" * 700, "pg84.rdf.txt": b""}
    path = tmp_path / name
    path.write_bytes(ARCHIVES[name]({**others, **FILES}))
    assert read(path) == {number: FILES[name] for number, name in NAMES.items()}
    assert read(path, {84}) == {84: FILES[NAMES[84]]}


def test_folders(tmp_path: Path) -> None:
    for name, data in FILES.items():
        path = tmp_path / "pg" / name
        path.parent.mkdir(parents=True)
        path.write_bytes(data)
    assert read(tmp_path / "pg") == {number: FILES[name] for number, name in NAMES.items()}
    flat = tmp_path / "flat"
    flat.mkdir()
    (flat / "pg84.rdf").write_bytes(b"84")
    (flat / "pg1342.rdf").symlink_to(flat / "pg84.rdf")  # links are not followed
    (flat / "pg11.rdf").mkdir()
    assert read(flat) == {84: b"84"}


def test_a_missing_source_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"No such file.*none"):
        read(tmp_path / "none")


@pytest.mark.parametrize("name", ARCHIVES)
def test_what_is_too_large_is_cut_where_that_can_be_told(tmp_path: Path, name: str) -> None:
    files = {"a/pg84.rdf": b"<a/>" + b" " * 3 * LARGEST_RDF, "a/pg1342.rdf": b"next"}
    found = read(put(tmp_path, ARCHIVES[name](files)))
    assert len(found[84]) == LARGEST_RDF + 1
    assert found[1342] == b"next"


@pytest.mark.parametrize("name", ["../pg84.rdf", "a/../../pg84.rdf", "/etc/pg84.rdf"])
@pytest.mark.parametrize("kind", ARCHIVES)
def test_names_that_lead_out_are_refused(tmp_path: Path, name: str, kind: str) -> None:
    path = put(tmp_path, ARCHIVES[kind]({name: b"x"}))
    with pytest.raises(InputError, match="an archive whose members lie inside it"):
        read(path)


@pytest.mark.parametrize("kind", ARCHIVES)
def test_archives_cut_anywhere_are_damaged(tmp_path: Path, kind: str) -> None:
    whole = ARCHIVES[kind](FILES)
    ends = len(whole) if kind != "rdf-files.tar" else sum(map(len, FILES.values()))
    for stop in range(5, ends, ends // 23):
        with pytest.raises(InputError, match="archive"):
            read(put(tmp_path, whole[:stop]))


@pytest.mark.parametrize("kind", ["rdf-files.tar.gz", "streams.tar.bz2", "rdf-files.zip"])
def test_flipped_bytes_are_damage(tmp_path: Path, kind: str) -> None:
    whole = ARCHIVES[kind](FILES)
    data = bytearray(whole)
    data[len(data) // 2] ^= 0xFF
    with pytest.raises(InputError, match=r"(compressed data|tar|zip)"):
        read(put(tmp_path, bytes(data)))


def test_a_damaged_later_stream_of_bzip2_does_not_end_the_archive(tmp_path: Path) -> None:
    whole = in_streams(tar(FILES))
    second = whole.index(b"BZh9", 1)
    damaged = whole[:second] + b"XZh9" + whole[second + 4 :]
    assert bz2.decompress(damaged)  # what the standard library says
    with pytest.raises(InputError, match="whole compressed data"):
        read(put(tmp_path, damaged))


@pytest.mark.parametrize("squeeze", [bz2.compress, gzip.compress])
def test_bombs_are_bounded(
    tmp_path: Path, squeeze: Callable[[bytes], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "SMALL", 1 << 20)
    monkeypatch.setattr(streams, "MOST_RATIO", 200)
    bomb = squeeze(tar({"other": b"\0" * (24 << 20), "pg84.rdf": b"x"}))
    assert len(bomb) * streams.MOST_RATIO < 24 << 20
    with pytest.raises(InputError, match=r"at most [0-9,]+ bytes when unpacked"):
        read(put(tmp_path, bomb))
    with pytest.raises(InputError, match=r"at most [0-9,]+ bytes when unpacked"):
        read(put(tmp_path, zipped({"a.tar": tar({"other": b"\0" * (24 << 20)})})))


def test_the_end_of_a_tar_archive_is_bounded_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "SMALL", 1 << 20)
    monkeypatch.setattr(streams, "MOST_RATIO", 200)
    with pytest.raises(InputError, match="when unpacked"):
        read(put(tmp_path, gzip.compress(tar({"pg84.rdf": b"x"}) + b"\0" * (24 << 20))))


def test_a_header_that_lies_about_its_length_costs_no_memory(tmp_path: Path) -> None:
    def header(name: bytes, size: bytes, kind: bytes) -> bytes:
        block = bytearray(512)
        block[: len(name)] = name
        block[124:136] = size.rjust(11, b"0") + b"\0"
        block[148:156] = b" " * 8
        block[156:157] = kind
        block[257:265] = b"ustar\x0000"
        block[148:156] = b"%06o\0 " % sum(block)
        return bytes(block)

    for kind in (b"x", b"g", b"L", b"0"):
        data = header(b"pg84.rdf", b"77777777777", kind) + b"x" * 2048
        with pytest.raises(InputError, match="a tar archive without its end"):
            read(put(tmp_path, data))
    for size in (b"\x80" + b"\xff" * 10, b"-1"):
        with pytest.raises(InputError, match=r"a tar member with a size|no tar header"):
            read(put(tmp_path, header(b"pg84.rdf", size, b"0")))


def test_a_damaged_header_of_a_tar_archive_is_found_by_its_checksum(tmp_path: Path) -> None:
    data = bytearray(tar(FILES))
    data[data.index(b"pg84.rdf")] = ord("q")
    with pytest.raises(InputError, match="no tar header"):
        read(put(tmp_path, bytes(data)))


@pytest.mark.parametrize("data", [b"", b"<html>" * 200, b"x" * 512, b"\x1f\x8b" + b"x" * 600])
def test_what_is_no_archive(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(InputError):
        read(put(tmp_path, data))


def test_links_and_folders_in_an_archive_are_not_read(tmp_path: Path) -> None:
    assert read(put(tmp_path, tar({"pg84.rdf": b""}, type=tarfile.SYMTYPE, linkname="/x"))) == {}
    assert read(put(tmp_path, tar({"pg84.rdf": b""}, type=tarfile.DIRTYPE))) == {}


def test_members_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rdf_files, "MOST_MEMBERS", 3)
    for kind in ("rdf-files.tar", "rdf-files.zip"):
        with pytest.raises(InputError, match="less than 3 members"):
            read(put(tmp_path, ARCHIVES[kind]({f"{n}.txt": b"" for n in range(4)})))


def test_zip_members_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="stored or deflated, found method 14"):
        read(put(tmp_path, zipped({"pg84.rdf": b"x" * 99}, zipfile.ZIP_LZMA)))
    encrypted = bytearray(zipped({"pg84.rdf": b"x"}))
    encrypted[encrypted.index(b"PK\1\2") + 8] |= 1
    with pytest.raises(InputError, match="not encrypted"):
        read(put(tmp_path, bytes(encrypted)))


def test_the_directory_of_a_zip_archive_is_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put(tmp_path, zipped({f"pg{n}.rdf": b"" for n in range(100)}))
    assert len(read(path, set(range(100)))) == 100
    monkeypatch.setattr(streams, "LARGEST_DIRECTORY", 1000)
    with pytest.raises(InputError, match="a directory of at most 1,000 bytes"):
        read(path)


def test_the_makers_make_what_the_parser_reads() -> None:
    assert {file.url for file in parse_rdf(rdf(5)).files} == set(texts(5, 1))
