"""Sets of strangers as parents: what their manifests say is held against their rows."""

from __future__ import annotations

import json
from dataclasses import replace

import pyarrow as pa
import pytest
from blake3 import blake3
from sets import TOKENIZER, commit_set, make_set

import transferset
from transferset import (
    Dedupe,
    Generate,
    Mask,
    Replace,
    Sample,
    SetError,
    Shuffle,
    schema,
)
from transferset.manifest import MANIFEST, FileEntry
from transferset.shards import ShardSet

STEPS = [[Shuffle()], [Sample("50%"), Mask(0.5)], [Replace(0.5)], [Generate("10")], [Dedupe()]]


@pytest.fixture
def good(tmp_path):
    return make_set(tmp_path / "good", [30])


def rewrite(found, **changes):
    """The set with another manifest, whose digest is right."""
    manifest = replace(found.manifest, **changes)
    (found.root / MANIFEST).write_bytes(manifest.to_bytes())
    return found


def stated(root, of_set, table, vocab_size=1000):
    """A set of any table, whose manifest says that it is of another schema."""
    found = commit_set(root, table.schema.with_metadata(of_set.metadata), [table], 1)
    return rewrite(
        found,
        schema=schema.describe(of_set),
        tokenizer={**TOKENIZER, "vocab_size": vocab_size},
    )


def refused(root, other, out, message):
    """Whatever is done with the set as a parent, it is refused in one sentence."""
    for i, steps in enumerate(STEPS):
        with pytest.raises(SetError, match=message) as caught:
            transferset.derive(root, out / f"{i}", steps=steps, workers=1)
        assert "\n" not in str(caught.value)
    with pytest.raises(SetError, match=message):
        transferset.mix([other, root], out / "mix", workers=1)
    with pytest.raises(SetError, match=message):
        transferset.derive(other, out / "fit", steps=[Generate()], fit=root, workers=1)


LISTS = [[2, 9, 3]] * 5
DOCS = pa.array(range(5), pa.uint64())
ODD = {
    "wide ids": pa.table({"input_ids": pa.array(LISTS, pa.list_(pa.int64())), "doc_id": DOCS}),
    "texts as ids": pa.table({"input_ids": pa.array([["a"]] * 5), "doc_id": DOCS}),
    "large lists": pa.table(
        {"input_ids": pa.array(LISTS, pa.large_list(pa.uint16())), "doc_id": DOCS}
    ),
    "a column less": pa.table({"input_ids": pa.array(LISTS, pa.list_(pa.uint16()))}),
    "a column more": pa.table(
        {"input_ids": pa.array(LISTS, pa.list_(pa.uint16())), "doc_id": DOCS, "parent_row": DOCS}
    ),
    "texts as numbers": pa.table(
        {"input_ids": pa.array(LISTS, pa.list_(pa.uint16())), "doc_id": pa.array(["x"] * 5)}
    ),
}


def write_raw(root, of_set, table, vocab_size=1000):
    """As `stated`, for tables that the writer of shards would not take."""
    found = make_set(root, [table.num_rows])
    path = found.root / found.manifest.shards[0].file
    kept = table.schema.with_metadata(of_set.metadata)
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, kept) as stream:
        stream.write_table(table.cast(kept))
    raw = path.read_bytes()
    entry = replace(
        found.manifest.shards[0],
        bytes=len(raw),
        blake3=blake3(raw).hexdigest(),
        pieces=(blake3(raw).hexdigest()[:16],),
    )
    totals = {**found.manifest.totals, "bytes": len(raw)}
    tokenizer = {**TOKENIZER, "vocab_size": vocab_size}
    described = schema.describe(of_set)
    return rewrite(found, shards=(entry,), totals=totals, schema=described, tokenizer=tokenizer)


@pytest.mark.parametrize("name", ODD)
def test_rows_of_other_columns_than_the_manifest_says(good, tmp_path, name):
    of_set = schema.make_schema(["input_ids", "doc_id"], pa.uint16())
    odd = write_raw(tmp_path / "odd", of_set, ODD[name])
    refused(odd.root, good.root, tmp_path / "out", "the manifest's columns, found input_ids: ")


def test_ids_beyond_the_vocabulary(good, tmp_path):
    of_set = schema.make_schema(["input_ids"], pa.uint16())
    rows = [[2, 9, 3]] * 20 + [[2, 999, 1000, 3]] + [[2, 65_535, 3]]
    table = pa.table({"input_ids": pa.array(rows, pa.list_(pa.uint16()))})
    odd = stated(tmp_path / "odd", of_set, table)
    message = r"ids from 0 to 999, found 1000 at .*data-00000-of-00001.arrow, row 20;"
    refused(odd.root, good.root, tmp_path / "out", message)


@pytest.mark.parametrize("wrong", [-1, -(1 << 31), 70_000, (1 << 31) - 1])
def test_wide_ids_beyond_the_vocabulary(tmp_path, wrong):
    of_set = schema.make_schema(["input_ids"], pa.int32())
    tables = [
        pa.table({"input_ids": pa.array(rows, pa.list_(pa.int32()))})
        for rows in ([[2, 69_999, 3]] * 4, [[2, 9, 3], [2, wrong, 3]])
    ]
    good, odd = (stated(tmp_path / n, of_set, t, 70_000) for n, t in zip("go", tables, strict=True))
    message = f"ids from 0 to 69999, found {wrong} at .*, row 1;"
    refused(odd.root, good.root, tmp_path / "out", message)


