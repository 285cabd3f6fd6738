"""The driver's side: tasks are sent to a cluster, and their results come back in order."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Generic

from transferset.cluster.apart import Sent, send_ahead
from transferset.cluster.environment import environment
from transferset.cluster.node import Outcome, Setting, lock_of, run_task
from transferset.cluster.session import is_local, join, may_be_apart, met
from transferset.errors import TransfersetError, sentence
from transferset.executor import Result, Task
from transferset.holding import RUN
from transferset.stage import Job
from transferset.storage import travelling

#: How often a task is begun whose worker or node is lost.
_TRIES: Final = 4

#: Tasks at once for each processor: the next one waits on its node when one ends.
_QUEUED: Final = 2

#: Tasks that may be ahead of the one that is waited for, as a multiple of those at once.
_AHEAD: Final = 4

#: Seconds without a result after which it is asked whether there are nodes left.
_PATIENCE: Final = 30.0

#: Seconds that stopped tasks have to end, so that none writes on when the directory is free.
_STOPPING: Final = 20.0

#: Folder of the logs, a file a task, below `_run/`.
LOGS: Final = "logs"


@dataclass(frozen=True, slots=True)
class RayExecutor:
    """Workers on the nodes of the session's Ray cluster; see `executor.Executor`.

    Attributes:
        workers: Tasks at once; None is what the cluster has processors (or devices) for.
        devices: Accelerators that each task has for itself.
        rounding: Nodes must round sums alike, since tasks ask models.
    """

    workers: int | None = None
    devices: int = 0
    rounding: bool = False

    def map(self, function: Callable[[Task], Result], tasks: Iterable[Task]) -> Iterator[Result]:
        """See `Executor.map`.

        A task whose worker or node is lost is begun anew, a few times; what its function raises
        is raised here at once.

        Raises:
            TransfersetError: A task has lost its worker too often; no node is left; nodes differ
                in what decides bytes.
        """
        todo = list(tasks)
        return _Flights(self, function, todo).results() if todo else iter(())


@dataclass(slots=True)
class _Flights(Generic[Task, Result]):
    """Tasks of one stage on their way."""

    executor: RayExecutor
    function: Callable[[Task], Result]
    tasks: list[Task]
    ray: Any = None
    submit: Any = None
    sent: tuple[Sent, ...] = ()
    at_once: int = 0
    begun: int = 0
    tries: dict[int, int] = field(default_factory=dict)
    flying: dict[Any, int] = field(default_factory=dict)
    done: dict[int, Result] = field(default_factory=dict)

    def results(self) -> Iterator[Result]:
        """Results in the order of the tasks."""
        self._prepare()
        try:
            for wanted in range(len(self.tasks)):
                while wanted not in self.done:
                    self._begin_more(wanted)
                    self._wait()
                yield self.done.pop(wanted)
        except BaseException:
            self._stop()
            raise

    def _prepare(self) -> None:
        self.ray = join()
        devices = self.executor.devices
        self.at_once = self.executor.workers or _QUEUED * self._places()
        first = self.tasks[0]
        if isinstance(first, Job) and not is_local():
            self.sent = send_ahead(first.root, spills=may_be_apart())
        self.submit = self.ray.remote(run_task).options(
            num_cpus=1, num_gpus=devices, max_retries=0, scheduling_strategy="SPREAD"
        )

    def _places(self) -> int:
        """How many tasks the cluster can run at once; at least one."""
        total = self.ray.cluster_resources()
        devices = self.executor.devices
        places = int(min(total.get("CPU", 0), total.get("GPU", 0) if devices else 1 << 30))
        if places:
            return places
        expected = "a node with an accelerator" if devices else "a node with a processor"
        do = "add nodes to the cluster, and run the same command again"
        raise TransfersetError(sentence(expected, "none left in the cluster", do=do))

    def _begin_more(self, wanted: int) -> None:
        last = min(len(self.tasks), wanted + _AHEAD * self.at_once)
        while self.begun < last and len(self.flying) < self.at_once:
            self._begin(self.begun)
            self.begun += 1

    def _begin(self, ordinal: int) -> None:
        task = self.tasks[ordinal]
        self.tries[ordinal] = self.tries.get(ordinal, 0) + 1
        setting = Setting(
            environment(), self.executor.rounding, str(Path.cwd()), lock_of(task), self.sent
        )
        _note(task, "sent", attempt=self.tries[ordinal])
        self.flying[self.submit.remote(travelling.pack((self.function, task)), setting)] = ordinal

    def _wait(self) -> None:
        ready, _ = self.ray.wait(list(self.flying), num_returns=1, timeout=_PATIENCE)
        if not ready:
            self._places()
        for one in ready:
            self._land(one, self.flying.pop(one))

    def _land(self, flight: Any, ordinal: int) -> None:
        failed = self.ray.exceptions
        lost = (
            failed.WorkerCrashedError,
            failed.LocalRayletDiedError,
            failed.NodeDiedError,
            failed.ObjectLostError,
            failed.OutOfMemoryError,
        )
        try:
            outcome: Outcome = self.ray.get(flight)
        except lost as error:
            self._begin_anew(ordinal, error)
        except failed.RayError as error:
            _note(self.tasks[ordinal], "failed", error=str(error))
            raise _cause(error) from error
        else:
            _note(
                self.tasks[ordinal],
                "done",
                node=outcome.node,
                process=outcome.process,
                seconds=outcome.seconds,
                **({"printed": outcome.printed} if outcome.printed else {}),
            )
            met(apart=outcome.apart)
            self.done[ordinal] = outcome.result

    def _begin_anew(self, ordinal: int, error: Exception) -> None:
        reason = _first_line(error)
        _note(self.tasks[ordinal], "lost", error=reason)
        if self.tries[ordinal] >= _TRIES:
            found = f"one that lost its worker {_TRIES} times ({reason})"
            do = "run the same command again to resume, with fewer --workers or more memory"
            raise TransfersetError(sentence("tasks to finish", found, do=do)) from error
        self._begin(ordinal)

    def _stop(self) -> None:
        # running tasks would go on for minutes; their files are temporary until renamed
        if not self.flying or not self.ray.is_initialized():
            return
        with suppress(self.ray.exceptions.RayError, RuntimeError):
            for flight in self.flying:
                self.ray.cancel(flight, force=True)
            self.ray.wait(list(self.flying), num_returns=len(self.flying), timeout=_STOPPING)


def _cause(error: Exception) -> Exception:
    """What a task raised; in one sentence, if Ray itself did."""
    cause = getattr(error, "cause", None)
    if isinstance(cause, TransfersetError | OSError | MemoryError):
        return cause
    told = _first_line(error if cause is None else cause)
    if "failed to import" in str(error) or isinstance(cause, ModuleNotFoundError):
        do = "install on all nodes what the driver has"
        return TransfersetError(sentence("transferset on every node", told, do=do))
    if isinstance(cause, Exception) and not type(cause).__module__.startswith("ray"):
        return cause
    do = "look at the logs of Ray, and run the same command again to resume"
    return TransfersetError(sentence("tasks to finish", told, do=do))


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines() or [""]
    return f"{type(error).__name__}: {lines[0].strip()}"[:300]


def _note(task: object, event: str, **facts: object) -> None:
    """Append a line to the log of a task."""
    if not isinstance(task, Job):
        return
    line = {"time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "event": event, **facts}
    path = task.root / RUN / LOGS / f"{task.stage}-{task.ordinal:05d}.jsonl"
    with suppress(OSError):  # a full disk must not hide what is being logged
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a") as file:
            file.write(json.dumps(line) + "\n")
