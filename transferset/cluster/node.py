"""The node's side: one task, on whatever machine it was sent to."""

from __future__ import annotations

import contextlib
import io
import os
import time
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from transferset.cluster.apart import Sent, enter, hand_in
from transferset.cluster.environment import environment, unlike
from transferset.errors import TransfersetError, sentence
from transferset.holding import RUN
from transferset.stage import Job
from transferset.storage import travelling

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
        sent: What the driver has sent ahead for nodes that do not.
    """

    environment: Mapping[str, str]
    rounding: bool
    folder: str
    lock: bytes | None
    sent: tuple[Sent, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a task.

    Attributes:
        result: Of its function.
        apart: The node does not see the driver's files.
        node: Number of the machine in its cluster.
        process: Of the worker.
        seconds: By the clock.
        printed: The end of what it wrote on its outputs, warnings included.
    """

    result: Any
    apart: bool
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
        result, apart = _run(raw, setting)
    seconds = round(time.perf_counter() - began, 3)
    told = printed.getvalue()[-_PRINTED:]
    return Outcome(result, apart, _node(), os.getpid(), seconds, told)


def _node() -> str:
    import ray  # which is there: it runs this

    return str(ray.get_runtime_context().get_node_id())


def _run(raw: bytes, setting: Setting) -> tuple[Any, bool]:
    found = unlike(setting.environment, environment(), rounding=setting.rounding)
    if found:
        do = "install on all nodes what the driver has"
        raise TransfersetError(sentence("equal nodes", ", ".join(found), os.uname().nodename, do))
    with contextlib.suppress(OSError):  # who has no such folder has no file in it either
        os.chdir(setting.folder)
    inputs: list[Path] = []
    function, task = travelling.unpack(raw, inputs)
    if not isinstance(task, Job) or _lock(task.root) == setting.lock:
        return function(task), False
    enter(task, setting.sent, inputs)
    result = function(task)
    hand_in(task)
    return result, True


def lock_of(task: object) -> bytes | None:
    """What stands in the lock of the directory that a task writes to, here."""
    return _lock(task.root) if isinstance(task, Job) else None


def _lock(root: Path) -> bytes | None:
    try:
        return (root / RUN / "lock").read_bytes()
    except OSError:
        return None