def test_rows_that_are_not_there(good, tmp_path):
    of_set = schema.make_schema(["input_ids"], pa.uint16())
    for i, rows in enumerate(([None, [2, 9, 3]], [[2, 9, 3], [2, None, 3]])):
        table = pa.table({"input_ids": pa.array(rows, pa.list_(pa.uint16()))})
        odd = write_raw(tmp_path / f"odd{i}", of_set, table)
        refused(odd.root, good.root, tmp_path / f"out{i}", "input_ids in every row, found null")


@pytest.mark.parametrize(
    ("tokenizer", "message"),
    [
        ({"vocab_size": 1 << 62}, "a vocabulary of at most 2,097,152, found 4,611,686"),
        ({"vocab_size": 70_000}, "ids as int32 in a vocabulary of 70,000, found uint16"),
        ({"special_ids": {**TOKENIZER["special_ids"], "mask": 1000}}, r"below 1,000, found \[MASK"),
    ],
)
def test_vocabularies_that_are_none(good, tmp_path, tokenizer, message):
    odd = rewrite(make_set(tmp_path / "odd", [30]), tokenizer={**TOKENIZER, **tokenizer})
    refused(odd.root, good.root, tmp_path / "out", message)


def test_one_tokenizer_of_two_sizes(good, tmp_path):
    odd = rewrite(make_set(tmp_path / "odd", [30]), tokenizer={**TOKENIZER, "vocab_size": 999})
    with pytest.raises(SetError, match=r"1,000 pieces of the tokenizer, as in .*found 999"):
        transferset.diff(good.root, odd.root)
    with pytest.raises(SetError, match=r"vocab_size 1000 of the tokenizer, as in .*found 999"):
        transferset.mix([good.root, odd.root], tmp_path / "out", workers=1)
    with pytest.raises(SetError, match="vocab_size 1000 of the tokenizer"):
        transferset.derive(good.root, tmp_path / "out", steps=[Generate()], fit=odd.root, workers=1)


def test_codes_of_parts_that_no_manifest_names(good, tmp_path):
    both = transferset.mix([good.root, good.root], tmp_path / "both", workers=1)
    for i, parts in enumerate((["one"], [], "ab")):
        odd = rewrite(ShardSet.open(both.root), params={**both.manifest.params, "parts": parts})
        with pytest.raises(SetError, match="a part that the manifest names, found the code 1 at"):
            transferset.mix([good.root, odd.root], tmp_path / f"out{i}", workers=1)


def test_codes_of_sources_that_no_manifest_names(good, tmp_path):
    (source,) = good.manifest.sources
    for sources in ([], [{**source, "code": 1}]):
        odd = rewrite(make_set(tmp_path / f"{len(sources)}", [9]), sources=sources)
        with pytest.raises(SetError, match="a source that the manifest names, found the code 0 at"):
            transferset.mix([good.root, odd.root], tmp_path / f"m{len(sources)}", workers=1)
    odd = rewrite(make_set(tmp_path / "wide", [9]), sources=[source, {**source, "code": 1 << 40}])
    with pytest.raises(SetError, match="codes of sources in 16 bits"):
        transferset.mix([good.root, odd.root], tmp_path / "out", workers=1)


def with_fit(found, body):
    """The set with a model as a generated one has it."""
    raw = body if isinstance(body, bytes) else json.dumps({"vocab_size": 1000, **body}).encode()
    (found.root / "_fit").mkdir()
    (found.root / "_fit" / "generate.json").write_bytes(raw)
    entry = FileEntry("_fit/generate.json", len(raw), blake3(raw).hexdigest())
    return rewrite(found, files=(*found.manifest.files, entry))


@pytest.mark.parametrize("step", [Generate("20"), Replace(0.5)])
@pytest.mark.parametrize(
    ("body", "max_len", "message"),
    [
        ({"lengths": [[10, 1], [11, 1]], "tokens": [[9, 1]]}, 12, "ascending values up to 10"),
        ({"lengths": [[1_000_001, 1]], "tokens": [[9, 1]]}, None, "values up to 1000000"),
        ({"lengths": [[1 << 30, 1]], "tokens": [[9, 1]]}, 1 << 60, "values up to 1000000"),
        ({"lengths": [[3, 0]], "tokens": [[9, 1]]}, None, "counts from 1"),
        (
            b'{"lengths":[' + b"[]," * 2_000_000 + b'[]],"tokens":[],"vocab_size":1000}',
            12,
            "tokens",
        ),
        (b'{"lengths":[' + b"1," * 4_000_000 + b'1],"tokens":[],"vocab_size":1000}', 12, "tokens"),
        (b" " * (1 << 26) + b"{}", None, "at most 67,108,864 bytes"),
    ],
)
def test_models_of_strangers(good, tmp_path, step, body, max_len, message):
    odd = with_fit(make_set(tmp_path / "odd", [30]), body)
    rewrite(ShardSet.open(odd.root), params={"max_len": max_len})
    with pytest.raises(SetError, match=message) as caught:
        transferset.derive(good.root, tmp_path / "out", steps=[step], fit=odd.root, workers=1)
    assert "\n" not in str(caught.value)


def test_a_model_within_bounds_is_taken(good, tmp_path):
    odd = with_fit(make_set(tmp_path / "odd", [30]), {"lengths": [[10, 3]], "tokens": [[9, 1]]})
    found = transferset.derive(
        good.root, tmp_path / "out", steps=[Generate("5")], fit=odd.root, workers=1
    )
    rows = pa.Table.from_batches(found.batches())["input_ids"].to_pylist()
    assert rows == [[2, *[9] * 10, 3]] * 5
