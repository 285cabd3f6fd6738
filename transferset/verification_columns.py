"""Checking labels, words and tags: codes within their names, words that make up the text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transferset.errors import SetError, sentence
from transferset.schema import NULLABLE
from transferset.shards import REMEDY

Names = Mapping[str, Sequence[str]]
Bools = npt.NDArray[np.bool_]
Numbers = npt.NDArray[Any]

_SIDES: Final = ("", "_pair")

#: Bytes of text whose words are joined at once.
_TOGETHER: Final = 1 << 20


def check_sides(columns: Sequence[str], where: str) -> None:
    """Refuse a second half of pairs without the first, or text of which one half has words.

    Args:
        columns: Of the set.
        where: The manifest, for the message.

    Raises:
        SetError: A column is missing.
    """
    for name in ("text", "words", "space", "pos"):
        needed = [name] if f"{name}_pair" in columns else []
        if name != "text" and name in columns and "text_pair" in columns:
            needed.append(f"{name}_pair")
        for one in needed:
            if one not in columns:
                expected = f"a column {one} for both sides of pairs"
                raise SetError(sentence(expected, ", ".join(columns), where, REMEDY))


def check_columns(batch: pa.RecordBatch, names: Names, at: str, first_row: int) -> None:
    """Check nulls, labels, words and tags of some rows.

    Args:
        batch: The rows, valid as Arrow.
        names: Of the codes in `label` and `pos`.
        at: The file, and `row`, for messages.
        first_row: Number of the first row.

    Raises:
        SetError: The first row that is wrong.
    """
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        if name not in NULLABLE:
            require_rows(_there(column), f"{name} in every row", at, first_row)
    if "label" in batch.schema.names:
        _check_label(batch.column("label"), names.get("label"), at, first_row)
    for side in _SIDES:
        _check_words(batch, side, names.get("pos", ()), at, first_row)


def require_rows(right: Bools, what: str, at: str, first_row: int) -> None:
    """Refuse the first row that is not right.

    Raises:
        SetError: There is one.
    """
    if not right.all():
        row = first_row + int(np.argmin(right))
        raise SetError(sentence(what, "a row without", f"{at} {row}", REMEDY))


def _there(column: pa.Array) -> Bools:
    if not column.null_count:
        return np.ones(len(column), np.bool_)
    there: Bools = column.is_valid().to_numpy(zero_copy_only=False)
    return there


def _check_label(column: pa.Array, classes: Sequence[str] | None, at: str, first_row: int) -> None:
    missing = ~_there(column)
    values = column.fill_null(0).to_numpy()
    if pa.types.is_floating(column.type):
        require_rows(missing | np.isfinite(values), "a finite label or none", at, first_row)
    elif classes is not None:
        known = (values >= 0) & (values < len(classes))
        what = f"a label of the {len(classes)} classes in the manifest's names, or none"
        require_rows(missing | known, what, at, first_row)


def _check_words(
    batch: pa.RecordBatch, side: str, tags: Sequence[str], at: str, first_row: int
) -> None:
    there = [f"{n}{side}" for n in ("words", "space", "pos") if f"{n}{side}" in batch.schema.names]
    columns = {name: batch.column(name) for name in there}
    lengths = {name: np.diff(column.offsets.to_numpy()) for name, column in columns.items()}
    for name, column in columns.items():
        inner = _there(column.flatten())
        require_rows(_rows_of(inner, lengths[name]), f"no null in {name}", at, first_row)
        same = lengths[name] == lengths[there[0]]
        require_rows(same, f"as many {name} as {there[0]}", at, first_row)
    if f"pos{side}" in columns:
        known = columns[f"pos{side}"].flatten().to_numpy() < len(tags)
        what = f"pos{side} of the {len(tags)} tags in the manifest's names"
        require_rows(_rows_of(known, lengths[f"pos{side}"]), what, at, first_row)
    if {f"words{side}", f"space{side}"} <= columns.keys() and f"text{side}" in batch.schema.names:
        text = batch[f"text{side}"]
        for start, stop in _parts(text):
            part = [
                column.slice(start, stop - start)
                for column in (columns[f"words{side}"], columns[f"space{side}"], text)
            ]
            what = f"words{side} that joined are its text{side}"
            require_rows(_joined(*part), what, at, first_row + start)


def _parts(text: pa.StringArray) -> Iterator[tuple[int, int]]:
    """Rows of about so many bytes of text that indices of all bytes may be made, or one row."""
    _, starts = _bytes(text)
    start = 0
    while start < len(text):
        stop = int(np.searchsorted(starts, starts[start] + _TOGETHER, "right")) - 1
        stop = min(max(stop, start + 1), len(text))
        yield start, stop
        start = stop


def _rows_of(right: Bools, lengths: Numbers) -> Bools:
    """Whether all items of each row are right."""
    wrong = np.append(0, np.cumsum(~right))
    ends = np.append(0, np.cumsum(lengths))
    rows: Bools = wrong[ends[1:]] == wrong[ends[:-1]]
    return rows


def _joined(words: pa.ListArray, space: pa.ListArray, text: pa.StringArray) -> Bools:
    """Whether the words of each row, a space after those that have one but the last, are its text.

    Args:
        words: list<string>[rows].
        space: list<bool>[rows], as long.
        text: string[rows].
    """
    counts = np.diff(words.offsets.to_numpy())
    follows = space.flatten().to_numpy(zero_copy_only=False).astype(np.int64)
    ends = np.cumsum(counts)
    follows[ends[counts > 0] - 1] = 0
    flat, starts = _bytes(words.flatten())
    lengths = np.diff(starts)
    places = np.append(0, np.cumsum(lengths + follows))
    joined = np.full(int(places[-1]), ord(" "), np.uint8)
    shift = np.repeat(places[:-1] - starts[:-1], lengths)
    joined[np.arange(len(flat)) + shift] = flat
    raw, bounds = _bytes(text)
    sizes = np.diff(places[np.append(0, ends)])
    right: Bools = sizes == np.diff(bounds)
    if right.all():
        right = _rows_of(joined == raw, sizes)
    return right


def _bytes(texts: pa.StringArray) -> tuple[Numbers, Numbers]:
    """UTF-8 of texts, and offsets from 0, int64[texts + 1]."""
    lengths = pc.binary_length(texts).to_numpy()
    starts = np.append(0, np.cumsum(lengths, dtype=np.int64))
    _, raw, data = texts.buffers()
    if data is None:
        return np.zeros(0, np.uint8), starts
    first = int(np.frombuffer(raw, np.int32, 1, 4 * texts.offset)[0])
    return np.frombuffer(data, np.uint8, int(starts[-1]), first), starts
