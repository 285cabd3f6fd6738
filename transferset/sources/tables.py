"""Tables of a TOML file, read strictly: no unknown key, none missing, every value checked."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from typing import Any

from transferset.errors import UsageError, printable, sentence

#: Turns a value into the one that is kept; raises UsageError, or ValueError with what it
#: expected.
Check = Callable[[Any], Any]


def read_table(table: object, checks: Mapping[str, tuple[bool, Check]], at: str) -> dict[str, Any]:
    """Read one table.

    Args:
        table: What the TOML file has there.
        checks: For each key whether it is needed, and its check.
        at: File and table, for messages.

    Returns:
        The checked values of the keys that are there.

    Raises:
        UsageError: A key is unknown (the nearest one is named) or missing, a value wrong.
    """
    if not isinstance(table, dict):
        raise UsageError(sentence("a table", type(table).__name__, at))
    for key in table:
        if key not in checks:
            raise _unknown(key, checks, at)
    for key, (needed, _) in checks.items():
        if needed and key not in table:
            raise UsageError(sentence(f"the key {key!r}", "none", at, f"write {key} = …"))
    return {key: _checked(key, value, checks[key][1], at) for key, value in table.items()}


def _unknown(key: str, known: Mapping[str, object], at: str) -> UsageError:
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
    do = f"did you mean {near[0]!r}?" if near else "remove it"
    return UsageError(sentence(f"a key out of {', '.join(known)}", repr(key), at, do))


def _checked(key: str, value: object, check: Check, at: str) -> object:
    try:
        return check(value)
    except ValueError as error:
        raise UsageError(sentence(str(error), repr(value), f"{at}, {key}")) from None
    except UsageError as error:
        raise UsageError(f"{error} ({printable(at)}, {key})") from None


def anything(value: Any) -> Any:
    """Accept a value that is checked elsewhere."""
    return value


def text(value: Any) -> str:
    """Accept a text that is not blank, of at most 4096 characters."""
    if not isinstance(value, str) or not value.strip() or len(value) > 4096:
        raise ValueError("a text of 1 to 4096 characters")
    return value


def matching(pattern: str, expected: str) -> Check:
    """Accept a text that a regular expression matches as a whole."""

    def check(value: Any) -> str:
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            raise ValueError(expected)
        return value

    return check


def then(check: Callable[[str], str]) -> Check:
    """Accept a text that a further function accepts."""
    return lambda value: check(text(value))


def integer(low: int, high: int) -> Check:
    """Accept a whole number from `low` to `high`."""

    def check(value: Any) -> int:
        # A bool is an int to Python, not to the reader of a manifest.
        if type(value) is not int or not low <= value <= high:
            raise ValueError(f"a whole number from {low} to {high}")
        return value

    return check


def number(low: float, high: float) -> Check:
    """Accept a number from `low` to `high`."""

    def check(value: Any) -> float:
        if type(value) not in (int, float) or not low <= value <= high:
            raise ValueError(f"a number from {low:g} to {high:g}")
        return float(value)

    return check
