"""Each format, read by those it is for: the same rows, labels and ids as in the set."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from export_sets import make_pairs, make_splits, make_task_set, rows_of, texts_of
from hypothesis import given
from hypothesis import strategies as st
from label_sets import SENTIMENT, make_labelled
from pyarrow import dataset, parquet

import transferset
from transferset.exports import json_text, tsv


@pytest.fixture(scope="module")
def task(tmp_path_factory):
    return make_task_set(tmp_path_factory.mktemp("sets") / "task")


@pytest.fixture(scope="module")
def splits(tmp_path_factory):
    return make_splits(tmp_path_factory.mktemp("sets") / "both")


def lines_of(path: Path) -> list[dict[str, Any]]:
    *lines, rest = path.read_bytes().split(b"\n")
    assert rest == b""
    return [json.loads(line) for line in lines]


NAMES = ("negative", "positive", None)


def names_of(table: pa.Table) -> list[str | None]:
    return [None if code is None else NAMES[code] for code in table["label"].to_pylist()]


@pytest.mark.parametrize("to", ["hf", "parquet", "arrow-file", "jsonl", "tsv"])
def test_every_export_verifies_by_the_reader_of_its_format(to, splits, tmp_path):
    found = transferset.export(splits, tmp_path / "out", to=to, escape=to == "tsv")
    assert [part["rows"] for part in found.record.parts] == [57, 11]
    assert transferset.verify_export(found.root).record == found.record


@pytest.mark.parametrize("to", ["parquet", "arrow-file"])
def test_a_folder_a_split_opens_as_one(to, task, tmp_path):
    root = transferset.export(task.root, tmp_path / "out", to=to, shards=4).root
    assert len(list((root / "train").iterdir())) == 4
    found = dataset.dataset(root / "train", format="parquet" if to == "parquet" else "ipc")
    assert found.to_table().equals(rows_of(task))


def test_polars_reads_parquet_and_arrow_files(task, tmp_path):
    polars = pytest.importorskip("polars")
    for to, scan in (("parquet", polars.scan_parquet), ("arrow-file", polars.scan_ipc)):
        root = transferset.export(task.root, tmp_path / to, to=to, columns="input_ids,text").root
        table = scan(root / "train" / "*").collect()
        assert table["text"].to_list() == texts_of(57)
        assert table["input_ids"].to_list() == rows_of(task)["input_ids"].to_pylist()


def test_duckdb_reads_parquet(task, tmp_path):
    duckdb = pytest.importorskip("duckdb")
    root = transferset.export(task.root, tmp_path / "out", to="parquet", columns="text,label").root
    rows = duckdb.sql(f"select text, label from '{root}/train/*.parquet'").fetchall()
    assert rows == list(zip(texts_of(57), rows_of(task)["label"].to_pylist(), strict=True))


def test_arrow_files_are_files_and_hold_what_the_set_holds(task, tmp_path):
    root = transferset.export(task.root, tmp_path / "out", to="arrow-file").root
    path = root / "train" / "part-00000-of-00001.arrow"
    with pa.memory_map(str(path)) as source:
        assert pa.ipc.open_file(source).read_all().equals(rows_of(task))
    for name in ("zstd", "lz4"):
        small = transferset.export(task.root, tmp_path / name, to="arrow-file", compression=name)
        assert (
            small.record.files[0].blake3
            != transferset.export(task.root, root, to="arrow-file").record.files[0].blake3
        )
        transferset.verify_export(small.root)


def test_the_compression_of_parquet_is_as_stated(task, tmp_path):
    for name, known in ((None, "ZSTD"), ("snappy", "SNAPPY"), ("none", "UNCOMPRESSED")):
        root = transferset.export(
            task.root, tmp_path / str(name), to="parquet", compression=name
        ).root
        meta = parquet.ParquetFile(root / "train" / "part-00000-of-00001.parquet").metadata
        assert meta.row_group(0).column(0).compression == known


class TestHub:
    def test_load_dataset_opens_it_with_splits_and_classes(self, splits, tmp_path):
        datasets = pytest.importorskip("datasets")
        root = transferset.export(splits, tmp_path / "out", to="hf", shards=2).root
        found = datasets.load_dataset(str(root), cache_dir=str(tmp_path / "cache"))
        for split in ("train", "validation"):
            whole = transferset.open(splits / split)
            assert (
                found[split]
                .data.table.combine_chunks()
                .equals(rows_of(whole).cast(found[split].data.schema))
            )
            assert found[split].features == datasets.Features.from_arrow_schema(whole.schema)
        assert found["train"].features["label"].names == ["negative", "positive"]
        assert len(found["train"]) == 57

    def test_the_card_tells_the_hub_what_the_files_say(self, splits, tmp_path):
        yaml = pytest.importorskip("yaml")
        datasets = pytest.importorskip("datasets")
        root = transferset.export(splits, tmp_path / "out", to="hf").root
        text = (root / "README.md").read_text()
        head = yaml.safe_load(text.split("---\n")[1])
        assert head["license"] == "cc0-1.0"
        assert head["size_categories"] == ["n<1K"]
        assert head["configs"][0]["data_files"][1] == {
            "split": "validation", "path": "data/validation-*.parquet",
        }  # fmt: skip
        info = head["dataset_info"]
        stated = datasets.Features._from_yaml_list(info["features"])
        schema = parquet.read_schema(root / "data" / "train-00000-of-00001.parquet")
        assert stated == datasets.Features.from_arrow_schema(schema)
        assert [one["num_examples"] for one in info["splits"]] == [57, 11]
        assert "| train | 57 |" in text

    def test_every_split_is_among_the_files_that_its_name_begins(self, tmp_path):
        task = make_task_set(tmp_path / "one", params={"max_len": None, "split": "test"})
        found = transferset.export(task.root, tmp_path / "out", to="hf")
        assert found.record.files[0].file == "data/test-00000-of-00001.parquet"


class TestJsonLines:
    def test_each_line_is_an_object_of_texts_and_label(self, task, tmp_path):
        found = transferset.export(task.root, tmp_path / "out", to="jsonl")
        rows = lines_of(found.root / "train.jsonl")
        assert [row["text"] for row in rows] == texts_of(57)
        assert [row["label"] for row in rows] == names_of(rows_of(task))
        assert "logits, words" in found.record.left_out[0]

    def test_all_columns_can_be_had(self, task, tmp_path):
        every = rows_of(task).schema.names
        found = transferset.export(task.root, tmp_path / "out", to="jsonl", columns=every)
        rows = lines_of(found.root / "train.jsonl")
        assert list(rows[0]) == every
        whole = rows_of(task)
        for name in every:
            held = pa.array(names_of(whole)) if name == "label" else whole[name].combine_chunks()
            assert pa.array([row[name] for row in rows], held.type).equals(held), name
        transferset.verify_export(found.root)

    def test_scores_have_a_point(self, tmp_path):
        pairs = make_pairs(tmp_path / "pairs")
        found = transferset.export(pairs.root, tmp_path / "out", to="jsonl")
        first, *_ = (found.root / "train.jsonl").read_text().split("\n")
        assert '"label": 0.0}' in first
        assert list(json.loads(first)) == ["text", "text_pair", "label"]

    @given(st.lists(st.text(), min_size=1))
    def test_any_text_is_a_string_of_json(self, texts):
        written = json_text.quoted(pa.array(texts, pa.string())).to_pylist()
        assert [json.loads(one) for one in written] == texts
        assert not any("\n" in one or "\r" in one for one in written)

    @given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1))
    def test_numbers_come_back_exactly(self, numbers):
        column = pa.array(numbers, pa.float32())
        written = [json.loads(one) for one in json_text.floats(column, "x").to_pylist()]
        assert all(isinstance(one, float) for one in written)
        assert pa.array(written, pa.float32()).equals(column)

    def test_what_json_cannot_hold_is_refused(self):
        with pytest.raises(transferset.UsageError, match="finite numbers in logits"):
            json_text.values(pa.array([[1.0, float("nan")]], pa.list_(pa.float32(), 2)), "logits")


class TestTabs:
    def test_csv_reads_texts_and_names_of_classes(self, task, tmp_path):
        found = transferset.export(task.root, tmp_path / "out", to="tsv")
        with (found.root / "train.tsv").open(newline="\n") as file:
            rows = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
        assert rows[0] == ["sentence", "label"]
        labels = [name or "" for name in names_of(rows_of(task))]
        assert rows[1:] == [list(row) for row in zip(texts_of(57), labels, strict=True)]

    def test_pairs_are_as_in_glue(self, tmp_path):
        pairs = make_pairs(tmp_path / "pairs")
        root = transferset.export(pairs.root, tmp_path / "out", to="tsv").root
        head, first, *_ = (root / "train.tsv").read_text().split("\n")
        assert head == "sentence1\tsentence2\tlabel"
        assert first.endswith("\t0.0")

    def test_build_task_reads_it_again(self, tmp_path):
        pytest.importorskip("tokenizers")
        first = transferset.build_task("demo", tmp_path / "first")
        exported = transferset.export(first.root, tmp_path / "tsv", to="tsv")
        again = transferset.build_task(
            str(exported.root / "train.tsv"),
            tmp_path / "again",
            text="sentence",
            label="label",
            tagger="lexicon",
            tokenizer=str(first.root),
        )
        both = [
            sorted(zip(rows_of(one)["text"].to_pylist(), named(one), strict=True))
            for one in (first, again)
        ]
        assert both[0] == both[1]

    @pytest.mark.parametrize("sign", ["\t", "\n", "\r"])
    def test_a_text_that_would_end_a_field_is_refused_or_escaped(self, sign, tmp_path):
        texts = ["plain", "a\\t", f"one{sign}two", "\\", ""]
        columns = {"text": texts, "label": [0, 1, 0, 1, 0]}
        found = make_labelled_texts(tmp_path / "set", columns)
        with pytest.raises(transferset.UsageError, match="row 2; say --escape"):
            transferset.export(found.root, tmp_path / "out", to="tsv")
        assert not (tmp_path / "out").exists()
        made = transferset.export(found.root, tmp_path / "out", to="tsv", escape=True)
        transferset.verify_export(made.root)
        assert (made.root / "train.tsv").read_bytes().count(b"\n") == 6

    @pytest.mark.parametrize("blank", ["", "  "])
    def test_a_line_that_readers_skip_is_refused(self, blank, tmp_path):
        """pandas and `datasets` pass over blank lines: of two columns there are none."""
        found = make_labelled_texts(tmp_path / "set", {"text": ["a", blank], "label": [0, 1]})
        transferset.export(found.root, tmp_path / "both", to="tsv")
        with pytest.raises(transferset.UsageError, match="row 1; export --to jsonl"):
            transferset.export(found.root, tmp_path / "out", to="tsv", columns="text")

    def test_a_class_without_a_name_would_be_a_missing_label(self, tmp_path):
        names = {"label": ["", "b"]}
        found = make_labelled(tmp_path / "set", {"text": ["a"], "label": [0]}, names=names)
        with pytest.raises(transferset.UsageError, match="classes with names"):
            transferset.export(found.root, tmp_path / "out", to="tsv")

    @given(st.lists(st.text(), min_size=1))
    def test_escaping_loses_nothing(self, texts):
        column = pa.array(texts, pa.large_string())
        escaped = tsv._escaped(column)
        assert not any(sign in one for one in escaped.to_pylist() for sign in "\t\n\r")
        assert tsv._unescaped(escaped).to_pylist() == texts


def named(found: transferset.ShardSet) -> list[str]:
    names = found.manifest.names["label"]
    return [names[code] for code in rows_of(found)["label"].to_pylist()]


def make_labelled_texts(root, columns):
    return make_labelled(root, columns, names=SENTIMENT)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """A set of ids alone, with the tokenizer that comes with transferset."""
    folder = tmp_path_factory.mktemp("corpus")
    (folder / "a.txt").write_text("The first line is here.\n\nAnd a second one, not unlike it.\n")
    return transferset.build_text(
        str(folder / "a.txt"), folder / "set", tokenizer="demo", shuffle=False
    )


class TestDecoding:
    def test_texts_are_decoded_from_ids_and_it_is_told(self, corpus, tmp_path):
        from transferset.tokens import load_tokenizer

        found = transferset.export(corpus.root, tmp_path / "out", to="jsonl")
        rows = lines_of(found.root / "train.jsonl")
        tokenizer = load_tokenizer(str(corpus.root))
        expected = [tokenizer.decode(ids) for ids in rows_of(corpus)["input_ids"].to_pylist()]
        assert [row["text"] for row in rows] == expected
        assert "decoded from ids" in found.record.left_out[0]
        transferset.verify_export(found.root)

    def test_pairs_part_at_the_first_separator(self, corpus):
        from transferset.pipeline.export.decoding import decode

        ids = rows_of(corpus)["input_ids"].to_pylist()
        pairs = pa.array([ids[0] + ids[1][1:], ids[1] + ids[0][1:], ids[0]], pa.list_(pa.uint16()))
        single = decode(corpus.root, pa.array(ids[:2], pa.list_(pa.uint16())), False)[0].to_pylist()
        first, second = decode(corpus.root, pairs, True)
        assert first.to_pylist() == [*single, single[0]]
        assert second is not None
        assert second.to_pylist() == [*single[::-1], ""]

    def test_formats_of_ids_carry_the_tokenizer(self, corpus, tmp_path):
        found = transferset.export(corpus.root, tmp_path / "out", to="parquet")
        names = {entry.file for entry in found.record.files}
        assert {"tokenizer.json", "tokenizer_config.json"} < names
        assert found.record.tokenizer == corpus.manifest.tokenizer
