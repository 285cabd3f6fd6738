"""What must be alike on all nodes, so that the bytes do not depend on where a task ran."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from transferset.version import __version__

#: Packages that rows go through: on every node, in one version.
_NEEDED: Final = ("numpy", "pyarrow", "numba", "tokenizers", "nupunkt")

#: Those that some tasks go through: in one version where they are installed.
_SOME: Final = ("torch", "transformers", "spacy", "nanotoken", "nltk")

#: What sums of floating-point numbers are rounded by.
_ROUNDING: Final = ("machine", "vectors")

#: Instructions that decide in which order torch and numpy add, the widest first.
_WIDEST: Final = ("avx512f", "avx2", "sve", "asimd")


@lru_cache(maxsize=1)
def environment() -> Mapping[str, str]:
    """What this process runs on: versions by package, `python`, and what rounds sums."""
    found = {"transferset": __version__, "python": ".".join(platform.python_version_tuple()[:2])}
    for package in (*_NEEDED, *_SOME):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return {**found, "machine": platform.machine(), "vectors": _vectors()}


def _vectors() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return "unknown"
    flags = next((line for line in text.splitlines() if line.startswith(("flags", "Features"))), "")
    return next((name for name in _WIDEST if name in flags.split()), "none")


def unlike(here: Mapping[str, str], there: Mapping[str, str], *, rounding: bool) -> list[str]:
    """In what another node differs so that it might give other bytes.

    Args:
        here: `environment` of the driver.
        there: That of the node.
        rounding: Whether sums must be rounded alike too, as in tasks that ask models.

    Returns:
        Words like `numpy 2.4.6, not 2.1.0`; empty if the node will do.
    """
    needed = ("transferset", "python", *_NEEDED, *(_ROUNDING if rounding else ()))
    some = [name for name in _SOME if name in here and name in there]
    return [
        f"{name} {there.get(name, 'missing')}, not {here.get(name, 'missing')}"
        for name in (*needed, *some)
        if here.get(name) != there.get(name)
    ]
