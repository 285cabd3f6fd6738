"""How long one file may take."""

from __future__ import annotations

from collections.abc import Callable

from transferset.errors import sentence
from transferset.sources.books.book_manners import BookManners
from transferset.sources.downloads import Progress
from transferset.sources.manners import Told


class TooSlow(Told):
    """A file that does not come fast enough."""


class Watch:
    """Bounds the time that one file may take, waits not counted.

    Args:
        limits: Limits.
        now: A clock that never jumps, in seconds.
        progress: Told of every block that is in time.
    """

    def __init__(
        self, limits: BookManners, now: Callable[[], float], progress: Progress | None
    ) -> None:
        self._limits = limits
        self._now = now
        self._progress = progress
        self._before = 0.0
        self._seconds = 0.0
        self._first: tuple[float, int] | None = None

    def begin(self) -> None:
        """Another attempt begins."""
        self._before += self._seconds
        self._seconds, self._first = 0.0, None

    def block(self, name: str, there: int, total: int | None) -> None:
        """A block arrived.

        Raises:
            TooSlow: Too late.
        """
        now = self._now()
        first, bytes_then = self._first or (now, there)
        self._first = (first, bytes_then)
        self._seconds = now - first
        if self._before + self._seconds > self._limits.longest_file:
            raise self._slow(name, f"more than {self._limits.longest_file:.0f} s")
        least = self._limits.least_rate * self._seconds
        if self._seconds > self._limits.grace and there - bytes_then < least:
            raise self._slow(name, f"less than {self._limits.least_rate:.0f} bytes/s")
        if self._progress is not None:
            self._progress(name, there, total)

    def _slow(self, name: str, found: str) -> TooSlow:
        do = "run the same command again to resume"
        return TooSlow(sentence("a book in time", found, name, do), f"too slow: {found}")
