"""MDS shards hold the set's rows, as MosaicML's reader and one written by hand find them."""

from __future__ import annotations

import json
import struct
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from blake3 import blake3
from hypothesis import given, settings
from hypothesis import strategies as st
from label_sets import SENTIMENT, make_labelled
from sets import make_set

import transferset
from transferset.errors import SetError, UsageError
from transferset.exported import EXPORT
from transferset.exports import mds
from transferset.exports.cutting import pieces
from transferset.exports.mds_reading import read_shard
from transferset.exports.mds_rows import encode, frame, held
from transferset.manifest import digest_json, pretty


def read_by_hand(folder):
    """The samples of a folder, value by value, by its index."""
    index = json.loads((folder / "index.json").read_bytes())
    assert index["version"] == 2
    for shard in index["shards"]:
        raw = (folder / shard["raw_data"]["basename"]).read_bytes()
        assert len(raw) == shard["raw_data"]["bytes"]
        (count,) = struct.unpack_from("<I", raw)
        assert count == shard["samples"]
        ends = struct.unpack_from(f"<{count + 1}I", raw, 4)
        assert ends[-1] == len(raw)
        stated = json.loads(raw[8 + 4 * count : ends[0]])
        assert stated.items() <= shard.items()
        for place, end in pairwise(ends):
            yield decode_sample(raw[place:end], stated)


def decode_sample(raw, stated):
    sizes, place = [], 0
    for size in stated["column_sizes"]:
        if size is None:
            (size,) = struct.unpack_from("<I", raw, place)
            place += 4
        sizes.append(size)
    sample = {}
    columns = zip(stated["column_names"], stated["column_encodings"], sizes, strict=True)
    for name, encoding, size in columns:
        sample[name] = decode_value(raw[place : place + size], encoding)
        place += size
    assert place == len(raw)
    return sample


def decode_value(raw, encoding):
    kind, *more = encoding.split(":")
    if kind == "str":
        return raw.decode()
    if kind == "int":
        return struct.unpack("<q", raw)[0]
    if kind != "ndarray":
        return np.frombuffer(raw, kind)[0].item()
    if len(more) == 2:
        found = np.frombuffer(raw, more[0])
        assert found.shape == (int(more[1]),)
        return found.tolist()
    assert raw[0] >> 2 == 1
    width = 1 << (raw[0] & 3)
    found = np.frombuffer(raw[1 + width :], more[0])
    assert int.from_bytes(raw[1 : 1 + width], "little") == len(found)
    return found.tolist()


def rows_of(found, names):
    return [row for batch in found.batches() for row in batch.select(names).to_pylist()]


def test_samples_are_the_rows_of_a_set(tmp_path, monkeypatch):
    monkeypatch.setattr(mds, "pieces", lambda found, each: pieces(found, 1))
    found = make_set(tmp_path / "set", [12_000, 13_500], text=True)
    transferset.export(found.root, tmp_path / "out", to="mds", workers=1)
    assert len(list((tmp_path / "out/train").glob("shard.*.mds"))) > 1
    samples = list(read_by_hand(tmp_path / "out/train"))
    assert samples == rows_of(found, list(samples[0]))
    assert sorted(samples[0]) == sorted(found.manifest.schema)
    transferset.verify_export(tmp_path / "out")


def test_a_small_shard_by_hand(tmp_path):
    make_labelled(tmp_path / "set", {"input_ids": [[2, 5, 3], [2, 3]], "label": [1, 0]})
    options = {"columns": "label,input_ids", "workers": 1}
    transferset.export(tmp_path / "set", tmp_path / "out", to="mds", **options)
    raw = (tmp_path / "out/train/shard.00000.mds").read_bytes()
    text = raw[16 : raw.index(b"}") + 1]
    first, second = (
        struct.pack("<IBB3Hq", 8, 4, 3, 2, 5, 3, 1),
        struct.pack("<IBB2Hq", 6, 4, 2, 2, 3, 0),
    )
    begin = 16 + len(text)
    ends = (begin, begin + len(first), begin + len(first) + len(second))
    assert raw == struct.pack("<4I", 2, *ends) + text + first + second
    stated = json.loads(text)
    assert stated["column_names"] == ["input_ids", "label"]
    assert stated["column_encodings"] == ["ndarray:uint16", "int"]
    assert stated["column_sizes"] == [None, 8]


