"""Commands on two nodes of a Ray cluster on the loopback interface."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from deriving import files_of
from sets import make_set

import transferset

pytestmark = pytest.mark.slow

SLOW = '''
import time
import transferset

@transferset.transform
def slow(batch, at, *, seconds: float = 0.5):
    """Take a while."""
    time.sleep(seconds)
    return batch
'''


@pytest.fixture(scope="module")
def slow(nodes) -> None:
    """A step `--slow SECONDS`, here and on all nodes."""
    package = nodes.modules / "transferset_slow-1.0.dist-info"
    package.mkdir()
    (nodes.modules / "transferset_slow.py").write_text(SLOW)
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: transferset-slow\nVersion: 1\n")
    (package / "entry_points.txt").write_text(
        "[transferset.transforms]\nslow = transferset_slow:slow\n"
    )
    (package / "top_level.txt").write_text("transferset_slow\n")


def logs(root: Path) -> list[dict]:
    lines = [p.read_text().splitlines() for p in sorted((root / "_run" / "logs").iterdir())]
    return [json.loads(line) for some in lines for line in some]


def wait_for(condition, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def done(root: Path) -> list[dict]:
    folder = root / "_run" / "logs"
    return [line for line in logs(root) if line["event"] == "done"] if folder.is_dir() else []


def test_build_and_derive_give_the_bytes_of_one_process(nodes, dumps, tokenizer, tmp_path):
    options = {"tokenizer": str(tokenizer), "splitter": "rules", "shards": 3}
    here = transferset.build_wiki(dumps["plain"], tmp_path / "here", workers=1, **options)
    words = ("--tokenizer", tokenizer, "--splitter", "rules", "--shards", "3")
    there = nodes.run("build", "wiki", dumps["plain"], "--out", tmp_path / "there", *words)
    assert there.returncode == 0, there.stderr
    assert files_of(tmp_path / "there") == files_of(here.root)
    assert len({line["node"] for line in done(tmp_path / "there")}) == 2

    steps = [transferset.Generate("100%"), transferset.Shuffle()]
    transferset.derive(here.root, tmp_path / "a", steps=steps, shards=3, seed=3, workers=1)
    words = ("--generate", "100%", "--shuffle", "--shards", "3", "--seed", "3")
    # relative paths are meant from where the driver is
    derived = nodes.run("derive", tmp_path / "there", "--out", "b", *words)
    assert derived.returncode == 0, derived.stderr
    assert files_of(nodes.folder / "b") == files_of(tmp_path / "a")


def test_a_node_killed_in_the_middle_changes_nothing(nodes, slow, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(nodes.modules))
    make_set(tmp_path / "parent", [6_000])
    words = ("--sample", "50%", "--slow", "0.7", "--shards", "8", "--seed", "1")
    whole = nodes.run("derive", tmp_path / "parent", "--out", tmp_path / "whole", *words)
    assert whole.returncode == 0, whole.stderr
    with nodes.begin("derive", tmp_path / "parent", "--out", tmp_path / "cut", *words) as program:
        wait_for(lambda: done(tmp_path / "cut"))
        nodes.kill(nodes.added.pop())
        _, told = program.communicate(timeout=300)
    assert program.returncode == 0, told
    assert files_of(tmp_path / "cut") == files_of(tmp_path / "whole")
    lost = [line for line in logs(tmp_path / "cut") if line["event"] == "lost"]
    again = [line for line in logs(tmp_path / "cut") if line.get("attempt", 1) > 1]
    assert lost
    assert len(lost) == len(again)
    nodes.added.append(nodes.add(1))
