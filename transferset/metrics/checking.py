"""What all metrics ask of the arrays that they are given."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from transferset.errors import InputError, sentence

Codes = npt.NDArray[np.int64]
Values = npt.NDArray[np.float64]
Array = npt.NDArray[Any]

#: Beyond it sums of squares might overflow; no score is.
LARGEST: Final = 1e100


def class_codes(values: Array, classes: int, what: str) -> Codes:
    """Codes of classes, checked.

    Args:
        values: integer[..., rows], at least one row.
        classes: How many classes there are; codes are 0 to classes − 1.
        what: What they are, for the message.

    Returns:
        The same as int64.

    Raises:
        InputError: No integers, no rows, or a code that is no class.
    """
    if values.ndim == 0 or values.dtype.kind not in "iu":
        raise InputError(sentence(f"{what} as integers, one a row", _kind(values)))
    _some_rows(values, what)
    low, high = int(values.min()), int(values.max())
    if low < 0 or high >= classes:
        found = str(low if low < 0 else high)
        raise InputError(sentence(f"{what} from 0 to {classes - 1}", found))
    return values.astype(np.int64, copy=False)


def real_scores(values: Array, what: str) -> Values:
    """Scores, checked.

    Args:
        values: float or integer[..., rows], finite (up to 1e100), at least one row.
        what: What they are, for the message.

    Returns:
        The same as float64.

    Raises:
        InputError: No numbers, no rows, or a number that is not finite.
    """
    if values.ndim == 0 or values.dtype.kind not in "fiu":
        raise InputError(sentence(f"{what} as numbers, one a row", _kind(values)))
    _some_rows(values, what)
    checked = values.astype(np.float64, copy=False)
    _all_good(checked, np.abs(checked) <= LARGEST, what, -1)
    return checked


def logit_rows(logits: Array, what: str = "logits") -> Array:
    """Logits of classes, checked.

    Args:
        logits: float[rows, C], finite, at least one row and one class.
        what: What they are, for the message.

    Returns:
        The same array.

    Raises:
        InputError: Another shape, no rows, or a logit that is not finite.
    """
    if logits.ndim != 2 or logits.shape[1] < 1 or logits.dtype.kind != "f":
        raise InputError(sentence(f"{what} of shape [rows, classes]", _kind(logits)))
    _some_rows(logits, what)
    _all_good(logits, np.isfinite(logits), what, 0)
    return logits


def same_rows(one: Array, other: Array, what: str) -> None:
    """Refuse two arrays that are not of one shape.

    Raises:
        InputError: They are not.
    """
    if one.shape != other.shape:
        found = f"{list(one.shape)} and {list(other.shape)}"
        raise InputError(sentence(f"{what} of one shape", found))


def _some_rows(values: Array, what: str) -> None:
    if not values.size:
        raise InputError(sentence(f"{what} of at least one row", "none"))


def _all_good(values: Array, good: npt.NDArray[np.bool_], what: str, axis: int) -> None:
    if not good.all():
        row = int(np.argwhere(~good)[0][axis])
        raise InputError(sentence(f"finite {what}", str(values[~good][0]), f"row {row}"))


def _kind(values: Array) -> str:
    return f"{values.dtype} of shape {list(values.shape)}"
