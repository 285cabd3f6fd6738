"""A process that a test may kill, and that need not import torch anew."""

from __future__ import annotations

import os
import signal
import time
import warnings
from collections.abc import Callable
from pathlib import Path


def killed_when(ready: Callable[[], bool], work: Callable[[], object]) -> bool:
    """Do `work` in a copy of this process, and kill that as soon as `ready`; whether it was."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # threads of pytest's, which wait
        child = os.fork()
    if child == 0:
        code = 1
        os.environ["TOKENIZERS_PARALLELISM"] = "false"  # its threads were not copied
        try:
            work()
            code = 0
        finally:
            os._exit(code)  # nothing of the tests goes on here
    status, deadline = (0, 0), time.monotonic() + 120
    while status[0] == 0:
        if time.monotonic() > deadline or ready():
            os.kill(child, signal.SIGKILL)
            status = os.waitpid(child, 0)
        else:
            time.sleep(0.002)
            status = os.waitpid(child, os.WNOHANG)
    assert time.monotonic() < deadline
    return os.WIFSIGNALED(status[1])


def lines_of(path: Path) -> int:
    """Lines of a file that may not be there yet."""
    return path.read_bytes().count(b"\n") if path.exists() else 0
