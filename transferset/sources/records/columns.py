"""What Parquet and Arrow files have in common: columns that become records.

Only the text and the columns of `rows.KNOWN` are read. Strings are taken as bytes, so that what is
no UTF-8 is found row by row: Arrow itself does not look.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from transferset.errors import InputError, UsageError, sentence
from transferset.ledger import Reason
from transferset.sources.records.fields import check_field, find_field
from transferset.sources.records.reading import Found
from transferset.sources.records.rows import ID, KNOWN, Unusable

#: Rows that are Python objects at a time.
ROWS: Final = 256

_COPY: Final = "copy the file again from where it comes"


def field_of(schema: pa.Schema, field: str | None, at: str) -> str:
    """Find the column of the text.

    Args:
        schema: Of the file.
        field: What the user calls it, `meta.text` inside of a struct; None finds it.
        at: The file, for the message.

    Raises:
        UsageError: There is no such column, or it is not clear which.
    """
    names = schema.names
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UsageError(sentence("columns of different names", f"{twice[0]} twice", at))
    if field is None:
        return find_field([f.name for f in schema if is_string(f.type)], at)
    kind = type_of(schema, field)
    if kind is None or not (is_string(kind) or is_bytes(kind)):
        check_field(field, _strings(schema), at)
    return field


def _strings(fields: Any, before: str = "") -> list[str]:
    found = []
    for field in fields:
        if is_string(field.type):
            found.append(f"{before}{field.name}")
        elif pa.types.is_struct(field.type):
            found += _strings(field.type, f"{before}{field.name}.")
    return found


def path_of(schema: pa.Schema, field: str) -> list[str]:
    """The column and the members of structs inside of it that a field names."""
    if field in schema.names:
        return [field]
    name, _, rest = field.partition(".")
    return [name, *rest.split(".")] if rest else [name]


def type_of(schema: pa.Schema, field: str) -> pa.DataType | None:
    """The type of a field, None if there is none."""
    fields: Any = schema
    kind = None
    for name in path_of(schema, field):
        index = fields.get_field_index(name) if kind is None or pa.types.is_struct(kind) else -1
        if index < 0:
            return None
        kind = fields.field(index).type
        fields = kind
    return kind


def is_string(kind: pa.DataType) -> bool:
    """Whether values of a column are strings, however they are stored."""
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(
        pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    )


def is_bytes(kind: pa.DataType) -> bool:
    """Whether values are bytes: strings of writers that did not say so."""
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(
        pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind)
    )


def known_columns(schema: pa.Schema) -> list[str]:
    """The columns out of `rows.KNOWN` whose types can be used."""
    return [
        name for name in KNOWN if name in schema.names and _usable(name, schema.field(name).type)
    ]


def _usable(name: str, kind: pa.DataType) -> bool:
    if name == ID and (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
        return True
    return is_string(kind) or (_is_list(kind) and is_string(kind.value_type))


def _is_list(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind))


def records(batch: pa.RecordBatch, field: str, known: list[str]) -> Iterator[Found]:
    """The rows of a batch.

    Args:
        batch: With the columns of the text and of `known`.
        field: See `field_of`.
        known: See `known_columns`.

    Raises:
        pa.ArrowInvalid: Lengths or offsets in the batch are wrong.
    """
    columns = [_raw(_text(batch, field)), *(_raw(batch.column(name)) for name in known)]
    for column in columns:
        column.validate(full=True)  # before anything follows an offset
    names = [None, *known]
    for start in range(0, batch.num_rows, ROWS):
        values = [column.slice(start, ROWS) for column in columns]
        lists = [_python(value) for value in values]
        for row in zip(*lists, strict=True):
            yield _found(dict(zip(names, row, strict=True)))


def _text(batch: pa.RecordBatch, field: str) -> pa.Array:
    first, *inner = path_of(batch.schema, field)
    column = batch.column(first)
    column.validate()
    return pc.struct_field(column, inner) if inner else column


def _raw(column: pa.Array) -> pa.Array:
    """Strings as bytes, by changing the type alone: nothing is looked at."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        values = _raw(column.dictionary)
        return pa.DictionaryArray.from_arrays(column.indices, values, safe=False)
    return column.cast(_bytes(kind), safe=False) if _bytes(kind) != kind else column


def _bytes(kind: pa.DataType) -> pa.DataType:
    if _is_list(kind):
        inner = _bytes(kind.value_type)
        return pa.large_list(inner) if pa.types.is_large_list(kind) else pa.list_(inner)
    if pa.types.is_string_view(kind):
        return pa.binary_view()
    if pa.types.is_large_string(kind):
        return pa.large_binary()
    return pa.binary() if pa.types.is_string(kind) else kind


def _python(column: pa.Array) -> list[Any]:
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    return list(column.to_pylist())


def _found(row: dict[str | None, Any]) -> Found:
    try:
        text = _decoded(row.pop(None))
        return Found(text, {name: _decoded(value) for name, value in row.items() if name})
    except UnicodeDecodeError as error:
        return Found(problem=Unusable(Reason.MALFORMED, f"{error.reason}, no UTF-8"))


def _decoded(value: Any) -> Any:
    if isinstance(value, list):
        return [_decoded(item) for item in value]
    return value.decode() if isinstance(value, bytes) else value


@contextmanager
def readable(path: Path, kind: str) -> Iterator[None]:
    """Turn Arrow's complaints about a file into one sentence."""
    try:
        yield
    except (pa.ArrowException, OSError, ValueError) as error:
        found = str(error).partition("\n")[0] or type(error).__name__
        raise InputError(sentence(f"a whole {kind} file", found, str(path), _COPY)) from None
