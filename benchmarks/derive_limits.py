"""What no derivation can pass on this machine, measured on the parent's own files.

    python benchmarks/derive_limits.py SET --work DIR

prints JSON, megabytes (10^6 bytes) a CPU-second and a second in one thread: copying memory,
BLAKE3, writing a file and making it durable, reading the set's shards from the page cache and from
the disk, and both with BLAKE3, which is what a derivation does to its parent.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from blake3 import blake3
from measure import memcpy, rate

BLOCK = 1 << 20
WRITTEN = 1 << 30


def shards_of(root: Path) -> list[Path]:
    """The files that hold the rows."""
    return sorted(root.glob("data-*.arrow"))


def forget(paths: Sequence[Path]) -> None:
    """Have the system drop files from its page cache, so that they are read from the disk."""
    for path in paths:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)  # pages not yet written would stay
            os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(handle)


def read(paths: Sequence[Path], use: Callable[[memoryview], object]) -> None:
    """Read files from start to end, block by block."""
    block = bytearray(BLOCK)
    for path in paths:
        with path.open("rb", buffering=0) as file:
            while count := file.readinto(block):
                use(memoryview(block)[:count])


def write(path: Path, size: int) -> None:
    """Write so many bytes and wait until they are on the disk."""
    block = os.urandom(BLOCK)
    with path.open("wb", buffering=0) as file:
        for _ in range(size // BLOCK):
            file.write(block)
        os.fsync(file.fileno())


def limits(root: Path, work: Path) -> dict[str, dict[str, float]]:
    """Every limit by its name."""
    paths = shards_of(root)
    size = sum(path.stat().st_size for path in paths)
    memory = bytearray(os.urandom(BLOCK)) * 64
    found = {"memcpy": memcpy()}
    found["BLAKE3"] = rate(len(memory), lambda: blake3(memory))
    probe, written = work / "probe.bin", min(WRITTEN, max(BLOCK, size // BLOCK * BLOCK))
    found["write + fsync"] = rate(written, lambda: write(probe, written))
    probe.unlink()
    uses: dict[str, Callable[[memoryview], object]] = {"read": len}
    uses["read + BLAKE3"] = lambda block: blake3(block).digest()
    for name, use in uses.items():
        forget(paths)
        found[f"{name}, disk"] = rate(size, lambda use=use: read(paths, use))
        found[f"{name}, page cache"] = rate(size, lambda use=use: read(paths, use))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("set", type=Path)
    parser.add_argument("--work", type=Path, required=True)
    args = parser.parse_args()
    json.dump(limits(args.set, args.work), sys.stdout)


if __name__ == "__main__":
    main()
