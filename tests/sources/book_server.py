"""Servers of books on loopback, a clock that only waiting moves, and what a test asks of them."""

from __future__ import annotations

import hashlib
import ssl
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
from web_server import Act, Handler, Stage, cut_after, serving, well

from transferset.sources.books.book_manners import BookManners
from transferset.sources.books.fetch import Fetched, fetch_books
from transferset.sources.books.lanes import Clock

ME = "me@example.org"
BOOK = b"It is a truth universally acknowledged, and so on.\n" * 400
OTHER = BOOK.upper()
START = 1_800_000_000.0


class Time:
    """Seconds since 1970; `sleep` moves them and takes none."""

    def __init__(self) -> None:
        self.now = START
        self.waits: list[float] = []
        self._lock = threading.Lock()

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.now += seconds
            self.waits.append(seconds)

    @property
    def clock(self) -> Clock:
        return Clock(lambda: self.now, lambda: self.now)


@dataclass
class Server:
    """A server whose acts are told for each path; a path's last act goes on for ever."""

    stage: Stage
    time: Time
    acts: dict[str, deque[Act]] = field(default_factory=dict)
    asked: list[tuple[str, float]] = field(default_factory=list)

    def dispatch(self, to: Handler) -> None:
        self.asked.append((to.path, self.time.now))
        acts = self.acts.get(to.path)
        act = well if not acts else acts.popleft() if len(acts) > 1 else acts[0]
        act(to)

    def play(self, path: str, *acts: Act) -> None:
        self.acts[path] = deque(acts)

    def book(self, name: str, content: bytes = BOOK) -> Entry:
        self.stage.files[f"/{name}"] = content
        return Entry(f"{self.root}/{name}")

    def robots(self, text: str | bytes) -> None:
        self.stage.files["/robots.txt"] = text.encode() if isinstance(text, str) else text

    @property
    def root(self) -> str:
        return self.stage.root

    @property
    def paths(self) -> list[str]:
        return [path for path, _ in self.asked]

    def count(self, path: str) -> int:
        return self.paths.count(path)

    @property
    def gaps(self) -> list[float]:
        times = [time for _, time in self.asked]
        return [after - before for before, after in pairwise(times)]


@dataclass(frozen=True)
class Entry:
    url: str
    alternatives: tuple[str, ...] = ()
    sha256: str | None = None
    size: int | None = None
    id: int | None = None
    title: str = "A book"


@contextmanager
def book_server(time: Time) -> Iterator[Server]:
    with serving() as stage:
        server = Server(stage, time)
        stage.always = server.dispatch
        yield server


FAST = BookManners(tries=4, read_timeout=0.3, connect_timeout=2.0)


def fetch(
    server: Server, folder: Path, *entries: Entry, also: tuple[str, ...] = (), **more: Any
) -> Fetched:
    """Fetch with a clock of the server's time."""
    options: dict[str, Any] = {
        "contact": ME,
        "named": (server.root, *also),
        "manners": FAST,
        # Reading the system's certificates takes longer than all else in most of these tests.
        "transport": httpx.HTTPTransport(verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)),
        "sleep": server.time.sleep,
        "clock": server.time.clock,
    }
    return fetch_books(entries, folder, **(options | more))


def reason(got: Fetched) -> str:
    """Why the only book could not be had."""
    assert got.files == (None,)
    return got.unavailable[0].reason


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def well_again(to: Handler) -> None:
    cut_after(10**9)(to)
