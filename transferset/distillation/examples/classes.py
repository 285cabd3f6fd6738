"""Classes of sets and models, brought together by their names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from transferset.errors import InputError, sentence

Places = npt.NDArray[np.int64]

#: A class that nobody has named: transformers' `LABEL_1`, or its number.
_NAMELESS: Final = re.compile(r"(?:LABEL_)?(\d+)", re.ASCII)

_ANOTHER: Final = "take logits of a teacher of these classes: `transferset teacher fit` makes one"
_SAME: Final = (
    "if they mean the same, write the same names into id2label of its config.json, else take "
    "another teacher"
)

#: Most names that an error shows.
_SHOWN: Final = 4


def places(given: Sequence[str], wanted: Sequence[str], at: str, do: str | None = None) -> Places:
    """Where each of some classes stands among others.

    Names decide, whatever their case; where one side has none (`LABEL_0`, `LABEL_1`, …) and both
    have as many, the positions do.

    Args:
        given: Of a set, or of a teacher.
        wanted: Of the model that is trained or judged.
        at: Where the given ones are from, for the message.
        do: What to do if they do not fit, for it too.

    Returns:
        int64[given], positions in `wanted`.

    Raises:
        InputError: The model has no such class, or two are one to it.
    """
    same = len(given) == len(wanted)
    if same and (list(given) == list(wanted) or _nameless(given) or _nameless(wanted)):
        return np.arange(len(given))
    known = {name.casefold(): place for place, name in enumerate(wanted)}
    fold = len(known) == len(wanted) and len({name.casefold() for name in given}) == len(given)
    if not fold:  # names that differ by case alone
        known = {name: place for place, name in enumerate(wanted)}
    found = [known.get(name.casefold() if fold else name, -1) for name in given]
    if -1 in found or len(set(found)) < len(found):
        expected = f"classes out of the model's {len(wanted)} ({_told(wanted)})"
        raise InputError(sentence(expected, f"{len(given)} ({_told(given)})", at, do))
    return np.array(found, np.int64)


def columns(
    given: Sequence[str] | None, wanted: Sequence[str] | None, at: str, of: str | None = None
) -> Places:
    """Which of a teacher's outputs stands for each output of a student.

    Args:
        given: The teacher's classes; None for a score.
        wanted: The student's.
        at: Where the teacher's are from, for the message.
        of: The set that is learnt from, for it too, where that is another place.

    Returns:
        int64[outputs of the student], columns of the teacher.

    Raises:
        InputError: They are not the same classes, or one is a score.
    """
    if given is None and wanted is None:
        return np.zeros(1, np.int64)
    if given is None or wanted is None or len(given) != len(wanted):
        expected = f"logits of {_what(wanted)}" + (f" for {of}" if of else "")
        raise InputError(sentence(expected, _what(given), at, _ANOTHER))
    found = places(given, wanted, at, _SAME if of else _ANOTHER)
    return np.argsort(found, kind="stable")


def _what(classes: Sequence[str] | None) -> str:
    return "a score" if classes is None else f"{len(classes)} classes ({_told(classes)})"


def _nameless(names: Sequence[str]) -> bool:
    found = [_NAMELESS.fullmatch(name) for name in names]
    return all(one is not None and int(one[1]) == i for i, one in enumerate(found))


def _told(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")
