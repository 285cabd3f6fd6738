"""Same recipe, same bytes; killed and run again; old output with a changed recipe."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from deriving import RECIPES, files_of, rows_of
from sets import make_set, reshard

import transferset
from transferset import SetError, Shuffle
from transferset.pipeline import chain, ranges
from transferset.verification import verify

ROWS = [12_000, 9_000]


@pytest.fixture(scope="module")
def parent(tmp_path_factory):
    return make_set(tmp_path_factory.mktemp("parent") / "set", ROWS)


class Derived(dict):
    """Each recipe once, when it is asked for: in one process, in four shards."""

    def __init__(self, parent, folder):
        self.parent, self.folder = parent.root, folder

    def __missing__(self, name):
        out = self.folder / name.replace(" ", "-")
        self[name] = transferset.derive(
            self.parent, out, steps=RECIPES[name], seed=5, shards=4, workers=1
        )
        return self[name]


@pytest.fixture(scope="module")
def derived(parent, tmp_path_factory):
    return Derived(parent, tmp_path_factory.mktemp("derived"))


@pytest.mark.parametrize("name", RECIPES)
def test_every_derived_set_passes_verify(derived, name):
    found = verify(derived[name].root)
    assert len(found) > 0
    assert found.manifest.totals["content_tokens"] < found.manifest.totals["tokens"]


@pytest.mark.parametrize("name", RECIPES)
def test_ranges_and_batches_of_any_size_give_the_same_bytes(
    parent, derived, name, tmp_path, monkeypatch
):
    whole = chain.read_rows

    def crumbs(found, start, stop, columns):
        for first, batch in whole(found, start, stop, columns):
            for at in range(0, batch.num_rows, 777):
                yield first + at, batch.slice(at, 777)

    monkeypatch.setattr(chain, "read_rows", crumbs)
    monkeypatch.setattr(ranges, "SURVEY_BYTES", 50_000)  # many ranges for each survey
    again = transferset.derive(
        parent.root, tmp_path / "set", steps=RECIPES[name], seed=5, shards=4, workers=1
    )
    assert files_of(again.root) == files_of(derived[name].root)


@pytest.mark.parametrize("name", RECIPES)
def test_a_resharded_parent_gives_the_same_rows(parent, derived, name, tmp_path):
    other = reshard(parent, tmp_path / "parent", [1, 10_002, 10_997])
    found = transferset.derive(
        other.root, tmp_path / "set", steps=RECIPES[name], seed=5, shards=4, workers=1
    )
    assert rows_of(found).equals(rows_of(derived[name]))


@pytest.mark.parametrize("name", RECIPES)
def test_the_number_of_shards_does_not_change_the_rows(parent, derived, name, tmp_path):
    found = transferset.derive(
        parent.root, tmp_path / "set", steps=RECIPES[name], seed=5, shards=1, workers=1
    )
    assert rows_of(found).equals(rows_of(derived[name]))


@pytest.mark.slow
def test_any_number_of_workers_gives_the_same_bytes(parent, derived, tmp_path):
    for name, workers in (("long", 3), ("generate, sample", 2)):
        found = transferset.derive(
            parent.root, tmp_path / name, steps=RECIPES[name], seed=5, shards=4, workers=workers
        )
        assert files_of(found.root) == files_of(derived[name].root)


def dropped(found):
    return {entry["reason"]: entry["count"] for entry in found.manifest.ledger}


MAKES_ROWS = {name for name in RECIPES if "generate" in name or "bootstrap" in name}


@pytest.mark.parametrize("name", sorted(set(RECIPES) - MAKES_ROWS))
def test_rows_in_are_rows_out_and_the_ledger(parent, derived, name):
    found = derived[name]
    assert len(parent) == len(found) + sum(dropped(found).values())


def test_rows_that_generated_ones_replace_are_in_the_ledger(parent, derived):
    assert dropped(derived["generate"]) == {"replaced": len(parent)}
    books = dropped(derived["generate, sample"])
    assert books["too_short"] + books["replaced"] == len(parent)
    made = round(books["replaced"] * 0.8)
    assert books["not_sampled"] == made - round(made / 2)
    assert len(derived["generate, sample"]) == round(made / 2) - books["joined"]


def test_rows_that_a_bootstrap_never_drew_are_in_the_ledger(parent, derived):
    found = transferset.derive(
        parent.root,
        derived["bootstrap"].root.parent / "lineage",
        steps=RECIPES["bootstrap"],
        seed=5,
        lineage=True,
        workers=1,
    )
    drawn = len(set(rows_of(found)["parent_row"].to_pylist()))
    assert dropped(found) == {"not_sampled": len(parent) - drawn}


def test_another_seed_gives_other_rows(parent, derived, tmp_path):
    for name in ("sample", "bootstrap", "shuffle", "generate", "mask", "delete", "replace"):
        other = transferset.derive(
            parent.root, tmp_path / name, steps=RECIPES[name], seed=6, shards=4, workers=1
        )
        assert not rows_of(other).equals(rows_of(derived[name]))


def test_the_parent_is_not_touched(parent, derived):
    before = files_of(parent.root)
    assert len(derived["long"]) > 0
    assert files_of(parent.root) == before


def test_a_finished_set_is_opened_and_another_recipe_refused(parent, tmp_path):
    out = tmp_path / "set"
    transferset.derive(parent.root, out, steps=[Shuffle()], workers=1)
    before = {p: p.stat().st_mtime_ns for p in out.rglob("*")}
    transferset.derive(parent.root, out, steps=[Shuffle()], workers=2)
    assert {p: p.stat().st_mtime_ns for p in out.rglob("*")} == before
    with pytest.raises(SetError, match=r"params.steps\[0\].shuffle.window was null, is 3"):
        transferset.derive(parent.root, out, steps=[Shuffle(window=3)], workers=1)
    with pytest.raises(SetError, match="seed was 0, is 1"):
        transferset.derive(parent.root, out, steps=[Shuffle()], seed=1, workers=1)
    changed = make_set(tmp_path / "parent", [21_001])
    with pytest.raises(SetError, match="parent was"):
        transferset.derive(changed.root, out, steps=[Shuffle()], workers=1)
    assert files_of(out)  # refused, not removed
    transferset.derive(parent.root, out, steps=[Shuffle()], seed=1, workers=1, force=True)
    verify(out)


def test_a_damaged_parent_is_noticed_while_it_is_read(tmp_path):
    parent = make_set(tmp_path / "parent", [12_000])
    path = parent.root / parent.manifest.shards[0].file
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)
    with pytest.raises(
        SetError, match=r"expected bytes as written, found others at .*arrow, bytes"
    ):
        transferset.derive(parent.root, tmp_path / "set", steps=[Shuffle()], workers=1)
    assert not (tmp_path / "set" / "manifest.json").exists()


DRIVER = """
import sys
import transferset
from transferset.steps import parse_steps
steps = parse_steps([{"filter": "length > 3"}, {"sample": "60%"}, {"delete": 0.2},
                     {"dedupe": "exact"}, {"generate": "50%"}, {"shuffle": True}, {"pack": 40}])
