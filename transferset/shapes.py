"""Checking the shape of JSON that is not trusted, before anything is done with it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

#: Tells whether a value is right; its docstring says what is expected.
Test = Callable[[Any], bool]

#: A test, a list of one shape, or an object; the key `...` allows other members of its shape.
Shape = Any


def count(value: object) -> bool:
    """A whole number from 0 to 2**63-1."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 63


def seed(value: object) -> bool:
    """A whole number from 0 to 2**64-1."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 64


def above_zero(value: object) -> bool:
    """A number above 0."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < math.inf


def text(value: object) -> bool:
    """A string."""
    return isinstance(value, str)


def file_name(value: object) -> bool:
    """The plain name of a file."""
    return (
        isinstance(value, str)
        and value not in ("", ".", "..")
        and not any(c in value for c in "/\\\0")
    )


#: Folders of a set that hold fitted models and tables.
INNER = ("_fit", "_tables")


def set_file(value: object) -> bool:
    """The plain name of a file, or of one in `_fit/` or `_tables/`."""
    if isinstance(value, str) and value.count("/") == 1:
        folder, _, name = value.partition("/")
        return folder in INNER and file_name(name)
    return file_name(value)


def anything(value: object) -> bool:
    """Any JSON."""
    return True


class Misshapen(ValueError):
    """JSON of another shape: what was expected, what was found, and at which member."""

    def __init__(self, expected: str, found: str, member: str) -> None:
        super().__init__(f"expected {expected}, found {found} at {member}")
        self.expected, self.found, self.member = expected, found, member


@dataclass(frozen=True, slots=True)
class Nullable:
    """Null, or of a shape."""

    shape: Shape


def check(value: object, shape: Shape, member: str = "") -> None:
    """Check JSON against a shape.

    Args:
        value: Parsed JSON.
        shape: What it should be.
        member: Where it stands, for the message.

    Raises:
        Misshapen: At the first member that is wrong.
    """
    if isinstance(shape, Nullable):
        if value is not None:
            check(value, shape.shape, member)
    elif isinstance(shape, Mapping):
        _check_object(value, shape, member)
    elif isinstance(shape, list):
        if not isinstance(value, list):
            raise Misshapen("a list", _kind(value), member)
        for i, item in enumerate(value):
            check(item, shape[0], f"{member}[{i}]")
    elif not shape(value):
        raise Misshapen(str(shape.__doc__).rstrip(".").lower(), _kind(value), member)


def _check_object(value: object, shape: Mapping[Any, Shape], member: str) -> None:
    if not isinstance(value, dict):
        raise Misshapen("an object", _kind(value), member)
    for name, inner in shape.items():
        if name is ...:
            continue
        if name not in value:
            raise Misshapen(f"a member {name}", "none", member or "the top")
        check(value[name], inner, f"{member}.{name}" if member else name)
    for name in value.keys() - shape.keys():
        if ... not in shape:
            raise Misshapen(f"members {', '.join(shape)}", name, member or "the top")
        check(value[name], shape[...], f"{member}.{name}")


def _kind(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= 40 else f"{type(value).__name__} {shown[:36]}…"
