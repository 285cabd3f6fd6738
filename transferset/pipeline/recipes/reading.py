"""Recipes and settings as TOML."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Final

from transferset.errors import UsageError, sentence
from transferset.sources.local import is_file
from transferset.toml import LONGEST_LINE, read_toml, too_deep

#: Bytes of a recipe; one of a thousand sets has as many.
MOST_BYTES: Final = 64 << 10


def load_toml(path: Path) -> dict[str, Any]:
    """Read a recipe's file.

    Args:
        path: A TOML file of at most `MOST_BYTES`.

    Returns:
        Its tables, unchecked but for their depth.

    Raises:
        UsageError: There is no such file.
        InputError: It is too large or too deep, or not TOML in UTF-8.
    """
    if not is_file(path):
        raise UsageError(sentence("a recipe (.toml)", "no such file", str(path)))
    try:
        return read_toml(path, MOST_BYTES)
    except OSError as error:
        raise UsageError(sentence("a recipe", str(error.strerror), str(path))) from None


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
    return value if usual and not too_deep(parsed) else text
