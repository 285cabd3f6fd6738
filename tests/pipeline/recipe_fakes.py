"""Functions like those of the API, which only note what a recipe asks of them."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from transferset import api
from transferset.errors import SetError
from transferset.manifest import MANIFEST
from transferset.steps import Split

#: With these signatures a table is checked.
REAL: Mapping[str, Callable[..., Any]] = {
    "build wiki": api.build_wiki,
    "build books": api.build_books,
    "build text": api.build_text,
    "build task": api.build_task,
    "derive": api.derive,
    "mix": api.mix,
    "report": api.report,
}


@dataclass(frozen=True)
class FakeSet:
    root: Path

    @property
    def recipe(self) -> str:
        return (self.root / MANIFEST).read_text()


@dataclass
class Fakes(Mapping):
    """A "set" is its recipe: command, parameters, and the recipes of its parents in full.

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
        assert {given.pop("workers"), given.pop("progress")} == {None}
        place = out.relative_to(self.root).as_posix()
        self.calls.append((command, place, given))
        last = (given.get("steps") or [None])[-1]
        if isinstance(last, Split):
            names = [item.partition("=")[0] for item in last.shares.split(",")]
            return {name: self._write(command, given, out / name, force) for name in names}
        return self._write(command, given, out, force)

    def _write(self, command: str, given: dict[str, Any], out: Path, force: bool) -> FakeSet:
        recipe = json.dumps([command, out.name, _plain(given)], indent=1, sort_keys=True)
        manifest = out / MANIFEST
        there = manifest.read_text() if manifest.exists() else None
        if there is not None and there != recipe and not force:
            raise SetError(f"another recipe at {out}")
        place = out.relative_to(self.root).as_posix()
        if there != recipe or force:
            if place == self.broken:
                raise KeyboardInterrupt
            out.mkdir(parents=True, exist_ok=True)
            manifest.write_text(recipe)
            self.made.append(place)
        return FakeSet(out)

    def _report(self, sets: Any, out: Path, **given: Any) -> Path:
        places = [Path(one).relative_to(self.root).as_posix() for one in sets]
        self.calls.append(("report", out.name, {"sets": places, **given}))
        self.made.append(out.relative_to(self.root).as_posix())
        out.write_text(repr(places))
        if given["figures"]:
            given["figures"].mkdir(exist_ok=True)
        return out


def _plain(value: Any) -> Any:
    """As JSON; a path of a set as what the set is, not where."""
    if isinstance(value, Path):
        return json.loads((value / MANIFEST).read_text())
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value if isinstance(value, str | int | float | None) else repr(value)
