"""Everything that transferset raises on purpose.

    TransfersetError            1  failed: disk, memory, network, a result of zero rows
    ├── UsageError              2  wrong option, unknown tokenizer, step or key
    ├── InputError              3  bad input: not a dump, damaged, wrong checksum
    └── SetError                4  a damaged set, or an existing one of another recipe

The number is the exit code of the command line. 130 means interrupted (resumable).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final


class TransfersetError(Exception):
    """Base of all errors; the message is one sentence that a user can act on."""

    exit_code = 1


class UsageError(TransfersetError):
    """The call itself is wrong: an option, a name, a key."""

    exit_code = 2


class InputError(TransfersetError):
    """The input is not what it should be; the message names file and position."""

    exit_code = 3


class SetError(TransfersetError):
    """A shard set is damaged, or was made by another recipe, or is being written."""

    exit_code = 4


#: Note on a KeyboardInterrupt: the same command goes on with what was done.
RESUMABLE: Final = "what was done is kept"


#: What gives places in a cache the names that people know them by, in all that is told.
NAMED: Final[list[Callable[[str], str]]] = []


def sentence(expected: str, found: str, at: str | None = None, do: str | None = None) -> str:
    """Compose the project's one form of error message.

    Args:
        expected: What should have been there.
        found: What was there instead; control characters are escaped.
        at: Where: `file`, `file:row` or `file, byte N`.
        do: What the reader can do about it.

    Returns:
        `expected E, found F at A; D`.
    """
    where = f" at {printable(at)}" if at else ""
    remedy = f"; {do}" if do else ""
    return f"expected {expected}, found {printable(found)}{where}{remedy}"


def printable(text: str, limit: int = 300) -> str:
    """Escape what could steer a terminal, and cut what would flood it.

    Args:
        text: Text from an input that is not trusted.
        limit: Longest result, in characters.

    Returns:
        The text with control characters and surrogates escaped.
    """
    for renamed in NAMED:
        text = renamed(text)
    escaped = "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode("ascii")
        for c in text[: limit + 1]
    )
    return escaped if len(escaped) <= limit else escaped[: limit - 1] + "…"
