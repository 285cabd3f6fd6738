"""What a table of a recipe may state: the parameters of its command's function, and their types.

They are read off the function's signature, so that recipes, Python and the command line cannot
drift apart.
"""

from __future__ import annotations

import difflib
import inspect
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, cast

from transferset.errors import UsageError, sentence
from transferset.manifest import MANIFEST
from transferset.sources.local import is_file
from transferset.sources.tables import Check, text
from transferset.steps import ReplaceLm, Step, parse_steps

#: The functions of the API by the name of their command; and `report`.
Functions = Mapping[str, Callable[..., Any]]

#: Parameters that belong to a run, not to a set.
OF_THE_RUN: Final = ("out", "workers", "force", "progress", "revalidate")

#: Parameters by which a user vouches for a place or says who asks: `--set` only. A recipe from
#: elsewhere must not write outside OUT, nor reach into the user's network.
OF_THE_USER: Final = ("cache", "mirror", "contact")

#: The packaged sample, as source and as tokenizer.
DEMO: Final = "demo"

_WEIGHTED: Final = re.compile(r"(.+):(\d{1,12}(?:\.\d{0,12})?%?|\.\d{1,12}%?)")


@dataclass(frozen=True, slots=True)
class Command:
    """A command that makes a set.

    Attributes:
        name: As on the command line.
        parameter: What its function calls the input.
        key: What a recipe calls it.
        either: Keys of which a table states exactly one.
    """

    name: str
    parameter: str
    key: str
    either: tuple[str, ...] = ()


COMMANDS: Final[Mapping[str, Command]] = {
    command.name: command
    for command in (
        Command("build wiki", "source", "source"),
        Command("build books", "inputs", "source"),
        Command("build text", "inputs", "source"),
        Command("build task", "inputs", "source"),
        Command("derive", "src", "from", either=("steps", "preset")),
        Command("mix", "sources", "from"),
    )
}


@dataclass(frozen=True, slots=True)
class Reference:
    """A set that a table names.

    Attributes:
        written: As in the recipe.
        name: Of this recipe's set; empty for one elsewhere.
        part: Which of its sets, if it splits.
        path: Of a set elsewhere.
        weight: In a mix, as written.
    """

    written: str
    name: str = ""
    part: str = ""
    path: Path | None = None
    weight: str | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """What the names in a recipe may refer to.

    Attributes:
        folder: Where the recipe stands; its paths are relative to that.
        names: Its sets.
    """

    folder: Path
    names: Collection[str]

    def reference(self, value: object) -> Reference:
        """A set of this recipe (`NAME`, `NAME/PART`), or a folder with one."""
        written = text(value)
        name, _, part = written.partition("/")
        if name in self.names:
            return Reference(written, name, part)
        path = self.folder / written
        if is_file(path / MANIFEST):
            return Reference(written, path=path)
        near = difflib.get_close_matches(name, self.names, n=1, cutoff=0.5)
        do = f"did you mean {near[0]!r}?" if near else f"its sets are {', '.join(self.names)}"
        expected = "a set of this recipe, or the path of a set"
        raise UsageError(sentence(expected, repr(written), do=do))

    def weighted(self, value: object) -> tuple[Reference, ...]:
        """A list of references, each with `:WEIGHT` or without."""
        if not isinstance(value, list) or not value:
            raise ValueError('a list like ["NAME:0.7", "NAME:0.3"]')
        return tuple(self._weighted(text(item)) for item in value)

    def _weighted(self, item: str) -> Reference:
        match = _WEIGHTED.fullmatch(item)
        if match is None:
            return self.reference(item)
        return replace(self.reference(match[1]), written=item, weight=match[2])

    def located(self, value: object) -> str:
        """A file or folder beside the recipe, if it is there; else what else it may be."""
        written = text(value)
        return written if written == DEMO else str(there(self.folder, written) or written)

    def located_all(self, value: object) -> list[str]:
        """One such place, or a list of them."""
        if isinstance(value, list) and value:
            return [self.located(item) for item in value]
        return [self.located(value)]

    def steps(self, value: object) -> tuple[Step, ...]:
        """Steps; models and vectors may stand beside the recipe."""
        return tuple(self._located_step(step) for step in parse_steps(cast(Any, value)))

    def _located_step(self, step: Step) -> Step:
        if not isinstance(step, ReplaceLm):
            return step
        vectors = step.vectors and self.located(step.vectors)
        return replace(step, model=self.located(step.model), vectors=vectors)


def there(folder: Path, path: str) -> Path | None:
    """The path from a folder, if something is there."""
    try:
        return folder / path if (folder / path).exists() else None
    except (OSError, ValueError):  # a name too long for the disk, a null byte
        return None


def keys_of(command: Command, function: Callable[..., Any]) -> tuple[str, ...]:
    """The keys that a table of this command may have, besides `command`."""
    return tuple(_checks(command, function, Scope(Path(), ())))


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
        "src": scope.reference,
        "fit": scope.reference,
        "sources": scope.weighted,
        "steps": scope.steps,
    }
    found: dict[str, tuple[bool, Check]] = {}
    for name, parameter in inspect.signature(function).parameters.items():
        check = special.get(name) or _by_type(parameter.annotation)
        if name not in OF_THE_RUN and check is not None:
            is_input = name == command.parameter
            found[command.key if is_input else name] = (is_input, check)
    return found


_TYPES: Final[Mapping[str, tuple[tuple[type, ...], str]]] = {
    "bool": ((bool,), "true or false"),
    "int": ((int,), "a whole number"),
    "float": ((float, int), "a number"),
    "str": ((str,), "a text"),
    "Path": ((str,), "a text"),
}


def _by_type(annotation: object) -> Check | None:
    """A check for a parameter like `int | None`; None for what no TOML value is."""
    written = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    kinds = [_TYPES[kind.strip()] for kind in written.split("|") if kind.strip() in _TYPES]
    if not kinds:
        return None
    expected = " or ".join(dict.fromkeys(words for _, words in kinds))

    def check(value: Any) -> Any:
        # the very type: a bool is an int to Python, not to the reader of a manifest
        if not any(type(value) in types for types, _ in kinds):
            raise ValueError(expected)
        if isinstance(value, int) and not -(1 << 63) <= value < 1 << 64:
            raise ValueError("a number of 64 bits")
        return text(value) if isinstance(value, str) else value

    return check
