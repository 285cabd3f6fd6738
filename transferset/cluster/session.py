"""Joining a Ray cluster, or starting one here, and leaving it again."""

from __future__ import annotations

import logging
import os
import re
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from transferset.errors import TransfersetError, UsageError, sentence
from transferset.executor import default_workers

#: A cluster on this machine alone, that ends with the command; and the one that this machine is in.
LOCAL: Final = "local"
AUTO: Final = "auto"

#: Bytes of Ray's object store on this machine, the least that it takes: data moves through files.
_STORE: Final = 80 << 20

#: How often a cluster is started here: Ray gives each of its processes half a minute, which is not
#: enough on a busy machine.
_STARTS: Final = 3

_ADDRESS: Final = re.compile(r"(?!\w+://)[^\s/]+:\d{1,5}")

#: How Ray behaves unless the user has said otherwise. It reads this when it is imported.
_HABITS: Final = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # tasks that ask for no device see what there is
}

#: How a cluster behaves that is started here: its workers are as important as those of
#: `LocalExecutor`, and it uses the loopback interface only (the name is of systems where that is
#: the default).
_LOCAL_HABITS: Final = {
    "RAY_worker_niceness": "0",
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
}


@dataclass(slots=True)
class _Session:
    """Of this process: Ray has one cluster a process.

    Attributes:
        address: Of the cluster; None is no session.
        workers: Processors of a cluster that is started here.
        depth: Sessions within each other.
        ours: Ray was joined by the session, not by the user's program.
        apart: Whether a node was met that does not see the driver's files; None: none was met.
    """

    address: str | None = None
    workers: int | None = None
    depth: int = 0
    ours: bool = False
    apart: bool | None = None


_session = _Session()


@contextmanager
def session(address: str | None, workers: int | None = None) -> Iterator[None]:
    """Work with a cluster; it is joined when the first task comes, and left at the end.

    A session within a session goes on with the same cluster.

    Args:
        address: `local` starts a cluster on this machine, for the session only; `auto` joins the
            one that this machine is a node of; `HOST:PORT` joins that one.
        workers: Processors of a cluster that is started here; None is all.

    Raises:
        UsageError: It is no address, or Ray is not installed.
    """
    _require_address(address)
    if not _session.depth:
        _session.address, _session.workers, _session.apart = address, workers, None
    load_ray()
    _session.depth += 1
    try:
        yield
    finally:
        _session.depth -= 1
        if not _session.depth and _session.ours:
            load_ray().shutdown()
            _session.ours = False


def load_ray() -> Any:
    """The package.

    Raises:
        UsageError: It is not installed.
    """
    more = _LOCAL_HABITS if _session.address == LOCAL else {}
    for name, value in {**_HABITS, **more}.items():
        os.environ.setdefault(name, value)
    try:
        import ray
    except ImportError as error:
        do = "pip install 'transferset[ray]'"
        raise UsageError(sentence("Ray for --executor ray", "none", do=do)) from error
    return ray


def join() -> Any:
    """The package, with this process joined to the session's cluster.

    Raises:
        TransfersetError: There is no such cluster, or it cannot be started.
    """
    ray = load_ray()
    if not ray.is_initialized():  # else the user's program has joined one, and will leave it
        with _own_signals():
            _join(ray, str(_session.address))
        _session.ours = True
    return ray


def _join(ray: Any, address: str) -> None:
    quiet = {"log_to_driver": False, "logging_level": logging.ERROR}
    new = {
        "num_cpus": _session.workers or default_workers(),
        "include_dashboard": False,
        "object_store_memory": _STORE,
        "_node_ip_address": "127.0.0.1",
    }
    options = {**quiet, **(new if address == LOCAL else {})}
    for left in reversed(range(_STARTS if address == LOCAL else 1)):
        try:
            ray.init(address=address, **options)
            return
        except Exception as error:  # which Ray raises when it waited in vain
            ray.shutdown()
            if not left:
                raise _no_cluster(address, error) from error


def _no_cluster(address: str, error: Exception) -> TransfersetError:
    found = str(error).strip().partition("\n")[0] or type(error).__name__
    do = "start one by `ray start --head`, or take --address local"
    if address == LOCAL:
        do = "run the same command again, or take --executor processes"
    return TransfersetError(sentence(f"a Ray cluster ({address})", found, do=do))


@contextmanager
def _own_signals() -> Iterator[None]:
    """Keep what a SIGTERM does: Ray makes it end the process without unwinding."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def is_local() -> bool:
    """Whether the cluster was started here: all of its nodes are this machine."""
    return _session.address == LOCAL


def may_be_apart() -> bool:
    """Whether there may be nodes that do not see the driver's files."""
    return not is_local() and _session.apart is not False


def met(*, apart: bool) -> None:
    """Note what a node was like."""
    _session.apart = bool(_session.apart) or apart


def _require_address(address: str | None) -> None:
    expected = "--address local, auto or HOST:PORT"
    if address is None:
        raise UsageError(sentence(expected, "none", do="local starts a cluster on this machine"))
    if address not in (LOCAL, AUTO) and not _ADDRESS.fullmatch(address):
        do = "run the command on a node of the cluster"
        raise UsageError(sentence(expected, address, do=do))
