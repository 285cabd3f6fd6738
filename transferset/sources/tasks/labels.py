"""Labels of a task: what is written in a file, what it means, and its code.

A file may hold a class's code or its name. Whether labels that nobody explained are classes or
scores is known when all have been seen: scores if each is a number and one has a decimal point
or an exponent.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Final

from transferset.errors import InputError, UsageError, sentence

_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?", re.ASCII)
_WHOLE: Final = re.compile(r"[+-]?[0-9]{1,300}", re.ASCII)
_NO_NUMBER: Final = re.compile(r"[+-]?(?:nan|inf|infinity)", re.ASCII | re.IGNORECASE)

#: Scores are stored as float32, of which this is the largest.
_LARGEST: Final = 3.4028234663852886e38

_SHOWN: Final = 12


def number(written: str) -> float:
    """The finite number that a text says, in ASCII digits.

    Raises:
        ValueError: It says none; the message is what was found.
    """
    if _NUMBER.fullmatch(written) is None:
        raise ValueError(written or "nothing")
    value = float(written)
    if not abs(value) <= _LARGEST:
        raise ValueError(written)
    return value


@dataclass(frozen=True, slots=True)
class LabelReader:
    """Reads what is written as a label.

    Args:
        kind: `auto`, `class` or `regression`.
        names: Of the classes, in the order of their codes; empty where they are not known.
        range: Least and largest score; None where any will do.
        codes: Whether files may hold codes in place of `names`, and -1 where there is no label.
    """

    kind: str
    names: tuple[str, ...] = ()
    range: tuple[float, float] | None = None
    codes: bool = False

    def __call__(self, written: str) -> str | float | None:
        """The class's name or the score; None where -1 says that there is none.

        Raises:
            ValueError: It is out of range; the message is what was found.
        """
        written = written.strip()
        if not written:
            raise ValueError("no label")
        if self.kind == "regression":
            return self._score(written)
        return self._named(written) if self.names else written

    def _score(self, written: str) -> float | None:
        value = number(written)
        if self.range is not None and value == -1:  # what GLUE's test files hold
            return None
        if self.range is not None and not self.range[0] <= value <= self.range[1]:
            raise ValueError(written)
        return value

    def _named(self, written: str) -> str | None:
        if written in self.names:
            return written
        if self.codes and written == "-1":
            return None
        if self.codes and _WHOLE.fullmatch(written) and 0 <= int(written) < len(self.names):
            return self.names[int(written)]
        raise ValueError(written)

    @property
    def expected(self) -> str:
        """What a label should be, in words."""
        if self.range is not None:
            return f"a score from {self.range[0]:g} to {self.range[1]:g}"
        if self.kind == "regression":
            return "a finite number as the label"
        if self.names:
            return f"a label out of {_listed(self.names)}"
        return "a label"

    @property
    def remedy(self) -> str:
        """What to do about a label that is out of range."""
        return "correct it"


def _listed(names: Sequence[str]) -> str:
    shown = [f"{name} ({code})" for code, name in enumerate(names[:_SHOWN])]
    return ", ".join(shown) + (f" and {len(names) - _SHOWN} more" if names[_SHOWN:] else "")


class Tally:
    """How often each label came, for up to `MOST` different ones.

    Attributes:
        counts: By label.
        without: Rows that have none.
        full: Whether there were more different ones.
        odd: The first row whose label is NaN or infinity, as text.
    """

    MOST: ClassVar[int] = 1 << 16

    def __init__(self) -> None:
        self.counts: dict[str | float, int] = {}
        self.without = 0
        self.full = False
        self.odd: tuple[int, str] | None = None

    def add(self, label: str | float | None, row: int) -> None:
        """Count the label of a row."""
        if label is None:
            self.without += 1
        elif label in self.counts:
            self.counts[label] += 1
        elif len(self.counts) < self.MOST:
            self.counts[label] = 1
            if self.odd is None and isinstance(label, str) and _NO_NUMBER.fullmatch(label):
                self.odd = (row, label)
        else:
            self.full = True


@dataclass(frozen=True, slots=True)
class LabelKind:
    """What the labels of a task are.

    Args:
        kind: `class`, `regression` or `none`.
        names: Of the classes, in the order of their codes.
        counts: Rows of each class.
        without: Rows that have no label.
    """

    kind: str
    names: tuple[str, ...] = ()
    counts: tuple[int, ...] = ()
    without: int = 0
    _codes: Mapping[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        codes = {name: code for code, name in enumerate(self.names)}
        object.__setattr__(self, "_codes", codes)

    def code(self, label: str | float | None) -> int | float | None:
        """The code of a class's name, or the score; None of None.

        Raises:
            InputError: There is no such class, or it is no number.
        """
        if label is None or self.kind == "none":
            return None
        try:
            return self._codes[str(label)] if self.kind == "class" else number(str(label))
        except (KeyError, ValueError):
            expected = "a label that was there before" if self.names else "a finite number"
            raise InputError(sentence(expected, str(label))) from None


def kind_of(
    tallies: Iterable[tuple[str, Tally]],
    label_type: str = "auto",
    names: tuple[str, ...] = (),
    *,
    skip_damaged: bool = False,
) -> LabelKind:
    """Tell what the labels of all files are.

    Args:
        tallies: Of all files of the task that were read, each with its path.
        label_type: `auto`, `class` or `regression`.
        names: Of the classes, where a layout or the files state them.
        skip_damaged: Whether labels that are no numbers may stand among scores: their rows are
            malformed, and left out when the files are read as scores.

    Raises:
        InputError: Labels are scores but for some that are no finite numbers.
        UsageError: There are too many classes.
    """
    read = list(tallies)
    counts: dict[str | float, int] = {}
    for _, tally in read:
        for label, count in tally.counts.items():
            counts[label] = counts.get(label, 0) + count
    without = sum(tally.without for _, tally in read)
    if not counts:
        return LabelKind("none", without=without)
    if label_type == "regression" or (
        label_type == "auto" and not names and _are_scores(counts, read, skip_damaged)
    ):
        return LabelKind("regression", without=without)
    if len(counts) > Tally.MOST or any(tally.full for _, tally in read):
        found = f"more than {Tally.MOST:,}"
        raise UsageError(sentence(f"at most {Tally.MOST:,} classes", found, do="check --label"))
    written = {str(label): count for label, count in counts.items()}
    names = names or tuple(sorted(written, key=_order))
    return LabelKind("class", names, tuple(written.get(name, 0) for name in names), without)


def _are_scores(
    counts: Mapping[str | float, int], read: list[tuple[str, Tally]], skip_damaged: bool
) -> bool:
    labels = [str(label) for label in counts]
    numbers = [label for label in labels if _NUMBER.fullmatch(label)]
    odd = [label for label in labels if _NO_NUMBER.fullmatch(label)]
    if len(numbers) + len(odd) < len(labels) or all(_WHOLE.fullmatch(label) for label in numbers):
        return False
    for path, tally in read:
        if tally.odd is not None and not skip_damaged:
            row, label = tally.odd
            do = "correct it, or --skip-damaged leaves such rows out and counts them"
            at = f"{path}, line {row}"
            raise InputError(sentence("a finite number as the label", label, at, do))
    return True


def _order(name: str) -> tuple[bool, int, bytes]:
    whole = _WHOLE.fullmatch(name) is not None
    return not whole, int(name) if whole else 0, name.encode()
