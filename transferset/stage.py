"""A stage: one function over many tasks, each done once, whatever kills the process meanwhile.

A finished task leaves a receipt in `_run/STAGE/`: digest of the recipe, the task itself, files
written with their digests, and the function's result. A later run of the same recipe takes the
receipt instead of running the task again.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Generic, Protocol, TypeVar

from transferset.errors import SetError, sentence
from transferset.executor import Executor
from transferset.files import (
    Held,
    digest_file,
    is_temporary,
    lock,
    write_atomic,
    writing,
)
from transferset.manifest import (
    MANIFEST,
    Json,
    Manifest,
    canonical,
    differences,
    digest_json,
    pretty,
)
from transferset.manifest import fingerprint as digest_recipe
from transferset.models import RECORD, Record
from transferset.shapes import INNER
from transferset.version import __version__

Context = TypeVar("Context")

#: Receipts, logs and unfinished work; not part of the set.
RUN: Final = "_run"

#: What transferset writes beside the manifest.
OWN_FILES: Final = (
    "data-*-of-*.arrow",
    "state.json",
    "dataset_info.json",
    "tokenizer.json",
    "tokenizer_config.json",
    *(f"{folder}/*.{kind}" for folder in INNER for kind in ("json", "arrow")),
    "README.md",
    "croissant.json",
)

#: What transferset writes beside the record of a model.
MODEL_FILES: Final = (
    *("config.json", "generation_config.json"),
    *("model.safetensors", "model-*-of-*.safetensors", "model.safetensors.index.json"),
    *("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "words.json"),
    *("heads.safetensors", "heads.json"),
    *("README.md", "log.jsonl"),
)


@dataclass(frozen=True, slots=True)
class Kind:
    """What a directory is going to hold.

    Attributes:
        word: What people call it.
        commit: The file that is written last.
        own: Patterns of the other files, which may be removed to make it anew.
        folders: That `own` files are in.
        recipe: Digest of the recipe of what a directory holds.
    """

    word: str
    commit: str
    own: tuple[str, ...]
    folders: tuple[str, ...]
    recipe: Callable[[Path], str]


SET: Final = Kind("set", MANIFEST, OWN_FILES, INNER, lambda root: Manifest.read(root).recipe)
MODEL: Final = Kind("model", RECORD, MODEL_FILES, (), lambda root: Record.read(root).recipe)


#: A digest, in words about what changed.
_DIGEST: Final = re.compile(r"[0-9a-f]{40}")


class Progress(Protocol):
    """Told about finished work; the driver may draw a bar from it."""

    def download(self, name: str, received: int, total: int | None) -> None:
        """Bytes of a download that are here, of all if known; called from several threads."""

    def start(self, stage: str, total: int, unit: str) -> None:
        """A stage begins: `total` units of work."""

    def advance(self, amount: int, rows: int) -> None:
        """A task ended: units of work, and rows it gave."""


class Quiet:
    """A progress that shows nothing."""

    def download(self, name: str, received: int, total: int | None) -> None:
        """See `Progress.download`."""

    def start(self, stage: str, total: int, unit: str) -> None:
        """See `Progress.start`."""

    def advance(self, amount: int, rows: int) -> None:
        """See `Progress.advance`."""


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
    done = {job.ordinal: result for job in jobs if (result := read_receipt(job)) is not None}
    progress.start(job_stage, sum(int(task[weight]) for task in tasks), weight)
    for ordinal, result in done.items():
        progress.advance(int(tasks[ordinal][weight]), int(result.get("rows", 0)))
    todo = [job for job in jobs if job.ordinal not in done]
    log(root, job_stage, tasks=len(jobs), done_before=len(done))
    for job, result in zip(todo, executor.map(run_job, todo), strict=True):
        progress.advance(int(job.task[weight]), int(result.get("rows", 0)))
        done[job.ordinal] = result
    return [done[job.ordinal] for job in jobs]


def log(root: Path, event: str, **facts: object) -> None:
    """Append one line to the log of the runs that worked on a set."""
    line = {"time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "event": event, **facts}
    with contextlib.suppress(OSError), (root / RUN / "log.jsonl").open("a") as file:
        file.write(json.dumps(line) + "\n")  # a full disk must not hide the error being logged


def receipts_digest(root: Path, stage: str, count: int) -> str:
    """Digest of all that a stage wrote, to stand in the tasks of the stage that reads it."""
    receipts = (root / RUN / stage / f"{i:05d}.json" for i in range(count))
    return digest_json([json.loads(path.read_bytes())["outputs"] for path in receipts])


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
        receipt = json.loads(job.receipt.read_bytes())
        if receipt.pop("digest") != digest_json(receipt):
            return None
        if (receipt["recipe"], receipt["task"]) != (_work(job), digest_json(job.task)):
            return None
        for output in receipt["outputs"]:
            path = job.root / output["file"]
            if path.stat().st_size != output["bytes"] or digest_file(path) != output["blake3"]:
                return None
        result: Json = receipt["result"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None  # no receipt, or not one: the task is simply done again
    return result


@contextmanager
def building(
    root: Path,
    recipe: Json,
    *,
    force: bool,
    kind: Kind = SET,
    ready: Callable[[], object] | None = None,
) -> Iterator[bool]:
    """Hold the directory of a set or a model while it is made.

    Args:
        root: The directory; made if needed, removed again if nothing came of it.
        recipe: Everything that determines the bytes.
        force: Throw away what is there already, finished or not.
        kind: What is made.
        ready: Called before anything is thrown away; what it raises keeps that.

    Yields:
        True if it still has to be made, False if it is already there.

    Raises:
        SetError: Another process builds there, or the directory holds something else.
        TransfersetError: The directory cannot be written.
    """
    with writing(root):
        root.mkdir(parents=True, exist_ok=True)
        fresh = not any(root.iterdir())
        if not fresh:
            _require_own(root, kind)
        (root / RUN).mkdir(exist_ok=True)
    with _locked(root):
        try:
            if force and not fresh and ready is not None:
                ready()
            with writing(root):
                remove_temporaries(root, kind)
                todo = _prepare(root, recipe, force=force, kind=kind)
            log(root, "start", **{f"{kind.word}_is_there": not todo}, pid=os.getpid())
            yield todo
            log(root, "end")
        except BaseException as error:
            log(root, "stop", error=f"{type(error).__name__}: {error}")
            raise
        finally:
            if fresh:
                _leave_nothing_empty(root, kind)


@contextmanager
def _locked(root: Path) -> Iterator[None]:
    try:
        with writing(root), lock(root / RUN / "lock"):
            yield
    except Held as held:
        found = f"{held.holder} writing it"
        do = "wait for it to end, or choose another --out"
        raise SetError(sentence("a directory that nobody writes", found, str(root), do)) from None


def _require_own(root: Path, kind: Kind) -> None:
    """Refuse a directory that transferset did not make: later on, files in it are removed."""
    for other in (SET, MODEL):
        if other is not kind and (root / other.commit).exists():
            do = "choose another --out"
            raise SetError(sentence(f"no {other.word} there", f"a {other.word}", str(root), do))
    run = root / RUN
    kept = run.is_dir() and not run.is_symlink()
    if kept and ((run / "recipe.json").is_file() or (run / "lock").is_file()):
        return
    if not run.exists() and not run.is_symlink() and (root / kind.commit).exists():
        kind.recipe(root)  # raises if it is none of ours
        return
    found = "files that are not transferset's"
    raise SetError(sentence("an empty or new directory", found, str(root), "choose another --out"))


def remove_temporaries(root: Path, kind: Kind = SET) -> None:
    """Remove what killed writers left behind; call it under the lock only."""
    own = [p for pattern in kind.own for p in root.glob(f"{pattern}.tmp-*")]
    own += root.glob(f"{kind.commit}.tmp-*")
    for path in (*own, *(root / RUN).glob("*.tmp-*"), *(root / RUN).glob("*/*.tmp-*")):
        if is_temporary(path):
            path.unlink()


def _prepare(root: Path, recipe: Json, *, force: bool, kind: Kind) -> bool:
    kept = root / RUN / "recipe.json"
    finished = (root / kind.commit).exists()
    if force:
        clear(root, kind)
    elif finished and kind.recipe(root) == digest_recipe(recipe):
        return False
    elif finished or kept.exists():
        _require_same(root, kept, recipe, kind.word if finished else f"unfinished {kind.word}")
    write_atomic(kept, pretty(recipe))
    return True


def _require_same(root: Path, kept: Path, recipe: Json, what: str) -> None:
    try:
        old = json.loads(kept.read_bytes())
    except (OSError, ValueError):
        old = {}
    changed = (
        differences(old, json.loads(pretty(recipe))) if old else ["its recipe is not recorded"]
    )
    if changed:
        # what people know things by comes before digests, and before what follows from the others
        changed.sort(key=lambda told: (told.startswith("names"), bool(_DIGEST.search(told))))
        raise SetError(
            sentence(
                f"no {what} of another recipe",
                f"one where {', '.join(changed[:4])}",
                str(root),
                "choose another --out, or --force to replace it",
            )
        )


def clear(root: Path, kind: Kind = SET) -> None:
    """Remove a set, a model or unfinished work, and nothing that is not transferset's.

    What commits it goes first: from then on there is none.
    """
    (root / kind.commit).unlink(missing_ok=True)
    for pattern in kind.own:
        for path in root.glob(pattern):
            if path.is_file() or path.is_symlink():
                path.unlink()
    for folder in kind.folders:
        with contextlib.suppress(OSError):  # not there, or it holds what is not ours
            (root / folder).rmdir()
    for path in [p for p in (root / RUN).iterdir() if p.name != "lock"]:
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def _leave_nothing_empty(root: Path, kind: Kind) -> None:
    if (root / kind.commit).exists() or any((root / RUN).glob("*/**/*.json")):
        return
    remove_temporaries(root, kind)  # of workers that were stopped while they wrote
    clear(root, kind)
    (root / RUN / "lock").unlink()
    (root / RUN).rmdir()
    if not any(root.iterdir()):
        root.rmdir()
