"""nanoGPT's files are the ids of all rows, as its train.py maps them."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from label_sets import make_labelled
from sets import TOKENIZER, commit_set, make_set

import transferset
from transferset import schema
from transferset.errors import SetError, UsageError
from transferset.exports import nanogpt
from transferset.exports.cutting import pieces


def stream(found):
    ids = [batch.column("input_ids").flatten().to_numpy() for batch in found.batches()]
    return np.concatenate(ids)


def export(src, out, **options):
    return transferset.export(src, out, to="nanogpt", workers=1, **options)


def test_the_file_is_the_ids_and_nothing_else(tmp_path, monkeypatch):
    monkeypatch.setattr(nanogpt, "pieces", lambda found: pieces(found, 1))
    found = make_set(tmp_path / "set", [12_000, 13_500])
    made = export(found.root, tmp_path / "out")
    # the words of train.py
    data = np.memmap(tmp_path / "out/train.bin", dtype=np.uint16, mode="r")
    assert np.array_equal(data, stream(found))
    assert made.record.part("train")["tokens"] == len(data)
    transferset.verify_export(tmp_path / "out")


def test_the_vocabulary_stands_beside_it(tmp_path):
    export(make_set(tmp_path / "set", [30]).root, tmp_path / "out")
    meta = json.loads((tmp_path / "out/meta.json").read_bytes())
    special = TOKENIZER["special_ids"]
    assert meta == {"dtype": "uint16", "vocab_size": 1000, "special_ids": special}


def test_splits_have_nanogpts_names(tmp_path):
    sets = {name: make_set(tmp_path / "task" / name, [20]) for name in ("train", "validation")}
    (tmp_path / "task/dataset_dict.json").write_text(json.dumps({"splits": list(sets)}))
    export(tmp_path / "task", tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").glob("*.bin")) == [
        "train.bin",
        "val.bin",
    ]
    transferset.verify_export(tmp_path / "out")
    assert nanogpt.file_name("validation", ["val", "validation"]) == "validation.bin"


def test_what_a_stream_does_not_hold_is_told(tmp_path):
    made = export(make_set(tmp_path / "set", [20], text=True).root, tmp_path / "out")
    told = "\n".join(made.record.left_out)
    assert "text, doc_id, rev_id, sentence, source: not in nanogpt" in told
    assert "where rows begin and end" in told


def wide_set(root):
    """A set with ids of 32 bits."""
    of_set = schema.make_schema(["input_ids"], pa.int32())
    table = pa.table({"input_ids": [[2, 70_000, 3], [2, 3]]}).cast(of_set)
    return commit_set(root, of_set, [table], 1)


def test_wide_ids_are_refused_unless_32_bits_are_asked_for(tmp_path, monkeypatch):
    monkeypatch.setitem(TOKENIZER, "vocab_size", 80_000)
    found = wide_set(tmp_path / "set")
    with pytest.raises(UsageError, match=r"ids that fit 16 bits, .*; choose --dtype uint32"):
        export(found.root, tmp_path / "out")
    export(found.root, tmp_path / "out", dtype="uint32")
    data = np.memmap(tmp_path / "out/train.bin", dtype=np.uint32, mode="r")
    assert data.tolist() == [2, 70_000, 3, 2, 3]
    assert json.loads((tmp_path / "out/meta.json").read_bytes())["dtype"] == "uint32"
    transferset.verify_export(tmp_path / "out")


def test_texts_without_ids_are_refused(tmp_path):
    make_labelled(tmp_path / "set", {"text": ["a"]})
    with pytest.raises(UsageError, match="a column input_ids for --to nanogpt"):
        export(tmp_path / "set", tmp_path / "out")


def test_half_an_id_is_damage(tmp_path):
    made = export(make_set(tmp_path / "set", [20]).root, tmp_path / "out")
    path = tmp_path / "out/train.bin"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(SetError, match="whole ids of 2 bytes"):
        list(nanogpt.FORMAT.read(made.root, made.record, "train"))


def test_splits_that_name_no_file_of_the_export_are_refused(tmp_path):
    made = export(make_set(tmp_path / "set", [20]).root, tmp_path / "out")
    record = replace(made.record, parts=[{**made.record.parts[0], "split": "../set/x"}])
    with pytest.raises(SetError, match="none of that name"):
        list(nanogpt.FORMAT.read(made.root, record, "../set/x"))
