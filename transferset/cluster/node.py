"""The node's side: one task, on whatever machine it was sent to."""

from __future__ import annotations

import contextlib
import io
import json
import os
import time
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from transferset.cluster.environment import environment, unlike
from transferset.errors import TransfersetError, sentence
from transferset.holding import RUN
from transferset.stage import Job
from transferset.storage import travelling
from transferset.storage.cache import settle
from transferset.storage.mounts import remote, ship

#: Characters that a task's log keeps of what it printed: the last ones.
_PRINTED: Final = 10_000


@dataclass(frozen=True, slots=True)
class Setting:
    """What a node is told of the driver.

    Attributes:
        environment: What the node's must be like.
        rounding: Whether it must round sums alike.
        folder: From which relative paths are meant.
        lock: What stands in the lock of the directory that is made, by which a node knows whether
            it sees the driver's; None: there is none.
    """

    environment: Mapping[str, str]
    rounding: bool
    folder: str
    lock: bytes | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a task.

    Attributes:
        result: Of its function.
        node: Number of the machine in its cluster.
        process: Of the worker.
        seconds: By the clock.
        printed: The end of what it wrote on its outputs, warnings included.
    """

    result: Any
    node: str
    process: int
    seconds: float
    printed: str


def run_task(raw: bytes, setting: Setting) -> Outcome:
    """Run one task in a worker of Ray.

    Args:
        raw: Function and task, from `travelling.pack`.
        setting: What the driver expects.

    Raises:
        TransfersetError: This node is not like the driver's, or cannot reach its files.
    """
    began = time.perf_counter()
    printed = io.StringIO()
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    with redirect_stdout(printed), redirect_stderr(printed):
        result = _run(raw, setting)
    seconds = round(time.perf_counter() - began, 3)
    return Outcome(result, _node(), os.getpid(), seconds, printed.getvalue()[-_PRINTED:])


def _node() -> str:
    import ray  # which is there: it runs this

    return str(ray.get_runtime_context().get_node_id())


def _run(raw: bytes, setting: Setting) -> Any:
    found = unlike(setting.environment, environment(), rounding=setting.rounding)
    if found:
        do = "install on all nodes what the driver has"
        raise TransfersetError(sentence("equal nodes", ", ".join(found), os.uname().nodename, do))
    with contextlib.suppress(OSError):  # who has no such folder has no file in it either
        os.chdir(setting.folder)
    function, task = travelling.unpack(raw)
    if not isinstance(task, Job):
        return function(task)
    apart = _lock(task.root) != setting.lock
    if apart:
        _require_url(task.root)
        (task.root / RUN / task.stage).mkdir(parents=True, exist_ok=True)
    result = function(task)
    if apart:
        _hand_in(task)
    return result


def lock_of(task: object) -> bytes | None:
    """What stands in the lock of the directory that a task writes to, here."""
    return _lock(task.root) if isinstance(task, Job) else None


def _lock(root: Path) -> bytes | None:
    try:
        return (root / RUN / "lock").read_bytes()
    except OSError:
        return None


def _require_url(root: Path) -> None:
    if remote(root) is None:
        found = f"another {root} on {os.uname().nodename}"
        do = "name a folder on a file system that all nodes share, or an s3:// URL"
        raise TransfersetError(sentence("one --out on all nodes", found, do=do))


def _hand_in(job: Job[Any]) -> None:
    """Send what was written to its URL, the receipt last: with it the task is done."""
    receipt = json.loads(job.receipt.read_bytes())
    outputs = [output["file"] for output in receipt["outputs"]]
    ship(job.root, [*outputs, str(job.receipt.relative_to(job.root))])
    for name in outputs:
        settle(job.root / name)
