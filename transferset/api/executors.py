"""Where the tasks of a command run: processes of this machine, or a Ray cluster."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Final

from transferset.errors import UsageError, sentence

if TYPE_CHECKING:
    from transferset.executor import Executor

#: Worker processes on this machine.
PROCESSES: Final = "processes"

#: Workers on the nodes of a Ray cluster.
RAY: Final = "ray"

#: Tokens below which a second process costs more than it saves.
_SMALL: Final = 50_000_000


@contextmanager
def executing(
    executor: str,
    address: str | None,
    workers: int | None,
    *,
    tokens: int | None = None,
    device: str | None = None,
    models: bool = False,
) -> Iterator[Executor]:
    """What runs the tasks of a command, for as long as it lasts.

    Args:
        executor: `processes` or `ray`.
        address: Of the Ray cluster: `local`, `auto` or `HOST:PORT`.
        workers: As the user said, or None.
        tokens: About how many ids are read, where that is what takes time.
        device: That tasks ask models on, as torch names it; None is the processor.
        models: Tasks ask models, whose sums must be rounded alike everywhere.

    Raises:
        UsageError: The options do not fit each other, or Ray is not installed.
    """
    _check(executor, address, workers)
    elsewhere = device not in (None, "cpu")
    if executor == RAY:
        from transferset.cluster import RayExecutor, session

        with session(address, workers):
            yield RayExecutor(workers, devices=int(elsewhere), rounding=models)
        return
    from transferset.executor import LocalExecutor, default_workers

    # starting processes takes longer than reading few tokens; a device serves one process best
    one = elsewhere or (tokens is not None and tokens < _SMALL)
    yield LocalExecutor(workers or (1 if one else default_workers()))


def one_session(
    executor: str, address: str | None, workers: int | None
) -> AbstractContextManager[None]:
    """Keep a cluster for several commands, each of which would start or join it.

    Args and errors are those of `executing`.
    """
    _check(executor, address, workers)
    if executor != RAY:
        return nullcontext()
    from transferset.cluster import session

    return session(address, workers)


def _check(executor: str, address: str | None, workers: int | None) -> None:
    if workers is not None and workers < 1:
        raise UsageError(sentence("--workers of at least 1", str(workers)))
    if executor not in (PROCESSES, RAY):
        raise UsageError(sentence(f"--executor {PROCESSES} or {RAY}", executor))
    if executor == PROCESSES and address is not None:
        do = f"--executor {RAY} takes an address"
        raise UsageError(sentence("no --address", address, do=do))
