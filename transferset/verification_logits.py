"""Checking what teachers said: finite numbers, as many as there are classes or masked positions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transferset.errors import SetError, sentence
from transferset.manifest import Json
from transferset.shards import REMEDY
from transferset.verification_columns import require_rows

Bools = npt.NDArray[np.bool_]
Numbers = npt.NDArray[Any]

#: The label of a position at which nothing is asked.
_NO_LABEL: Final = -100

#: Columns that a teacher of each kind gives, and those that they are nothing without.
_GIVEN: Final[Mapping[str, tuple[str, ...]]] = {
    "classifier": ("logits",),
    "masked": ("top_ids", "top_logits", "tail"),
}
_NEEDED: Final[Mapping[str, tuple[str, ...]]] = {
    "classifier": (),
    "masked": ("input_ids", "labels"),
}


def check_teacher(
    kinds: Mapping[str, str], teacher: Json | None, vocabulary: int, where: str
) -> None:
    """Check that a set has the columns of its teacher, and no others' ones.

    Args:
        kinds: Columns and their types, as the manifest has them.
        teacher: The manifest's member, in shape.
        vocabulary: Number of pieces; 0 without a tokenizer.
        where: The manifest, for messages.

    Raises:
        SetError: A column is missing, is too much, or has another type; or the member says of its
            kind what it cannot.
    """
    kind = teacher["kind"] if teacher else None
    wanted = _GIVEN[kind] if kind else ()
    for name in (name for given in _GIVEN.values() for name in given):
        if (name in kinds) != (name in wanted):
            expected = f"{name if name in wanted else f'no {name}'} with the teacher {kind}"
            raise SetError(sentence(expected, ", ".join(kinds), where, REMEDY))
    if teacher is None:
        return
    missing = [name for name in _NEEDED[teacher["kind"]] if name not in kinds]
    if missing or not teacher["models"]:
        expected = f"{', '.join(missing) or 'a model'} with the teacher {kind}"
        raise SetError(sentence(expected, "none", where, REMEDY))
    if kind == "classifier":
        _check_classifier(kinds, teacher, where)
    else:
        _check_masked(teacher, vocabulary, where)


def _check_classifier(kinds: Mapping[str, str], teacher: Json, where: str) -> None:
    _require_none(teacher, ("temperature", "top_k"), where)
    classes = teacher["classes"]
    width = 1 if classes is None else len(classes)
    if not kinds["logits"].endswith(f"[{width}]"):  # what stands before it, the format checks
        expected = f"logits of the teacher's {width} classes" if classes else "one logit, a score"
        raise SetError(sentence(expected, kinds["logits"], where, REMEDY))


def _check_masked(teacher: Json, vocabulary: int, where: str) -> None:
    _require_none(teacher, ("classes",), where)
    if teacher["top_k"] is None or not 1 <= teacher["top_k"] <= vocabulary:
        expected = f"the teacher's top_k from 1 to {vocabulary}"
        raise SetError(sentence(expected, str(teacher["top_k"]), where, REMEDY))
    if teacher["temperature"] is None:
        raise SetError(sentence("the teacher's temperature", "none", where, REMEDY))


def _require_none(teacher: Json, members: tuple[str, ...], where: str) -> None:
    for name in members:
        if teacher[name] is not None:
            expected = f"no {name} of a teacher {teacher['kind']}"
            raise SetError(sentence(expected, str(teacher[name])[:60], where, REMEDY))


def check_logits(
    batch: pa.RecordBatch, teacher: Json | None, vocabulary: int, at: str, first_row: int
) -> None:
    """Check what a teacher said of some rows.

    Args:
        batch: The rows, valid as Arrow, with the columns of the teacher's kind and without nulls
            in other places than inside of lists.
        teacher: The manifest's member, which `check_teacher` found right.
        vocabulary: Number of pieces.
        at: The file, and `row`, for messages.
        first_row: Number of the first row.

    Raises:
        SetError: The first row that is wrong.
    """
    if teacher is None:
        return
    for name in _GIVEN[teacher["kind"]]:
        column = batch.column(name)
        whole = _of_rows(column.flatten().is_valid(), _lengths(column))
        require_rows(whole, f"no null in {name}", at, first_row)
    if teacher["kind"] == "classifier":
        column = batch.column("logits")
        finite: Bools = np.isfinite(_values(column))
        require_rows(_counts(~finite, _lengths(column)) == 0, "finite logits", at, first_row)
    else:
        _check_top(batch, int(teacher["top_k"]), vocabulary, at, first_row)


def _check_top(batch: pa.RecordBatch, k: int, vocabulary: int, at: str, first_row: int) -> None:
    labels = batch.column("labels")
    asked = _counts(_values(labels) != _NO_LABEL, _lengths(labels))
    for name, each in (("top_ids", k), ("top_logits", k), ("tail", 1)):
        right = _lengths(batch.column(name)) == each * asked
        require_rows(right, f"{each} of {name} for each label", at, first_row)
    ids, top, tail = (_values(batch.column(n)) for n in _GIVEN["masked"])
    ids, top = ids.reshape(-1, k), top.reshape(-1, k)
    # a whole vocabulary leaves nothing over, whose logarithm is −∞
    rest = np.isfinite(tail) | (np.isneginf(tail) & (k == vocabulary))
    ordered = np.sort(ids, axis=1)
    checks: tuple[tuple[Any, str], ...] = (
        (((ids >= 0) & (ids < vocabulary)).all(axis=1), f"top_ids below {vocabulary}"),
        ((ordered[:, 1:] != ordered[:, :-1]).all(axis=1), "different top_ids at each position"),
        (np.isfinite(top).all(axis=1), "finite top_logits"),
        ((top[:, 1:] <= top[:, :-1]).all(axis=1), "top_logits from the largest down"),
        (rest, "a finite tail"),
    )
    for right, what in checks:
        require_rows(_counts(~right, asked) == 0, what, at, first_row)


def _values(column: pa.Array) -> Numbers:
    values: Numbers = column.flatten().to_numpy()
    return values


def _lengths(column: pa.Array) -> Numbers:
    if pa.types.is_fixed_size_list(column.type):
        return np.full(len(column), column.type.list_size)
    lengths: Numbers = np.diff(column.offsets.to_numpy())
    return lengths


def _of_rows(right: pa.BooleanArray, lengths: Numbers) -> Bools:
    rows: Bools = _counts(~right.to_numpy(zero_copy_only=False), lengths) == 0
    return rows


def _counts(which: Bools, lengths: Numbers) -> Numbers:
    """How many of each row's values are true."""
    before = np.append(0, np.cumsum(which))
    ends = np.append(0, np.cumsum(lengths))
    counts: Numbers = before[ends[1:]] - before[ends[:-1]]
    return counts
