"""Transforms from outside: a pure function, a decorator, an entry point.

    # mypackage.py
    @transferset.transform
    def reverse(batch, at, *, times: int = 1): ...

    # its pyproject.toml
    [project.entry-points."transferset.transforms"]
    reverse = "mypackage:reverse"

Then `transferset derive SRC --reverse times=3`, `{reverse = {times = 3}}` and
`reverse.step(times=3)` are one and the same step.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from functools import lru_cache, update_wrapper
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points, packages_distributions, version
from pathlib import Path
from typing import Any, Final

from transferset.errors import UsageError, sentence
from transferset.steps.kinds import STEPS, Custom

#: Group of entry points in which packages offer transforms.
GROUP: Final = "transferset.transforms"

_NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,63}")


class TransformFunction:
    """A function that is a transform; calling it calls the function."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        names = list(inspect.signature(function).parameters.values())
        named = [p for p in names[2:] if p.kind is not inspect.Parameter.KEYWORD_ONLY]
        if len(names) < 2 or named:
            where = f"{function.__module__}:{function.__qualname__}"
            raise UsageError(sentence("a transform (batch, at, *, parameters)", str(names), where))
        update_wrapper(self, function)

    def __call__(self, *values: Any, **named: Any) -> Any:
        """Call the function."""
        return self.function(*values, **named)

    @property
    def parameters(self) -> Mapping[str, inspect.Parameter]:
        """What a user may set."""
        found = inspect.signature(self.function).parameters
        return {name: p for i, (name, p) in enumerate(found.items()) if i >= 2}

    def step(self, **values: Any) -> Custom:
        """The transform as a step of `transferset.derive`.

        Args:
            values: The function's own parameters.

        Raises:
            UsageError: An unknown parameter or a wrong value, or workers cannot import it.
        """
        return _step(self, self.function.__name__.replace("_", "-"), {}, values)


def transform(function: Callable[..., Any]) -> TransformFunction:
    """Make a step of a pure function.

    Args:
        function: `(batch: pyarrow.RecordBatch, at: transforms.Position, *, …) -> RecordBatch`. It
            may change `input_ids` and drop rows, and must keep the columns `parent_row` and `copy`,
            which are the rows' addresses. Random numbers come from `at` alone. Parameters after
            the `*` are the step's; their annotations say what texts are turned into.

    Returns:
        The function, with `.step(…)` for Python.

    Raises:
        UsageError: The function has other parameters.
    """
    return TransformFunction(function)


def offered() -> dict[str, EntryPoint]:
    """Transforms that installed packages offer, by name; nothing is imported.

    Raises:
        UsageError: A name is none for an option, or is taken.
    """
    found: dict[str, EntryPoint] = {}
    for point in entry_points(group=GROUP):
        if not _NAME.fullmatch(point.name) or point.name in STEPS or point.name in found:
            expected = "transforms with a free name in lower case"
            raise UsageError(sentence(expected, point.name, point.value, "rename the entry point"))
        found[point.name] = point
    return found


def custom_step(name: str, bare: Mapping[str, object], named: Mapping[str, object]) -> Custom:
    """A step of an installed transform; see `parsing.make_step`."""
    import difflib

    points = offered()
    if name not in points:
        known = [*STEPS, *points]
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
        do = f"did you mean {near[0]!r}?" if near else None
        raise UsageError(sentence(f"a step out of {', '.join(known)}", repr(name), do=do))
    point = points[name]
    version_ = f"{point.dist.name} {point.dist.version}" if point.dist else None
    return _step(_load(point.value), name, bare, named, version_)


def _step(
    function: TransformFunction,
    name: str,
    bare: Mapping[str, object],
    named: Mapping[str, object],
    offered_by: str | None = None,
) -> Custom:
    from transferset.steps.parsing import arguments

    given = arguments(f"--{name}", function.parameters, bare, named)
    defaults = {k: p.default for k, p in function.parameters.items()}
    where = f"{function.function.__module__}:{function.function.__qualname__}"
    if function.function.__module__ == "__main__" or "<locals>" in where:
        do = "put it at the top level of a module"
        raise UsageError(sentence("a transform that workers can import", where, do=do))
    values = tuple(sorted({**defaults, **given}.items()))
    return Custom(name, where, values, offered_by or _version(function.function))


def _version(function: Callable[..., Any]) -> str:
    owners = packages_distributions().get(function.__module__.partition(".")[0], [])
    if owners:
        return f"{owners[0]} {version(owners[0])}"
    from blake3 import blake3

    # of no distribution that is known: then its source is its version
    return f"source {blake3(Path(function.__code__.co_filename).read_bytes()).hexdigest()[:16]}"


def load_function(step: Custom) -> TransformFunction:
    """The function of a step, imported where it is needed.

    Raises:
        UsageError: It cannot be imported, or is no transform.
    """
    return _load(step.function)


@lru_cache
def _load(where: str) -> TransformFunction:
    module, _, name = where.partition(":")
    try:
        found = import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError) as error:
        raise UsageError(sentence("a transform that can be imported", str(error), where)) from None
    if not isinstance(found, TransformFunction):
        do = "decorate it with @transferset.transform"
        raise UsageError(sentence("a transform", type(found).__name__, where, do))
    return found
