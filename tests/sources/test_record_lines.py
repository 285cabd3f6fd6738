"""JSON lines: every line is a document or is counted, wherever parts are cut."""

from __future__ import annotations

import bz2
import gzip
import json
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reading_records import PROSE, cut, hashed, only, read_all, read_parts, texts, write_lines

from transferset.errors import InputError, UsageError
from transferset.ledger import Ledger
from transferset.sources.records import lines as json_lines
from transferset.sources.records import rows

GOOD = b'{"text": "good"}\n'

#: Lines as files have them, and the text that each gives; None is malformed, "" has no text.
LINES: list[tuple[bytes, str | None]] = [
    (b'{"text": "plain"}', "plain"),
    (b'  {"text": "spaces around"}\t ', "spaces around"),
    (b'{"text": "carriage return"}\r', "carriage return"),
    (b'{"text": "twice", "text": "the last one counts"}', "the last one counts"),
    (b'{"text": "n", "missing": NaN}', "n"),
    (b'{"text": "escaped \\ud83d\\ude00"}', "escaped 😀"),
    ('{"text": "Käfer\u2028雨 😀"}'.encode(), "Käfer\u2028雨 😀"),
    (b'{"text": "a\\u0000b"}', "a\0b"),
    (b'{"text": "half \\ud83d"}', None),
    (b'{"text": "t", "title": "half \\ude00"}', None),
    (b'{"text": "caf\xe9"}', None),
    (b'{"text": "\xed\xa0\xbd"}', None),
    (b'{"text": "cut', None),
    (b'{"text": "trailing"} garbage', None),
    (b'{"text": "two"}{"text": "records"}', None),
    (b'{"body": "another field"}', None),
    (b'{"text": 7}', None),
    (b'{"text": NaN}', None),
    (b'{"text": ["a", "list"]}', None),
    (b'["an", "array"]', None),
    (b'"a string"', None),
    (b"[" * 100_000, None),
    (b'{"text": "t", "n": ' + b"9" * 5000 + b"}", None),
    (b"\xef\xbb\xbf" + b'{"text": "a mark that is not at the start"}', None),
    (b'{"text": null}', ""),
    (b'{"text": ""}', ""),
    (b'{"text": " \\n\\u3000"}', ""),
]


