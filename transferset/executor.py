"""Where tasks run: in this process, or in local worker processes."""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing.context import SpawnContext, SpawnProcess
from multiprocessing.popen_spawn_posix import Popen
from multiprocessing.process import BaseProcess
from typing import Any, Protocol, TypeVar

from transferset.errors import TransfersetError

Task = TypeVar("Task")
Result = TypeVar("Result")


class Executor(Protocol):
    """Runs one function over many tasks."""

    def map(self, function: Callable[[Task], Result], tasks: Iterable[Task]) -> Iterator[Result]:
        """Results in the order of the tasks; the first failure is raised.

        Args:
            function: A top-level, picklable callable.
            tasks: Small picklable descriptions of work; data moves through storage.
        """
        ...


@dataclass(frozen=True, slots=True)
class LocalExecutor:
    """Worker processes on this machine; one worker means this process."""

    workers: int

    def map(self, function: Callable[[Task], Result], tasks: Iterable[Task]) -> Iterator[Result]:
        """See `Executor.map`.

        Raises:
            TransfersetError: A worker process died.
        """
        todo = list(tasks)
        if min(self.workers, len(todo)) <= 1:
            return map(function, todo)
        return _map_processes(function, todo, min(self.workers, len(todo)))


def default_workers() -> int:
    """The processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _Worker(SpawnProcess):
    """A spawned process that does not run the user's script again.

    Spawning imports the main module, so a script without `if __name__ == "__main__"` would start
    itself anew in each worker. Tasks are functions of importable modules and need no main module.
    """

    @staticmethod
    def _Popen(process_obj: BaseProcess) -> Popen:  # multiprocessing's name
        main = sys.modules["__main__"]
        hidden = {name: main.__dict__.pop(name, None) for name in ("__file__", "__spec__")}
        main.__spec__ = None
        try:
            return Popen(process_obj)
        finally:
            main.__dict__.update({name: value for name, value in hidden.items() if value})


class _Context(SpawnContext):
    Process = _Worker


def _map_processes(
    function: Callable[[Task], Result], tasks: list[Task], workers: int
) -> Iterator[Result]:
    # spawn: a forked child would inherit the locks of thread pools (tokenizers, Arrow) as they are
    pool = ProcessPoolExecutor(workers, mp_context=_Context(), initializer=_start_worker)
    waiting: deque[Future[Result]] = deque()
    queue = iter(tasks)
    try:
        for task in queue:
            waiting.append(pool.submit(function, task))
            if len(waiting) >= 3 * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool:
        raise TransfersetError(
            "expected workers to finish, found one killed (often: out of memory); run the same "
            "command again to resume, with fewer --workers"
        ) from None
    except BaseException:
        _stop(pool)
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _stop(pool: ProcessPoolExecutor) -> None:
    # running tasks would go on for minutes; their files are temporary until renamed
    processes: dict[int, Any] = getattr(pool, "_processes", None) or {}
    for process in list(processes.values()):
        process.terminate()


def _start_worker() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the driver decides
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    threading.Thread(target=_die_with_parent, daemon=True).start()


def _die_with_parent() -> None:
    # a driver killed with -9 cannot stop its workers, which would go on writing
    parent = multiprocessing.parent_process()
    if parent is not None:
        multiprocessing.connection.wait([parent.sentinel])
        os._exit(1)
