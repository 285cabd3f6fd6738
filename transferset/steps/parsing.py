"""Steps from the command line, from TOML and from JSON."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any, Final

from transferset.errors import UsageError, sentence
from transferset.steps.kinds import STEPS
from transferset.steps.step import Step

Json = dict[str, Any]

#: Steps whose value is their first parameter whole: it has commas and `=` of its own.
_WHOLE: Final = frozenset({"split"})


def parse_steps(items: Sequence[object], at: str = "steps") -> tuple[Step, ...]:
    """Steps from TOML or JSON.

    Args:
        items: Tables of one key each: `{sample = "10%"}`, `{shuffle = true}`,
            `{mask = {p = 0.15}}`.
        at: Where they stand, for messages.

    Returns:
        The steps.

    Raises:
        UsageError: No such step, or a wrong parameter.
    """
    if not isinstance(items, list | tuple):
        raise UsageError(sentence("a list of steps", type(items).__name__, at))
    return tuple(_parse_step(item, f"{at}[{i}]") for i, item in enumerate(items))


def _parse_step(item: object, at: str) -> Step:
    if not isinstance(item, Mapping) or len(item) != 1:
        raise UsageError(sentence('a step like {sample = "10%"}', repr(item), at))
    ((name, value),) = item.items()
    if value is False:  # not the first parameter's value, and no way to do nothing
        expected, do = f"{{{name} = true}}, or with parameters", "leave it out"
        raise UsageError(sentence(expected, f"{{{name} = false}}", at, do))
    try:
        if isinstance(value, Mapping):
            return make_step(name, {}, value)
        return make_step(name, {} if value is True else {"": value}, {})
    except UsageError as error:
        raise UsageError(f"{error} ({at})") from None


def step_from_text(
    name: str, value: str | None, modifiers: Mapping[str, object] | None = None
) -> Step:
    """A step from the command line: `10%`, `0.15,rule=bert`, or nothing.

    Args:
        name: Of the step.
        value: What stands behind its option.
        modifiers: Parameters that options of their own gave.

    Raises:
        UsageError: No such step, or a wrong parameter, or one twice.
    """
    bare, named = _items(name, value)
    for key, other in (modifiers or {}).items():
        if key in named:
            raise UsageError(sentence(f"--{name} with one {key}", f"{named[key]} and {other}"))
        named[key] = other
    return make_step(name, bare, named)


def _items(name: str, value: str | None) -> tuple[dict[str, object], dict[str, object]]:
    """A value's first parameter, if it has no name, and those that have one."""
    if value is None:
        return {}, {}
    if name in STEPS and (len(fields(STEPS[name])) == 1 or name in _WHOLE):
        return {"": value}, {}
    bare: dict[str, object] = {}
    named: dict[str, object] = {}
    for i, item in enumerate(value.split(",")):
        key, equals, rest = item.partition("=")
        if equals and key.strip() in named:
            found = f"{named[key.strip()]} and {rest.strip()}"
            raise UsageError(sentence(f"--{name} with one {key.strip()}", found))
        if equals:
            named[key.strip()] = rest.strip()
        elif i == 0:
            bare[""] = item.strip()
        else:
            raise UsageError(sentence(f"--{name} VALUE,key=value,…", repr(item)))
    return bare, named


def make_step(name: str, bare: Mapping[str, object], named: Mapping[str, object]) -> Step:
    """A step from its name and parameters.

    Args:
        name: Of a built-in step, or of a transform that an installed package offers.
        bare: `{"": value}` for the first parameter, or empty.
        named: Parameters by name; texts are turned into the parameter's type.

    Returns:
        The step.

    Raises:
        UsageError: No such step or parameter, or a wrong value.
    """
    kind = STEPS.get(name)
    if kind is None:
        from transferset.steps.plugins import custom_step

        return custom_step(name, bare, named)
    if bare and not kind.bare:
        expected = f"--{name} key=value,… (as in --{name} {kind.shown})"
        raise UsageError(sentence(expected, repr(bare[""])))
    return kind(**arguments(f"--{name}", inspect.signature(kind).parameters, bare, named))


def arguments(
    option: str,
    known: Mapping[str, inspect.Parameter],
    bare: Mapping[str, object],
    named: Mapping[str, object],
) -> Json:
    """Match given values with a function's parameters.

    Args:
        option: As on the command line, for messages.
        known: The parameters that there are, in order.
        bare: `{"": value}` for the first of them, or empty.
        named: Values by name.

    Returns:
        Values by name, each of its parameter's type.

    Raises:
        UsageError: A parameter is unknown, missing, or of another type.
    """
    given = dict(named)
    if bare:
        first = next(iter(known), None)
        if first is None:
            raise UsageError(sentence(f"{option} without a value", repr(bare[""])))
        if first in given:
            raise UsageError(sentence(f"{option} with one {first}", "two"))
        given = {first: bare[""], **given}
    for key in given:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
            do = f"did you mean {near[0]!r}?" if near else None
            expected = f"{option} with parameters out of {', '.join(known) or 'none'}"
            raise UsageError(sentence(expected, repr(key), do=do))
    for key, parameter in known.items():
        if parameter.default is inspect.Parameter.empty and key not in given:
            raise UsageError(
                sentence(f"{option} with its {key}", "none", do=f"write {option} VALUE")
            )
    return {k: _typed(f"{option} {k}", v, str(known[k].annotation)) for k, v in given.items()}


def _typed(option: str, value: object, annotation: str) -> object:
    """Turn a text of the command line into the type that the parameter has."""
    kinds = [
        kind.strip().removeprefix("<class '").removesuffix("'>") for kind in annotation.split("|")
    ]
    if "None" in kinds and value in (None, "none"):
        return None
    for kind in kinds:
        if kind in _PARSERS:
            try:
                return _PARSERS[kind](value)
            except (ValueError, TypeError):
                continue
    told = " or ".join(_TOLD.get(kind, kind) for kind in kinds)
    raise UsageError(sentence(f"{option} as {told}", repr(value)))


def _bool(value: object) -> bool:
    words = {"true": True, "yes": True, "false": False, "no": False}
    found = value if isinstance(value, bool) else words.get(str(value).lower())
    if found is None:
        raise ValueError(value)
    return found


def _int(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError(value)
    return int(value)


def _float(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(value)
    if isinstance(value, str) and value.endswith("%"):
        return float(value[:-1]) / 100
    return float(value)


def _str(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(value)
    return str(value)


_TOLD: Final = {
    "bool": "yes or no",
    "int": "a whole number",
    "float": "a number",
    "str": "a text",
    "None": "none",
}

_PARSERS: Final[Mapping[str, Callable[[object], object]]] = {
    "bool": _bool,
    "int": _int,
    "float": _float,
    "str": _str,
}
