from __future__ import annotations

import json
import random
import re
import shutil
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from sets import TOKENIZER, make_set, make_table

from transferset import schema
from transferset.errors import SetError
from transferset.files import write_atomic
from transferset.manifest import MANIFEST, Manifest, digest_json, pretty
from transferset.report.inspect import head, summary
from transferset.shards import ShardSet, ShardWriter
from transferset.verification import verify


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A set of two shards whose rows, batches and manifest are right."""
    return make_set(tmp_path_factory.mktemp("whole") / "set", rows=[30_000, 12_000], text=True)


def test_a_right_set_passes(whole):
    sizes = []
    assert len(verify(whole.root, sizes.append)) == 42_000
    assert sum(sizes) == whole.manifest.totals["bytes"]


def flip(data: bytearray, random: random.Random) -> None:
    data[random.randrange(len(data))] ^= 1 << random.randrange(8)


def cut(data: bytearray, random: random.Random) -> None:
    del data[random.randrange(len(data)) :]


def swap(data: bytearray, random: random.Random) -> None:
    """Two neighbouring stretches change places, as in a badly restored file."""
    size = random.randrange(1, len(data) // 3)
    a = random.randrange(0, len(data) - 2 * size)
    first, second = bytes(data[a : a + size]), bytes(data[a + size : a + 2 * size])
    if first == second:
        data[a] ^= 255
    else:
        data[a : a + 2 * size] = second + first


def duplicate(data: bytearray, random: random.Random) -> None:
    """A batch (or stretch) stands there twice."""
    size = random.randrange(1, len(data) // 3)
    a = random.randrange(0, len(data) - size)
    data[a:a] = data[a : a + size]


@pytest.mark.parametrize("damage", [flip, cut, swap, duplicate], ids=lambda f: f.__name__)
def test_every_damage_in_any_file_is_found_with_file_and_position(whole, tmp_path, damage):
    shutil.copytree(whole.root, tmp_path / "set")
    files = sorted(p for p in (tmp_path / "set").iterdir() if p.is_file())
    chance = random.Random(damage.__name__)
    for _ in range(125):
        path = chance.choice(files)
        good = path.read_bytes()
        data = bytearray(good)
        damage(data, chance)
        path.write_bytes(data)
        with pytest.raises(SetError) as caught:
            verify(tmp_path / "set")
        assert path.name in str(caught.value)
        assert re.search(r"bytes? \d+|row \d+", str(caught.value)), str(caught.value)
        assert caught.value.exit_code == 4
        path.write_bytes(good)
    assert len(verify(tmp_path / "set")) == 42_000


def test_the_position_of_a_flip_is_told_to_the_mebibyte(tmp_path):
    made = make_set(tmp_path / "set", rows=[400_000], text=True)
    path = made.root / made.manifest.shards[0].file
    data = bytearray(path.read_bytes())
    assert len(data) > 5 << 20
    data[(3 << 20) + 5] ^= 1
    path.write_bytes(data)
    with pytest.raises(SetError, match=r"bytes 3145728–4194303"):
        verify(made.root)


def test_a_shard_too_many_is_found(whole, tmp_path):
    shutil.copytree(whole.root, tmp_path / "set")
    shutil.copy(tmp_path / "set/data-00000-of-00002.arrow", tmp_path / "set/data-00002.arrow")
    with pytest.raises(SetError, match=r"data-00002\.arrow"):
        verify(tmp_path / "set")


def rewritten(root, table, **changes):
    """A set whose digests are right although its rows are not."""
    made = make_set(root, rows=[10])
    of_set = schema.make_schema(list(made.manifest.schema), pa.uint16())
    with ShardWriter(root / made.manifest.shards[0].file, of_set) as writer:
        writer.write(table.select(of_set.names).cast(of_set))
        entry = writer.commit()
    totals = {
        **made.manifest.totals,
        "rows": entry.rows,
        "tokens": entry.tokens,
        "bytes": entry.bytes,
    }
    manifest = replace(made.manifest, shards=(entry,), totals=totals, **changes)
    write_atomic(root / MANIFEST, manifest.to_bytes())
    return root


def with_ids(*rows: list[int]) -> pa.Table:
    table = make_table(len(rows))
    ids = pa.array(rows, pa.list_(pa.uint16()))
    return table.set_column(0, "input_ids", ids)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([[2, 9, 3], [9, 9, 3]], r"\[CLS\] first.*row 1"),
        ([[2, 9, 3], [2, 9, 9]], r"\[SEP\] last.*row 1"),
        ([[2, 9, 3], [2, 1000, 3]], r"ids below 1000, found 1000.*row 1"),
        ([[2, *[9] * 11, 3]], r"at most 12 ids.*row 0"),
        ([[2]], r"two ids or more.*row 0"),
        ([[2, 3], []], r"two ids or more.*row 1"),
    ],
)
def test_rows_that_break_an_invariant_are_found_though_digests_fit(tmp_path, rows, message):
    with pytest.raises(SetError, match=message):
        verify(rewritten(tmp_path / "set", with_ids(*rows)))


def test_totals_must_add_up(tmp_path):
    made = make_set(tmp_path / "set", rows=[10])
    totals = {**made.manifest.totals, "tokens": 1}
    write_atomic(made.root / MANIFEST, replace(made.manifest, totals=totals).to_bytes())
    with pytest.raises(SetError, match="totals"):
        verify(made.root)


def test_the_manifest_is_read_back_as_it_was_written(whole):
    raw = (whole.root / MANIFEST).read_bytes()
    assert Manifest.from_bytes(raw, "m").to_bytes() == raw
    assert ShardSet.open(whole.root).manifest.digest == whole.manifest.digest


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "JSON"),
        (b"[]", "object"),
        (b"{}", "digest"),
        (b"\xff", "UTF-8"),
        (b'{"a": ' * 100_000, "nesting|JSON"),
    ],
)
def test_what_is_not_a_manifest_is_refused(raw, message):
    with pytest.raises(SetError, match=message):
        Manifest.from_bytes(raw, "manifest.json")


MEMBERS = [
    "totals", "totals.rows", "files", "tokenizer", "tokenizer.special_ids", "params", "sources",
    "statistics", "ledger", "parents", "shards", "schema", "seed", "name", "shards.0.file",
    "shards.0.bytes", "shards.0.pieces",
]  # fmt: skip


@pytest.mark.parametrize("wrong", [None, [], {}, "x", -1, 10**40, "../x", "a\0b"], ids=repr)
@pytest.mark.parametrize("member", MEMBERS)
def test_a_hostile_manifest_is_refused_even_if_its_digest_fits(whole, tmp_path, member, wrong):
    body = json.loads((whole.root / MANIFEST).read_bytes())
    del body["digest"]
    *path, last = [int(key) if key.isdigit() else key for key in member.split(".")]
    place = body
    for key in path:
        place = place[key]
    place[last] = wrong
    shutil.copytree(whole.root, tmp_path / "set")
    (tmp_path / "set" / MANIFEST).write_bytes(pretty({**body, "digest": digest_json(body)}))
    harmless = (member, wrong) in [("parents", []), ("sources", []), ("statistics", [])]
    harmless = harmless or (wrong == [] and member in ("ledger", "files"))
    harmless = harmless or (member == "tokenizer" and wrong is None)
    harmless = harmless or (member == "name" and isinstance(wrong, str))
    if harmless:
        assert summary(verify(tmp_path / "set"))["rows"] == 42_000
        return
    with pytest.raises(SetError, match="set"):
        verify(tmp_path / "set")


def first_complaint(found: ShardSet) -> str | None:
    """What reading and decoding every row of a set says, or None if it reads."""
    try:
        for row in head(found, 300, lambda ids: ([str(i) for i in ids], "")):
            assert sum(row["input_ids"]) >= 0
    except SetError as error:
        return str(error)
    return None


def test_inspecting_a_damaged_shard_never_crashes(tmp_path):
    """Flips that `open` cannot see, for it looks at sizes only."""
    made = make_set(tmp_path / "set", rows=[300], text=True)
    path = made.root / made.manifest.shards[0].file
    good = path.read_bytes()
    chance = random.Random(3)
    complaints = []
    for _ in range(300):
        data = bytearray(good)
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        path.write_bytes(data)
        complaints.append(first_complaint(made))
    refused = [text for text in complaints if text]
    assert len(refused) > 10
    assert all(path.name in text for text in refused)


def test_special_ids_of_the_toy_tokenizer_are_those_the_rows_use(whole):
    batch = next(whole.batches())
    first = np.array([row[0] for row in batch.column("input_ids").to_pylist()])
    assert set(first.tolist()) == {TOKENIZER["special_ids"]["cls"]}
