"""Compiled loops (numba), cached under a digest of the sources that they may be made of.

numba's own cache looks at the file of a function, not at those of the functions inlined into it: a
package that was upgraded, or a kernel that was edited, could go on running old code.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, TypeVar, cast

from blake3 import blake3
from numba import njit
from numba.core import config

F = TypeVar("F", bound=Callable[..., Any])

_SETTINGS: Final[Any] = config  # numba fills this module from the environment

_PREFIX: Final = "kernels-"

#: Caches of older sources are removed after so many seconds.
_OLD: Final = 7 * 24 * 3600


def kernel(function: F) -> F:
    """Compile a function at its first call, without the interpreter's lock, and keep the result."""
    folder = _folder(Path(function.__code__.co_filename).parent)
    if folder is None:
        return cast(F, njit(nogil=True)(function))
    before = _SETTINGS.CACHE_DIR
    _SETTINGS.CACHE_DIR = str(folder)
    try:
        return cast(F, njit(cache=True, nogil=True)(function))
    finally:
        _SETTINGS.CACHE_DIR = before


def inlined(function: F) -> F:
    """Compile a function as part of the kernels that call it."""
    return cast(F, njit(inline="always")(function))


@lru_cache
def _folder(package: Path) -> Path | None:
    """Where the kernels of a package are kept: a folder that its sources name."""
    digest = blake3()
    for path in sorted(package.glob("*.py")):
        digest.update(path.read_bytes())
    name = f"{_PREFIX}{package.name}-{digest.hexdigest()[:16]}"
    for base in _bases(package):
        try:
            (base / name).mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(base / name, os.W_OK):
            os.utime(base / name)
            _forget(base, package.name)
            return base / name
    return None


def _bases(package: Path) -> list[Path]:
    if _SETTINGS.CACHE_DIR:
        return [Path(_SETTINGS.CACHE_DIR)]
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    # no folder that others can write: what is kept there is run
    return [package / "__pycache__", Path(cache) / "transferset"]


def _forget(base: Path, package: str) -> None:
    for path in base.glob(f"{_PREFIX}{package}-*"):
        try:
            if time.time() - path.stat().st_mtime > _OLD:
                shutil.rmtree(path, ignore_errors=True)
        except OSError:  # another process was quicker
            continue
