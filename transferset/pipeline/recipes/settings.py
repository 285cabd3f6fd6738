"""`--set`: values that a run puts in place of those in the recipe."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from transferset.errors import UsageError, sentence
from transferset.pipeline.recipes.commands import PATHS
from transferset.pipeline.recipes.kinds import KINDS, Kind
from transferset.pipeline.recipes.reading import parse_value
from transferset.pipeline.recipes.references import WORDS, there

#: Tables beside those of sets and models.
MATRIX: Final = "matrix"
REPORT: Final = "report"

#: What a setting may begin with instead of a name; no name begins so.
RESERVED: Final = (*KINDS, MATRIX, REPORT)


@dataclass(slots=True)
class Draft:
    """The tables of a recipe before they are checked.

    Attributes:
        tables: By name, those of sets first.
        kinds: What each of them makes.
        keys: What each of them may state.
        matrix: What fans out.
        report: The report's table; None is no report.
    """

    tables: dict[str, dict[str, Any]]
    kinds: Mapping[str, Kind]
    keys: Mapping[str, Collection[str]]
    matrix: dict[str, Any]
    report: dict[str, Any] | None

    def header(self, name: str) -> str:
        """As the file has it: `[set.NAME]`."""
        return self.kinds[name].header(name)


def apply_settings(draft: Draft, settings: Sequence[str]) -> None:
    """Change a draft as the user wants; of equal settings the last one holds.

    Args:
        draft: Is changed.
        settings: `NAME.key=value` for one set or model, or `set.NAME.key=value` as the file has it;
            `key=value` for all that take the key and do not state it; `matrix.key=[…]` and
            `report.key=value` for those tables.

    Raises:
        UsageError: No such table or key.
    """
    values = dict(_parsed(setting) for setting in settings)
    for key in sorted(values, key=lambda key: "." not in key):  # what is meant for one set first
        _apply(draft, key, values[key])


def _parsed(setting: str) -> tuple[str, Any]:
    key, equals, value = setting.partition("=")
    if not equals or not key.strip():
        expected = "--set NAME.key=value or --set key=value"
        raise UsageError(sentence(expected, repr(setting)))
    return key.strip(), parse_value(value.strip())


def _apply(draft: Draft, key: str, value: Any) -> None:
    table, _, rest = key.partition(".")
    if table == MATRIX and rest:
        name, dot, inner = rest.rpartition(".")
        place = draft.matrix.setdefault(name, {}) if dot else draft.matrix
        if not isinstance(place, dict):
            raise UsageError(sentence(f"a table [matrix.{name}]", repr(place), f"--set {key}"))
        place[inner] = value
    elif table == REPORT and rest:
        draft.report = {**(draft.report or {}), rest: value}
    elif rest:
        _set_one(draft, key, value)
    else:
        _set_all(draft, key, value)


def _set_one(draft: Draft, key: str, value: Any) -> None:
    written, _, inner = key.rpartition(".")
    name, known = _meant(draft, written)
    if name not in known:
        raise unknown("a set or model", name, known, f"--set {key}")
    if inner not in draft.keys[name]:
        raise unknown("a key", inner, draft.keys[name], f"--set {key}")
    draft.tables[name][inner] = _from_here(draft, inner, value)


def _meant(draft: Draft, written: str) -> tuple[str, list[str]]:
    """The name in `NAME` or `set.NAME`, and out of which names it must be."""
    first, dot, rest = written.partition(".")
    if dot and first in KINDS:
        return rest, [name for name, kind in draft.kinds.items() if kind == KINDS[first]]
    return written, list(draft.tables)


def _set_all(draft: Draft, key: str, value: Any) -> None:
    for name in open_tables(draft, key, f"--set {key}"):
        draft.tables[name][key] = _from_here(draft, key, value)


def open_tables(draft: Draft, key: str, at: str) -> list[str]:
    """The sets and models that take a key and do not state it.

    Args:
        draft: The recipe.
        key: A parameter.
        at: Who asks, for messages.

    Raises:
        UsageError: There is none.
    """
    takes = [name for name in draft.tables if key in draft.keys[name]]
    if not takes:
        raise unknown("a key", key, {k for keys in draft.keys.values() for k in keys}, at)
    found = [name for name in takes if key not in draft.tables[name]]
    if not found:
        do = f"write {takes[0]}.{key} to change that one"
        expected = f"a set or model that takes {key} and leaves it open"
        raise UsageError(sentence(expected, "none", at, do))
    return found


def unknown(what: str, found: str, known: Collection[str], at: str) -> UsageError:
    """The error for a name that is not there; it tells the nearest one."""
    near = difflib.get_close_matches(found, known, n=1, cutoff=0.5)
    do = f"did you mean {near[0]!r}?" if near else None
    return UsageError(sentence(f"{what} out of {', '.join(sorted(known))}", repr(found), at, do))


def _from_here(draft: Draft, key: str, value: Any) -> Any:
    may_be_path = key in PATHS and isinstance(value, str) and value not in WORDS
    if not may_be_path or value.partition("/")[0] in draft.tables:
        return value
    return str(there(Path.cwd(), value) or value)