transferset.derive(sys.argv[1], sys.argv[2], steps=steps, seed=3, shards=6, workers=2)
"""


@pytest.mark.slow
def test_killed_at_any_moment_and_run_again_gives_the_same_bytes(parent, tmp_path):
    script = tmp_path / "driver.py"
    script.write_text(DRIVER)

    def start(out: Path) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, str(script), str(parent.root), str(out)])

    began = time.monotonic()
    assert start(tmp_path / "whole").wait(timeout=120) == 0
    duration = time.monotonic() - began
    out = tmp_path / "set"
    for blow in range(3):
        process = start(out)
        time.sleep(duration * (blow + 1) / 4)
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=60)
        if (out / "manifest.json").exists():  # quicker than the blow: begin anew
            assert files_of(out) == files_of(tmp_path / "whole")
            shutil.rmtree(out)
    process = start(out)
    deadline = time.monotonic() + 100
    while not list(out.glob("_run/*/00000.json")) and not (out / "manifest.json").exists():
        assert time.monotonic() < deadline
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=60)
    assert start(out).wait(timeout=120) == 0
    assert files_of(out) == files_of(tmp_path / "whole")
    log = [json.loads(line) for line in (out / "_run" / "log.jsonl").read_text().splitlines()]
    assert sum(line["event"] == "start" for line in log) >= 2


def test_an_early_interruption_can_be_resumed(parent, tmp_path, monkeypatch):
    from transferset.pipeline import derive as module
    from transferset.pipeline import write

    out = tmp_path / "set"
    original = write.write_range

    def interrupted(root, context, task):
        # what a worker that is stopped while it writes leaves behind
        (root / f"data-00000-of-00001.arrow.tmp-{99999}").write_bytes(b"half a shard")
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "write_range", interrupted)
    with pytest.raises(KeyboardInterrupt):
        transferset.derive(parent.root, out, steps=[Shuffle()], workers=1)
    assert not out.exists()
    monkeypatch.setattr(module, "write_range", original)
    transferset.derive(parent.root, out, steps=[Shuffle()], workers=1)
    verify(out)


def test_what_was_done_is_not_done_again(parent, tmp_path, monkeypatch):
    from transferset.pipeline import derive as module
    from transferset.pipeline import write

    out = tmp_path / "set"
    original, calls = write.write_range, []

    def failing(root, context, task):
        calls.append(task["ordinal"])
        if task["ordinal"] == 2 and calls.count(2) == 1:
            raise KeyboardInterrupt
        return original(root, context, task)

    monkeypatch.setattr(module, "write_range", failing)
    with pytest.raises(KeyboardInterrupt):
        transferset.derive(parent.root, out, steps=[Shuffle()], shards=4, workers=1)
    transferset.derive(parent.root, out, steps=[Shuffle()], shards=4, workers=1)
    assert calls == [0, 1, 2, 2, 3]
