"""TOML from strangers: bounded in size, and in what reading it may cost."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Final

from transferset.errors import InputError, sentence

#: Characters of a line. `tomllib` takes time and memory by the square of a dotted key's length:
#: 64 KiB of `a.a.a…` in one line cost 24 s, in lines of this length 2.5 s at worst.
LONGEST_LINE: Final = 1000

#: Tables within tables.
DEEPEST: Final = 16


def read_toml(path: Path, most_bytes: int) -> dict[str, Any]:
    """Read a TOML file.

    Args:
        path: The file.
        most_bytes: It may have so many.

    Returns:
        Its tables, unchecked but for their depth.

    Raises:
        InputError: It is too large or too deep, or not TOML in UTF-8.
        OSError: It cannot be read.
    """
    if path.exists() and not (path.is_file() or path.is_dir()):  # a pipe would be waited for
        raise InputError(sentence("a TOML file", "no plain file", str(path)))
    with path.open("rb") as file:
        content = file.read(most_bytes + 1)
    if len(content) > most_bytes:
        raise InputError(sentence(f"at most {most_bytes:,} bytes", "more", str(path)))
    try:
        text = content.decode("utf-8")
        _check_lines(text, path)
        tables = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(sentence("TOML in UTF-8", str(error), str(path))) from None
    if too_deep(tables):
        raise InputError(sentence(f"tables up to {DEEPEST} deep", "deeper ones", str(path)))
    return tables


def _check_lines(text: str, path: Path) -> None:
    for number, line in enumerate(text.split("\n"), start=1):
        if len(line) > LONGEST_LINE:
            expected = f"lines of at most {LONGEST_LINE:,} characters"
            raise InputError(sentence(expected, f"{len(line):,}", f"{path}, line {number}"))


def too_deep(value: object) -> bool:
    """Tell whether tables and lists stand deeper than `DEEPEST` in each other."""
    level = [value]
    for _ in range(DEEPEST):
        inner: list[object] = []
        for one in level:
            if isinstance(one, dict | list):
                inner += one.values() if isinstance(one, dict) else one
        level = inner
    return any(isinstance(one, dict | list) for one in level)
