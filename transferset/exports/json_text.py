"""Columns as the text of JSON values, without a loop over rows."""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transferset.errors import UsageError, sentence
from transferset.schema import holds_lists

#: What a string of JSON must escape.
_ESCAPED: Final = r'["\\\x00-\x1f]'

#: The escape sign first: it stands in the others.
_SHORT: Final = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}

_CONTROLS: Final = {chr(code): f"\\u{code:04x}" for code in range(0x20) if chr(code) not in _SHORT}

_REST: Final = r"[\x00-\x08\x0b\x0c\x0e-\x1f]"

#: Text that grows may not fit the offsets of a string of Arrow's.
_TEXT: Final = pa.large_string()


def values(column: pa.Array, name: str) -> pa.Array:
    """A column as JSON, a string a row; null stays null.

    Args:
        column: Of any type that a set's column has.
        name: Of the column, for messages.

    Raises:
        UsageError: A number is not finite, which JSON cannot hold.
    """
    if not holds_lists(column.type):
        return _plain(column, name)
    if pa.types.is_fixed_size_list(column.type):
        bounds = np.arange(len(column) + 1, dtype=np.int32) * column.type.list_size
        inner = column.flatten()
    else:
        bounds, inner = column.offsets, column.values
    texts = _plain(inner, name)
    lists = pa.LargeListArray.from_arrays(pa.array(bounds, pa.int64()), texts)
    joined = pc.binary_join(lists, pa.scalar(", ", _TEXT))
    return pc.binary_join_element_wise(_text("["), joined, _text("]"), _text(""))


def _text(value: str) -> pa.Scalar:
    return pa.scalar(value, _TEXT)


def _plain(column: pa.Array, name: str) -> pa.Array:
    if pa.types.is_string(column.type):
        return quoted(column)
    if pa.types.is_floating(column.type):
        return floats(column, name)
    return column.cast(_TEXT)


def quoted(column: pa.Array) -> pa.Array:
    """Strings as strings of JSON."""
    texts = column.cast(_TEXT)
    if holds(texts, _ESCAPED):
        texts = _replaced(texts, _SHORT)
    if holds(texts, _REST):
        texts = _replaced(texts, _CONTROLS)
    return pc.binary_join_element_wise(_text('"'), texts, _text('"'), _text(""))


def holds(texts: pa.Array, pattern: str) -> bool:
    """Whether a text matches anywhere."""
    return bool(pc.any(pc.match_substring_regex(texts, pattern)).as_py())


def _replaced(texts: pa.Array, by: dict[str, str]) -> pa.Array:
    for sign, other in by.items():
        texts = pc.replace_substring(texts, sign, other)
    return texts


def floats(column: pa.Array, name: str) -> pa.Array:
    """Numbers in as few digits as name them, and never like a whole number.

    Args:
        column: float16, float32 or float64.
        name: Of the column, for messages.

    Raises:
        UsageError: One is not finite.
    """
    wide = column.cast(pa.float32()) if pa.types.is_float16(column.type) else column
    if not pc.all(pc.is_finite(wide).fill_null(True)).as_py():
        do = "leave the column out with --columns"
        raise UsageError(sentence(f"finite numbers in {name}", "nan or infinity", do=do))
    texts = wide.cast(_TEXT)
    # a reader that saw 5, 3 and 1 at first would take the column for whole numbers
    whole = pc.binary_join_element_wise(texts, _text(".0"), _text(""))
    return pc.if_else(pc.match_substring_regex(texts, r"[.e]"), texts, whole)


def lines(columns: list[pa.Array | str]) -> pa.Buffer:
    """Texts and columns of texts side by side, row after row, as UTF-8.

    Args:
        columns: Arrays of large strings, of which at least one; null is written `null`.
    """
    cells = [_text(one) if isinstance(one, str) else one for one in columns]
    joined = pc.binary_join_element_wise(
        *cells, _text(""), null_handling="replace", null_replacement="null"
    )
    _, bounds, data = joined.buffers()
    offsets = np.frombuffer(bounds, np.int64)[joined.offset : joined.offset + len(joined) + 1]
    held = data or pa.py_buffer(b"")
    return held.slice(int(offsets[0]), int(offsets[-1] - offsets[0]))
