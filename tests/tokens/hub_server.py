"""A hub with one repository, on the loopback interface."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Hub:
    """Serves `/REPO/resolve/main/FILE` with the headers that huggingface_hub reads."""

    def __init__(self, repo: str, files: Mapping[str, bytes], *, silent: bool = False) -> None:
        self.asked: set[str] = set()
        self.requests = 0
        self._free = threading.Event()
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def do_HEAD(self) -> None:
                hub.requests += 1
                if silent:
                    hub._free.wait(10)
                    return
                self.answer(body=False)

            def do_GET(self) -> None:
                hub.requests += 1
                self.answer(body=True)

            def answer(self, *, body: bool) -> None:
                owner, _, name = self.path.partition("/resolve/")
                name = name.partition("/")[2]
                hub.asked.add(name)
                data = files.get(name) if owner == f"/{repo}" else None
                self.send_response(404 if data is None else 200)
                if data is None:
                    code = "EntryNotFound" if owner == f"/{repo}" else "RepoNotFound"
                    self.send_header("X-Error-Code", code)
                    data = b""
                self.send_header("X-Repo-Commit", COMMIT)
                self.send_header("ETag", f'"{hashlib.sha1(data).hexdigest()}"')
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                if body:
                    self.wfile.write(data)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self.address = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._free.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
