"""Ends a request whose answer does not begin in time.

A read timeout does not: a server that sends a byte of its headers every minute keeps it from
running out for days.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from types import TracebackType
from typing import Any, Self

import httpx

_STREAMS = ("connection.connect_tcp.complete", "connection.start_tls.complete")


class Watchdog:
    """Shuts the connection of one request unless it is left in time; a context manager.

    Args:
        seconds: How long it may take to be left.
        request: The request; its `trace` extension tells which connection is opened for it.
        sockets: The open connection of each origin, for those that are used again.
        origin: Name of the request's origin.
    """

    def __init__(
        self, seconds: float, request: httpx.Request, sockets: dict[str, Any], origin: str
    ) -> None:
        self._timer = threading.Timer(seconds, self._bite)
        self._timer.daemon = True
        self._sockets = sockets
        self._origin = origin
        request.extensions["trace"] = self._trace

    def _trace(self, event: str, info: dict[str, Any]) -> None:
        if event in _STREAMS:
            self._sockets[self._origin] = info["return_value"].get_extra_info("socket")

    def _bite(self) -> None:
        connection = self._sockets.get(self._origin)
        if connection is not None:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._timer.cancel()
