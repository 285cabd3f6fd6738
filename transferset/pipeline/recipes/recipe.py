"""A recipe, read and checked: nothing in it is wrong that can be seen without making a set."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from math import prod
from pathlib import Path
from typing import Any, Final

from transferset.errors import UsageError, sentence
from transferset.pipeline.recipes.commands import (
    COMMANDS,
    OF_THE_USER,
    Command,
    Functions,
    checks_of,
    keys_of,
)
from transferset.pipeline.recipes.kinds import KINDS, SET, Kind
from transferset.pipeline.recipes.matrix import MOST_JOBS, Axis, axes_of
from transferset.pipeline.recipes.reading import load_toml
from transferset.pipeline.recipes.references import Reference, Scope
from transferset.pipeline.recipes.reporting import FIGURES, RECORD
from transferset.pipeline.recipes.settings import (
    MATRIX,
    REPORT,
    RESERVED,
    Draft,
    apply_settings,
    unknown,
)
from transferset.sources.tables import Check, matching, read_table, text

_NAME: Final = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
_NAMED: Final = "1 to 64 letters, digits, - _ and ., a letter or digit first"


@dataclass(frozen=True, slots=True)
class Variant:
    """A table with the values of its own axes filled in.

    Attributes:
        params: What the command's function is given; `Reference` for sets and models.
    """

    params: Mapping[str, Any]

    def references(self) -> list[Reference]:
        """The sets and models that this one is made from."""
        values = [v if isinstance(v, tuple) else (v,) for v in self.params.values()]
        return [one for value in values for one in value if isinstance(one, Reference)]


@dataclass(frozen=True, slots=True)
class Table:
    """`[set.NAME]` or `[model.NAME]`.

    Attributes:
        name: The set's, or the model's.
        command: What makes it.
        axes: Names of the axes that fill a key of it.
        variants: One for each choice of values, by their labels.
    """

    name: str
    command: Command
    axes: tuple[str, ...]
    variants: Mapping[tuple[str, ...], Variant]

    @property
    def header(self) -> str:
        """As the file has it."""
        return self.command.makes.header(self.name)


@dataclass(frozen=True, slots=True)
class Report:
    """`[report]`: which sets, where the page goes, whether figures go to files too."""

    sets: tuple[Reference, ...]
    file: str = "report.html"
    figures: bool = False
    parent: Reference | None = None


@dataclass(frozen=True, slots=True)
class Recipe:
    """A recipe with the user's settings.

    Attributes:
        path: The file.
        description: For people.
        tables: By name, those of sets first, in the file's order.
        axes: Of the matrix.
        report: None is no report.
    """

    path: Path
    description: str
    tables: Mapping[str, Table]
    axes: tuple[Axis, ...] = ()
    report: Report | None = field(default=None)


def read_recipe(path: Path, settings: Sequence[str], functions: Functions) -> Recipe:
    """Read a recipe, put the user's settings in, and check every table.

    Args:
        path: The TOML file; paths in it are relative to its folder.
        settings: See `settings.apply_settings`.
        functions: By command; their signatures say what a table may state.

    Returns:
        The recipe.

    Raises:
        UsageError: A name, key or value is wrong; the message names table and key.
        InputError: The file is too large, or not TOML.
    """
    top = read_table(load_toml(path), _TOP, str(path))
    draft = _draft(top, path, functions)
    apply_settings(draft, settings)
    axes = axes_of(draft, str(path))
    scope = Scope(path.parent, draft.kinds)
    tables = {name: _table(name, draft, axes, scope, path, functions) for name in draft.tables}
    return Recipe(path, top.get("description", ""), tables, axes, _report(draft, scope, path))


def _draft(top: Mapping[str, Any], path: Path, functions: Functions) -> Draft:
    found = [(name, kind) for kind in KINDS.values() for name in top.get(kind.name, {})]
    if not found:
        headers = " or ".join(kind.header("NAME") for kind in KINDS.values())
        raise UsageError(sentence(f"at least one table {headers}", "none", str(path)))
    _check_names(found, path)
    tables, keys = {}, {}
    for name, kind in found:
        table, at = top[kind.name][name], f"{path}, {kind.header(name)}"
        command = _command(table, name, kind, at)
        _check_of_user(table, name, at)
        tables[name] = dict(table)
        keys[name] = keys_of(command, functions[command.name])
    return Draft(tables, dict(found), keys, dict(top.get(MATRIX, {})), top.get(REPORT))


def _check_names(found: Sequence[tuple[str, Kind]], path: Path) -> None:
    """One namespace: a name is a folder, and what other tables refer to."""
    seen: set[str] = set()
    for name, kind in found:
        at = f"{path}, {kind.header(name)}"
        if not re.fullmatch(_NAME, name):
            raise UsageError(sentence(f"a name of {_NAMED}", repr(name), at))
        first = name.partition(".")[0]
        if first in RESERVED:
            raise UsageError(sentence("a name of its own", f"that of a table, {first}", at))
        # two folders where capitals count, one where they do not
        if name.casefold() in seen:
            raise UsageError(sentence("names that differ in more than capitals", name, at))
        seen.add(name.casefold())


def _command(table: object, name: str, kind: Kind, at: str) -> Command:
    if not isinstance(table, dict):
        raise UsageError(sentence("a table", type(table).__name__, at))
    written = str(table.get("command", "none"))
    command = COMMANDS.get(written)
    if command is None:
        known = [one.name for one in COMMANDS.values() if one.makes == kind]
        raise unknown("a command", written, known, at)
    if command.makes != kind:
        found = f"{written!r}, which makes a {command.makes.name}"
        do = f"write {command.makes.header(name)}"
        raise UsageError(sentence(f"a command that makes a {kind.name}", found, at, do))
    return command


def _check_of_user(table: Mapping[str, Any], name: str, at: str) -> None:
    for key in OF_THE_USER:
        if key in table:
            do = f"give it with --set {name}.{key}=…"
            raise UsageError(sentence(f"a recipe without {key}", repr(table[key]), at, do))


def _table(
    name: str,
    draft: Draft,
    axes: Sequence[Axis],
    scope: Scope,
    path: Path,
    functions: Functions,
) -> Table:
    at = f"{path}, {draft.header(name)}"
    command = COMMANDS[draft.tables[name]["command"]]
    checks = checks_of(command, functions[command.name], scope)
    own = [axis for axis in axes if name in axis.tables]
    if prod(len(axis.choices) for axis in own) > MOST_JOBS:
        raise UsageError(sentence(f"at most {MOST_JOBS:,} variants", "more", at))
    variants = {}
    for labels in product(*(axis.choices for axis in own)):
        filled = {axis.key: axis.choices[label] for axis, label in zip(own, labels, strict=True)}
        params = read_table({**draft.tables[name], **filled}, checks, at)
        del params["command"]
        _check_stated(command, params, at)
        variants[labels] = Variant(params)
    return Table(name, command, tuple(axis.name for axis in own), variants)


def _check_stated(command: Command, params: Mapping[str, Any], at: str) -> None:
    if command.some and not any(key in params for key in command.some):
        raise UsageError(sentence(" or ".join(command.some), "none of them", at))
    found = [key for key in command.either if key in params]
    both = len(found) > 1 and not str(params.get("preset")).startswith("jiao2019:")
    if command.either and (not found or both):
        expected = f"one of {', '.join(command.either)}"
        raise UsageError(sentence(expected, " and ".join(found) or "none of them", at))


def _report(draft: Draft, scope: Scope, path: Path) -> Report | None:
    if draft.report is None:
        return None

    def some(value: object) -> tuple[Reference, ...]:
        if not isinstance(value, list) or not value:
            raise ValueError("a list of names of sets")
        return tuple(scope.reference(one, SET) for one in value)

    checks: dict[str, tuple[bool, Check]] = {
        "sets": (False, some),
        "file": (False, matching(_NAME, f"a file name of {_NAMED}")),
        "figures": (False, _flag),
        "parent": (False, scope.refer(SET)),
    }
    at = f"{path}, [{REPORT}]"
    every = [name for name, kind in draft.kinds.items() if kind == SET]
    values = read_table({"sets": every, **draft.report}, checks, at)
    report = Report(**values)
    page = report.file.casefold()
    if page == FIGURES:
        raise UsageError(sentence("a file", f"the folder of the {FIGURES}", f"{at}, file"))
    taken = {page, page + RECORD, FIGURES}
    for name, kind in draft.kinds.items():
        if name.casefold() in taken:
            raise UsageError(sentence("a place of its own", f"that of the {kind.name} {name}", at))
    return report


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


def _tables(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict) or not value:
        raise ValueError("at least one table with a NAME in it")
    return value


def _a_table(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("a table")
    return value


_TOP: Final[Mapping[str, tuple[bool, Check]]] = {
    "description": (False, text),
    **dict.fromkeys(KINDS, (False, _tables)),
    MATRIX: (False, _a_table),
    REPORT: (False, _a_table),
}
