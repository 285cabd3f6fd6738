"""Functions like those of the API, which only note what a recipe asks of them."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from transferset.api.running import recipe_functions
from transferset.errors import SetError
from transferset.pipeline.recipes.commands import COMMANDS
from transferset.pipeline.recipes.kinds import KINDS
from transferset.steps import Split

#: With these signatures a table is checked.
REAL: Mapping[str, Callable[..., Any]] = recipe_functions()


@dataclass(frozen=True)
class Fake:
    """A set or model that was "made"."""

    root: Path

    @property
    def recipe(self) -> str:
        return record_of(self.root).read_text()


def record_of(root: Path) -> Path:
    """The manifest of a set, the record of a model."""
    return next(path for kind in KINDS.values() if (path := root / kind.record).exists())


@dataclass
class Fakes(Mapping):
    """A "set" or "model" is its recipe: command, parameters, and those of its parents in full.

    Attributes:
        calls: Of each function: command, place below the root, parameters.
        made: Places that were written, in order.
        broken: A place whose function raises as a killed process would.
    """

    root: Path
    calls: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    made: list[str] = field(default_factory=list)
    broken: str = ""

    def __getitem__(self, command: str) -> Callable[..., Any]:
        def function(*args: Any, **given: Any) -> Any:
            if command == "report":
                return self._report(*args, **given)
            return self._make(command, given)

        function.__signature__ = inspect.signature(REAL[command])
        return function

    def __iter__(self):
        return iter(REAL)

    def __len__(self) -> int:
        return len(REAL)

    def _make(self, command: str, given: dict[str, Any]) -> Any:
        out = Path(given.pop("out"))
        force = given.pop("force")
        assert given.keys() <= inspect.signature(REAL[command]).parameters.keys()
        assert given.pop("executor", "processes") == "processes"
        assert {given.pop(k, None) for k in ("workers", "address", "progress")} == {None}
        place = out.relative_to(self.root).as_posix()
        self.calls.append((command, place, given))
        steps = given.get("steps")
        last = steps[-1] if isinstance(steps, list) and steps else None
        if isinstance(last, Split):
            names = [item.partition("=")[0] for item in last.shares.split(",")]
            return {name: self._write(command, given, out / name, force) for name in names}
        return self._write(command, given, out, force)

    def _write(self, command: str, given: dict[str, Any], out: Path, force: bool) -> Fake:
        recipe = json.dumps([command, out.name, _plain(given)], indent=1, sort_keys=True)
        record = out / COMMANDS[command].makes.record
        there = record.read_text() if record.exists() else None
        if there is not None and there != recipe and not force:
            raise SetError(f"another recipe at {out}")
        place = out.relative_to(self.root).as_posix()
        if there != recipe or force:
            if place == self.broken:
                raise KeyboardInterrupt
            out.mkdir(parents=True, exist_ok=True)
            record.write_text(recipe)
            self.made.append(place)
        return Fake(out)

    def _report(self, sets: Any, out: Path, **given: Any) -> Path:
        places = [Path(one).relative_to(self.root).as_posix() for one in sets]
        self.calls.append(("report", out.name, {"sets": places, **given}))
        self.made.append(out.relative_to(self.root).as_posix())
        out.write_text(repr(places))
        if given["figures"]:
            given["figures"].mkdir(exist_ok=True)
        return out


def _plain(value: Any) -> Any:
    """As JSON; a path of a set or model as what that is, not where."""
    if isinstance(value, Path):
        return json.loads(record_of(value).read_text())
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value if isinstance(value, str | int | float | None) else repr(value)
