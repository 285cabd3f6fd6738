"""A hub with data sets, on the loopback interface."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import unquote

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class RecordHub:
    """Answers `/api/datasets/REPO[/revision/R]` and `/datasets/REPO/resolve/R/FILE`.

    Attributes:
        asked: Paths of every request.
        served: The bytes that are sent; change them to send others than are listed.
    """

    def __init__(
        self,
        repo: str,
        files: Mapping[str, bytes],
        *,
        licence: Any = "cc-by-sa-3.0",
        listed: Mapping[str, Any] | None = None,
        gated: bool = False,
    ) -> None:
        self.asked: list[str] = []
        self.served = dict(files)
        siblings = [_sibling(name, data) for name, data in files.items()]
        answer = {
            "id": repo,
            "sha": COMMIT,
            "private": False,
            "tags": [],
            "downloads": 0,
            "siblings": siblings,
            "cardData": {"license": licence},
            **(listed or {}),
        }
        self._repo, self._files, self._gated = repo, files, gated
        self._answer = json.dumps(answer).encode()
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def do_HEAD(self) -> None:
                self.send(*hub.answer(self.path), body=False)

            def do_GET(self) -> None:
                self.send(*hub.answer(self.path), body=True)

            def send(self, code: int, data: bytes, more: Mapping[str, str], *, body: bool) -> None:
                self.send_response(code)
                headers = {"X-Repo-Commit": COMMIT, "Content-Length": str(len(data)), **more}
                for key, value in headers.items():
                    self.send_header(key, value)
                self.end_headers()
                if body:
                    self.wfile.write(data)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self.address = f"http://127.0.0.1:{self._server.server_port}"

    def answer(self, asked: str) -> tuple[int, bytes, dict[str, str]]:
        """Status, body and headers for a request."""
        path = unquote(asked.partition("?")[0])
        self.asked.append(path)
        api = f"/api/datasets/{self._repo}"
        name = path.removeprefix(f"/datasets/{self._repo}/resolve/{COMMIT}/")
        if self._gated:
            return 403, b"", {"X-Error-Code": "GatedRepo"}
        if path in (api, f"{api}/revision/main", f"{api}/revision/{COMMIT}"):
            return 200, self._answer, {}
        if path.startswith(f"{api}/revision/"):
            return 404, b"", {"X-Error-Code": "RevisionNotFound"}
        if name != path and name in self.served:
            digest = hashlib.sha256(self._files[name]).hexdigest()
            return 200, self.served[name], {"ETag": f'"{digest}"'}
        return 404, b"", {"X-Error-Code": "RepoNotFound"}

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _sibling(name: str, data: bytes) -> dict[str, Any]:
    digest = hashlib.sha256(data).hexdigest()
    lfs = {"size": len(data), "sha256": digest, "pointerSize": 134}
    return {"rfilename": name, "size": len(data), "blobId": digest[:40], "lfs": lfs}