def all_kinds():
    ids = [[2, 5, 6, 3], [2, 3], [2, 9, 3]]
    return {
        "input_ids": ids,
        "labels": [[-100] * len(row) for row in ids],
        "text": ["", "naïve 🙂", "a\tb\n"],
        "text_pair": ["x", "", "y"],
        "label": [1, None, 0],
        "logits": [[0.5, -1.0], [0.0, 2.0], [3.5, 1e-3]],
        "doc_id": [2**64 - 1, 0, 5],
        "finished": [True, False, True],
    }


@pytest.mark.parametrize("number", [pa.float32(), pa.float16()])
def test_every_kind_of_column_comes_back(tmp_path, number):
    rows = all_kinds()
    found = make_labelled(tmp_path / "set", rows, names=SENTIMENT, logits=pa.list_(number, 2))
    made = transferset.export(found.root, tmp_path / "out", to="mds", workers=1)
    samples = list(read_by_hand(tmp_path / "out/train"))
    for name in rows:
        expected = [-100 if value is None else value for value in rows_of_column(found, name)]
        assert [sample[name] for sample in samples] == expected, name
    read = pa.Table.from_batches(mds.FORMAT.read(made.root, made.record, "train"))
    assert read.column("label").to_pylist() == [1, None, 0]
    transferset.verify_export(tmp_path / "out")


def rows_of_column(found, name):
    return [row[name] for row in rows_of(found, [name])]


def test_a_missing_score_is_nan(tmp_path):
    make_labelled(tmp_path / "set", {"text": ["a", "b"], "label": [0.25, None]}, score=True)
    transferset.export(tmp_path / "set", tmp_path / "out", to="mds", workers=1)
    first, second = (sample["label"] for sample in read_by_hand(tmp_path / "out/train"))
    assert first == 0.25
    assert np.isnan(second)
    transferset.verify_export(tmp_path / "out")


def resign(root, file):
    """Sign the record anew, as somebody does who changed a file."""
    body = json.loads((root / EXPORT).read_bytes())
    del body["digest"]
    raw = (root / file).read_bytes()
    changed = {"file": file, "bytes": len(raw), "blake3": blake3(raw).hexdigest()}
    body["files"] = [changed if one["file"] == file else one for one in body["files"]]
    (root / EXPORT).write_bytes(pretty({**body, "digest": digest_json(body)}))


@pytest.mark.parametrize("change", [(b'"str"', b'"pkl"'), (b"shard.0", b"../me.0"), (b"[", b" [")])
def test_an_index_of_anything_else_never_reaches_mosaics_reader(tmp_path, monkeypatch, change):
    """It would unpickle what the index says is pickled, and open what it names."""
    make_labelled(tmp_path / "set", {"text": ["a", "b"]})
    root = transferset.export(tmp_path / "set", tmp_path / "out", to="mds", workers=1).root
    index = root / "train" / "index.json"
    index.write_bytes(index.read_bytes().replace(*change))
    resign(root, "train/index.json")
    monkeypatch.setattr(mds, "_theirs", lambda: pytest.fail("was asked"))
    with pytest.raises(SetError, match="an index of the shards"):
        transferset.verify_export(root)


def test_a_score_that_is_missing_is_the_same_for_mosaics_reader(tmp_path, monkeypatch):
    columns = {"text": ["a"], "label": [None]}
    make_labelled(tmp_path / "set", columns, score=True)
    root = transferset.export(tmp_path / "set", tmp_path / "out", to="mds", workers=1).root
    missing = {"label": np.float32("nan")}
    monkeypatch.setattr(mds, "_theirs", lambda: lambda *_: [{"text": "a", **missing}])
    transferset.verify_export(root)
    monkeypatch.setattr(mds, "_theirs", lambda: lambda *_: [{"text": "b", **missing}])
    with pytest.raises(SetError, match="text as written"):
        transferset.verify_export(root)


def test_words_are_left_out_and_that_is_told(tmp_path):
    columns = {"text": ["a b"], "words": [["a", "b"]], "space": [[True, False]]}
    make_labelled(tmp_path / "set", columns)
    made = transferset.export(tmp_path / "set", tmp_path / "out", to="mds", workers=1)
    assert any("words, space: not in mds" in told for told in made.record.left_out)
    with pytest.raises(UsageError, match="--columns that mds can hold, found words"):
        transferset.export(tmp_path / "set", tmp_path / "w", to="mds", columns="words", workers=1)


def test_as_many_shards_as_asked_for(tmp_path):
    found = make_set(tmp_path / "set", [100])
    transferset.export(found.root, tmp_path / "out", to="mds", shards=3, workers=1)
    index = json.loads((tmp_path / "out/train/index.json").read_bytes())
    assert [shard["samples"] for shard in index["shards"]] == [33, 33, 34]
    samples = list(read_by_hand(tmp_path / "out/train"))
    assert samples == rows_of(found, list(samples[0]))


