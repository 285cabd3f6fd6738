"""Where tasks run: in this process, or in local worker processes."""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
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


def _map_processes(
    function: Callable[[Task], Result], tasks: list[Task], workers: int
) -> Iterator[Result]:
    # spawn: a forked child would inherit the locks of thread pools (tokenizers, Arrow) as they are
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_start_worker)
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
