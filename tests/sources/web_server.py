"""A web server on loopback that plays well and ill behaved servers, and keeps count."""

from __future__ import annotations

import hashlib
import random
import re
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from transferset.sources.slots import RemoteFile


@dataclass
class Asked:
    path: str
    headers: dict[str, str]
    status: int = 0
    served: int = 0  # bytes of the body


@dataclass
class Stage:
    """What the server has, and what it does out of turn.

    `script` holds one act for each of the next requests; when it is empty the server
    behaves well: Range, If-Range, ETag, Content-Length.
    """

    root: str
    files: dict[str, bytes] = field(default_factory=dict)
    script: deque[Act] = field(default_factory=deque)
    always: Act | None = None
    asked: list[Asked] = field(default_factory=list)
    open_now: int = 0
    open_most: int = 0

    @property
    def served(self) -> list[int]:
        return [asked.served for asked in self.asked]

    @property
    def statuses(self) -> list[int]:
        return [asked.status for asked in self.asked]

    @property
    def ranges(self) -> list[str | None]:
        return [asked.headers.get("range") for asked in self.asked]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    stage: Stage
    lock: threading.Lock

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        headers = {key.lower(): value for key, value in self.headers.items()}
        self.now = Asked(self.path, headers)
        with self.lock:
            self.stage.asked.append(self.now)
            self.stage.open_now += 1
            self.stage.open_most = max(self.stage.open_most, self.stage.open_now)
            act = self.stage.script.popleft() if self.stage.script else self.stage.always
        try:
            (act or well)(self)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
        finally:
            with self.lock:
                self.stage.open_now -= 1

    @property
    def content(self) -> bytes | None:
        return self.stage.files.get(self.path)

    def head(self, status: int, length: int | None = None, **headers: str) -> None:
        self.now.status = status
        self.send_response(status)
        if length is not None:
            self.send_header("Content-Length", str(length))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def body(self, content: bytes) -> None:
        for at in range(0, len(content), 16384):
            piece = content[at : at + 16384]
            self.wfile.write(piece)
            self.now.served += len(piece)


Act = Callable[[Handler], None]


def etag(content: bytes) -> str:
    return f'"{hashlib.sha256(content).hexdigest()[:12]}"'


def well(to: Handler, cut: int | None = None, pause: float = 0.0) -> None:
    content = to.content
    if content is None:
        to.head(404, 0)
        return
    start = range_start(to, content)
    if start >= len(content) > 0 and start:
        to.head(416, 0, Content_Range=f"bytes */{len(content)}")
        return
    answer = {"ETag": etag(content), "Content-Type": "application/octet-stream"}
    if start:
        answer["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
    to.head(206 if start else 200, len(content) - start, **answer)
    send = content[start:] if cut is None else content[start : start + cut]
    for at in range(0, len(send), 65536):
        to.body(send[at : at + 65536])
        time.sleep(pause)
    if cut is not None:
        to.close_connection = True


def range_start(to: Handler, content: bytes) -> int:
    match = re.fullmatch(r"bytes=(\d+)-", to.headers.get("Range", ""))
    if match and to.headers.get("If-Range", etag(content)) == etag(content):
        return int(match[1])
    return 0


def cut_after(count: int) -> Act:
    return lambda to: well(to, cut=count)


def slowly(pause: float) -> Act:
    return lambda to: well(to, pause=pause)


def status(code: int, **headers: str) -> Act:
    return lambda to: to.head(code, 0, **headers)


def redirect(location: str) -> Act:
    return status(302, Location=location)


def whole(to: Handler) -> None:
    """Range ignored: 200 and everything."""
    content = to.content or b""
    to.head(200, len(content))
    to.body(content)


def page(to: Handler) -> None:
    text = b"<html>You are sending too many requests.</html>"
    to.head(200, len(text), Content_Type="text/html; charset=utf-8")
    to.body(text)


def silent(to: Handler) -> None:
    time.sleep(0.6)
    to.close_connection = True


def saying(code: int, content: bytes, **headers: str) -> Act:
    def act(to: Handler) -> None:
        to.head(code, len(content), **headers)
        to.body(content)

    return act


def without_length(content: bytes) -> Act:
    def act(to: Handler) -> None:
        to.head(200, None, Connection="close")
        to.body(content)
        to.close_connection = True

    return act


CONTENT = random.Random(1).randbytes(300_000)
OTHER = random.Random(2).randbytes(300_000)


def wanted(stage: Stage, content: bytes, name: str = "big.bin") -> RemoteFile:
    """A file of the server, with size and digest."""
    sha1 = hashlib.sha1(content).hexdigest()
    return RemoteFile(f"{stage.root}/{name}", name, len(content), {"sha1": sha1})


def unpinned(stage: Stage) -> RemoteFile:
    """The same without."""
    return RemoteFile(f"{stage.root}/big.bin", "big.bin")


class Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        if not isinstance(sys.exception(), ConnectionError):  # clients of these tests hang up
            super().handle_error(request, client_address)  # type: ignore[arg-type]


@contextmanager
def serving() -> Iterator[Stage]:
    class Playing(Handler):
        lock = threading.Lock()

    server = Quiet(("127.0.0.1", 0), Playing)
    Playing.stage = Stage(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield Playing.stage
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
