"""Ctrl-C, or a scheduler's SIGTERM, between two steps, where there is something to keep."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

_HELD: Final = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def deferred() -> Iterator[Callable[[], bool]]:
    """Hold back a first SIGINT or SIGTERM; a second one interrupts at once.

    In the middle of a step weights and moments are half moved: nothing that could be gone on from.

    Yields:
        Whether one came. Outside the main thread, which alone may handle signals, none is held
        back.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    came = threading.Event()
    before = {number: signal.getsignal(number) for number in _HELD}

    def hold(number: int, frame: FrameType | None) -> None:
        if came.is_set():
            raise KeyboardInterrupt
        came.set()

    try:
        for number in _HELD:
            signal.signal(number, hold)
        yield came.is_set
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
