"""`fetch.jsonl`: what was asked, one line a request, for the owner of a site and for the next run.

    {"time": "2026-11-21T14:40:03.250Z", "url": "https://…", "status": 200, "bytes": 717571,
     "waited": 2.0}

Further members: `from` (the address that led here by redirects), `range` (first byte asked
for), `retry_after` (seconds that the server asked for), `error` (no answer came). A request
that is under way when the program is killed leaves no line.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from transferset.errors import TransfersetError
from transferset.sources.cache import on_disk

NAME: Final = "fetch.jsonl"
_TAIL = 16 << 20
_LONGEST = 1e9

_UNREADABLE = (
    *(ValueError, TypeError, KeyError, AttributeError, OverflowError),
    *(RecursionError, TransfersetError),
)


@dataclass
class Memory:
    """What earlier runs learned that still holds.

    Args:
        gone: Addresses that answered 404 or 410, by the time of that.
        left: Time of the last request to each host.
        not_before: When a host said it may be asked again.
    """

    gone: dict[str, float] = field(default_factory=dict)
    left: dict[str, float] = field(default_factory=dict)
    not_before: dict[str, float] = field(default_factory=dict)

    def learn(self, line: dict[str, Any], host: str, now: float, age: float) -> None:
        """Take up a line of the log unless it is of the future or too old to hold."""
        then = datetime.fromisoformat(line["time"]).timestamp()
        if then > now:
            return
        ready = then + min(max(float(line.get("retry_after", 0)), 0.0), _LONGEST)
        if ready > now:  # a day or not: that is what it asked for
            self.not_before[host] = max(ready, self.not_before.get(host, ready))
        if then < now - age:
            return
        self.left[host] = max(then, self.left.get(host, then))
        first = line.get("from", line["url"])
        if line.get("status") in (404, 410):
            self.gone[first] = then
        elif line.get("status") == 200:
            self.gone.pop(first, None)


class FetchLog:
    """Appends to the log; a context manager.

    Args:
        folder: Where it stands.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        with on_disk(self._path):
            self._handle = os.open(
                self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644
            )
        size = os.fstat(self._handle).st_size
        if size and os.pread(self._handle, 1, size - 1) != b"\n":
            os.write(self._handle, b"\n")  # a line that a full disk cut
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        os.close(self._handle)

    def write(self, time: float, line: Mapping[str, object]) -> None:
        """Add a line.

        Args:
            time: When the request was made, seconds since 1970.
            line: Its other members; those that are None are left out.
        """
        stamp = datetime.fromtimestamp(time, UTC).isoformat(timespec="milliseconds")
        members: dict[str, object] = {"time": stamp.replace("+00:00", "Z")}
        members |= {name: value for name, value in line.items() if value is not None}
        with self._lock, on_disk(self._path):
            os.write(self._handle, (json.dumps(members, ensure_ascii=True) + "\n").encode())


def remember(folder: Path, host_of: Callable[[str], str], now: float, age: float) -> Memory:
    """Read what the log of a folder says of the last `age` seconds.

    Args:
        folder: Where the log stands, if there is one.
        host_of: Name of the host of an address.
        now: Seconds since 1970.
        age: Seconds for which it is believed.
    """
    memory = Memory()
    for line in _last_lines(folder / NAME):
        try:
            entry = json.loads(line)
            memory.learn(entry, host_of(entry["url"]), now, age)
        except _UNREADABLE:
            continue  # cut by a kill, or written by somebody else
    return memory


def _last_lines(path: Path) -> Iterator[bytes]:
    if not path.is_file():
        return
    with on_disk(path), path.open("rb") as file:
        start = max(0, path.stat().st_size - _TAIL)
        file.seek(start)
        if start:
            file.readline(_TAIL)
        yield from file
