"""Measures commands as whole process trees, and the machine's own limits.

CPU seconds are user + system of the command and of every process it started, taken from the kernel
when they end (`RUSAGE_CHILDREN`; orphans come back to us as their subreaper, so none is missed).
Peak memory is the largest `VmHWM` that any one process of the tree reached, read every 50 ms.

    python benchmarks/measure.py FILE.xml.bz2        # prints the limits as JSON
"""

from __future__ import annotations

import argparse
import bz2
import contextlib
import ctypes
import importlib.util
import json
import os
import re
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

POLL_S = 0.05
_PR_SET_CHILD_SUBREAPER = 36
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process tree took. Megabytes are 10^6 bytes.

    `peak_mb` is of its largest process, `own_peak_mb` of that without files that it mapped, as far
    as polling saw it.
    """

    cpu_s: float
    wall_s: float
    peak_mb: float
    tree_peak_mb: float
    own_peak_mb: float
    output: str

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.cpu_s + other.cpu_s,
            self.wall_s + other.wall_s,
            max(self.peak_mb, other.peak_mb),
            max(self.tree_peak_mb, other.tree_peak_mb),
            max(self.own_peak_mb, other.own_peak_mb),
            other.output,
        )


class _MemoryWatch(threading.Thread):
    """Follows the memory of all descendants of this process."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.peak_kb = 0
        self.tree_peak_kb = 0
        self.own_peak_kb = 0
        self.done = threading.Event()

    def run(self) -> None:
        """Poll until `done` is set."""
        while not self.done.wait(POLL_S):
            sizes = [_memory_kb(pid) for pid in _descendants(os.getpid())]
            self.peak_kb = max([self.peak_kb, *(peak for peak, _, _ in sizes)])
            self.tree_peak_kb = max(self.tree_peak_kb, sum(now for _, now, _ in sizes))
            self.own_peak_kb = max([self.own_peak_kb, *(own for _, _, own in sizes)])


def _children() -> dict[int, list[int]]:
    """The children of each process that is running."""
    children: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            stat = (path / "stat").read_text()
        except OSError:  # it ended meanwhile
            continue
        parent = int(stat.rpartition(")")[2].split()[1])
        children.setdefault(parent, []).append(int(path.name))
    return children


def _descendants(root: int) -> list[int]:
    children = _children()
    found, todo = [], [root]
    while todo:
        todo += (below := children.get(todo.pop(), []))
        found += below
    return found


def _memory_kb(pid: int) -> tuple[int, int, int]:
    """Peak, present, and present without mapped files."""
    try:
        if Path(f"/proc/{pid}/cmdline").read_bytes() == Path("/proc/self/cmdline").read_bytes():
            return 0, 0, 0  # forked, not yet the command: what it shows is our own memory
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0, 0, 0
    sizes = dict(re.findall(r"^(VmHWM|VmRSS|RssFile):\s+(\d+) kB", status, re.MULTILINE))
    peak, now, files = (int(sizes.get(name, 0)) for name in ("VmHWM", "VmRSS", "RssFile"))
    return peak, now, now - files


def _children_cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _wait_for_orphans(before: Collection[int]) -> None:
    """Wait for what the command left behind, not for processes that were here before it."""
    with contextlib.suppress(ChildProcessError):
        while left := set(_children().get(os.getpid(), [])) - set(before):
            for pid in left:
                os.waitpid(pid, 0)


def measure(command: Sequence[str | Path], environment: Mapping[str, str] | None = None) -> Usage:
    """Run `command` to its end and say what it took; ends the benchmark when it fails."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    watch = _MemoryWatch()
    watch.start()
    before = _children().get(os.getpid(), [])
    cpu, wall = _children_cpu(), time.perf_counter()
    done = subprocess.run(
        [str(word) for word in command],
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    _wait_for_orphans(before)
    cpu, wall = _children_cpu() - cpu, time.perf_counter() - wall
    watch.done.set()
    watch.join()
    if done.returncode:
        raise SystemExit(f"{command} ended with {done.returncode}:\n{done.stderr[-4000:]}")
    peaks = (watch.peak_kb, watch.tree_peak_kb, watch.own_peak_kb)
    return Usage(cpu, wall, *(peak * 1024 / 1e6 for peak in peaks), done.stdout)


def rate(size: int, work: Callable[[], object]) -> dict[str, float]:
    """Megabytes a CPU-second and a second, of work on `size` bytes."""
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return {"mb_per_cpu_s": size / 1e6 / cpu, "mb_per_s": size / 1e6 / wall}


def _read_through(path: Path, threads: int | None) -> int:
    """Decompress to nowhere: by the standard library, or by rapidgzip with so many threads."""
    if threads is None:
        with bz2.open(path, "rb") as file:
            return sum(len(block) for block in iter(lambda: file.read(_BLOCK), b""))
    import rapidgzip

    with rapidgzip.IndexedBzip2File(str(path), parallelization=threads) as file:
        return sum(len(block) for block in iter(lambda: file.read(_BLOCK), b""))


def memcpy() -> dict[str, float]:
    """The rate of copying memory, in blocks larger than the caches."""
    source, target = bytearray(64 * _BLOCK), bytearray(64 * _BLOCK)
    target[:] = source  # touch the pages first
    times = 16

    def copy() -> None:
        for _ in range(times):
            memoryview(target)[:] = source

    return rate(times * len(source), copy)


def limits(path: Path) -> dict[str, dict[str, float]]:
    """MB of XML per CPU-second and per second that this machine cannot pass."""
    size = _read_through(path, None)
    found = {
        "bz2 (standard library)": rate(size, lambda: _read_through(path, None)),
        "memcpy": memcpy(),
    }
    if importlib.util.find_spec("rapidgzip"):
        for threads in (1, 2):
            work = lambda threads=threads: _read_through(path, threads)  # noqa: E731
            found[f"rapidgzip, {threads} thread{'s'[: threads - 1]}"] = rate(size, work)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("file", type=Path)
    json.dump(limits(parser.parse_args().file), sys.stdout)


if __name__ == "__main__":
    main()
