"""`build text`: plain text, JSON lines, Parquet and folders become the same rows."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from making_books import prose, sentences

import transferset
from transferset.documents import read_documents
from transferset.errors import InputError, SetError, UsageError
from transferset.pipeline import text_read
from transferset.shards import ShardSet

RECORDS = [
    {
        "id": str(i),
        "title": f"T{i}",
        "url": f"https://w.example/{i}",
        "text": "A heading\n\n" + "\n\n".join(sentences(i, 3)),
    }
    for i in range(1, 61)
]


@pytest.fixture(scope="module")
def build(tokenizer, tmp_path_factory):
    """Builds in this process, into a new directory."""

    def build(inputs, out: Path | None = None, **options) -> ShardSet:
        out = out or tmp_path_factory.mktemp("text") / "set"
        given = {"tokenizer": str(tokenizer), "workers": 1, "keep_text": True}
        return transferset.build_text(inputs, out, **{**given, **options})

    return build


@pytest.fixture(scope="module")
def jsonl(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("records") / "records.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in RECORDS))
    return path


def rows(found: ShardSet) -> list[tuple]:
    """Every row less its source."""
    table = pa.Table.from_batches(list(found.batches())).drop_columns(["source"])
    return [tuple(map(str, row.values())) for row in table.to_pylist()]


def test_records_become_sentences_that_lead_back_to_them(build, jsonl):
    found = build(jsonl, licence="CC BY-SA 4.0")
    expected = {(str(i), s) for i in range(1, 61) for s in ["A heading", *sentences(i, 3)]}
    table = pa.Table.from_batches(list(found.batches()))
    pairs = zip(table["doc_id"].to_pylist(), table["text"].to_pylist(), strict=True)
    assert {(str(d), t) for d, t in pairs} == expected
    (batch,) = read_documents(found.root, found.manifest)
    seventh = batch.to_pylist()[6]
    assert seventh["title"] == "T7"
    assert seventh["url"] == "https://w.example/7"
    assert (seventh["licence"], seventh["language"], seventh["rows"]) == ("CC BY-SA 4.0", "en", 4)


def test_parquet_of_the_same_records_gives_the_same_rows(build, jsonl, tmp_path):
    path = tmp_path / "train-00000-of-00001.parquet"
    pq.write_table(pa.Table.from_pylist(RECORDS), path, row_group_size=7)
    assert rows(build(path)) == rows(build(jsonl))


def test_a_folder_of_files_is_one_source(build, jsonl, tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    lines = jsonl.read_text().splitlines(keepends=True)
    (folder / "a.jsonl").write_text("".join(lines[:20]))
    (folder / "b.jsonl").write_text("".join(lines[20:]))
    found = build(folder)
    assert rows(found) == rows(build(jsonl))
    assert [s["file"] for s in found.manifest.sources] == ["folder"]
    assert build([folder / "a.jsonl", folder / "b.jsonl"]).manifest.sources[1]["code"] == 1


@pytest.mark.parametrize("workers", [1, 2])
def test_bytes_do_not_depend_on_workers_or_parts(build, jsonl, monkeypatch, workers):
    expected = build(jsonl)
    monkeypatch.setattr(text_read, "TASK_BYTES", 1)
    monkeypatch.setattr(
        text_read.RecordFile.parts, "__defaults__", (2000,)
    )  # many parts of a small file
    found = build(jsonl, workers=workers)
    assert [s.blake3 for s in found.manifest.shards] == [s.blake3 for s in expected.manifest.shards]


def test_plain_text_is_unwrapped(build, tmp_path):
    path = tmp_path / "note.txt"
    path.write_text(prose(8, 30))
    found = build(path, layout="wrapped", shuffle=False)
    table = pa.Table.from_batches(list(found.batches()))
    assert table["text"].to_pylist() == ["CHAPTER I", *sentences(8, 30)]
    (batch,) = read_documents(found.root, found.manifest)
    assert batch.to_pylist()[0]["title"] == "note"


def test_records_without_text_are_counted_and_named(build, tmp_path):
    path = tmp_path / "some.jsonl"
    good = '{"text": "Here is one."}\n'
    path.write_text(good * 3 + '{"text": null}\n{"text": \n' + good)
    found = build(path)
    assert {e["reason"]: e["count"] for e in found.manifest.ledger} == {
        "malformed": 1,
        "no_text": 1,
    }
    notes = json.loads((found.root / "_tables/notes.json").read_bytes())["records"]
    assert [note.partition(",")[0] + note.split(":")[0][-9:] for note in notes]
    assert "line 4" in notes[0]
    assert "line 5" in notes[1]


def test_limit_takes_the_first_documents(build, jsonl):
    found = build(jsonl, limit=5, shuffle=False)
    assert found.manifest.totals["documents"] == 5
    assert len(found) == 20


def test_a_set_with_text_is_a_source_too(build, jsonl, tmp_path):
    parent = build(jsonl)
    found = build(parent.root)
    assert found.manifest.totals["documents"] == len(parent)
    with pytest.raises(UsageError, match="text"):
        build(build(jsonl, keep_text=False).root)


def test_another_state_of_a_file_is_another_recipe(build, tmp_path):
    path = tmp_path / "x.txt"
    path.write_text("One sentence here.\n")
    build(path, tmp_path / "set")
    path.write_text("Two sentences here.\n")
    with pytest.raises(SetError, match="blake3"):
        build(path, tmp_path / "set")


def test_text_in_no_encoding_ends_the_build_or_is_counted(build, tmp_path):
    (tmp_path / "a.txt").write_bytes(b"\0\1\2\0\0\xff" * 100)
    (tmp_path / "b.txt").write_text("A sentence.\n")
    with pytest.raises(InputError, match=r"a\.txt"):
        build(tmp_path)
    found = build(tmp_path, skip_damaged=True)
    assert {e["reason"]: e["count"] for e in found.manifest.ledger} == {"unreadable": 1}


@pytest.mark.parametrize(
    "options", [{"layout": "page"}, {"field": "none"}, {"format": "pdf"}, {"max_len": 2}]
)
def test_wrong_options_are_usage_errors(build, jsonl, tmp_path, options):
    with pytest.raises(UsageError):
        build(jsonl, tmp_path / "set", **options)
    assert not (tmp_path / "set").exists()


def test_one_id_for_two_licences_is_refused_and_nothing_is_left(build, tmp_path):
    path = tmp_path / "x.jsonl"
    free = {"id": 5, "licence": "CC0-1.0", "text": "Free it is."}
    records = [free, {**free, "licence": "All rights reserved", "text": "Closed it is."}]
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    with pytest.raises(InputError, match=r"5 with the licence 'CC0-1.0' and 'All rights reserved'"):
        build(path, tmp_path / "set")
    # without ids each has its own number, also where the texts are equal
    records = [{**record, "id": None, "text": "One and the same."} for record in records]
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    found = build(path, tmp_path / "set")
    step = transferset.Filter('licence == "CC0-1.0"')
    assert len(transferset.derive(found.root, tmp_path / "free", steps=[step])) == 1


def test_a_set_built_of_a_set_has_the_licences_of_its_rows(build, tmp_path):
    path = tmp_path / "x.jsonl"
    lines = [{"licence": licence, "text": f"A {licence} text."} for licence in ("A", "B")]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    again = build(build(path).root)
    assert again.manifest.licence == "A AND B"


def test_how_deep_a_record_may_be_does_not_depend_on_its_reader(build, tmp_path):
    path = tmp_path / "x.jsonl"
    records = [
        '{"text": "Here it is.", "x": ' + "[" * deep + "]" * deep + "}\n" for deep in range(90, 110)
    ]
    path.write_text("".join(records))

    def deeper(frames: int) -> ShardSet:
        return deeper(frames - 1) if frames else build(path)

    one, other = build(path), deeper(60)
    assert one.manifest == other.manifest
    assert one.manifest.totals["documents"] == 10  # an object and 99 lists


def test_a_pipe_is_no_file(build, tmp_path):
    os.mkfifo(tmp_path / "x.txt")
    with pytest.raises(UsageError, match="neither a file nor a folder"):
        build(tmp_path / "x.txt")
