"""`[matrix]`: one recipe, several values of a parameter."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from transferset.errors import UsageError, sentence
from transferset.pipeline.recipes.commands import OF_THE_USER
from transferset.pipeline.recipes.settings import MATRIX, Draft, open_tables, unknown

#: Most sets and models that a recipe may come to.
MOST_JOBS: Final = 10_000

#: Characters of a label: it becomes part of a folder's name.
LONGEST_LABEL: Final = 60

_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._%+-]")


@dataclass(frozen=True, slots=True)
class Axis:
    """A parameter that takes several values.

    Attributes:
        name: `seed`, or `small.seed` for one table; part of folders' names.
        key: The parameter.
        tables: Names of those that it fills.
        choices: Values by label.
    """

    name: str
    key: str
    tables: tuple[str, ...]
    choices: Mapping[str, Any]


def axes_of(draft: Draft, file: str) -> tuple[Axis, ...]:
    """Read the table `[matrix]`.

    `seed = [1, 2]` fills every set and model that takes a seed and states none; `small.seed =
    [1, 2]` fills one. A table gives values that are no plain ones a label: `[matrix.steps]` with
    `shuffled = [{ shuffle = true }]`.

    Args:
        draft: The recipe, settings applied.
        file: For messages.

    Returns:
        The axes, in the recipe's order.

    Raises:
        UsageError: A key that no table takes or leaves open, or values that are none.
    """
    single = {
        (name, key)
        for name, inner in draft.matrix.items()
        if name in draft.tables and isinstance(inner, dict)
        for key in inner
    }
    axes = []
    for table, key, value in _entries(draft):
        name = f"{table}.{key}" if table else key
        at = f"{file}, [{MATRIX}], {name}"
        if key in OF_THE_USER:
            raise UsageError(sentence("a key of a recipe", repr(key), at, "give it with --set"))
        tables = [table] if table else open_tables(draft, key, at)
        if table:
            _check_open(draft, table, key, at)
        else:
            tables = [one for one in tables if (one, key) not in single]
        if not tables:
            raise UsageError(sentence(f"a set or model whose {key} is left open", "none", at))
        axes.append(Axis(name, key, tuple(tables), _choices(value, at)))
    return tuple(axes)


def _entries(draft: Draft) -> Iterator[tuple[str, str, Any]]:
    """Table (or none), key and value of each axis."""
    for key, value in draft.matrix.items():
        if key in draft.tables and isinstance(value, dict):
            yield from ((key, inner, choices) for inner, choices in value.items())
        else:
            yield "", key, value


def _check_open(draft: Draft, name: str, key: str, at: str) -> None:
    if key not in draft.keys[name]:
        raise unknown("a key", key, draft.keys[name], at)
    if key in draft.tables[name]:
        do = "remove it there, or here"
        raise UsageError(sentence(f"{key} stated once", f"also in {draft.header(name)}", at, do))


def _choices(value: Any, at: str) -> dict[str, Any]:
    if isinstance(value, list):
        if any(isinstance(one, list | dict) for one in value):
            do = f"give them labels: a table [{MATRIX}.KEY] with LABEL = value"
            raise UsageError(sentence("a list of plain values", "lists or tables in it", at, do))
        pairs = [(_written(one), one) for one in value]
    elif isinstance(value, dict):
        pairs = list(value.items())
    else:
        raise UsageError(sentence("a list of values, or a table LABEL = value", repr(value), at))
    choices = {_UNSAFE.sub("_", label): one for label, one in pairs}
    if not 1 <= len(pairs) <= MOST_JOBS:
        raise UsageError(sentence(f"1 to {MOST_JOBS:,} values", str(len(pairs)), at))
    if len({label.casefold() for label in choices}) < len(pairs):
        raise UsageError(sentence("values that give different folders", "equal ones", at))
    for label in choices:
        if not 1 <= len(label) <= LONGEST_LABEL:
            expected = f"labels of 1 to {LONGEST_LABEL} characters"
            raise UsageError(sentence(expected, repr(label), at))
    return choices


def _written(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
