"""Nodes with caches of their own, here as processes: what Ray's workers do, without Ray."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from deriving import files_of
from sets import make_set

import transferset
from transferset import api
from transferset.cluster.environment import environment
from transferset.cluster.node import Setting, _run
from transferset.errors import InputError, SetError, TransfersetError
from transferset.holding import EXPORTED
from transferset.pipeline.build import build
from transferset.pipeline.derive import derive
from transferset.pipeline.export.passes import export
from transferset.pipeline.mix import make_mix_plan, mix_sets
from transferset.pipeline.remote import output
from transferset.stage import Quiet, run_stage
from transferset.storage import travelling

STEPS = [transferset.Generate("100%"), transferset.Shuffle()]


def test_a_build_and_a_derivation_of_it_have_the_bytes_of_one_process(
    bucket, elsewhere, dumps, tokenizer, tmp_path
):
    options = {"tokenizer": str(tokenizer), "splitter": "rules", "shards": 3}
    here = transferset.build_wiki(dumps["plain"], tmp_path / "here", workers=1, **options)
    build(
        api.plan_wiki(dumps["plain"], **options),
        output("s3://sets/wiki"),
        elsewhere,
        Quiet(),
        force=False,
    )
    assert bucket("wiki") == files_of(here.root)
    assert elsewhere.apart == {True}

    there = transferset.derive(here.root, tmp_path / "b", steps=STEPS, shards=3, workers=1)
    plan = api.plan_derive("s3://sets/wiki", steps=STEPS, shards=3)
    derive(plan, output("s3://sets/b"), elsewhere, Quiet(), force=False)
    assert bucket("b") == files_of(there.root)


def test_a_mix_and_an_export_of_it_too(bucket, elsewhere, tmp_path):
    parents = [make_set(tmp_path / name, [2_000], text=True).root for name in "ab"]
    here = transferset.mix(parents, tmp_path / "mix", shards=2, workers=1)
    mix_sets(
        make_mix_plan(parents, rows=None, seed=0, shards=2),
        output("s3://sets/mix"),
        elsewhere,
        Quiet(),
        force=False,
    )
    assert bucket("mix") == files_of(here.root)

    there = transferset.export(here.root, tmp_path / "text", to="jsonl", workers=1)
    plan = api.plan_export("s3://sets/mix", to="jsonl")
    root = output("s3://sets/text", EXPORTED)
    export(plan, root, elsewhere, Quiet(), force=False)
    assert bucket("text") == files_of(there.root)


def test_spills_of_an_earlier_run_in_processes_are_taken(
    bucket, elsewhere, dumps, tokenizer, tmp_path, monkeypatch
):
    options = {"tokenizer": str(tokenizer), "splitter": "rules", "shards": 2}
    here = transferset.build_wiki(dumps["plain"], tmp_path / "here", workers=1, **options)

    def dies(*given: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("transferset.pipeline.order.write_shard", dies)
        with pytest.raises(KeyboardInterrupt):
            transferset.build_wiki(dumps["plain"], "s3://sets/wiki", workers=1, **options)
    plan = api.plan_wiki(dumps["plain"], **options)
    build(plan, output("s3://sets/wiki"), elsewhere, Quiet(), force=False)
    assert bucket("wiki") == files_of(here.root)


def test_what_a_node_has_of_another_recipe_is_not_taken(bucket, elsewhere, tmp_path):
    parent = make_set(tmp_path / "parent", [3_000]).root
    for seed in (1, 2):
        there = transferset.derive(
            parent, tmp_path / f"seed-{seed}", steps=STEPS, shards=2, seed=seed, workers=1
        )
        plan = api.plan_derive(parent, steps=STEPS, shards=2, seed=seed)
        derive(plan, output("s3://sets/b", force=True), elsewhere, Quiet(), force=True)
        assert bucket("b") == files_of(there.root)


def test_a_plain_folder_that_a_node_does_not_see_is_refused(elsewhere, tmp_path):
    from test_stage import work

    root = tmp_path / "out"
    (root / "_run").mkdir(parents=True)

    class Mistaken:
        """A node that sees a folder of the same name with another lock."""

        def map(self, function, tasks):
            setting = Setting(environment(), False, str(tmp_path), b"process 1 on head")
            yield _run(travelling.pack((function, next(iter(tasks)))), setting)

    with pytest.raises(TransfersetError, match="name a folder on a file system that all nodes"):
        run_stage(
            "one",
            work,
            [{"n": 1, "size": 1}],
            root=root,
            recipe="r",
            context="",
            executor=Mistaken(),
            progress=Quiet(),
            weight="size",
        )
    assert not (root / "ran.txt").exists()


def test_a_node_on_which_somebody_makes_the_same_is_left_alone(bucket, tmp_path, monkeypatch):
    from test_stage import work

    from transferset.cluster.apart import enter
    from transferset.stage import Job

    root = output("s3://sets/busy")
    (root / "_run").mkdir(parents=True)
    (root / "_run" / "mine.txt").write_text("theirs")
    script = (
        "import sys; from pathlib import Path; from transferset.files import lock\n"
        f"with lock(Path({str(root / '_run' / 'lock')!r})): print('held', flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(SetError, match="nobody writing, found process"):
            enter(Job(root, "one", "r", 0, {"n": 1}, "", work), (), ())
        holder.communicate("\n")
    assert (root / "_run" / "mine.txt").read_text() == "theirs"


def test_nodes_that_are_not_alike_are_refused(tmp_path):
    there = dict(environment()) | {"pyarrow": "1.0"}
    setting = Setting(there, False, str(tmp_path), None)
    with pytest.raises(TransfersetError, match=r"expected equal nodes, found pyarrow .*, not 1\.0"):
        _run(travelling.pack((abs, -1)), setting)


def test_failures_come_back_as_what_they_are(tmp_path):
    from transferset.cluster.executor import _cause

    class Failed(Exception):
        cause = InputError("expected good, found bad")

    assert _cause(Failed()) is Failed.cause
    Failed.cause = None
    told = _cause(Failed("The remote function failed to import on the worker."))
    assert str(told).startswith("expected transferset on every node, found Failed: The remote")
    assert isinstance(_cause(Failed("something")), TransfersetError)
