"""Examples of JSON lines, Parquet, Arrow, folders of `datasets`, and the hub's names."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from making_tasks import features, opened, read, rows, write, write_table

from transferset.errors import InputError, UsageError
from transferset.ledger import Ledger
from transferset.sources.tasks import Example, TaskOptions, classes_of, open_tasks

NAMED = {"text": "said", "label": "kind"}
TABLES = ("a.parquet", "a.arrow", "a-file.arrow")


def write_lines(path: Path, *made: Any) -> Path:
    return write(path, "".join(json.dumps(row) + "\n" for row in made))


def test_json_lines(tmp_path: Path) -> None:
    path = write_lines(
        tmp_path / "a.jsonl", {"said": "One.", "kind": "x"}, {"kind": "y", "said": "A\nB\u2028C"}
    )
    write(path, path.read_text() + "\n" + '{"said": "é", "kind": null}')
    assert read(path, **NAMED).examples == [
        Example(1, "One.", None, "x"),
        Example(2, "A\nB\u2028C", None, "y"),
        Example(4, "é", None, None),
    ]


def test_members_inside_of_objects(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "a.jsonl", {"t": {"en": "One.", "de": "Eins."}, "m": {"y": 1}})
    assert rows(path, text="t.en", text_pair="t.de", label="m.y") == [("One.", "Eins.", "1")]


@pytest.mark.parametrize(
    ("label", "kind", "wanted"),
    [
        (True, "auto", "true"),
        (3, "auto", "3"),
        (3.0, "auto", "3.0"),
        (3.0, "class", "3"),
        (2.5, "class", "2.5"),
        (3, "regression", 3.0),
        (-1, "auto", "-1"),
        ("x", "auto", "x"),
    ],
)
def test_labels_of_json(tmp_path: Path, label: Any, kind: str, wanted: Any) -> None:
    path = write_lines(tmp_path / "a.jsonl", {"said": "One.", "kind": label})
    assert rows(path, label_type=kind, **NAMED) == [("One.", wanted)]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"said": "b", "kind": NaN}', "a finite number as the label, found nan"),
        ('{"said": "b", "kind": []}', "a string or number as the label, found list"),
        ('{"said": "b", "kind": {}}', "a string or number as the label, found dict"),
        ('{"said": "b", "kind": ""}', "a label, found no label"),
        ('{"said": "b"}', "a member kind, found none"),
        ('{"kind": "x"}', "a JSON object with a text, found no field said"),
        ('{"said": 7, "kind": "x"}', "a text, found int"),
        ('{"said": "b", "kind": "x"', "a JSON object with a text, found no JSON"),
        ('{"said": "\\ud800", "kind": "x"}', "text in UTF-8, found surrogates not allowed"),
        ('["b", "x"]', "a JSON object with a text, found list instead of an object"),
    ],
)
def test_malformed_lines(tmp_path: Path, line: str, message: str) -> None:
    good = '{"said": "a", "kind": "x"}\n'
    path = write(tmp_path / "a.jsonl", f"{good}{line}\n{good}")
    with pytest.raises(InputError, match=rf"expected {message}.* at .*a.jsonl, line 2"):
        read(path, **NAMED)
    found = read(path, skip_damaged=True, **NAMED)
    assert ([e.row for e in found.examples], found.ledger) == ([1, 3], {"malformed_row": 1})


def test_null_is_an_empty_text(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "a.jsonl", {"said": "a"}, {"said": None}, {"said": " "})
    write(path, path.read_text() + '{"said": "b"}\n')
    found = read(path, skip_damaged=True, text="said")
    assert ([e.row for e in found.examples], found.ledger) == ([1, 4], {"empty_row": 2})


def test_members_that_are_not_there(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "a.jsonl", {"said": "a", "kind": "x"})
    with pytest.raises(UsageError, match=r"strings, found the string fields said, kind .* --text"):
        opened(path, text="text")
    with pytest.raises(UsageError, match=r"the string fields said, kind"):
        opened(path, layout="qqp")
    with pytest.raises(UsageError, match=r"the column mood, found none .*correct --label"):
        opened(path, text="said", label="mood").read(Ledger())
    with pytest.raises(UsageError, match=r"--layout, or --text with the name of a column"):
        opened(path)


def test_layouts_of_records_have_the_names_of_the_hub(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "a.jsonl", {"premise": "A", "hypothesis": "B", "label": 2})
    assert rows(path, layout="mnli") == [("A", "B", "contradiction")]
    write_lines(path, {"question1": "A", "question2": "B", "label": -1})
    assert rows(path, layout="glue-qqp") == [("A", "B", None)]


@pytest.mark.parametrize("name", TABLES)
def test_tables(tmp_path: Path, name: str) -> None:
    table = pa.table({"kind": ["x", "y", None], "id": [1, 2, 3], "said": ["One.", "Two.", "é"]})
    path = write_table(tmp_path / name, table)
    assert read(path, **NAMED).examples == [
        Example(1, "One.", None, "x"),
        Example(2, "Two.", None, "y"),
        Example(3, "é", None, None),
    ]


@pytest.mark.parametrize("name", TABLES)
def test_names_of_classes_come_from_the_file(tmp_path: Path, name: str) -> None:
    table = pa.table({"said": ["a", "b", "c"], "kind": [2, 0, -1]})
    table = table.replace_schema_metadata(features(kind=["z", "y", "x"]))
    path = write_table(tmp_path / name, table)
    found = read(path, **NAMED)
    assert [e.label for e in found.examples] == ["x", "z", None]
    assert (found.kind.names, found.kind.counts) == (("z", "y", "x"), (1, 0, 1))
    table = table.set_column(1, "kind", pa.array([2, 3, 0]))
    table = table.replace_schema_metadata(features(kind=["z", "y", "x"]))
    with pytest.raises(InputError, match=r"a label from 0 to 2, found 3 at .*, row 2"):
        read(write_table(path, table), **NAMED)


@pytest.mark.parametrize(
    "metadata",
    [
        b"{",
        b"[]",
        b"null",
        b'{"info": {"features": []}}',
        b'{"info": {"features": {"kind": {"_type": "ClassLabel", "names": "xy"}}}}',
        b'{"info": {"features": {"kind": {"_type": "ClassLabel", "names": ["x", "x"]}}}}',
        b'{"info": {"features": {"kind": {"_type": "Value", "names": ["x", "y"]}}}}',
        b"[" * 100_000,
    ],
)
def test_metadata_that_says_something_else(tmp_path: Path, metadata: bytes) -> None:
    table = pa.table({"said": ["a", "b"], "kind": [1, 0]})
    path = write_table(
        tmp_path / "a.arrow", table.replace_schema_metadata({b"huggingface": metadata})
    )
    assert rows(path, **NAMED) == [("a", "1"), ("b", "0")]


def test_files_of_other_classes_are_not_one_task(tmp_path: Path) -> None:
    for name, classes in (("a", ["x", "y"]), ("b", ["y", "x"])):
        table = pa.table({"said": ["a"], "kind": [0]}).replace_schema_metadata(
            features(kind=classes)
        )
        write_table(tmp_path / f"{name}.arrow", table)
    files = open_tasks([str(tmp_path)], TaskOptions(**NAMED))
    with pytest.raises(UsageError, match=r"the classes of a.arrow, found others at .*b.arrow"):
        classes_of(files)


@pytest.mark.parametrize(
    "kind",
    [pa.large_string(), pa.string_view(), pa.binary(), pa.dictionary(pa.int8(), pa.string())],
)
def test_types_of_strings(tmp_path: Path, kind: pa.DataType) -> None:
    said = pa.array(["One.", "Two."]).cast(kind)
    path = write_table(tmp_path / "a.arrow", pa.table({"said": said, "kind": said}))
    assert rows(path, **NAMED) == [("One.", "One."), ("Two.", "Two.")]


def test_a_row_that_is_no_utf8_is_named(tmp_path: Path) -> None:
    said = pa.array([b"a", b"caf\xe9", b"b"])
    wrong = pa.StringArray.from_buffers(3, said.buffers()[1], said.buffers()[2])
    for name in TABLES:
        path = write_table(tmp_path / name, pa.table({"said": wrong}))
        with pytest.raises(InputError, match=r"text in UTF-8, found unexpected .*, row 2; correct"):
            read(path, text="said")
        assert len(rows(path, text="said", skip_damaged=True)) == 2


@pytest.mark.parametrize("name", TABLES)
def test_columns_of_tables_that_are_not_there(tmp_path: Path, name: str) -> None:
    path = write_table(tmp_path / name, pa.table({"said": ["a"], "id": [1]}))
    with pytest.raises(UsageError, match=r"--text-pair name, found the columns said, id at "):
        opened(path, text="text")
    with pytest.raises(UsageError, match=r"of the layout sst2, found the columns said, id at "):
        opened(path, layout="sst2")
    with pytest.raises(UsageError, match=r"strings in the column id, found int64 at "):
        opened(path, text="id")
    with pytest.raises(UsageError, match=r"the column kind, found none"):
        opened(path, **NAMED).read(Ledger())


@pytest.mark.parametrize("name", TABLES)
def test_tables_that_were_cut_off(tmp_path: Path, name: str) -> None:
    path = write_table(tmp_path / name, pa.table({"said": ["a"] * 9, "kind": ["x"] * 9}))
    whole = path.read_bytes()
    for size in range(0, len(whole), 37):
        path.write_bytes(whole[:size])
        with pytest.raises(InputError, match=r"a whole (Parquet|Arrow) file, found "):
            read(path, **NAMED)


def test_a_folder_that_datasets_saved(tmp_path: Path) -> None:
    (tmp_path / "dataset_dict.json").write_text('{"splits": ["train", "test"]}')
    for split in ("train", "test"):
        folder = tmp_path / split
        folder.mkdir()
        write_table(
            folder / "data-00000-of-00001.arrow", pa.table({"said": [split], "kind": [1.5]})
        )
        state = {"_data_files": [{"filename": "data-00000-of-00001.arrow"}]}
        (folder / "state.json").write_text(json.dumps(state))
        (folder / "dataset_info.json").write_text('{"license": "CC0"}')
    (file,) = open_tasks([str(tmp_path)], TaskOptions(split="test", **NAMED))
    assert [e[1:] for e in file.read(Ledger())] == [("test", None, "1.5")]
    assert file.origin["licence"] == "CC0"


def test_files_cross_processes(tmp_path: Path) -> None:
    path = write_table(tmp_path / "a.parquet", pa.table({"said": ["a"], "kind": ["x"]}))
    tsv = write(tmp_path / "a.tsv", "said\tkind\na\tx\n")
    for made in (path, tsv):
        file = pickle.loads(pickle.dumps(opened(made, **NAMED)))
        assert next(file.read(Ledger()))[1:] == ("a", None, "x")
