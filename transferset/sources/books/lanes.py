"""A lane is the way to one host: one request at a time, none before the host is ready for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from transferset.errors import TransfersetError
from transferset.sources.hosts import origin


@dataclass(frozen=True, slots=True)
class Clock:
    """Two clocks.

    Args:
        wall: Seconds since 1970, for what is written down.
        steady: Seconds that never jump, for waiting.
    """

    wall: Callable[[], float] = time.time
    steady: Callable[[], float] = time.monotonic


@dataclass
class Lane:
    """What is known of one host.

    Args:
        pause: Seconds of rest that it gets after each answer.
        left: When the last answer ended, on the steady clock.
        not_before: When it said it may be asked again, on the steady clock.
        failed: Books that failed one after the other.
        ended: What ended the run here; nothing more is asked.
        sockets: Its open connections by origin, as the watchdog needs them.
        asking: Held during a request.
        ruling: Held while its rules are found out.
    """

    pause: float
    left: float = float("-inf")
    not_before: float = float("-inf")
    failed: int = 0
    ended: TransfersetError | None = None
    sockets: dict[str, Any] = field(default_factory=dict)
    asking: threading.Lock = field(default_factory=threading.Lock)
    ruling: threading.Lock = field(default_factory=threading.Lock)

    def wait(self, now: float) -> float:
        """Seconds until it may be asked."""
        return max(0.0, self.left + self.pause - now, self.not_before - now)


def lane_name(url: httpx.URL) -> str:
    """Name of the host: http and https of a host are one, other ports are others."""
    scheme, host, port = origin(url)
    host = host.lower().rstrip(".")
    return host if (scheme, port) in (("http", 80), ("https", 443)) else f"{host}:{port}"


def origin_name(url: httpx.URL) -> str:
    """The origin of an address, for which one robots.txt holds (RFC 9309, 2.3)."""
    scheme, host, port = origin(url)
    shown = f"[{host}]" if ":" in host else host.lower()
    usual = port == (443 if scheme == "https" else 80)
    return f"{scheme}://{shown}" + ("" if usual else f":{port}")
