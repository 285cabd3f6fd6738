"""Nodes with caches of their own, here as processes: what Ray's workers do, without Ray."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from deriving import files_of
from sets import make_set

import transferset
from transferset import api
from transferset.cluster.apart import send_ahead
from transferset.cluster.environment import environment
from transferset.cluster.node import Setting, _run, lock_of
from transferset.errors import InputError, SetError, TransfersetError
from transferset.pipeline.build import build
from transferset.pipeline.derive import derive
from transferset.pipeline.remote import output
from transferset.stage import Quiet, run_stage
from transferset.storage import travelling

STEPS = [transferset.Generate("100%"), transferset.Shuffle()]


def settle_in(cache: Path) -> None:
    os.environ["TRANSFERSET_CACHE"] = str(cache)


class Elsewhere:
    """An executor whose workers have other caches than the driver, each of its own."""

    def __init__(self, folder: Path, count: int = 2) -> None:
        context = multiprocessing.get_context("spawn")
        self.caches = [folder / f"cache-{i}" for i in range(count)]
        self.pools = [
            ProcessPoolExecutor(1, mp_context=context, initializer=settle_in, initargs=(cache,))
            for cache in self.caches
        ]
        self.apart: set[bool] = set()

    def map(self, function: Callable[[Any], Any], tasks: Any) -> Iterator[Any]:
        todo = list(tasks)
        sent = send_ahead(todo[0].root, spills=True) if todo else ()
        for i, task in enumerate(todo):
            setting = Setting(environment(), False, str(Path.cwd()), lock_of(task), sent)
            raw = travelling.pack((function, task))
            result, apart = self.pools[i % len(self.pools)].submit(_run, raw, setting).result()
            self.apart.add(apart)
            yield result


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Elsewhere]:
    found = Elsewhere(tmp_path)
    yield found
    for pool in found.pools:
        pool.shutdown()


@pytest.fixture
def bucket(store, tmp_path, monkeypatch) -> Callable[[str], dict[str, bytes]]:
    """An empty bucket `sets`, and what lies there below a prefix."""
    boto3 = pytest.importorskip("boto3")
    for name, value in (*store.items(), ("TRANSFERSET_CACHE", str(tmp_path / "cache"))):
        monkeypatch.setenv(name, value)
    client = boto3.client("s3", endpoint_url=store["AWS_ENDPOINT_URL"])
    client.create_bucket(Bucket="sets")
    for one in client.list_objects_v2(Bucket="sets").get("Contents", []):
        client.delete_object(Bucket="sets", Key=one["Key"])

    def objects(prefix: str) -> dict[str, bytes]:
        listed = client.list_objects_v2(Bucket="sets", Prefix=f"{prefix}/").get("Contents", [])
        return {
            one["Key"].removeprefix(f"{prefix}/"): client.get_object(Bucket="sets", Key=one["Key"])[
                "Body"
            ].read()
            for one in listed
            if "/_run/" not in one["Key"]
        }

    return objects


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

    class Mistaken(Elsewhere):
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
            executor=Mistaken(tmp_path, 0),
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
