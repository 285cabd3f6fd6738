"""Limits that only large sets reach, brought down to small ones."""

from __future__ import annotations

from pathlib import Path

import pytest
from sets import make_set

import transferset
from transferset.errors import InputError, TransfersetError
from transferset.pipeline import order, ranges, traces
from transferset.steps import Dedupe, Pack, Sample
from transferset.transforms import dedupe


def files_of(root: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(root.glob("data-*.arrow"))}


def test_spills_are_not_all_mapped_at_once(tmp_path, monkeypatch):
    sets = [make_set(tmp_path / f"src-{i}", [40]).root for i in range(7)]
    plain = transferset.mix(sets, tmp_path / "plain", shards=2, workers=1)
    monkeypatch.setattr(order, "_MAPPED", 2)
    most = 0
    concat = order.pa.concat_tables

    def watched(tables):
        nonlocal most
        maps = Path("/proc/self/maps").read_text().splitlines()
        most = max(most, len({line.split()[-1] for line in maps if "_run/mix/" in line}))
        return concat(tables)

    monkeypatch.setattr(order.pa, "concat_tables", watched)
    grouped = transferset.mix(sets, tmp_path / "grouped", shards=2, workers=1)
    assert files_of(grouped.root) == files_of(plain.root)
    assert most <= 3  # a group, and the spill that is read


def test_more_shards_than_a_manifest_can_name_are_refused_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr(order, "SHARD_BYTES", 100)
    monkeypatch.setattr(order, "_MOST_SHARDS", 20)
    src = make_set(tmp_path / "src", [500])
    for make in (
        lambda: transferset.mix([src.root], tmp_path / "a", workers=1),
        lambda: transferset.derive(src.root, tmp_path / "b", steps=[Sample("90%")], workers=1),
    ):
        with pytest.raises(TransfersetError, match="expected up to 20 shards"):
            make()


def test_ranges_can_be_cut_as_often_as_there_are_shards(tmp_path, monkeypatch):
    src = make_set(tmp_path / "src", [500])
    monkeypatch.setattr(ranges, "MOST_CUTS", 2)
    monkeypatch.setattr(order, "SHARD_BYTES", 1000)
    found = transferset.derive(src.root, tmp_path / "out", steps=[Pack(16)], workers=1)
    assert len(found.manifest.shards) > 4
    assert all(shard.rows for shard in found.manifest.shards)


def test_duplicates_are_found_whatever_the_number_of_files(tmp_path, monkeypatch):
    src = make_set(tmp_path / "src", [300])
    steps = [Sample("300%", with_replacement=True), Dedupe()]
    made = []
    for number, (rows, most) in enumerate([(1 << 18, 1 << 14), (16, 1 << 14), (16, 3)]):
        monkeypatch.setattr(dedupe, "ROWS", rows)
        monkeypatch.setattr(dedupe, "MOST_FILES", most)
        made.append(transferset.derive(src.root, tmp_path / str(number), steps=steps, workers=1))
    assert len({tuple(files_of(one.root).items()) for one in made}) == 1
    assert 0 < len(made[0]) < 300


def test_the_digest_of_a_manifest_is_made_once(tmp_path, monkeypatch):
    found = transferset.open(make_set(tmp_path / "src", [10]).root)
    first = found.manifest.digest
    monkeypatch.setattr("transferset.manifest.digest_json", lambda body: pytest.fail("again"))
    assert found.manifest.digest == first


def test_documents_of_one_id_are_compared_wherever_they_stand():
    from transferset import documents

    def batch(ids, licence):
        import pyarrow as pa

        columns = {name: [""] * len(ids) for name in documents.TEXTS}
        numbers = {name: [0] * len(ids) for name in ("source", "rev_id", "words", "rows")}
        table = {**columns, **numbers, "doc_id": ids, "licence": [licence] * len(ids)}
        return pa.RecordBatch.from_pydict(
            {name: table[name] for name in documents.SCHEMA.names}, documents.SCHEMA
        )

    same = [batch([1, 2, 3], "A"), batch([4, 2], "A")]
    traces.require_one_account("x", lambda: iter(same))
    traces.require_one_account("x", lambda: iter(()))
    other = [batch([1, 2, 3], "A"), batch([4, 5], "B"), batch([6, 2], "B")]
    with pytest.raises(InputError, match="2 with the licence 'A' and 'B'"):
        traces.require_one_account("x", lambda: iter(other))
