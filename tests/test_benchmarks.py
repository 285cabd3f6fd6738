"""The benchmarks themselves run, and judge rightly what they measure."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest
from sets import make_set, reshard

import transferset
from transferset import demo
from transferset.steps import Shuffle

SCRIPTS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture
def script(monkeypatch):
    """Imports a program of the benchmarks."""
    monkeypatch.syspath_prepend(str(SCRIPTS))
    return importlib.import_module


def test_the_sample_is_clean_by_the_benchmarks_own_metrics(tmp_path):
    wiki = SCRIPTS / "build_wiki.py"
    command = [sys.executable, str(wiki), str(demo.path()), "--work", str(tmp_path / "work")]
    chosen = ["--parts", "cleaning,quality", "--tools", "transferset"]
    sizes = ["--size", "1MB", "--clean-size", "1MB", "--runs", "1"]
    figures = tmp_path / "figures.json"
    subprocess.run([*command, *chosen, *sizes, "--json", str(figures)], check=True)
    (one,) = json.loads(figures.read_text())["quality"].values()
    assert one["prose_kept_percent"] >= 99.5
    assert one["values_kept_percent"] >= 99
    assert one["leftovers_per_1000_words"] < 0.2
    assert max(one["leaked_percent"].values()) < 1


@pytest.mark.slow
def test_derive_is_measured_beside_the_limits(tmp_path):
    source, figures = tmp_path / "source", tmp_path / "figures.json"
    build = [sys.executable, "-m", "transferset", "build", "wiki", "demo", "--out", str(source)]
    subprocess.run(build, check=True, capture_output=True)
    command = [sys.executable, str(SCRIPTS / "derive.py"), "--source", str(source)]
    chosen = ["--jobs", "shuffle,generate,sample 10%", "--workers", "1", "--runs", "1"]
    sizes = ["--tokens", "200k", "--work", str(tmp_path / "work"), "--json", str(figures)]
    done = subprocess.run([*command, *chosen, *sizes], check=True, capture_output=True, text=True)
    found = json.loads(figures.read_text())
    assert [(row["job"], row["cold"]) for row in found["jobs"]] == [
        ("shuffle", False),
        ("generate", False),
        ("sample 10%", False),
        ("sample 10%", True),
    ]
    whole = found["sets"]["whole"]
    assert whole["tokens"] == pytest.approx(200_000, rel=0.05)
    for row in found["jobs"]:
        assert row["mtok"] == whole["tokens"] / 1e6
        assert row["cpu_s"] > row["limits"]["floor_cpu_s"] > 0
        assert row["peak_mb"] > 50  # a Python with Arrow: the watch saw it
    assert all(rate["mb_per_s"] > 0 for rate in found["limits"].values())
    assert "## Beside the limits" in done.stdout


def ids(*rows):
    return pa.array(rows, pa.list_(pa.uint16()))


@pytest.mark.parametrize(
    ("after", "right"),
    [
        (ids([2, 6, 7, 5, 3], [2, 9, 8, 3]), True),
        (ids([2, 5, 6, 7, 3], [2, 8, 9, 3]), False),  # nothing moved
        (ids([2, 7, 6, 8, 3], [2, 9, 5, 3]), False),  # tokens changed rows
        (ids([2, 7, 6, 6, 3], [2, 9, 8, 3]), False),  # another token
        (ids([7, 6, 5, 3, 2], [9, 8, 2, 3]), False),  # ends moved
        (ids([2, 7, 6, 5], [3, 2, 9, 8, 3]), False),  # rows cut elsewhere
    ],
)
def test_only_a_permutation_of_each_rows_content_is_a_shuffle(script, after, right):
    before = ids([2, 5, 6, 7, 3], [2, 8, 9, 3])
    assert script("derive_sets")._permuted(before, after) is right


def test_a_shuffle_is_recognised_wherever_its_shards_are_cut(script, tmp_path):
    sets = script("derive_sets")
    parent = make_set(tmp_path / "parent", [1500, 1000])
    shuffled = transferset.derive(parent.root, tmp_path / "shuffled", steps=[Shuffle()], workers=1)
    other = reshard(shuffled, tmp_path / "other", [400, 900, 1200])
    before, *after = [sets.Made.open(one.root) for one in (parent, shuffled, other)]
    assert all(sets._is_shuffled(before, made, "shuffle") for made in after)
    assert not sets._is_shuffled(before, before, "shuffle")  # nothing moved
    assert sets._between(after[0], 300, 700).equals(sets._between(after[1], 300, 700))
    assert len(sets._between(after[1], 2400)) == 100  # to the end


def test_a_sample_has_its_exact_size_and_the_order_of_its_parent(script, tmp_path):
    sets = script("derive_sets")
    parent = sets.Made.open(make_set(tmp_path / "parent", [15, 10]).root)
    tenth = sets.Made.open(make_set(tmp_path / "tenth", [2]).root)  # the parent's first rows
    assert sets._is_sampled(parent, tenth, "sample 10%")  # round(2.5) is 2, half to even
    assert not sets._is_sampled(parent, tenth, "sample 16%")  # that would be 4
    assert not sets._is_sampled(tenth, parent, "sample 1250%")  # rows that the parent lacks


def test_a_rate_without_start_up_needs_more_than_the_start_up(script):
    net_rate = script("derive_jobs").net_rate
    assert net_rate(12, 4, 1) == 4
    assert net_rate(12, 1.1, 1) is None


def test_the_fastest_way_of_each_kind_is_the_peer(script):
    rates = [("row by row", "random", 2.5), ("row by row", "numpy", 3), ("whole batches", "a", 9)]
    entries = [
        {"job": "shuffle", "kind": kind, "way": way, "mtok_per_cpu_s": rate}
        for kind, way, rate in rates
    ]
    assert [entry["way"] for entry in script("derive_jobs").winners(entries)] == ["numpy", "a"]


def test_bytes_alone_are_counted_by_hand(script):
    limits = {
        "read + BLAKE3, page cache": {"mb_per_cpu_s": 100, "mb_per_s": 50},
        "BLAKE3": {"mb_per_cpu_s": 200, "mb_per_s": 200},
        "write + fsync": {"mb_per_cpu_s": 10, "mb_per_s": 5},
        "memcpy": {"mb_per_cpu_s": 1000, "mb_per_s": 1000},
    }
    row = {"cold": False, "parent_mb": 1000, "made": {"mb": 100}, "cpu_s": 110, "wall_s": 55}
    found = script("derive_jobs").beside_limits(row, limits)
    assert found["floor_cpu_s"] == pytest.approx(1000 / 100 + 2 * 100 / 200 + 100 / 10)
    assert found["floor_wall_s"] == pytest.approx(1000 / 50 + 2 * 100 / 200 + 100 / 5)
    assert found["share_of_memcpy"] == pytest.approx((1000 + 100) / 110 / 1000)


@pytest.mark.parametrize("program", ["derive", "build_wiki", "inflate"])
def test_every_program_explains_itself(program):
    command = [sys.executable, str(SCRIPTS / f"{program}.py"), "--help"]
    told = subprocess.run(command, capture_output=True, text=True, check=True)
    assert told.stdout.startswith("usage: ")
