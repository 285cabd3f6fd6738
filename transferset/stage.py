"""A stage: one function over many tasks, each done once, whatever kills the process meanwhile.

A finished task leaves a receipt in `_run/STAGE/`: digest of the recipe, the task itself, files
written with their digests, and the function's result. A later run of the same recipe takes the
receipt instead of running the task again.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Generic, Protocol, TypeVar

from transferset.executor import Executor
from transferset.files import digest_file, write_atomic, writing
from transferset.holding import RUN, log
from transferset.manifest import Json, canonical, digest_json
from transferset.storage.mounts import present, remote, there
from transferset.storage.publishing import offer
from transferset.version import __version__

Context = TypeVar("Context")

#: What an earlier run left, if nothing is to be done any more.
ALL: Final = "all"


class Progress(Protocol):
    """Told about finished work; the driver may draw a bar from it."""

    def download(self, name: str, received: int, total: int | None) -> None:
        """Bytes of a download that are here, of all if known; called from several threads."""

    def start(self, stage: str, total: int, unit: str) -> None:
        """A stage begins: `total` units of work."""

    def advance(self, amount: int, rows: int) -> None:
        """A task ended: units of work, and rows it gave."""

    def resumed(self, what: str) -> None:
        """Work of an earlier run is taken: in words, as `at step 120 of 900`, or `ALL`."""


class Quiet:
    """A progress that shows nothing."""

    def download(self, name: str, received: int, total: int | None) -> None:
        """See `Progress.download`."""

    def start(self, stage: str, total: int, unit: str) -> None:
        """See `Progress.start`."""

    def advance(self, amount: int, rows: int) -> None:
        """See `Progress.advance`."""

    def resumed(self, what: str) -> None:
        """See `Progress.resumed`."""


@dataclass(frozen=True, slots=True)
class Output:
    """A file that a task wrote, relative to the set's directory."""

    file: str
    bytes: int
    blake3: str


@dataclass(frozen=True, slots=True)
class Done:
    """What a task's function returns: its files, and a small JSON result."""

    outputs: Sequence[Output]
    result: Json


@dataclass(frozen=True, slots=True)
class Job(Generic[Context]):
    """One task on its way to a worker: picklable, and small."""

    root: Path
    stage: str
    recipe: str
    ordinal: int
    task: Json
    context: Context
    function: Callable[[Path, Context, Json], Done]

    @property
    def receipt(self) -> Path:
        """Where the receipt stands once the task is done."""
        return self.root / RUN / self.stage / f"{self.ordinal:05d}.json"


def run_stage(
    job_stage: str,
    function: Callable[[Path, Context, Json], Done],
    tasks: Sequence[Json],
    *,
    root: Path,
    recipe: str,
    context: Context,
    executor: Executor,
    progress: Progress,
    weight: str,
) -> list[Json]:
    """Do each task once and return the results in the order of the tasks.

    Args:
        job_stage: Name of the stage, a folder under `_run/`.
        function: `(root, context, task) -> Done`, top-level; it writes below `root` through
            temporary names and may be stopped at any instant.
        tasks: Small JSON descriptions; equal work must have an equal description.
        root: The set's directory, locked by the caller.
        recipe: Digest of the recipe.
        context: Picklable configuration that all tasks share.
        executor: Where to run.
        progress: Told of each finished task.
        weight: Key of a task's amount of work, for the progress bar.

    Returns:
        `Done.result` of each task.
    """
    (root / RUN / job_stage).mkdir(parents=True, exist_ok=True)
    jobs = [
        Job(root, job_stage, recipe, i, task, context, function) for i, task in enumerate(tasks)
    ]
    done = {job.ordinal: r for job in _begun(jobs) if (r := read_receipt(job)) is not None}
    if done:
        progress.resumed(f"with {len(done):,} of {len(jobs):,} tasks of {job_stage} done")
    progress.start(job_stage, sum(int(task[weight]) for task in tasks), weight)
    for ordinal, result in done.items():
        progress.advance(int(tasks[ordinal][weight]), int(result.get("rows", 0)))
    todo = [job for job in jobs if job.ordinal not in done]
    log(root, job_stage, tasks=len(jobs), done_before=len(done))
    for job, result in zip(todo, executor.map(run_job, todo), strict=True):
        if remote(root) is not None:
            offer(root, [output["file"] for output in _receipt(job.receipt)["outputs"]])
        progress.advance(int(job.task[weight]), int(result.get("rows", 0)))
        done[job.ordinal] = result
    return [done[job.ordinal] for job in jobs]


def _begun(jobs: Sequence[Job[Context]]) -> Sequence[Job[Context]]:
    """Those that may have receipts.

    On a network file system a name that was looked up in vain stays missing for a while, here, when
    a worker elsewhere has made it. A listing leaves no such mark.
    """
    if not jobs or remote(jobs[0].root) is not None:
        return jobs
    there = {path.name for path in jobs[0].receipt.parent.iterdir()}
    return [job for job in jobs if job.receipt.name in there]


def receipts_digest(root: Path, stage: str, count: int) -> str:
    """Digest of all that a stage wrote, to stand in the tasks of the stage that reads it."""
    receipts = (root / RUN / stage / f"{i:05d}.json" for i in range(count))
    return digest_json([_receipt(path)["outputs"] for path in receipts])


def _receipt(path: Path) -> Json:
    found: Json = json.loads(present(path).read_bytes())
    return found


def run_job(job: Job[Any]) -> Json:
    """Run one task in a worker and leave its receipt, last."""
    began_wall, began_cpu = time.perf_counter(), time.process_time()
    with writing(job.root):
        done = job.function(job.root, job.context, job.task)
        receipt = {
            "recipe": _work(job),
            "task": digest_json(job.task),
            "outputs": [
                {"file": o.file, "bytes": o.bytes, "blake3": o.blake3} for o in done.outputs
            ],
            "result": done.result,
            "seconds": round(time.perf_counter() - began_wall, 3),
            "cpu_seconds": round(time.process_time() - began_cpu, 3),
        }
        write_atomic(job.receipt, canonical({**receipt, "digest": digest_json(receipt)}))
    return done.result


def _work(job: Job[Any]) -> str:
    # work of another version is done again: it may have given other bytes
    return digest_json([job.recipe, __version__])


def read_receipt(job: Job[Any]) -> Json | None:
    """The result of a task that was done before, if its receipt and files still hold."""
    try:
        receipt = _receipt(job.receipt)
        if receipt.pop("digest") != digest_json(receipt):
            return None
        outputs = receipt["outputs"]
        if (receipt["recipe"], receipt["task"]) != (_work(job), digest_json(job.task)):
            return None
        if not all(_holds(job.root / o["file"], o["bytes"], o["blake3"]) for o in outputs):
            return None
        result: Json = receipt["result"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None  # no receipt, or not one: the task is simply done again
    return result


def _holds(path: Path, size: int, digest: str) -> bool:
    """Whether a file is as it was written; what only a store has, it has whole."""
    if not path.is_file():
        return there(path, size)
    return path.stat().st_size == size and digest_file(path) == digest
