"""Commands on two nodes of a Ray cluster on the loopback interface."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

import pytest
from deriving import files_of
from sets import make_set

import transferset

pytestmark = pytest.mark.slow


def logs(root: Path) -> list[dict]:
    lines = [p.read_text().splitlines() for p in sorted((root / "_run" / "logs").glob("*"))]
    return [json.loads(line) for some in lines for line in some]


def events(root: Path, event: str) -> list[dict]:
    return [line for line in logs(root) if line["event"] == event]


def wait_for(condition, seconds: float = 200) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture
def closed(nodes):
    """The gate is closed; nobody has come to it."""
    for path in nodes.gate.iterdir():
        path.unlink()
    yield nodes.gate
    (nodes.gate / "open").touch()


GATED = ("--sample", "50%", "--gated", "never=", "--shards", "6", "--seed", "1")


@pytest.fixture(scope="module")
def parent(tmp_path_factory) -> Path:
    return make_set(tmp_path_factory.mktemp("parent") / "set", [6_000]).root


@pytest.fixture(scope="module")
def whole(nodes, parent) -> dict[str, bytes]:
    """What comes of the steps `GATED`, in one process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(nodes.modules))
        steps = transferset.steps.parse_steps([{"sample": "50%"}, {"gated": {"never": ""}}])
        out = nodes.folder / "whole"
        made = transferset.derive(parent, out, steps=steps, shards=6, seed=1, workers=1)
        return files_of(made.root)


def test_a_build_gives_the_bytes_of_one_process(nodes, dumps, tokenizer, tmp_path):
    options = {"tokenizer": str(tokenizer), "splitter": "rules", "shards": 3}
    here = transferset.build_wiki(dumps["plain"], tmp_path / "here", workers=1, **options)
    words = ("--tokenizer", tokenizer, "--splitter", "rules", "--shards", "3")
    # relative paths are meant from where the driver is
    there = nodes.run("build", "wiki", dumps["plain"], "--out", "there", *words)
    assert there.returncode == 0, there.stderr
    assert files_of(nodes.folder / "there") == files_of(here.root)


def test_a_node_killed_in_the_middle_changes_nothing(nodes, whole, parent, closed, tmp_path):
    with nodes.begin("derive", parent, "--out", tmp_path / "cut", *GATED) as program:
        wait_for(lambda: {p.name for p in closed.iterdir()} == {"cache-0", "cache-1"})
        nodes.kill(nodes.added.pop())
        wait_for(lambda: events(tmp_path / "cut", "lost"))
        (closed / "open").touch()
        _, told = program.communicate(timeout=300)
    nodes.added.append(nodes.add(1))
    assert program.returncode == 0, told
    assert files_of(tmp_path / "cut") == whole
    assert len(events(tmp_path / "cut", "done")) == 6
    again = [line for line in events(tmp_path / "cut", "sent") if line["attempt"] > 1]
    assert len(again) == len(events(tmp_path / "cut", "lost")) > 0


def test_an_interrupted_command_stops_its_tasks_and_resumes(nodes, whole, parent, closed, tmp_path):
    out = tmp_path / "cut"
    with nodes.begin("derive", parent, "--out", out, *GATED) as program:
        wait_for(lambda: len(list(closed.iterdir())) == 2)
        program.send_signal(signal.SIGTERM)
        _, told = program.communicate(timeout=100)
    assert program.returncode == 130, told
    (closed / "open").touch()
    time.sleep(1)
    assert not list(out.glob("data-*.arrow"))  # nobody writes on
    again = nodes.run("derive", parent, "--out", out, *GATED)
    assert again.returncode == 0, again.stderr
    assert files_of(out) == whole


def test_failures_are_sentences_with_their_exit_codes(nodes, parent, tmp_path):
    words = ("--gated", "never=works", "--out", tmp_path / "a")
    bad = nodes.run("derive", parent, *words)
    assert (bad.returncode, bad.stderr) == (
        3,
        "transferset: expected good rows, found bad ones\n",
    )
    words = ("--gated", "never=ends", "--out", tmp_path / "b", "--shards", "1")
    dead = nodes.run("derive", parent, *words)
    assert dead.returncode == 1
    assert "found one that lost its worker 4 times" in dead.stderr
    assert dead.stderr.count("\n") == 1
    assert not (tmp_path / "b" / "manifest.json").exists()


def test_nodes_without_a_common_file_system_give_the_same_bytes(
    nodes, bucket, dumps, tokenizer, tmp_path
):
    """The driver and both nodes have caches of their own; the sets are in an object store."""
    options = {"tokenizer": str(tokenizer), "splitter": "rules", "shards": 3}
    here = transferset.build_wiki(dumps["plain"], tmp_path / "here", workers=1, **options)
    cache = {"TRANSFERSET_CACHE": str(tmp_path / "cache")}
    words = ("--tokenizer", tokenizer, "--splitter", "rules", "--shards", "3")
    built = nodes.run("build", "wiki", dumps["plain"], "--out", "s3://sets/wiki", *words, **cache)
    assert built.returncode == 0, built.stderr
    assert bucket("wiki") == files_of(here.root)

    steps = [transferset.Generate("100%"), transferset.Shuffle()]
    transferset.derive(here.root, tmp_path / "a", steps=steps, shards=3, seed=3, workers=1)
    words = ("--generate", "100%", "--shuffle", "--shards", "3", "--seed", "3")
    derived = nodes.run("derive", "s3://sets/wiki", "--out", "s3://sets/made", *words, **cache)
    assert derived.returncode == 0, derived.stderr
    assert bucket("made") == files_of(tmp_path / "a")
    assert list(nodes.folder.glob("cache-*/remote/*/made/data-*.arrow")), "no node made a shard"
