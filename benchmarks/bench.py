"""What all parts of the benchmark share: files, interpreters, interleaved runs."""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from inflate import inflate
from measure import measure

HERE = Path(__file__).parent
TINY = 100_000  # bytes of XML in the dump that shows what starting up takes


class Bench:
    """The files, tools and number of runs of one benchmark."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.dump: Path = args.dump
        self.work: Path = args.work
        self.runs: int = args.runs
        self.workers: list[int] = args.workers
        self.tokenizer: str = args.tokenizer
        self.tools: list[str] = args.tools
        self.peers: Path | None = args.peers_python
        self.name = f"wiki-{args.size // 10**6}MB-seed{args.seed}"
        self.clean_size: int = args.clean_size
        self.size: int = args.size
        self.seed: int = args.seed

    def has(self, tool: str) -> bool:
        """Is the tool asked for, and is there an interpreter for it?"""
        return tool in self.tools and (tool == "transferset" or self.peers is not None)

    def python(self, tool: str) -> str:
        """The interpreter that has the tool."""
        return sys.executable if tool == "transferset" else str(self.peers)

    def file(self, layout: str, name: str | None = None) -> Path:
        """The made dump as `plain` XML, in a `single` bzip2 stream or in many (`multi`)."""
        tail = {"plain": ".xml", "single": ".xml.bz2", "multi": "-multistream.xml.bz2"}
        return self.work / f"{name or self.name}{tail[layout]}"

    def prepare(self) -> None:
        """Make the dumps, unless an earlier run left them."""
        for name, size in ((self.name, self.size), ("tiny", TINY)):
            done = self.work / f"{name}.made"
            if not done.exists():
                inflate(self.dump, self.work, name, size, self.seed)
                done.touch()

    def interleaved(self, cases: list[Any], run: Callable[[Any], Any]) -> dict[Any, list[Any]]:
        """Results of `run` on each case, all cases once before any case again."""
        return interleaved(self.runs, cases, run)


def interleaved(runs: int, cases: list[Any], run: Callable[[Any], Any]) -> dict[Any, list[Any]]:
    """Results of `run` on each case, all cases once before any case again."""
    results: dict[Any, list[Any]] = {case: [] for case in cases}
    for number in range(runs):
        for case in cases:
            print(f"run {number + 1}/{runs}: {case}", file=sys.stderr, flush=True)
            results[case].append(run(case))
    return results


def machine() -> dict[str, Any]:
    """What the figures depend on."""
    models = re.findall(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    return {"cpu": models[0] if models else platform.machine(), "cores": os.cpu_count()}


def versions(peers: Path | None, names: Sequence[str]) -> dict[str, str]:
    """Of our interpreter, and of what is installed for the peers'."""
    ask = (
        "import importlib.metadata as m, sys, json; json.dump({n: m.version(n)"
        " for n in sys.argv[1:]}, sys.stdout)"
    )
    found = {"python": platform.python_version()}
    if peers:
        found |= json.loads(measure([peers, "-c", ask, *names]).output)
    return found


def number_list(text: str) -> list[int]:
    """`1,2` → [1, 2]."""
    return [int(word) for word in text.split(",")]


def words(text: str) -> list[str]:
    """`a,b` → ["a", "b"]."""
    return text.split(",")
