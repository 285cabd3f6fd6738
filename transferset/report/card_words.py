"""What made a set, in words that need no more than a name beside them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from transferset.report.wording import made_by

#: Builds, by their command.
BUILT: Final[Mapping[str, str]] = {
    "build wiki": "built from the articles of a MediaWiki dump",
    "build books": "built from books",
    "build text": "built from texts",
    "build task": "built from the examples of task files",
}


def made_in_words(op: str, params: Mapping[str, Any]) -> str:
    """What made a set.

    Args:
        op: `build books`, `derive`, `mix`, …
        params: The manifest's parameters; not yet escaped in the result.
    """
    if op == "mix":
        return "mixed from other sets and shuffled"
    return BUILT.get(op) or made_by(op, params)
