"""TOML from strangers: bounded in size, and in what reading it may cost."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Final

from transferset.errors import InputError, UsageError, sentence
from transferset.sources.local import is_file

#: Bytes of a recipe; one of a thousand sets has as many.
MOST_BYTES: Final = 64 << 10

#: Characters of a line. `tomllib` takes time and memory by the square of a dotted key's length:
#: 64 KiB of `a.a.a…` in one line cost 24 s, in lines of this length 2.5 s at worst.
LONGEST_LINE: Final = 1000

#: Tables within tables; a recipe needs seven.
DEEPEST: Final = 16


def load_toml(path: Path) -> dict[str, Any]:
    """Read a recipe's file.

    Args:
        path: A TOML file of at most `MOST_BYTES`, in lines of at most `LONGEST_LINE`.

    Returns:
        Its tables, unchecked but for their depth.

    Raises:
        UsageError: There is no such file.
        InputError: It is too large or too deep, or not TOML in UTF-8.
    """
    if not is_file(path):
        raise UsageError(sentence("a recipe (.toml)", "no such file", str(path)))
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise UsageError(sentence("a recipe", str(error.strerror), str(path))) from None
    if len(content) > MOST_BYTES:
        raise InputError(sentence(f"a recipe of at most {MOST_BYTES:,} bytes", "more", str(path)))
    try:
        text = content.decode("utf-8")
        _check_lines(text, path)
        tables = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(sentence("TOML in UTF-8", str(error), str(path))) from None
    if _too_deep(tables):
        raise InputError(sentence(f"tables up to {DEEPEST} deep", "deeper ones", str(path)))
    return tables


def parse_value(text: str) -> Any:
    """The value of a setting: TOML if it is that (`128`, `true`, `["a", "b"]`), else the text.

    Args:
        text: As typed.
    """
    if len(text) > LONGEST_LINE:
        return text
    try:
        parsed = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):
        return text
    value = parsed.get("value")
    # a line break could bring other keys along; and no key of a recipe is a date
    usual = len(parsed) == 1 and isinstance(value, str | int | float | list | dict)
    return value if usual and not _too_deep(parsed) else text


def _check_lines(text: str, path: Path) -> None:
    for number, line in enumerate(text.split("\n"), start=1):
        if len(line) > LONGEST_LINE:
            expected = f"lines of at most {LONGEST_LINE:,} characters"
            raise InputError(sentence(expected, f"{len(line):,}", f"{path}, line {number}"))


def _too_deep(value: object) -> bool:
    level = [value]
    for _ in range(DEEPEST):
        inner: list[object] = []
        for one in level:
            if isinstance(one, dict | list):
                inner += one.values() if isinstance(one, dict) else one
        level = inner
    return any(isinstance(one, dict | list) for one in level)
