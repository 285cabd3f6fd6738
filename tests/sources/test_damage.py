"""Every damage is an error that names file and byte, or is counted when it is skipped."""

from __future__ import annotations

import bz2
import itertools
import random
import re
from pathlib import Path

import pytest
from making_dumps import cut, export, one_stream, page, parsed, read_all, some_pages

from transferset.errors import InputError
from transferset.ledger import Reason
from transferset.sources.bzip2 import Mark, find_marks
from transferset.sources.dump import Dump, Page

XML = export(*some_pages(8))
ARTICLES = parsed(XML)
STREAMS = [one_stream(cut(c, 600)) for c in cut(XML, 2000)]
FILES = {"one": one_stream(cut(XML, 700)), "multi": b"".join(STREAMS), "std": bz2.compress(XML)}
PARTS = (None, 90, 700)


def error_of(path: Path, data: bytes, part_bytes: int | None = None) -> str:
    path.write_bytes(data)
    with pytest.raises(InputError) as caught:
        read_all(path, part_bytes)
    message = str(caught.value)
    assert path.name in message
    assert re.search(r"byte \d|in its first", message), message
    return message


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "dump.bz2"


@pytest.mark.parametrize("name", FILES)
def test_any_flipped_bit_is_an_error(path: Path, name: str) -> None:
    rng = random.Random(name)
    whole = FILES[name]
    ends = [m.bit for m in find_marks(whole) if m.end]
    harmless = {bit for end in ends for bit in range(end + 80, (end + 87) // 8 * 8)}
    levels = {at + 3 for at in range(len(whole)) if whole[at : at + 3] == b"BZh"}
    structure = [b for end in ends for b in range(end, min(end + 140, len(whole) * 8), 3)]
    for bit in [*range(80), *structure, *rng.sample(range(len(whole) * 8), 40)]:
        bad = bytearray(whole)
        bad[bit // 8] ^= 0x80 >> bit % 8
        if bit in harmless or (bit // 8 in levels and 0x31 <= bad[bit // 8] <= 0x39):
            path.write_bytes(bad)
            assert read_all(path)[0] == ARTICLES
        else:
            error_of(path, bytes(bad), rng.choice(PARTS))


@pytest.mark.parametrize("name", FILES)
def test_a_cut_anywhere_is_an_error(path: Path, name: str) -> None:
    rng = random.Random(name)
    whole = FILES[name]
    marks = [m.bit // 8 + shift for m in find_marks(whole) for shift in (0, 1, 6, 10)]
    borders = [len(b"".join(STREAMS[:n])) for n in range(len(STREAMS))]
    for at in {
        0,
        1,
        3,
        4,
        10,
        len(whole) - 1,
        *marks,
        *borders,
        *rng.sample(range(len(whole)), 40),
    }:
        if at < len(whole):
            error_of(path, whole[:at], rng.choice(PARTS))


@pytest.mark.parametrize("name", FILES)
def test_zeroed_bytes_are_an_error(path: Path, name: str) -> None:
    rng = random.Random(name)
    whole = FILES[name]
    for _ in range(40):
        at = rng.randrange(len(whole) - 20)
        bad = whole[:at] + bytes(512) + whole[at + 512 :]
        error_of(path, bad[: len(whole)], rng.choice(PARTS))


@pytest.mark.parametrize(
    "garbage", [b"\0", b"x", b"BZh9", bytes(512), bz2.compress(b"more"), FILES["one"]]
)
@pytest.mark.parametrize("part_bytes", PARTS)
def test_what_follows_the_end_is_an_error(path: Path, garbage: bytes, part_bytes: int) -> None:
    for whole in FILES.values():
        error_of(path, whole + garbage, part_bytes)


def test_damage_between_two_parts_is_found_by_the_check(path: Path) -> None:
    """Each part is sound by itself; only the stream's CRC tells that a block is missing."""
    pieces = cut(XML, 700)
    whole, less = one_stream(pieces), one_stream(pieces[:2] + pieces[3:])
    stored = whole[-8:]
    assert find_marks(whole)[-1].end
    assert stored != less[-8:]
    bit = find_marks(less)[-1].bit + 48
    bad = bytearray(less)
    bad[bit // 8] ^= 0x80 >> bit % 8
    assert "stream's CRC" in error_of(path, bytes(bad), 200)


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"", "an empty file"),
        (b" \n", "an empty file"),
        (XML.decode().encode("utf-16"), "UTF-16"),
        (XML.decode().encode("utf-16-be"), "UTF-16"),
        (b"<!DOCTYPE html>\n<html><body>404</body></html>", "an HTML page"),
        (b"<html>\n", "an HTML page"),
        (b'<!DOCTYPE m [<!ENTITY a "b">]>' + XML, "DTD"),
        (b"\n<?xml version='1.0'?><!DOCTYPE mediawiki>" + XML, "DTD"),
        (b"<?xml version='1.0' encoding='iso-8859-1'?>" + XML, "iso-8859-1"),
        (b"{}", "{}"),
        (b"600:10:AccessibleComputing\n", "a multistream index"),
        (b"<rss></rss>", "<rss>"),
        (XML.replace(b'version="0.11"', b'version="0.12"'), "0.12"),
        (XML.replace(b'version="0.11"', b""), "version"),
        (XML[: XML.index(b"<siteinfo>")], "no page"),
        (XML[:-14], "</sha1>"),
        (XML + b"x", "</mediawiki>\\nx"),
    ],
)
@pytest.mark.parametrize("pack", [bytes, bz2.compress])
def test_what_is_not_a_dump(path: Path, data: bytes, found: str, pack) -> None:  # type: ignore[no-untyped-def]
    path.write_bytes(pack(data))
    with pytest.raises(InputError) as caught:
        read_all(path)
    assert found in str(caught.value)
    assert "dump.bz2" in str(caught.value)


@pytest.mark.parametrize(
    ("magic", "name"),
    [
        (b"7z\xbc\xaf\x27\x1c", "7z"),
        (b"\x1f\x8b\x08", "gunzip"),
        (b"\x28\xb5\x2f\xfd", "unzstd"),
        (b"\xfd7zXZ\0", "unxz"),
        (b"PK\x03\x04", "unzip"),
        (b"BZh0", "damaged bzip2 header"),
    ],
)
def test_other_formats_say_what_to_do(path: Path, magic: bytes, name: str) -> None:
    path.write_bytes(magic + bytes(100))
    with pytest.raises(InputError, match=name):
        Dump.open(path)


def test_a_directory_and_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a directory"):
        Dump.open(tmp_path)
    with pytest.raises(InputError, match="no file"):
        Dump.open(tmp_path / "none.xml")


def test_the_index_means_the_dump_beside_it(tmp_path: Path) -> None:
    index = tmp_path / "xwiki-1-pages-articles-multistream-index1.txt-p1p9.bz2"
    index.write_bytes(bz2.compress(b"600:10:A\n"))
    with pytest.raises(InputError, match="a multistream index"):
        Dump.open(index)
    dump = tmp_path / "xwiki-1-pages-articles-multistream1.xml-p1p9.bz2"
    dump.write_bytes(FILES["multi"])
    assert Dump.open(index).path == dump


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        (b"w1", b"\xff", "0xff"),
        (b"w1", b"\xed\xa0\x80", "0xed"),
        (b"w1", b"\0", "zero"),
        (b"w1", b"&nbsp;", "&nbsp;"),
        (b"w1", b"& ", "found &"),
        (b"w1", b"&#xD800;", "&#xD800;"),
        (b"w1", b"<![CDATA[x]]>", "CDATA"),
        (b"w1", b"<!-- -->", "comment"),
        (b"w1", b"<b>", "<b>"),
        (b"w1", b"<page>", "<page> inside a page"),
        (b"</text>", b"", "</sha1>|<sha1>"),
        (b"</page>", b"", "<page> inside a page|</mediawiki> inside a page"),
        (b"<page>", b"", "<title>|</page>|belongs to no page"),
        (b"</page>", b"</page>x", "found x|belongs to no page"),
        (b"</revision>", b"", "</page>"),
        (b"<id>2</id>", b"<id>two</id>", "two"),
        (b"<ns>0</ns>", b"<ns>a</ns>", "found a"),
    ],
)
@pytest.mark.parametrize("part_bytes", [None, 1000])
def test_what_no_export_contains(
    path: Path, old: bytes, new: bytes, found: str, part_bytes: int | None
) -> None:
    at = XML.index(old, XML.index(b"<id>2</id>") - 100)
    path.write_bytes(XML[:at] + new + XML[at + len(old) :])
    with pytest.raises(InputError) as caught:
        read_all(path, part_bytes)
    assert re.search(found, str(caught.value)), str(caught.value)


def is_part_of(pages: list[Page], whole: list[Page]) -> bool:
    rest = iter(whole)
    return all(any(p == q for q in rest) for p in pages)


@pytest.mark.parametrize("part_bytes", PARTS)
def test_one_damaged_block_costs_only_its_pages(path: Path, part_bytes: int | None) -> None:
    whole = FILES["one"]
    marks = find_marks(whole)
    for a, b in itertools.pairwise(marks[3:]):
        bit = (a.bit + b.bit) // 2
        bad = bytearray(whole)
        bad[bit // 8] ^= 0x80 >> bit % 8
        path.write_bytes(bad)
        pages, ledger, damage = read_all(path, part_bytes, skip_damaged=True)
        assert is_part_of(pages, ARTICLES)
        assert len(ARTICLES) - len(pages) <= 4  # a block of 700 bytes touches three at most
        assert ledger[Reason.DAMAGED_BLOCK] == 1
        lost_end = [(len(whole), len(whole))] if b.end else []  # no </mediawiki> any more
        assert damage == [(a.bit // 8, (b.bit + 7) // 8), *lost_end]


@pytest.mark.parametrize("part_bytes", PARTS)
def test_a_damaged_magic_costs_one_block(path: Path, part_bytes: int | None) -> None:
    whole = FILES["one"]
    marks = find_marks(whole)
    bad = bytearray(whole)
    bad[marks[5].bit // 8 + 2] ^= 1
    path.write_bytes(bad)
    _, ledger, damage = read_all(path, part_bytes, skip_damaged=True)
    assert ledger[Reason.DAMAGED_BLOCK] == 1
    assert damage[0] == (marks[5].bit // 8, (marks[6].bit + 7) // 8)


@pytest.mark.parametrize("part_bytes", PARTS)
def test_damage_that_hides_nothing_costs_nothing(path: Path, part_bytes: int | None) -> None:
    """A stream's header, end mark or CRC."""
    at = len(STREAMS[0])
    for byte in (at, at + 3, at - 3, at - 9):
        bad = bytearray(FILES["multi"])
        bad[byte] ^= 0x40
        path.write_bytes(bad)
        pages, ledger, damage = read_all(path, part_bytes, skip_damaged=True)
        assert pages == ARTICLES
        assert ledger[Reason.DAMAGED_BLOCK] == 0
        assert damage


def test_a_damaged_page_of_plain_xml_is_counted(path: Path) -> None:
    for old, new in [(b"w1", b"\xff"), (b"</page>", b""), (b"w1", bytes(5))]:
        at = XML.index(old, XML.index(b"<id>2</id>"))
        path.write_bytes(XML[:at] + new + XML[at + len(old) :])
        for part_bytes in (None, 1000):
            pages, ledger, damage = read_all(path, part_bytes, skip_damaged=True)
            assert [p.doc_id for p in pages] == [1, 3, 4, 5, 6, 7, 8]
            assert ledger[Reason.DAMAGED_PAGE] == 1
            assert damage


def test_a_truncated_dump_gives_what_it_has(path: Path) -> None:
    path.write_bytes(FILES["multi"][: len(STREAMS[0]) + len(STREAMS[1])])
    pages, _, damage = read_all(path, skip_damaged=True)
    assert pages == ARTICLES[: len(pages)]
    assert pages
    assert damage


@pytest.mark.parametrize("part_bytes", [40, 90, 300])
def test_a_magic_that_is_data_is_no_border(
    path: Path, part_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """48 bits of data may look like a magic; here such bits are 'found' in every other block."""

    def find_more(data: bytes) -> list[Mark]:
        marks = find_marks(data)
        chance = [
            Mark((a.bit + 2 * b.bit) // 3, bool(n % 3 == 0))
            for n, (a, b) in enumerate(itertools.pairwise(marks))
            if n % 2 and b.bit - a.bit > 400
        ]
        return sorted(marks + chance)

    monkeypatch.setattr("transferset.sources.bzip2.find_marks", find_more)
    for whole in (FILES["one"], FILES["multi"]):
        path.write_bytes(whole)
        pages, _, damage = read_all(path, part_bytes)
        assert pages == ARTICLES
        assert damage == []


def test_text_after_the_root_is_an_error_in_any_part(path: Path) -> None:
    extra = page("Z", "z", 99).encode()
    for part_bytes in (None, 200):
        error_of(path, bz2.compress(XML) + bz2.compress(extra + b"</mediawiki>"), part_bytes)
