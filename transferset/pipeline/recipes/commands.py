"""What a table of a recipe may state: the parameters of its command's function, and their types.

They are read off the function's signature, so that recipes, Python and the command line cannot
drift apart.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from transferset.pipeline.recipes.kinds import EXPORTED, MODEL, SET, Kind
from transferset.pipeline.recipes.references import Scope
from transferset.sources.tables import Check, text

#: The functions of the API by the name of their command; and `report`.
Functions = Mapping[str, Callable[..., Any]]

#: Parameters that belong to a run, not to what it makes.
OF_THE_RUN: Final = (*("out", "workers", "executor", "address", "force", "progress", "revalidate"),)

#: Parameters by which a user vouches for a place or says who asks: `--set` only. A recipe from
#: elsewhere must not write outside OUT, nor reach into the user's network.
OF_THE_USER: Final = ("cache", "mirror", "contact")

#: Parameters that name a set or a model, of this recipe or elsewhere, whatever the command.
REFERENCES: Final[Mapping[str, Kind]] = {
    "src": SET,
    "fit": SET,
    "validation": SET,
    "model": MODEL,
    "base": MODEL,
    "teacher": MODEL,
}

#: Keys whose value may be a path; in a setting it is seen from where the user is.
PATHS: Final = ("from", "source", "eval", "tokenizer", "config", "student", *REFERENCES)


@dataclass(frozen=True, slots=True)
class Command:
    """A command that makes a set, a model or an export.

    Attributes:
        name: As on the command line.
        parameter: What its function calls the input.
        key: What a recipe calls it.
        either: Keys of which a table states exactly one.
        some: Keys of which a table states at least one.
        makes: What its function returns.
    """

    name: str
    parameter: str
    key: str
    either: tuple[str, ...] = ()
    some: tuple[str, ...] = ()
    makes: Kind = SET


COMMANDS: Final[Mapping[str, Command]] = {
    command.name: command
    for command in (
        Command("build wiki", "source", "source"),
        Command("build books", "inputs", "source"),
        Command("build text", "inputs", "source"),
        Command("build task", "inputs", "source"),
        Command("derive", "src", "from", either=("steps", "preset")),
        Command("mix", "sources", "from"),
        Command("lm fit", "src", "from", either=("model", "config"), makes=MODEL),
        Command("lm sample", "src", "from", some=("rows", "preset")),
        Command("label", "src", "from"),
        Command("teacher fit", "src", "from", makes=MODEL),
        Command("finetune", "src", "from", makes=MODEL),
        Command("export", "src", "from", makes=EXPORTED),
        Command("distill", "src", "from", some=("student", "preset"), makes=MODEL),
    )
}


def keys_of(command: Command, function: Callable[..., Any]) -> tuple[str, ...]:
    """The keys that a table of this command may have, besides `command`."""
    return tuple(_checks(command, function, Scope(Path(), {})))


def checks_of(
    command: Command, function: Callable[..., Any], scope: Scope
) -> dict[str, tuple[bool, Check]]:
    """For `sources.tables.read_table`: the keys of a table, and what their values must be."""
    return {"command": (True, text), **_checks(command, function, scope)}


def _checks(
    command: Command, function: Callable[..., Any], scope: Scope
) -> dict[str, tuple[bool, Check]]:
    special: dict[str, Check] = {
        "source": scope.located,
        "inputs": scope.located_all,
        "eval": scope.located_all,
        "tokenizer": scope.located,
        "config": scope.file,
        "student": scope.student,
        "embeddings": scope.vectors,
        "sources": scope.weighted(SET),
        "steps": scope.steps,
    }
    found: dict[str, tuple[bool, Check]] = {}
    for name, parameter in inspect.signature(function).parameters.items():
        # those of a derivation; a training has a number of steps
        check = (
            None if name == "steps" and "int" in str(parameter.annotation) else special.get(name)
        )
        check = check or _reference(name, parameter, scope)
        check = check or _by_type(parameter.annotation)
        if name not in OF_THE_RUN and check is not None:
            is_input = name == command.parameter
            needed = is_input or parameter.default is inspect.Parameter.empty
            found[command.key if is_input else name] = (needed, check)
    return found


def _reference(name: str, parameter: inspect.Parameter, scope: Scope) -> Check | None:
    """A check for a parameter that names a set or a model, or several if it takes a sequence."""
    if name not in REFERENCES:
        return None
    some = "Sequence" in str(parameter.annotation)
    return (scope.refer_some if some else scope.refer)(REFERENCES[name])


_TYPES: Final[Mapping[str, tuple[tuple[type, ...], str]]] = {
    "bool": ((bool,), "true or false"),
    "int": ((int,), "a whole number"),
    "float": ((float, int), "a number"),
    "str": ((str,), "a text"),
    "Path": ((str,), "a text"),
}


def _by_type(annotation: object) -> Check | None:
    """A check for a parameter like `int | None`, or one text or several; None for no TOML value."""
    written = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    kinds = [_TYPES[kind.strip()] for kind in written.split("|") if kind.strip() in _TYPES]
    if not kinds:
        return None
    expected = " or ".join(dict.fromkeys(words for _, words in kinds))
    some = "Sequence[str]" in written

    def check(value: Any) -> Any:
        if some and isinstance(value, list) and value:
            return tuple(check(one) for one in value)
        # the very type: a bool is an int to Python, not to the reader of a manifest
        if not any(type(value) in types for types, _ in kinds):
            raise ValueError(expected)
        if isinstance(value, int) and not -(1 << 63) <= value < 1 << 64:
            raise ValueError("a number of 64 bits")
        return text(value) if isinstance(value, str) else value

    return check