@pytest.mark.parametrize(("line", "text"), LINES, ids=range(len(LINES)))
def test_a_line_is_a_document_or_is_counted(line: bytes, text: str | None, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(GOOD + line + b"\n" + GOOD)
    documents, ledger, notes = read_all(path)
    between = [text] if text else []
    assert [d.text for d in documents] == ["good", *between, "good"]
    for document in documents:
        json.dumps([document.text, document.about.title], ensure_ascii=False).encode()
    assert ledger == ({} if text else {"malformed": 1} if text is None else {"no_text": 1})
    assert len(notes) == (0 if text else 1)
    # the second line begins after the 17 bytes of the first
    assert all(note.startswith("a.jsonl, line 2, byte 17: ") for note in notes)


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n", b"\n\n \n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_no_line_is_lost_at_either_end(mark: bytes, end: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(mark + b'{"text": "first"}\n\n{"text": "last"}' + end)
    assert read_all(path) == (read_all(path)[0], {}, [])
    assert texts(path) == ["first", "last"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    chosen=st.lists(st.sampled_from([*LINES, (b"", "blank")]), max_size=12),
    last=st.booleans(),
    data=st.data(),
)
def test_parts_cut_anywhere_give_the_same(
    chosen: list[tuple[bytes, str | None]],
    last: bool,
    data: st.DataObject,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    path = tmp_path_factory.mktemp("cut") / "a.jsonl"
    path.write_bytes(GOOD + b"\n".join(line for line, _ in chosen) + (b"\n" if last else b""))
    file = only(path)
    bounds = data.draw(st.lists(st.integers(0, file.bytes), max_size=8))
    whole = read_all(path)
    expected = ["good", *(text for line, text in chosen if line and text)]
    assert [document.text for document in whole[0]] == expected
    assert read_parts(file, cut(bounds, file.bytes)) == whole


def test_any_target_gives_the_same(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "a.jsonl", [{"text": text} for text in PROSE * 5])
    assert texts(path) == list(PROSE * 5)
    for target in (1, 7, 50, 1000):
        assert read_all(path, target) == read_all(path)


@pytest.mark.parametrize("suffix", ["", ".gz", ".bz2", ".zst"])
def test_compressed_lines_are_the_same(suffix: str, tmp_path: Path) -> None:
    plain = write_lines(tmp_path / "a.jsonl", [{"text": text} for text in PROSE])
    path = tmp_path / f"b.ndjson{suffix}"
    path.write_bytes(packed(plain.read_bytes(), suffix))
    assert texts(path) == list(PROSE)
    assert len(only(path).parts(10)) == (1 if suffix else 1 + plain.stat().st_size // 10)


def packed(raw: bytes, suffix: str) -> bytes:
    """In two members, as tools that work in parallel write them."""
    halves = raw[: len(raw) // 2], raw[len(raw) // 2 :]
    if suffix == ".gz":
        return b"".join(gzip.compress(half) for half in halves)
    if suffix == ".bz2":
        return b"".join(bz2.compress(half) for half in halves)
    if suffix == ".zst":
        return b"".join(pa.compress(half, codec="zstd", asbytes=True) for half in halves)
    return raw


@pytest.mark.parametrize("suffix", [".gz", ".bz2", ".zst"])
@pytest.mark.parametrize(
    "damage",
    [
        lambda raw: raw[:-1],
        lambda raw: raw[:-9],
        lambda raw: raw[: len(raw) // 2 + 3],
        lambda raw: raw + b"and something else",
        lambda raw: raw + raw[:4],
    ],
)
def test_damaged_compression_is_an_error(damage, suffix: str, tmp_path: Path) -> None:
    raw = b"".join(b'{"text": "number %d"}\n' % i for i in range(3000))
    path = tmp_path / f"a.jsonl{suffix}"
    path.write_bytes(damage(packed(raw, suffix)))
    with pytest.raises(InputError, match=r"a\.jsonl.*copy the file again"):
        read_all(path)


def test_a_line_has_a_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_lines, "MOST_BYTES", 100)
    path = tmp_path / "a.jsonl"
    fits, long = (json.dumps({"text": "x" * n}).encode() + b"\n" for n in (87, 88))
    assert (len(fits), len(long)) == (100, 101)
    path.write_bytes(fits + long + GOOD + b'{"text": "' + b"y" * 3_000_000 + b'"}')
    documents, ledger, notes = read_all(path)
    assert [len(d.text) for d in documents] == [87, 4]
    assert ledger == {"malformed": 2}
    assert notes == [
        "a.jsonl, line 2, byte 100: a line of 101 bytes",
        "a.jsonl, line 4, byte 218: a line of 3,000,012 bytes",
    ]
    file = only(path)
    for bounds in ([99, 100, 101], [217], [218], [219], [1_000_000, 2_000_000, 3_000_229]):
        assert read_parts(file, cut(bounds, file.bytes)) == (documents, ledger, notes)


def test_notes_name_the_first_places_of_the_file(tmp_path: Path) -> None:
    # lines of 17 bytes; every third is bad: lines 3, 6, 9, … counted from 1
    path = tmp_path / "a.jsonl"
    path.write_bytes((GOOD + GOOD + b'{"text": "good"}}\n'[:15] + b"!\n") * 9)
    for target in (20, 100, 10_000):
        _, ledger, notes = read_all(path, target)
        assert ledger == {"malformed": 9}
        places = [note.split(": ")[0] for note in notes]
        assert places == [f"a.jsonl, line {n}, byte {17 * (n - 1)}" for n in (3, 6, 9, 12, 15)]


def test_the_reader_has_notes_of_its_part(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(GOOD + b"no JSON\n" + GOOD)
    file = only(path)
    reader = file.read(file.parts()[0], Ledger())
    assert len(list(reader)) == 2
    assert [(note.row, note.byte) for note in reader.notes] == [(1, 17)]


@pytest.mark.parametrize(("bad", "total", "refused"), [(10, 20, False), (11, 20, True)])
@pytest.mark.parametrize("target", [30, 10_000])
def test_a_file_may_be_malformed_up_to_half(
    bad: int, total: int, refused: bool, target: int, tmp_path: Path
) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(GOOD * (total - bad) + b"{\n" * bad)
    if not refused:
        assert read_all(path, target)[1] == {"malformed": bad}
        return
    with pytest.raises(InputError, match=r"found 11 of 20, the first no JSON .*line 10, byte 153"):
        read_all(path, target)


def test_few_records_and_empty_texts_are_no_reason_to_refuse(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(GOOD + b"{\n" * 18)
    assert read_all(path)[1] == {"malformed": 18}
    path.write_bytes(GOOD + b'{"text": ""}\n' * 99)
    assert read_all(path)[1] == {"no_text": 99}


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b'[\n{"text": "a"}\n]', r"found a JSON array .*jq"),
        (b'\xef\xbb\xbf [{"text": "a"}]', r"found a JSON array"),
        ('{"text": "a"}'.encode("utf-16"), r"found UTF-16 .*iconv"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", r"Git LFS pointer"),
        (b"<!DOCTYPE html>\n<html>\n", r"found no JSON .*line 1, byte 0"),
        (b"\n\nplain text\n", r"found no JSON .*line 3, byte 2"),
    ],
)
def test_what_is_no_json_lines_is_refused_at_once(raw: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(raw)
    with pytest.raises(InputError, match=message):
        only(path)


@pytest.mark.parametrize("raw", [b"", b"\n", b"\xef\xbb\xbf", b" \r\n\n"])
def test_an_empty_file_is_one_without_documents(raw: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(raw)
    assert read_all(path) == ([], {}, [])


def test_a_file_that_changes_is_refused(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "a.jsonl", [{"text": "one"}])
    file = only(path)
    path.write_bytes(path.read_bytes() * 2)
    with pytest.raises(InputError, match="do not change a file while it is read"):
        file.parts()


@pytest.mark.parametrize(
    ("strings", "field"),
    [
        (["title", "text"], "text"),
        (["content", "text"], "text"),
        (["title", "content"], "content"),
        (["raw_content"], "raw_content"),
        (["body", "url"], "body"),
        (["document"], "document"),
    ],
)
def test_the_field_is_found(strings: list[str], field: str, tmp_path: Path) -> None:
    path = write_lines(tmp_path / "a.jsonl", [dict.fromkeys(strings, "words")])
    assert only(path).field == field


@pytest.mark.parametrize("strings", [["title", "url"], ["body", "content"], ["prose"]])
def test_an_unclear_field_is_asked_for(strings: list[str], tmp_path: Path) -> None:
    path = write_lines(tmp_path / "a.jsonl", [{**dict.fromkeys(strings, "words"), "n": 1}])
    with pytest.raises(UsageError, match=f"string fields {', '.join(strings)} at .*--field"):
        only(path)


def test_the_field_is_that_of_many_records(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "a.jsonl", [{"text": None}, {"text": "words", "n": 1}])
    assert only(path).field == "text"
    path = write_lines(tmp_path / "b.jsonl", [{"n": 1}, {"n": 2, "body": "words"}])
    assert only(path).field == "body"


def test_fields_inside_of_objects(tmp_path: Path) -> None:
    rows_ = [{"meta": {"text": "inside", "a": {"b": "deep"}}, "x.y": "a dot in its name"}]
    path = write_lines(tmp_path / "a.jsonl", rows_)
    for field, text in {"meta.text": "inside", "meta.a.b": "deep", "x.y": rows_[0]["x.y"]}.items():
        assert texts(path, field=field) == [text]
    with pytest.raises(UsageError, match=r"a field meta\.txt .*x\.y, meta\.text|meta\.text"):
        only(path, field="meta.txt")


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (0, 0),
        (12, 12),
        ("12", 12),
        (2**64 - 1, 2**64 - 1),
        (str(2**64 - 1), 2**64 - 1),
        (12.0, 12),
        (2**64, hashed("18446744073709551616")),
        (-1, hashed("-1")),
        ("012", hashed("012")),
        ("+12", hashed("+12")),
        ("１２", hashed("１２")),
        ("Q42", hashed("Q42")),
        ("18446744073709551616", hashed("18446744073709551616")),
        (None, hashed("words")),
        ("", hashed("words")),
        (True, hashed("words")),
        (1.5, hashed("words")),
        (float("nan"), hashed("words")),
        (float("inf"), hashed("words")),
        (["a"], hashed("words")),
    ],
)
def test_ids(value: object, number: int, tmp_path: Path) -> None:
    path = write_lines(tmp_path / "a.jsonl", [{"id": value, "text": "words"}])
    (document,) = read_all(path)[0]
    assert (document.doc_id, document.rev_id) == (number, 0)


def test_the_digest_of_a_known_text(tmp_path: Path) -> None:
    # SHA-256 of "abc" from FIPS 180-2, appendix B.1
    path = write_lines(tmp_path / "a.jsonl", [{"text": "abc"}])
    (document,) = read_all(path)[0]
    assert document.doc_id == 0xBA7816BF8F01CFEA
    assert document.about.sha256 == (
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )


def test_what_is_known_of_a_document(tmp_path: Path) -> None:
    row = {
        "text": "words",
        "title": " A\nlong  title ",
        "authors": ["Ann", "", "Bob", 3],
        "lang": "en",
        "license": "CC0-1.0",
        "url": "https://example.org/1",
        "subjects": ["sea", "ships"],
    }
    path = write_lines(tmp_path / "a.jsonl", [row, {"text": "w", "author": 3, "title": None}])
    first, second = (document.about for document in read_all(path)[0])
    assert (first.title, first.author, first.language) == ("A long title", "Ann; Bob", "en")
    assert (first.licence, first.url) == ("CC0-1.0", "https://example.org/1")
    assert (first.subjects, first.retrieved) == ("sea; ships", "")
    assert (second.title, second.author, second.url) == ("", "", "")


def test_what_is_known_has_a_bound(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "a.jsonl", [{"text": "words", "authors": ["a" * 5000] * 3}])
    assert read_all(path)[0][0].about.author == "a" * rows.MOST_ABOUT
