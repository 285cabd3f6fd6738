"""What the names and paths in a recipe refer to."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, cast

from transferset.distillation.choice.params import STUDENTS, VECTORS
from transferset.errors import UsageError, sentence
from transferset.pipeline.recipes.kinds import MODEL, Kind
from transferset.pipeline.remote import local
from transferset.sources.local import is_file
from transferset.sources.tables import text
from transferset.steps import ReplaceLm, Step, parse_steps
from transferset.storage.urls import parse

#: The packaged sample, as source and as tokenizer.
DEMO: Final = "demo"

#: Never taken for paths: the sample, and the tokenizer of the set that a model is fitted to.
WORDS: Final = (DEMO, "set")

_WEIGHTED: Final = re.compile(r"(.+):(\d{1,12}(?:\.\d{0,12})?%?|\.\d{1,12}%?)")


@dataclass(frozen=True, slots=True)
class Reference:
    """A set or a model that a table names.

    Attributes:
        written: As in the recipe.
        name: Of a table of this recipe; empty for one elsewhere.
        part: Which of its sets, if it splits.
        path: Of one elsewhere.
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
        names: What each of its tables makes.
    """

    folder: Path
    names: Mapping[str, Kind]

    def refer(self, kind: Kind) -> Callable[[object], Reference]:
        """A check for references to one kind of result."""
        return lambda value: self.reference(value, kind)

    def refer_some(self, kind: Kind) -> Callable[[object], Reference | tuple[Reference, ...]]:
        """A check for one such reference, or a list of them."""

        def check(value: object) -> Reference | tuple[Reference, ...]:
            if isinstance(value, list) and value:
                return tuple(self.reference(item, kind) for item in value)
            return self.reference(value, kind)

        return check

    def reference(self, value: object, kind: Kind) -> Reference:
        """One of this recipe (`NAME`, of sets also `NAME/PART`), or a folder with one."""
        written = text(value)
        name, _, part = written.partition("/")
        if self.names.get(name) == kind:
            return Reference(written, name, part)
        expected = f"a {kind.name} of this recipe, or the path of a {kind.name}"
        if name in self.names:  # names win over paths, so this is no path either
            found = f"{written!r}, and {self.names[name].header(name)} makes no {kind.name}"
            raise UsageError(sentence(expected, found))
        path = local(Path(written)) if parse(written) else self.folder / written
        if kind.stands(path):
            return Reference(written, path=path)
        raise UsageError(sentence(expected, repr(written), do=self._remedy(name, kind)))

    def _remedy(self, name: str, kind: Kind) -> str:
        names = [one for one, makes in self.names.items() if makes == kind]
        near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
        if near:
            return f"did you mean {near[0]!r}?"
        return f"its {kind.name}s are {', '.join(names)}" if names else f"it has no {kind.name}"

    def weighted(self, kind: Kind) -> Callable[[object], tuple[Reference, ...]]:
        """A check for a list of references, each with `:WEIGHT` or without."""

        def check(value: object) -> tuple[Reference, ...]:
            if not isinstance(value, list) or not value:
                raise ValueError('a list like ["NAME:0.7", "NAME:0.3"]')
            return tuple(self._weighted(text(item), kind) for item in value)

        return check

    def _weighted(self, item: str, kind: Kind) -> Reference:
        match = _WEIGHTED.fullmatch(item)
        if match is None:
            return self.reference(item, kind)
        return replace(self.reference(match[1], kind), written=item, weight=match[2])

    def located(self, value: object) -> str:
        """A file or folder beside the recipe, if it is there; else what else it may be."""
        written = text(value)
        if parse(written):  # brought by the command that reads it
            return written
        return written if written in WORDS else str(there(self.folder, written) or written)

    def located_all(self, value: object) -> list[str]:
        """One such place, or a list of them."""
        if isinstance(value, list) and value:
            return [self.located(item) for item in value]
        return [self.located(value)]

    def student(self, value: object) -> Reference | str:
        """A kind of students; a model of this recipe or elsewhere; or a file beside the recipe."""
        written = text(value)
        if written in STUDENTS:
            return written
        if written in self.names or MODEL.stands(self.folder / written):
            return self.reference(written, MODEL)
        return self.located(written)

    def vectors(self, value: object) -> str:
        """What embeddings begin with; a file of vectors may stand beside the recipe."""
        written = text(value)
        path = written.removeprefix(VECTORS)
        return written if path == written else f"{VECTORS}{self.located(path)}"

    def file(self, value: object) -> str:
        """A file beside the recipe, which can be nothing else."""
        path = self.folder / text(value)
        if not is_file(path):
            raise ValueError("a file beside the recipe")
        return str(path)

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
