"""`build task`: examples become rows with words and tags; nothing is lost, nothing leaks."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest
from small_tasks import sentences, write_pairs, write_task

import transferset
from transferset.errors import InputError, SetError, TransfersetError, UsageError
from transferset.pipeline import task_read
from transferset.verification import verify


@pytest.fixture
def build(tokenizer, tmp_path):
    """Builds in this process, into a new directory."""
    count = iter(range(99))

    def build(inputs, out=None, **options):
        given = {"tokenizer": str(tokenizer), "workers": 1, "tagger": "lexicon"}
        out = out or tmp_path / f"set-{next(count)}"
        return transferset.build_task(inputs, out, **{**given, **options})

    return build


def table(found):
    return pa.Table.from_batches(list(found.batches()))


def spelled(words, space):
    text = "".join(w + " " * s for w, s in zip(words, space, strict=True))
    return text[: len(text) - space[-1]]


def test_rows_are_the_examples_in_the_order_of_the_file(build, tmp_path):
    texts = sentences(50)
    found = build(write_task(tmp_path / "train.tsv", texts), text="sentence", label="label")
    rows = table(found)
    assert rows["text"].to_pylist() == texts
    assert rows["label"].to_pylist() == [0, 1] * 25
    assert found.manifest.names["label"] == ["bad", "good"]
    assert verify(found.root).manifest.totals["rows"] == 50


def test_words_with_their_spaces_are_the_text_and_each_has_a_tag(build, tmp_path):
    found = build(write_task(tmp_path / "train.tsv", sentences(50)), text="sentence", label="label")
    tags = found.manifest.names["pos"]
    for row in table(found).to_pylist():
        assert spelled(row["words"], row["space"]) == row["text"]
        assert len(row["words"]) == len(row["space"]) == len(row["pos"])
        assert all(code < len(tags) for code in row["pos"])
    assert "n't" in {word for row in table(found)["words"].to_pylist() for word in row}


def test_words_between_white_space(build, tmp_path):
    path = tmp_path / "train.tsv"
    path.write_text("sentence\tlabel\nit 's a  charming journey . \t1\n")
    found = build(path, text="sentence", label="label", words="whitespace")
    (row,) = table(found).to_pylist()
    assert row["text"] == "it 's a charming journey ."
    assert row["words"] == ["it", "'s", "a", "charming", "journey", "."]


def test_ids_are_those_of_the_tokenizer_and_pairs_are_one_row(build, tmp_path, tokenizer):
    from tokenizers import Tokenizer

    texts = sentences(60)
    found = build(
        write_pairs(tmp_path / "p.tsv", texts), text="one", text_pair="two", label="score"
    )
    oracle = Tokenizer.from_file(str(tokenizer / "tokenizer.json"))
    oracle.no_padding()
    oracle.no_truncation()
    for row in table(found).to_pylist():
        assert row["input_ids"] == oracle.encode(row["text"], row["text_pair"]).ids
    assert found.manifest.schema["label"] == "float"
    assert table(found)["label"].to_pylist()[:3] == pytest.approx([0.0, 0.1, 0.2])
    totals = found.manifest.totals
    assert totals["content_tokens"] == totals["tokens"] - 3 * totals["rows"]


def test_long_rows_lose_their_end_and_the_ledger_counts_it(build, tmp_path):
    texts = sentences(40)
    path = write_task(tmp_path / "train.tsv", texts)
    whole = build(path, text="sentence", label="label")
    cut = build(path, text="sentence", label="label", max_len=8)
    lost = 0
    for long, short in zip(table(whole)["input_ids"], table(cut)["input_ids"], strict=True):
        ids = long.as_py()
        assert short.as_py() == (ids if len(ids) <= 8 else [*ids[:7], ids[-1]])
        lost += max(0, len(ids) - 8)
    (entry,) = cut.manifest.ledger
    assert (entry["reason"], entry["unit"], entry["count"]) == ("truncated", "tokens", lost)


def test_rows_of_evaluation_files_are_left_out_and_named(build, tmp_path):
    texts = sentences(40)
    train = write_task(tmp_path / "train.tsv", texts)
    # case and spacing do not hide a row from an uncased tokenizer
    dev = tmp_path / "dev.tsv"
    dev.write_text("sentence\n" + "\n".join([texts[7].upper(), f"  {texts[31]} ", "another"]))
    found = build(train, text="sentence", label="label", eval=[dev])
    assert table(found)["text"].to_pylist() == [t for i, t in enumerate(texts) if i not in (7, 31)]
    (entry,) = found.manifest.ledger
    assert (entry["reason"], entry["count"]) == ("leaked", 2)
    leaks = json.loads((found.root / "_tables/leaks.json").read_bytes())
    where = [(row["row"], row["eval"], row["eval_row"]) for row in leaks["rows"]]
    assert where == [(9, "dev.tsv", 2), (33, "dev.tsv", 3)]  # lines, the header is the first


def test_a_pair_leaks_in_either_order(build, tmp_path):
    texts = sentences(20)
    train = write_pairs(tmp_path / "train.tsv", texts)
    dev = write_pairs(tmp_path / "dev.tsv", [texts[3], texts[2]])
    columns = {"text": "one", "text_pair": "two"}
    found = build(train, **columns, label="score", eval=[dev])
    assert texts[2] not in table(found)["text"].to_pylist()
    assert len(found) == 9


def test_without_a_tagger_there_are_texts_and_ids(build, tmp_path):
    path = tmp_path / "train.csv"
    path.write_text('text,why\n"Well, yes",no\n')
    found = build(path, text="text", tagger="none")
    assert set(found.manifest.schema) == {"input_ids", "text", "source"}
    verify(found.root)


def test_any_number_of_workers_gives_the_same_bytes(build, tmp_path, monkeypatch):
    monkeypatch.setattr(task_read, "RANGE", 17)
    path = write_task(tmp_path / "train.tsv", sentences(120))
    one = build(path, text="sentence", label="label", workers=1)
    three = build(path, text="sentence", label="label", workers=3)
    assert [s.blake3 for s in one.manifest.shards] == [s.blake3 for s in three.manifest.shards]
    assert one.manifest.recipe == three.manifest.recipe


def test_a_killed_build_is_finished_by_the_same_command(build, tmp_path, monkeypatch):
    path = write_task(tmp_path / "train.tsv", sentences(100))
    monkeypatch.setattr(task_read, "RANGE", 20)
    whole = build(path, text="sentence", label="label")
    tag, calls = task_read._rows, []

    def dies(*args):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return tag(*args)

    monkeypatch.setattr(task_read, "_rows", dies)
    with pytest.raises(KeyboardInterrupt):
        build(path, tmp_path / "again", text="sentence", label="label")
    found = build(path, tmp_path / "again", text="sentence", label="label")
    assert len(calls) == 3 + 3  # two of five ranges were done
    assert (found.root / "manifest.json").read_bytes() == (
        whole.root / "manifest.json"
    ).read_bytes()


def test_another_recipe_is_refused(build, tmp_path):
    path = write_task(tmp_path / "train.tsv", sentences(10))
    build(path, tmp_path / "set", text="sentence", label="label")
    with pytest.raises(SetError, match="max_len was 512, is 64"):
        build(path, tmp_path / "set", text="sentence", label="label", max_len=64)


@pytest.mark.parametrize(
    ("content", "options", "error", "told"),
    [
        ("sentence\tlabel\na\t1\n", {"text": "sentense"}, UsageError, "sentense"),
        ("sentence\tlabel\na\t1\nb\t1\t1\n", {"label": "label"}, InputError, "line 3"),
        ("sentence\tlabel\na\t1\n\t1\n", {"label": "label"}, InputError, "line 3"),
        (b"sentence\tlabel\na\t1\n\xff\t1\n", {"label": "label"}, InputError, "latin-1"),
        ("sentence\tlabel\na\t2\n", {"layout": "glue-sst2", "text": None}, InputError, "line 2"),
        ("sentence\tlabel\na\t1\n", {"tagger": "spacy:no_such_model"}, UsageError, "no_such_model"),
        ("sentence\tlabel\na\t1\n", {"tagger": "brill"}, UsageError, "brill"),
        ("sentence\tlabel\na\t1\n", {"words": "characters"}, UsageError, "whitespace"),
        ("sentence\tlabel\na\t1\n", {"max_len": 4}, UsageError, "--max-len of at least 5"),
        ("sentence\tlabel\n", {}, TransfersetError, "at least one row"),
        ("sentence;label\na;1\n", {}, UsageError, "--delimiter ';'"),
        ("sentence\tlabel\na\t1\n", {"delimiter": ";;"}, UsageError, "one character"),
        ("sentence\tlabel\na\t1\n", {"language": "de"}, UsageError, "English"),
    ],
)
def test_bad_input_gets_one_sentence_and_leaves_nothing(
    build, tmp_path, content, options, error, told
):
    path = tmp_path / "bad.tsv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(error, match=told) as caught:
        build(path, tmp_path / "set", **{"text": "sentence", **options})
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "set").exists()


def test_malformed_rows_are_left_out_on_request_counted_and_named(build, tmp_path):
    path = tmp_path / "train.tsv"
    path.write_text("sentence\tlabel\na\t1\nb\t1\t1\nc\t0\n \t0\nd\t1\n")
    found = build(path, text="sentence", label="label", skip_damaged=True)
    assert table(found)["text"].to_pylist() == ["a", "c", "d"]
    counts = {entry["reason"]: entry["count"] for entry in found.manifest.ledger}
    assert counts == {"malformed_row": 1, "empty_row": 1}
    notes = json.loads((found.root / "_tables/notes.json").read_bytes())["rows"]
    assert len(notes) == 2
    assert all("train.tsv" in note for note in notes)


def test_the_sample_needs_nothing(tmp_path):
    found = transferset.build_task("demo", tmp_path / "set", workers=1)
    assert len(found) == 60
    assert found.manifest.names["label"] == ["negative", "positive"]
    assert found.manifest.licence == "CC0-1.0"


def test_datasets_opens_it_with_its_classes(build, tmp_path):
    datasets = pytest.importorskip("datasets")
    found = build(write_task(tmp_path / "train.tsv", sentences(9)), text="sentence", label="label")
    rows = datasets.load_from_disk(str(found.root))
    assert rows.features["label"].names == ["bad", "good"]
    assert rows[0]["words"][-1] == "."


def test_a_name_on_the_hub_brings_its_classes(build, tmp_path, monkeypatch):
    import io

    import pyarrow.parquet as pq
    from record_hub import RecordHub

    from transferset.sources.records import hub

    features = {"label": {"names": ["no", "yes"], "_type": "ClassLabel"}}
    rows = pa.table({"text": ["one more", "and one"], "label": pa.array([1, 0], pa.int64())})
    told = json.dumps({"info": {"features": features}})
    sink = io.BytesIO()
    pq.write_table(rows.replace_schema_metadata({"huggingface": told}), sink)
    files = {
        "README.md": b"---\nlicense: cc-by-sa-3.0\n---\n",
        "data/train-00000-of-00001.parquet": sink.getvalue(),
    }
    with RecordHub("someone/task", files) as served:
        found_at = hub.find
        monkeypatch.setattr(
            hub, "find", lambda name, split, cache: found_at(name, split, cache, served.address)
        )
        found = build("hub:someone/task", text="text", label="label", cache=tmp_path / "cache")
    assert table(found)["label"].to_pylist() == [1, 0]
    assert found.manifest.names["label"] == ["no", "yes"]
    assert found.manifest.licence == "cc-by-sa-3.0"  # as the hub states it


def test_fields_may_be_parted_by_another_character(build, tmp_path):
    path = tmp_path / "excel.csv"
    path.write_text('sentence;label\n"well; yes";1\n')
    found = build(path, text="sentence", label="label", delimiter=";")
    assert table(found)["text"].to_pylist() == ["well; yes"]


def test_rows_that_repeat_and_contradict_each_other_are_counted(build, tmp_path):
    # by hand: "a" three times with two labels, "b" twice with one, "c" once
    path = tmp_path / "train.tsv"
    rows = [("a", 1), ("b", 0), ("A", 0), ("c", 1), ("b", 0), ("a", 1)]
    path.write_text("sentence\tlabel\n" + "".join(f"{t}\t{n}\n" for t, n in rows))
    found = build(path, text="sentence", label="label")
    told = json.loads((found.root / "_tables/repeats.json").read_bytes())
    assert told == {"repeated": 3, "contradicting": 1}
    assert len(found) == 6


def test_nan_among_scores_is_a_malformed_row(build, tmp_path):
    path = tmp_path / "train.tsv"
    path.write_text("sentence\tlabel\na\tnan\nb\t1.5\nc\t2.5\n")
    with pytest.raises(InputError, match="line 2; correct it, or --skip-damaged"):
        build(path, text="sentence", label="label")
    found = build(path, text="sentence", label="label", skip_damaged=True)
    assert table(found)["label"].to_pylist() == [1.5, 2.5]


def test_a_limit_reads_fewer_examples_but_all_of_the_evaluation(build, tmp_path):
    texts = sentences(40)
    train = write_task(tmp_path / "train.tsv", texts)
    dev = write_task(tmp_path / "dev.tsv", [*sentences(20, seed=9), texts[3]])
    found = build(train, text="sentence", label="label", eval=[dev], limit=10)
    assert texts[3] not in table(found)["text"].to_pylist()
    assert len(found) == 9
    left = [p.name for p in (found.root / "_run").rglob("*.arrow")]
    assert left == []  # nothing that only the build needed
