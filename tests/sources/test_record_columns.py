"""Parquet and Arrow files: the same documents however strings are stored and rows are cut."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reading_records import PROSE, cut, hashed, only, read_all, read_parts, texts

from transferset.errors import InputError, UsageError
from transferset.ledger import Ledger

#: The layout of wikimedia/wikipedia.
WIKI = pa.table(
    {
        "id": ["12", "25", "39"],
        "url": [f"https://en.wikipedia.org/wiki/{t}" for t in ("Anarchism", "Autism", "Albedo")],
        "title": ["Anarchism", "Autism", "Albedo"],
        "text": list(PROSE[:3]),
    }
)

STRINGS = (
    pa.string(),
    pa.large_string(),
    pa.string_view(),
    pa.binary(),
    pa.dictionary(pa.int8(), pa.string()),
    pa.dictionary(pa.int32(), pa.large_string()),
)


def write_parquet(path: Path, table: pa.Table, rows: int) -> None:
    pq.write_table(table, path, row_group_size=rows)


def write_stream(path: Path, table: pa.Table, rows: int) -> None:
    with pa.ipc.new_stream(path, table.schema) as writer:
        writer.write_table(table, rows)


def write_packed(path: Path, table: pa.Table, rows: int) -> None:
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with pa.ipc.new_stream(path, table.schema, options=options) as writer:
        writer.write_table(table, rows)


def write_file(path: Path, table: pa.Table, rows: int) -> None:
    # batches of a file may not have dictionaries that differ
    with pa.ipc.new_file(path, table.schema) as writer:
        writer.write_table(table.unify_dictionaries(), rows)


WRITERS = {
    "parquet": write_parquet,
    "stream": write_stream,
    "packed": write_packed,
    "file": write_file,
}

Write = Callable[..., Path]


@pytest.fixture(params=WRITERS)
def write(request: pytest.FixtureRequest, tmp_path: Path) -> Write:
    """Writes a table in one of the formats, some rows in a row group or batch."""

    def make(table: pa.Table, rows: int = 1000) -> Path:
        suffix = "parquet" if request.param == "parquet" else "arrow"
        path = tmp_path / f"{request.param}.{suffix}"
        WRITERS[request.param](path, table, rows)
        return path

    return make


def test_wikimedia_wikipedia_works_as_it_is(write: Write) -> None:
    documents, ledger, notes = read_all(write(WIKI))
    assert [d.text for d in documents] == list(PROSE[:3])
    assert [d.doc_id for d in documents] == [12, 25, 39]
    assert [d.about.title for d in documents] == ["Anarchism", "Autism", "Albedo"]
    assert documents[2].about.url == "https://en.wikipedia.org/wiki/Albedo"
    assert (ledger, notes) == ({}, [])


@pytest.mark.parametrize("kind", STRINGS, ids=str)
def test_strings_of_every_type(kind: pa.DataType, write: Write) -> None:
    values = pa.array([*PROSE, None, ""])
    values = values.dictionary_encode().cast(kind) if kind.num_fields else values.cast(kind)
    if pa.types.is_dictionary(kind):
        values = pa.array([*PROSE, None, ""]).dictionary_encode().cast(kind)
    path = write(pa.table({"text": values, "title": values}), 3)
    documents, ledger, _ = read_all(path, 1, field="text")
    assert [d.text for d in documents] == list(PROSE)
    assert [d.doc_id for d in documents] == [
        hashed(t, title=d.about.title) for t, d in zip(PROSE, documents, strict=True)
    ]
    assert ledger == {"no_text": 2}
    if not pa.types.is_binary(kind):
        assert documents[0].about.title == PROSE[0]


def test_dictionaries_that_differ_from_batch_to_batch(tmp_path: Path) -> None:
    path = tmp_path / "a.arrow"
    batches = [
        pa.record_batch({"text": pa.array(words).dictionary_encode()})
        for words in (["a", "b"], ["c", "a"], ["d"])
    ]
    with pa.ipc.new_stream(path, batches[0].schema) as writer:
        for batch in batches:
            writer.write_batch(batch)
    assert texts(path) == ["a", "b", "c", "a", "d"]
    assert [d.text for d in read_all(path, 1)[0]] == ["a", "b", "c", "a", "d"]


def test_text_inside_of_structs(write: Write) -> None:
    inner = [{"text": text, "n": 1, "more": {"deep": f"{text}!"}} for text in PROSE]
    path = write(pa.table({"meta": pa.array([*inner, None])}), 2)
    assert texts(path, field="meta.text") == list(PROSE)
    assert texts(path, field="meta.more.deep") == [f"{text}!" for text in PROSE]
    assert read_all(path, field="meta.text")[1] == {"no_text": 1}
    with pytest.raises(UsageError, match=r"fields meta\.text, meta\.more\.deep"):
        only(path, field="meta.n")
    with pytest.raises(UsageError, match=r"a field text, found no strings"):
        only(path)


def test_a_dot_in_the_name_of_a_column(write: Write) -> None:
    path = write(pa.table({"meta.text": ["a dot"], "meta": pa.array([{"text": "inside"}])}))
    assert texts(path, field="meta.text") == ["a dot"]


def test_what_is_known_comes_from_columns_of_strings(write: Write) -> None:
    table = pa.table(
        {
            "id": pa.array([7, None, 2**64 - 1], pa.uint64()),
            "title": pa.array(["one", None, "three"]).dictionary_encode(),
            "authors": pa.array([["Ann", "Bob"], [], None]),
            "language": pa.array([1, 2, 3]),
            "license": ["CC0-1.0", "", "MIT"],
            "subjects": pa.array([{"a": 1}] * 3),
            "text": ["a", "b", "c"],
        }
    )
    first, second, third = read_all(write(table))[0]
    assert [d.doc_id for d in (first, second, third)] == [7, hashed("b"), 2**64 - 1]
    assert [d.about.title for d in (first, second, third)] == ["one", "", "three"]
    assert [d.about.author for d in (first, second, third)] == ["Ann; Bob", "", ""]
    assert [d.about.licence for d in (first, second, third)] == ["CC0-1.0", "", "MIT"]
    assert (first.about.language, first.about.subjects) == ("", "")


def bad_strings(values: Sequence[bytes]) -> pa.Array:
    """An array of type string whose bytes need not be UTF-8."""
    return pa.array(values, pa.binary()).view(pa.string())


def test_rows_that_are_no_utf8_are_counted_one_by_one(write: Write) -> None:
    table = pa.table(
        {
            "text": bad_strings([b"good", b"caf\xe9", b"\xed\xa0\xbd", "gut ü".encode(), b"t"]),
            "title": bad_strings([b"1", b"2", b"3", b"4", b"\xff"]),
        }
    )
    path = write(table, 2)
    documents, ledger, notes = read_all(path, 1)
    assert [d.text for d in documents] == ["good", "gut ü"]
    assert ledger == {"malformed": 3}
    assert [note.split(": ")[0] for note in notes] == [f"{path.name}, row {n}" for n in (1, 2, 4)]


def test_a_file_of_bad_rows_is_refused(write: Write) -> None:
    path = write(pa.table({"text": bad_strings([b"good"] * 9 + [b"\xff"] * 11)}), 4)
    with pytest.raises(InputError, match=r"found 11 of 20, the first .* row 9; "):
        read_all(path, 1)


@settings(max_examples=40, deadline=None)
@given(
    rows=st.lists(st.sampled_from([*PROSE, None, "", "x" * 500]), max_size=40),
    group=st.integers(1, 12),
    kind=st.sampled_from(sorted(WRITERS)),
    target=st.integers(1, 3000),
    data=st.data(),
)
def test_parts_cut_anywhere_give_the_same(
    rows: list[str | None],
    group: int,
    kind: str,
    target: int,
    data: st.DataObject,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    suffix = "parquet" if kind == "parquet" else "arrow"
    path = tmp_path_factory.mktemp("cut") / f"a.{suffix}"
    WRITERS[kind](path, pa.table({"text": pa.array(rows, pa.string())}), group)
    file = only(path)
    whole = read_all(path)
    assert [d.text for d in whole[0]] == [text for text in rows if text]
    assert sum(whole[1].values()) == sum(not text for text in rows)
    assert read_all(path, target) == whole
    end = len(rows) if kind == "parquet" else -(-len(rows) // group)
    bounds = data.draw(st.lists(st.integers(0, end), max_size=5))
    assert read_parts(file, cut(bounds, end)) == whole


def test_parts_of_parquet_follow_row_groups(tmp_path: Path) -> None:
    # 12 groups of one size, of 10 rows each
    table = pa.table({"text": [f"{i:0100d}" for i in range(120)]})
    path = tmp_path / "a.parquet"
    pq.write_table(table, path, row_group_size=10, use_dictionary=False, compression="none")
    file = only(path)
    size = pq.read_metadata(path).row_group(0).total_byte_size
    assert file.records == 120

    def spans(target: int) -> list[tuple[int, int]]:
        return [(part.start, part.stop) for part in file.parts(target)]

    assert spans(10**9) == [(0, 120)]
    assert spans(3 * size) == [(i, i + 30) for i in range(0, 120, 30)]
    assert spans(3 * size - 1) == [(i, i + 20) for i in range(0, 120, 20)]
    # a group is cut where it is larger than a part
    assert spans(size - 1) == [(i, i + 5) for i in range(0, 120, 5)]


def test_a_row_group_has_sixteen_parts_at_most(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"text": [f"{i:0100d}" for i in range(160)]}), path)
    file = only(path)
    assert len(file.parts(1)) == 16
    assert {p.stop - p.start for p in file.parts(1)} == {10}


def test_parts_of_arrow_are_record_batches(tmp_path: Path) -> None:
    path = tmp_path / "a.arrow"
    write_stream(path, pa.table({"text": ["x" * 1000] * 12}), 1)
    assert [(p.start, p.stop) for p in only(path).parts(1)] == [(i, i + 1) for i in range(12)]
    assert len(only(path).parts(4500)) == 3
    assert len(only(path).parts()) == 1


def test_files_without_rows(write: Write) -> None:
    path = write(pa.table({"text": pa.array([], pa.string())}))
    assert read_all(path) == ([], {}, [])


def test_only_the_columns_that_are_used_are_read(tmp_path: Path) -> None:
    # a damaged picture does not matter to a reader of texts
    pictures = pa.array([b"picture %03d" % i for i in range(100)])
    table = pa.table({"text": [f"text {i}" for i in range(100)], "image": pictures})
    path = tmp_path / "a.parquet"
    pq.write_table(table, path, compression="none", use_dictionary=False)
    raw = bytearray(path.read_bytes())
    at = raw.index(b"picture 050") - 4  # the length before it
    raw[at : at + 4] = b"\xff\xff\xff\x7f"
    path.write_bytes(raw)
    with pytest.raises((pa.ArrowException, OSError)):
        pq.read_table(path)
    assert texts(path) == [f"text {i}" for i in range(100)]


@pytest.mark.parametrize("cut_off", [1, 8, 9, 100, 1000])
def test_a_cut_file_is_an_error(cut_off: int, write: Write) -> None:
    path = write(pa.table({"text": [f"{text} {i}" for text in PROSE for i in range(50)]}), 20)
    path.write_bytes(path.read_bytes()[:-cut_off])
    with pytest.raises(InputError, match=r"a whole .* file, .*copy the file again"):
        read_all(path)


def test_a_stream_that_is_cut_between_batches_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.arrow"
    with pa.ipc.new_stream(path, WIKI.schema) as writer:
        writer.write_table(WIKI, 1)
    raw = path.read_bytes()
    with pa.memory_map(str(path)) as source:
        reader = pa.ipc.MessageReader.open_stream(source)
        reader.read_next_message()  # the schema
        reader.read_next_message()
        between = source.tell()
    path.write_bytes(raw[:between])
    assert pa.ipc.open_stream(path.read_bytes()).read_all().num_rows == 1  # Arrow sees no harm
    with pytest.raises(InputError, match=f"no mark of the stream's end at byte {between}"):
        read_all(path)


@pytest.mark.parametrize("suffix", ["parquet", "arrow"])
@pytest.mark.parametrize("raw", [b"", b"PAR1", b"ARROW1\0\0", b"<html>", b"\xff" * 64])
def test_what_is_no_such_file_is_an_error(raw: bytes, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(raw)
    with pytest.raises(InputError, match=f"a whole {suffix.capitalize()} file"):
        read_all(path)


@pytest.mark.parametrize("kind", ["stream", "file"])
def test_offsets_that_lead_elsewhere_are_an_error(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "a.arrow"
    table = pa.table({"text": ["aaaa", "bbbb", "cccc"]})
    WRITERS[kind](path, table, 3)
    raw = path.read_bytes()
    # offsets 0, 4, 8, 12 as int32; the third leads beyond the end of the text
    offsets = b"".join(n.to_bytes(4, "little") for n in (0, 4, 8, 12))
    assert raw.count(offsets) == 1
    path.write_bytes(raw.replace(offsets, offsets[:8] + b"\xff\xff\xff\x7f" + offsets[12:]))
    with pytest.raises(InputError, match="a whole Arrow file"):
        read_all(path)


def test_names_of_columns_that_are_no_utf8_are_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.arrow"
    write_stream(path, pa.table({"text": ["a"], "abcdefgh": ["b"]}), 1)
    path.write_bytes(path.read_bytes().replace(b"abcdefgh", b"abc\xff\xfefgh"))
    with pytest.raises(InputError, match="a whole Arrow file"):
        only(path)


def test_two_columns_of_one_name_are_unclear(tmp_path: Path) -> None:
    path = tmp_path / "a.arrow"
    column = pa.array(["a"])
    write_stream(path, pa.Table.from_arrays([column, column], ["text", "text"]), 1)
    with pytest.raises(UsageError, match="text twice"):
        only(path)


@pytest.mark.parametrize(
    ("columns", "found"),
    [
        ({"title": ["a"], "url": ["b"]}, "title, url"),
        ({"content": ["a"], "body": ["b"], "n": [1]}, "content, body"),
        ({"n": [1]}, "no strings"),
    ],
)
def test_an_unclear_field_is_asked_for(
    columns: dict[str, list[Any]], found: str, write: Write
) -> None:
    with pytest.raises(UsageError, match=rf"{found} at .*; say --field NAME"):
        only(write(pa.table(columns)))


def test_a_text_has_a_bound(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("transferset.sources.records.rows.MOST_BYTES", 100)
    path = write(pa.table({"text": ["x" * 100, "ü" * 50 + "x", "y"]}))
    documents, ledger, notes = read_all(path)
    assert [d.text for d in documents] == ["x" * 100, "y"]
    assert ledger == {"malformed": 1}
    assert notes == [f"{path.name}, row 1: a text of 101 bytes"]


def test_the_ledger_is_the_callers(write: Write) -> None:
    file = only(write(pa.table({"text": ["a", None]})))
    ledger = Ledger({"no_text": 3})
    assert len(list(file.read(file.parts()[0], ledger))) == 1
    assert ledger == {"no_text": 4}
