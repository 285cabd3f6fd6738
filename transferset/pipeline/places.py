"""Where sets go: never onto, around or into a set that they are made from."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from transferset.errors import UsageError, sentence

#: Longest name of a folder that a set gets by itself.
_LONGEST: Final = 100

_UNSAFE: Final = re.compile(r"[^A-Za-z0-9.+=@_-]")


def folder_name(name: str) -> str:
    """The name of a set, which may have come from anywhere, as the name of a folder."""
    return _UNSAFE.sub("-", name[:_LONGEST]).lstrip(".") or "set"


def require_apart(places: Iterable[Path], sets: Iterable[Path], option: str = "--out") -> None:
    """Refuse to write where that would destroy what is read.

    Args:
        places: Directories that are written, or cleared.
        sets: Directories that are read.
        option: Names the places, for messages.

    Raises:
        UsageError: A place is a set that is read, holds one, or lies inside one; or is no path.
    """
    read = [(one, one.resolve()) for one in sets]
    for place in places:
        real = _resolved(place, option)
        for one, root in read:
            if real == root or real in root.parents or root in real.parents:
                how = "is" if real == root else "holds" if real in root.parents else "lies inside"
                found = f"a place that {how} {one}, which is read"
                do = f"choose another {option}"
                raise UsageError(sentence(f"{option} beside the parents", found, str(place), do))


def _resolved(place: Path, option: str) -> Path:
    try:
        with contextlib.suppress(FileNotFoundError, NotADirectoryError, PermissionError):
            place.lstat()  # what cannot be written is found out by writing
        return place.resolve()
    except (OSError, ValueError, RuntimeError) as error:  # too long, a null byte, links in a circle
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise UsageError(
            sentence(f"{option} as a path", reason or "none", str(place)[:80])
        ) from None
