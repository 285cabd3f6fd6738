"""A dump gives the same pages however it is compressed and however it is cut."""

from __future__ import annotations

import bz2
import pickle
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from making_dumps import cut, export, one_stream, page, parsed, read_all, some_pages

from transferset.errors import InputError, UsageError
from transferset.ledger import Ledger, Reason
from transferset.sources.dump import Dump, Part

XML = export(*some_pages())
ARTICLES = parsed(XML)
LEDGER = {Reason.REDIRECT: 4, Reason.OTHER_NAMESPACE: 3}

same_path = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@given(
    kind=st.sampled_from(["plain", "one", "multi", "mixed"]),
    block=st.integers(90, 6000),
    stream=st.integers(200, 9000),
    part=st.one_of(st.none(), st.integers(25, 8000)),
)
@same_path
def test_any_file_and_any_cut_give_the_same_pages(
    tmp_path: Path, kind: str, block: int, stream: int, part: int | None
) -> None:
    data = {
        "plain": lambda: XML,
        "one": lambda: one_stream(cut(XML, block)),
        "multi": lambda: b"".join(bz2.compress(c, 1) for c in cut(XML, stream)),
        "mixed": lambda: b"".join(one_stream(cut(c, block)) for c in cut(XML, stream)),
    }[kind]()
    path = tmp_path / "dump"
    path.write_bytes(data)
    pages, ledger, damage = read_all(path, part)
    assert pages == ARTICLES
    assert ledger == LEDGER
    assert damage == []


@pytest.mark.parametrize("shift", range(14))
def test_tags_may_straddle_blocks_and_parts(tmp_path: Path, shift: int) -> None:
    """Cut within each byte of `<page>`, `</page>` and `</mediawiki>`."""
    tags = [b"<page>", b"</page>", b"</mediawiki>"]
    cuts = sorted(
        at + min(shift, len(tag))
        for tag in tags
        for at in range(len(XML))
        if XML[at:].startswith(tag)
    )
    pieces = [XML[a:b] for a, b in zip([0, *cuts], [*cuts, len(XML)], strict=True) if b > a]
    for data in (one_stream(pieces), b"".join(map(bz2.compress, pieces))):
        path = tmp_path / "dump.bz2"
        path.write_bytes(data)
        for part in (None, 31, 64):
            pages, ledger, _ = read_all(path, part)
            assert (pages, ledger) == (ARTICLES, LEDGER)


def test_empty_streams_are_passed_over(tmp_path: Path) -> None:
    empty = bz2.compress(b"")
    path = tmp_path / "dump.bz2"
    path.write_bytes(empty + b"".join(bz2.compress(c) + empty * 2 for c in cut(XML, 999)))
    for part in (None, 14, 50, 500):
        assert read_all(path, part)[0] == ARTICLES


def test_a_dump_without_pages_is_sound(tmp_path: Path) -> None:
    path = tmp_path / "dump.xml"
    path.write_bytes(export())
    for part in (None, 5):
        assert read_all(path, part) == ([], Counter(), [])


def test_a_byte_order_mark_and_a_declaration_are_no_damage(tmp_path: Path) -> None:
    path = tmp_path / "dump.xml"
    path.write_bytes(b'\xef\xbb\xbf<?xml version="1.0" encoding="UTF-8"?>\n' + XML)
    for part in (None, 10):
        assert read_all(path, part)[0] == ARTICLES


@pytest.mark.parametrize("compress", [bytes, bz2.compress, lambda x: one_stream(cut(x, 500))])
def test_the_first_pages_do_not_depend_on_the_cut(tmp_path: Path, compress) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "dump"
    path.write_bytes(compress(XML))
    dump = Dump.open(path)
    for limit in (0, 1, 5, len(ARTICLES), 99):
        ledgers = []
        for part_bytes in (None, 77, 1000):
            ledger: Ledger = Counter()
            pages, summaries = [], []
            for part in dump.locate(limit, part_bytes):
                reader = dump.read(part, ledger)
                pages += list(reader)
                summaries.append(reader.summary)
            assert pages == ARTICLES[:limit]
            assert dump.check(summaries) == []
            ledgers.append(ledger)
        assert ledgers[0] == ledgers[1] == ledgers[2]


def test_parts_cover_the_file_without_overlap(tmp_path: Path) -> None:
    path = tmp_path / "dump.xml"
    path.write_bytes(XML)
    dump = pickle.loads(pickle.dumps(Dump.open(path)))
    parts = dump.parts(100)
    assert [p.start for p in parts] == [0, *(p.stop for p in parts[:-1])]
    assert parts[-1].stop == dump.size == len(XML)
    assert all(0 < p.stop - p.start <= 100 for p in parts)
    assert dump.parts() == [Part(0, 0, len(XML))]
    with pytest.raises(UsageError, match="part_bytes"):
        dump.parts(0)


def test_a_large_dump_has_at_most_4000_parts(tmp_path: Path) -> None:
    path = tmp_path / "dump.xml"
    path.write_bytes(XML)
    dump = Dump.open(path)
    object.__setattr__(dump, "size", 25_000_000_000)
    object.__setattr__(dump, "bzip2", True)
    assert 3900 < len(dump.parts()) <= 4000
    object.__setattr__(dump, "size", 100 << 20)
    assert len(dump.parts()) == 50


def test_other_namespaces_on_request(tmp_path: Path) -> None:
    path = tmp_path / "dump.xml"
    path.write_bytes(XML)
    dump = Dump.open(path)
    pages = list(dump.read(dump.parts()[0], Counter(), namespaces={1}))
    assert [p.title for p in pages] == ["Talk:4", "Talk:8", "Talk:12"]


def test_a_page_above_the_limit_is_counted_not_held(tmp_path: Path) -> None:
    path = tmp_path / "dump.xml"
    path.write_bytes(export(page("A", "a" * 3_000_000, 1), page("B", "b", 2)))
    dump = Dump.open(path)
    for part_bytes in (None, 100_000):
        ledger: Ledger = Counter()
        titles = [
            p.title
            for part in dump.parts(part_bytes)
            for p in dump.read(part, ledger, page_limit=2_000_000)
        ]
        assert titles == ["B"]
        assert ledger == {Reason.PAGE_TOO_LARGE: 1}


def test_summaries_must_be_of_consecutive_parts(tmp_path: Path) -> None:
    path = tmp_path / "dump.xml"
    path.write_bytes(XML)
    dump = Dump.open(path)
    readers = [dump.read(p, Counter()) for p in dump.parts(1000)]
    for reader in readers:
        list(reader)
    summaries = [reader.summary for reader in readers]
    dump.check(summaries)
    for wrong in (summaries[1:], summaries[::-1], [summaries[0], *summaries[2:]]):
        with pytest.raises(UsageError, match="consecutive parts"):
            dump.check(wrong)


def test_a_plain_file_that_shrinks_while_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "dump.xml"
    path.write_bytes(XML)
    dump = Dump.open(path)
    path.write_bytes(XML[:500])
    with pytest.raises(InputError, match=r"dump\.xml, byte 500"):
        list(dump.read(dump.parts()[0], Counter()))