def test_lengths_of_one_two_and_four_bytes(tmp_path):
    lengths = [1, 255, 256, 65_535, 65_536]
    column = pa.array([list(range(n)) for n in lengths], pa.list_(pa.int32()))
    batch = pa.RecordBatch.from_arrays([column], names=["labels"])
    columns = held(batch.schema)
    samples, sizes = encode(batch, columns)
    assert sizes.tolist() == [4 + 4 * n + w for n, w in zip(lengths, [2, 2, 3, 3, 5], strict=True)]
    path = tmp_path / "shard"
    path.write_bytes(frame(columns, sizes) + samples.tobytes())
    (read,) = read_shard(path, columns, batch.schema)
    assert read.equals(batch)


RAGGED = st.lists(st.lists(st.integers(0, 65_535), min_size=1, max_size=300), min_size=1)


@settings(max_examples=60)
@given(rows=RAGGED, data=st.data())
def test_whatever_is_encoded_is_read_again(tmp_path_factory, rows, data):
    texts = data.draw(st.lists(st.text(), min_size=len(rows), max_size=len(rows)))
    start = data.draw(st.integers(0, len(rows) - 1))
    kinds = pa.schema([("input_ids", pa.list_(pa.uint16())), ("text", pa.string())])
    # of a slice: buffers hold more than its rows
    batch = pa.RecordBatch.from_pydict({"input_ids": rows, "text": texts}, kinds).slice(start)
    columns = held(batch.schema)
    samples, sizes = encode(batch, columns)
    path = tmp_path_factory.mktemp("shard") / "shard"
    path.write_bytes(frame(columns, sizes) + samples.tobytes())
    assert pa.Table.from_batches(read_shard(path, columns, kinds)).to_pylist() == batch.to_pylist()


@pytest.mark.parametrize(
    ("find", "put", "told"),
    [
        (b'"size_limit"', b'"size_LIMIT"', "other columns"),
        (struct.pack("<I", 8), struct.pack("<I", 9), "longer than"),
        (struct.pack("<I", 8), struct.pack("<I", 2**32 - 1), "longer than its sample"),
        (struct.pack("<BB", 4, 3), struct.pack("<BB", 8, 3), "other shapes"),
        (struct.pack("<BB", 4, 3), struct.pack("<BB", 4, 4), "other lengths"),
        (struct.pack("<I", 2), struct.pack("<I", 3), "an index of the shards"),
    ],
)
def test_a_damaged_shard_is_refused(tmp_path, find, put, told):
    make_labelled(tmp_path / "set", {"input_ids": [[2, 5, 3], [2, 3]]})
    made = transferset.export(tmp_path / "set", tmp_path / "out", to="mds", workers=1)
    path = tmp_path / "out/train/shard.00000.mds"
    raw = path.read_bytes()
    assert find in raw
    path.write_bytes(raw.replace(find, put, 1))
    with pytest.raises(SetError, match=told):
        list(mds.FORMAT.read(made.root, made.record, "train"))


def test_mosaics_readers_find_the_rows_and_their_writer_writes_the_same_samples(tmp_path):
    streaming = pytest.importorskip("streaming")
    found = make_set(tmp_path / "set", [300], text=True)
    transferset.export(found.root, tmp_path / "out", to="mds", workers=1)
    read = streaming.LocalDataset(str(tmp_path / "out"), "train")
    rows = rows_of(found, list(found.manifest.schema))
    assert [{k: as_python(v) for k, v in read[i].items()} for i in range(len(read))] == rows
    whole = streaming.StreamingDataset(
        local=str(tmp_path / "out"), split="train", shuffle=False, batch_size=1
    )
    assert [sample["text"] for sample in whole] == [row["text"] for row in rows]
    columns = {c.name: c.encoding for c in held(found.schema)}
    with streaming.MDSWriter(columns=columns, out=str(tmp_path / "theirs")) as writer:
        for row in rows:
            writer.write({**row, "input_ids": np.array(row["input_ids"], np.uint16)})
    ours, theirs = (
        (tmp_path / folder / "shard.00000.mds").read_bytes() for folder in ("out/train", "theirs")
    )
    # the same but for spaces in the configuration, and so for where samples begin
    assert ours[ours.index(b"}") :] == theirs[theirs.index(b"}") :]


def as_python(value):
    return value.tolist() if hasattr(value, "tolist") else value
