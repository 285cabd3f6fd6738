"""From what a user names to files: folders, folders of `datasets`, shard sets, plain text."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from reading_records import PROSE, only, read_all, texts, write_lines
from sets import make_set

from transferset.errors import InputError, SetError, UsageError
from transferset.ledger import Ledger
from transferset.sources.records import files, open_records
from transferset.sources.records import lines as json_lines


def save(root: Path, splits: dict[str, list[str]], licence: str = "") -> Path:
    """A folder as `datasets` saves a DatasetDict; of one split named "" a Dataset."""
    for split, rows in splits.items():
        folder = root / split
        folder.mkdir(parents=True)
        names = [f"data-{i:05d}-of-{len(rows):05d}.arrow" for i in range(len(rows))]
        for name, row in zip(names, rows, strict=True):
            table = pa.table({"text": [row]})
            with pa.ipc.new_stream(folder / name, table.schema) as writer:
                writer.write_table(table)
        state = {"_data_files": [{"filename": name} for name in names], "_split": split}
        (folder / "state.json").write_text(json.dumps(state))
        info = {"features": {"text": {"dtype": "string", "_type": "Value"}}, "license": licence}
        (folder / "dataset_info.json").write_text(json.dumps(info))
    if "" not in splits:
        (root / "dataset_dict.json").write_text(json.dumps({"splits": list(splits)}))
    return root


def names(*sources: Path, **options: str) -> list[str]:
    return [file.name for file in open_records([str(s) for s in sources], **options)]


def test_plain_text_is_one_document_a_file(tmp_path: Path) -> None:
    raw = "Käfer\r\n".encode("cp1252")
    path = tmp_path / "The Harbour.txt"
    path.write_bytes(raw)
    (document,) = read_all(path, 1)[0]
    digest = hashlib.sha256(raw)
    assert document.text == raw
    told = hashlib.sha256(raw + b"\0title\0The Harbour").digest()
    assert document.doc_id == int.from_bytes(told[:8], "big")
    assert document.about.sha256 == digest.hexdigest()
    assert document.about.title == "The Harbour"
    assert (only(path).records, only(path).field) == (1, "")


def test_a_plain_text_of_nothing_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"")
    assert read_all(path)[:2] == ([], {"no_text": 1})
    path.write_bytes(b" \r\n\t")
    assert read_all(path)[:2] == ([], {"no_text": 1})


def test_a_plain_text_has_a_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MOST_BYTES", 10)
    path = tmp_path / "a.txt"
    path.write_bytes(b"0123456789")
    assert only(path).bytes == 10
    path.write_bytes(b"0123456789a")
    with pytest.raises(InputError, match=r"at most 10 bytes, found 11 at .*cut it into documents"):
        only(path)


def test_a_folder_is_read_by_the_bytes_of_names(tmp_path: Path) -> None:
    made = ["b.txt", "B.txt", "a/z.txt", "a.txt", "ä.txt", "10.txt", "9.TXT", "a/b/c.txt"]
    for name in [*made, ".hidden.txt", ".git/x.txt", "notes.md"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    found = names(tmp_path)
    assert found == sorted(made, key=str.encode)
    assert found[:4] == ["10.txt", "9.TXT", "B.txt", "a.txt"]


def test_links_to_files_are_followed_and_links_to_folders_are_not(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "0123abcd").write_text('{"text": "a"}')
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "a.jsonl").symlink_to("../store/0123abcd")
    (corpus / "gone.jsonl").symlink_to("nowhere")
    (corpus / "loop").symlink_to(".")
    assert names(corpus) == ["a.jsonl"]
    assert texts(corpus / "a.jsonl") == ["a"]


def test_a_name_that_is_no_utf8_can_be_written_down(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9.txt")
    path.write_text("a")
    (name,) = names(tmp_path)
    assert name == "caf\\xe9.txt"
    json.dumps(name, ensure_ascii=False).encode()
    assert read_all(path)[0][0].about.title == "caf\\xe9"


def test_files_of_several_kinds_need_a_choice(tmp_path: Path) -> None:
    write_lines(tmp_path / "b.jsonl", [{"text": "b"}])
    write_lines(tmp_path / "c.json", [{"text": "c"}])
    (tmp_path / "README.txt").write_text("read me")
    with pytest.raises(UsageError, match=r"files of one kind, found jsonl, txt at .*--format"):
        names(tmp_path)
    assert names(tmp_path, format="txt") == ["README.txt"]
    assert names(tmp_path, format="jsonl") == ["b.jsonl", "c.json"]
    with pytest.raises(UsageError, match="files of parquet, found none"):
        names(tmp_path, format="parquet")


def test_a_file_without_a_telling_name_needs_a_format(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "records", [{"text": "a"}])
    with pytest.raises(UsageError, match="say --format"):
        only(path)
    assert only(path, format="jsonl").kind == "jsonl"
    for name in ("a.json", "a.txt.gz", "a.parquet.gz", "a.csv"):
        (tmp_path / name).write_text("a")
        with pytest.raises(UsageError, match="say --format"):
            only(tmp_path / name)


@pytest.mark.parametrize("name", ["a.jsonl.gz", "A.NDJSON.BZ2", "a.b.jsonl.zst", "A.JSONL"])
def test_names_in_any_case(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    raw = b'{"text": "a"}\n'
    kind = json_lines.COMPRESSIONS.get(path.suffix.lower())
    with pa.output_stream(str(path), compression=kind) as stream:
        stream.write(raw)
    assert texts(path) == ["a"]


def test_what_cannot_be_read(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "a.jsonl", [{"text": "a"}])
    wrong = [
        ([], {}, "a file, folder or hub name"),
        ([str(tmp_path / "gone.jsonl")], {}, "found no such file at .*gone"),
        (["data/gone.jsonl"], {}, "found no such file at data/gone"),
        (["data/gone.jsonl.gz"], {}, "found no such file"),
        (["x" * 5000], {}, "found no such file"),
        ([str(path)], {"format": "csv"}, "--format out of txt, jsonl, parquet, arrow"),
        ([str(path)], {"split": "train"}, "leave --split out"),
        ([str(path), str(tmp_path)], {}, "each file once"),
        (["hub:no such name"], {}, "hub:owner/name"),
        (["hub:owner/name"], {"format": "jsonl"}, "--format parquet"),
    ]
    for sources, options, message in wrong:
        with pytest.raises(UsageError, match=message):
            open_records(sources, **options)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="files of documents, found none"):
        names(tmp_path / "empty")
    with pytest.raises(UsageError, match="leave --split out"):
        names(tmp_path, split="train")


def test_a_saved_dataset_is_read_in_its_order(tmp_path: Path) -> None:
    root = save(tmp_path / "set", {"": list(PROSE)}, licence="CC0-1.0")
    state = json.loads((root / "state.json").read_text())
    state["_data_files"].reverse()
    (root / "state.json").write_text(json.dumps(state))
    (root / "cache-0123.arrow").write_bytes(b"left behind by map()")
    opened = open_records([str(root)])
    assert [text for file in opened for text in texts(file.path)] == list(reversed(PROSE))
    assert dict(opened[0].origin) == {"url": None, "revision": None, "licence": "CC0-1.0"}
    (first,) = opened[0].read(opened[0].parts()[0], Ledger())
    assert first.about.licence == "CC0-1.0"


def test_a_saved_dataset_dict_needs_a_split(tmp_path: Path) -> None:
    root = save(tmp_path / "set", {"train": ["a", "b"], "test": ["c"]})
    with pytest.raises(UsageError, match="--split out of train, test, found no --split"):
        names(root)
    with pytest.raises(UsageError, match="--split out of train, test, found dev"):
        names(root, split="dev")
    assert len(names(root, split="train")) == 2
    (file,) = open_records([str(root)], split="test")
    assert texts(file.path) == ["c"]
    with pytest.raises(UsageError, match="leave --split out"):
        names(root / "test", split="test")
    with pytest.raises(UsageError, match=r"a folder of datasets at .*name the folder itself"):
        names(tmp_path)


def test_the_only_split_need_not_be_named(tmp_path: Path) -> None:
    assert len(names(save(tmp_path / "set", {"train": ["a"]}))) == 1


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("state.json", "{", "a description by datasets"),
        ("state.json", "[]", "a description by datasets"),
        ("state.json", '{"_data_files": []}', "found none"),
        ("state.json", '{"_data_files": [{"filename": "gone.arrow"}]}', "found no gone.arrow"),
        ("state.json", '{"_data_files": [{"filename": "../a.arrow"}]}', "plain name"),
        ("state.json", '{"_data_files": [{"filename": "/etc/a.arrow"}]}', "plain name"),
        ("state.json", '{"_data_files": [], "_indices_data_files": [1]}', "chosen by indices"),
        ("state.json", "[" * 100_000, "a description by datasets"),
        ("dataset_info.json", "[1]", "a description by datasets"),
        ("dataset_dict.json", '{"splits": ["../a"]}', "plain name"),
    ],
)
def test_a_damaged_description_is_an_error(
    name: str, text: str, message: str, tmp_path: Path
) -> None:
    root = save(tmp_path / "set", {"": ["a"]})
    (root / name).write_text(text)
    with pytest.raises(InputError, match=message):
        names(root)


def test_a_shard_set_with_text(tmp_path: Path) -> None:
    made = make_set(tmp_path / "set", [30, 12], text=True)
    (tmp_path / "set" / "state.json").write_text("{}")  # sets have one for `datasets`
    opened = open_records([str(tmp_path / "set")])
    assert [file.name for file in opened] == [shard.file for shard in made.manifest.shards]
    assert [text for file in opened for text in texts(file.path)] == [f"row {i}" for i in range(42)]
    expected = {"url": None, "revision": made.manifest.digest, "licence": "CC0-1.0"}
    assert dict(opened[0].origin) == expected


def test_a_shard_set_without_text_says_so(tmp_path: Path) -> None:
    make_set(tmp_path / "set", [30])
    (tmp_path / "set" / "state.json").write_text("{}")
    with pytest.raises(UsageError, match=r"a set with the column text, .* with --keep-text"):
        names(tmp_path / "set")


def test_an_unfinished_or_damaged_shard_set_is_an_error(tmp_path: Path) -> None:
    made = make_set(tmp_path / "set", [30], text=True)
    (tmp_path / "set" / "state.json").write_text("{}")
    shard = tmp_path / "set" / made.manifest.shards[0].file
    raw = shard.read_bytes()
    shard.write_bytes(raw[:-8])
    with pytest.raises(SetError):
        names(tmp_path / "set")
    shard.write_bytes(raw)
    (tmp_path / "set" / "manifest.json").unlink()
    (tmp_path / "set" / "_run").mkdir()
    with pytest.raises(SetError):
        names(tmp_path / "set")


def test_an_opened_file_goes_to_other_processes(tmp_path: Path) -> None:
    pq.write_table(pa.table({"text": ["a"]}), tmp_path / "a.parquet")
    write_lines(tmp_path / "b.jsonl", [{"text": "b"}])
    for name in ("a.parquet", "b.jsonl"):
        file = only(tmp_path / name)
        assert pickle.loads(pickle.dumps(file)) == file
        assert pickle.loads(pickle.dumps(file.parts())) == file.parts()


def test_sources_are_read_in_the_order_given(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("b.jsonl", "a.txt", "c.parquet")]
    write_lines(paths[0], [{"text": "b"}])
    paths[1].write_text("a")
    pq.write_table(pa.table({"body": ["c"]}), paths[2])
    opened = open_records([str(path) for path in paths])
    assert [(f.name, f.kind, f.field, f.records) for f in opened] == [
        ("b.jsonl", "jsonl", "text", None),
        ("a.txt", "txt", "", 1),
        ("c.parquet", "parquet", "body", 1),
    ]


def test_what_datasets_itself_saves(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    made = datasets.Dataset.from_dict({"id": list(range(len(PROSE))), "text": list(PROSE)})
    made.save_to_disk(str(tmp_path / "one"), num_shards=2)
    made.select([4, 2, 0]).save_to_disk(str(tmp_path / "chosen"))
    both = datasets.DatasetDict({"train": made, "test": made.select([1])})
    both.save_to_disk(str(tmp_path / "dict"))

    def saved(folder: str, **options: str) -> list[str]:
        opened = open_records([str(tmp_path / folder)], **options)
        return [text for file in opened for text in texts(file.path)]

    assert saved("one") == list(PROSE)
    assert saved("chosen") == [PROSE[4], PROSE[2], PROSE[0]]
    assert saved("dict", split="test") == [PROSE[1]]
    for name in ("a.parquet", "a.jsonl"):
        getattr(made, "to_parquet" if "parquet" in name else "to_json")(tmp_path / name)
        assert [(d.doc_id, d.text) for d in read_all(tmp_path / name)[0]] == list(enumerate(PROSE))
