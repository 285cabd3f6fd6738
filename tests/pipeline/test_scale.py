"""What `--dry-run` tells: the arithmetic, and that it is near what the command then makes."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest
from sets import make_set

import transferset
from transferset import schema
from transferset.cli import run
from transferset.pipeline import scale
from transferset.pipeline.planning import after, build_work
from transferset.pipeline.scale import Part, Slope, Work, data_bytes, disk
from transferset.steps import Generate, Mask, Pack, Sample, Shuffle, Split
from transferset.steps.parsing import STEPS

KEYS = [
    "rows",
    "tokens",
    "bytes",
    "temporary_bytes",
    "files",
    "memory_bytes",
    "cpu_seconds",
    "minutes",
]


@pytest.fixture
def made_up(monkeypatch):
    """A table of round numbers."""
    slopes = {
        "work": Slope(10.0, driver=2.0, row=8, share=1.0, memory=100),
        "more": Slope(5.0, row=32, memory=300),
    }
    monkeypatch.setattr(scale, "SLOPES", slopes)
    monkeypatch.setattr(scale, "START", 1.0)


def test_time_is_what_workers_share_and_what_the_driver_does_alone(made_up):
    work = Work([Part("work", 1000, 30e6)], 1000, 30e6, 60e6, tasks=10)
    told = work.estimate(workers=1)
    assert told["cpu_seconds"] == 301.0  # 30 · 10, and the start
    assert told["minutes"] == 5.0
    assert work.seconds(1) == 301.0
    assert work.seconds(8) == 240 / 8 + 60 + 1 + 1  # a worker starts too
    assert work.seconds(1000) == 240 / 10 + 60 + 1 + 1  # there are ten tasks


def test_parts_add_up_and_the_largest_process_counts(made_up):
    work = Work([Part("work", 1000, 1e6), Part("more", 2000, 2e6)], 2000, 2e6, 4e6, documents=10)
    told = work.estimate(workers=1)
    assert list(told) == KEYS
    assert told["cpu_seconds"] == 10 + 2 * 5 + 1
    assert told["temporary_bytes"] == 8 * 1000 + 32 * 2000 + 4e6 + 10 * scale.DOCUMENT
    assert told["memory_bytes"] == 300 + scale.SHARD_HELD + 10 * scale.DOCUMENT_HELD
    assert told["files"] == scale.FILES + 1 + 2  # a task, a shard, and the shard's receipt


def test_the_second_pass_of_a_shuffle_grows_with_the_square(made_up):
    one, ten = (
        Work([Part("work", n, n)], n, n, size, spills=size / 1e6) for n, size in
        ((1e6, 48 << 20), (1e7, 480 << 20))
    )  # fmt: skip
    assert one.visits == pytest.approx(48 * 1.048576 * 2)  # two ranges of 24 MB
    assert ten.visits == pytest.approx(100 * one.visits)


def test_bytes_follow_from_the_schema_and_the_counts():
    ids = schema.make_schema(["input_ids", "doc_id", "source"], pa.uint16())
    assert data_bytes(ids, 100, 3000) == 100 * (4 + 8 + 2) + 3000 * 2
    texts = schema.make_schema(["input_ids", "text", "labels"], pa.int32())
    assert data_bytes(texts, 10, 50, 400) == 10 * 12 + 50 * (4 + 4) + 400


@pytest.mark.parametrize(
    ("step", "rows", "ids"),
    [
        (Sample("10%"), 100, 3000),
        (Sample("600", by="tokens"), 20, 600),
        (Generate("2000"), 2000, 60_000),
        (Pack(512), 59, 30_000),
        (Shuffle(), 1000, 30_000),
    ],
)
def test_steps_change_the_counts(step, rows, ids):
    assert after(step, 1000, 30_000) == (rows, ids)


def test_every_step_has_a_line_in_the_table():
    for name in ("shuffle", "mask", "sample", "draw", "generate", "dedupe", "pack", "split"):
        assert f"derive {name}" in scale.SLOPES
    assert len(STEPS) >= 12


def test_room_is_asked_of_the_disk_where_the_result_goes(tmp_path):
    told = {"bytes": 10, "temporary_bytes": 5}
    found = disk(told, tmp_path / "not" / "there")
    assert found["needed"] == 15
    assert found["enough"]
    assert found["free"] > 15
    assert not disk({"bytes": found["free"] + 1_000_000_000_000}, tmp_path)["enough"]
    assert disk(told, "s3://bucket/set") is None


def planned(capsys, *command: object) -> dict:
    assert run([str(word) for word in [*command, "--dry-run"]]) == 0
    told = json.loads(capsys.readouterr().out)
    assert list(told["estimated"]) == KEYS
    assert told["disk"]["needed"] == (
        told["estimated"]["bytes"] + told["estimated"]["temporary_bytes"]
    )
    return told["estimated"]


def near(told: float, found: float) -> bool:
    return found / 2 <= told <= found * 2


def files_below(root) -> int:
    return sum(1 for path in root.rglob("*") if path.is_file())


@pytest.fixture(scope="module")
def twenty_thousand(tmp_path_factory):
    return make_set(tmp_path_factory.mktemp("scale") / "src", [12_000, 8_000])


@pytest.mark.parametrize(
    ("words", "steps", "exact"),
    [
        (["--shuffle"], [Shuffle()], True),
        (["--sample", "25%", "--mask", "0.15"], [Sample("25%"), Mask(0.15)], True),
        (["--generate", "30000"], [Generate("30000")], True),
        (["--pack", "64"], [Pack(64)], False),
    ],
)
def test_a_derivation_is_estimated(twenty_thousand, tmp_path, capsys, words, steps, exact):
    told = planned(capsys, "derive", twenty_thousand.root, *words)
    made = transferset.derive(twenty_thousand.root, tmp_path / "out", steps=steps, workers=1)
    totals = made.manifest.totals
    assert told["rows"] == totals["rows"] if exact else near(told["rows"], totals["rows"])
    assert told["bytes"] == pytest.approx(totals["bytes"], rel=0.02 if exact else 0.5)
    assert near(told["files"], files_below(made.root))


def test_sibling_sets_are_estimated(twenty_thousand, tmp_path, capsys):
    told = planned(capsys, "derive", twenty_thousand.root, "--split", "train=90%,test=10%")
    split = [Split("train=90%,test=10%")]
    made = transferset.derive(twenty_thousand.root, tmp_path / "out", steps=split, workers=1)
    assert told["rows"] == sum(map(len, made.values()))


def test_a_mix_is_estimated(twenty_thousand, tmp_path, capsys):
    other = make_set(tmp_path / "other", [3000])
    told = planned(capsys, "mix", twenty_thousand.root, other.root, "--rows", "9000")
    made = transferset.mix(
        [twenty_thousand.root, other.root], tmp_path / "out", rows=9000, workers=1
    )
    assert told["rows"] == len(made) == 9000
    assert told["bytes"] == pytest.approx(made.manifest.totals["bytes"], rel=0.02)
    assert near(told["files"], files_below(made.root))


@pytest.mark.parametrize("to", ["megatron", "nanogpt", "arrow-file"])
def test_an_export_is_estimated(twenty_thousand, tmp_path, capsys, to):
    told = planned(capsys, "export", twenty_thousand.root, "--to", to)
    made = transferset.export(twenty_thousand.root, tmp_path / "out", to=to, workers=1)
    files = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    rows = [p for p in files if p.suffix in (".bin", ".idx", ".arrow")]
    assert told["rows"] == sum(part["rows"] for part in made.record.parts)
    assert near(told["bytes"], sum(path.stat().st_size for path in rows))
    assert near(told["files"], len(files))


def test_a_build_of_the_demo_is_estimated(tmp_path, capsys):
    told = planned(capsys, "build", "wiki", "demo", "--workers", "1")
    made = transferset.build_wiki("demo", tmp_path / "out", workers=1)
    totals = made.manifest.totals
    for name in ("rows", "tokens", "bytes"):
        assert near(told[name], totals[name]), (name, told[name], totals[name])
    assert near(told["files"], files_below(made.root))


def test_a_task_set_is_estimated(tmp_path, capsys):
    told = planned(capsys, "build", "task", "demo", "--workers", "1")
    made = transferset.build_task("demo", tmp_path / "out", workers=1)
    assert told["rows"] == len(made)
    assert near(told["tokens"], made.manifest.totals["tokens"])
    assert near(told["bytes"], made.manifest.totals["bytes"])
    assert near(told["files"], files_below(made.root))


def test_rows_in_their_order_need_no_second_pass_over_keys():
    one = schema.make_schema(["input_ids"], pa.uint16())
    work = build_work("build text", one, 1e6, 29e6, tasks=30, shuffled=False)
    assert work.visits == 0
