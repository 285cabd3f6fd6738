"""The shape of a student's `config.json`, with bounds on what a few bytes can ask for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from transferset.shapes import Nullable, Test
from transferset.students.modes import CHANNELS, PREFIX, READINGS


def _whole(low: int, high: int) -> Test:
    def test(value: object) -> bool:
        return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high

    test.__doc__ = f"A whole number from {low:,} to {high:,}."
    return test


def _one_of(*names: str) -> Test:
    def test(value: object) -> bool:
        return value in names

    test.__doc__ = " or ".join(names)
    return test


def _share(value: object) -> bool:
    """A number from 0 to below 1."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1


def _name(value: object) -> bool:
    """A string of 1 to 1,000 characters."""
    return isinstance(value, str) and 0 < len(value) <= 1000


def _digest(value: object) -> bool:
    """A SHA-256 digest in hex."""
    return isinstance(value, str) and len(value) == 64 and set(value) <= set("0123456789abcdef")


def _flag(value: object) -> bool:
    """True or false."""
    return isinstance(value, bool)


_UNITS: Final = _whole(1, 1 << 14)
_LAYERS: Final = _whole(1, 1 << 8)
_ID: Final = _whole(0, (1 << 21) - 1)

_ENCODERS: Final[Mapping[str, Any]] = {
    "bilstm": {"hidden": _UNITS, "layers": _LAYERS},
    "biattentive": {"feed": _UNITS, "hidden": _UNITS},
    "transformer": {
        "layers": _LAYERS,
        "hidden": _UNITS,
        "intermediate": _whole(1, 1 << 16),
        "heads": _whole(1, 1 << 10),
        "positions": _whole(1, 1 << 16),
        "dropout": _share,
        "reading": _one_of(*READINGS),
    },
}


def shape_of(kind: str) -> dict[str, Any]:
    """The shape of the configuration of a kind, for `shapes.check`."""
    return {
        "model_type": _one_of(f"{PREFIX}{kind}"),
        "vocabulary": {
            "size": _whole(1, 1 << 21),
            "sha256": _digest,
            "padding": _ID,
            "separator": _ID,
            "start": Nullable(_ID),
        },
        "tasks": [{"classes": Nullable([_name]), "pair": _flag, "name": _name}],
        "embeddings": {
            "width": _UNITS,
            "channels": _one_of(*CHANNELS),
            "projection": Nullable(_UNITS),
        },
        "encoder": _ENCODERS[kind],
        "head": {"hidden": Nullable(_UNITS), "dropout": _share},
    }
