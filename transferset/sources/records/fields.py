"""Which field of a record is its text."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from transferset.errors import UsageError, printable, sentence

#: What the text is called where nobody says; taken when a file has exactly one of them.
USUAL: Final = ("content", "contents", "document", "raw_content", "body", "article")

#: What it is called before all others.
TEXT: Final = "text"

_SHOWN = 20


def find_field(strings: Collection[str], at: str) -> str:
    """Find the field that holds the text.

    Args:
        strings: Names of the fields that hold strings, in the file's order.
        at: The file, for the message.

    Returns:
        `text` if there is one, else the only one of `USUAL`.

    Raises:
        UsageError: There is none, or more than one.
    """
    if TEXT in strings:
        return TEXT
    found = [name for name in strings if name in USUAL]
    if len(found) == 1:
        return found[0]
    what = "a field text" if not found else "one field that is the text"
    raise _unclear(what, strings, at, "say --field NAME")


def check_field(field: str, strings: Collection[str], at: str) -> None:
    """Check that a file has the field that was named.

    Raises:
        UsageError: It has not.
    """
    if field not in strings:
        raise _unclear(f"a field {printable(field)} of strings", strings, at, "correct --field")


def _unclear(what: str, strings: Collection[str], at: str, do: str) -> UsageError:
    names = list(strings)
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    found = f"the string fields {', '.join(names[:_SHOWN])}{more}" if names else "no strings"
    return UsageError(sentence(what, found, at, do))


def dig(row: Mapping[str, Any], field: str) -> Any:
    """The member `field` of a parsed object; `meta.text` is also `text` inside of `meta`.

    Raises:
        KeyError: There is none.
    """
    if field in row:
        return row[field]
    name, dot, rest = field.partition(".")
    inner = row.get(name)
    if not dot or not isinstance(inner, dict):
        raise KeyError(field)
    return dig(inner, rest)
