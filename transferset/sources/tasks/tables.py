"""Parquet and Arrow files: columns by name, labels with the names that `datasets` gave them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from transferset.errors import UsageError, sentence
from transferset.sources.records import arrow, columns
from transferset.sources.tasks.layouts import Layout, Names
from transferset.sources.tasks.options import TaskOptions
from transferset.sources.tasks.reading import Flaw, Row
from transferset.sources.tasks.typed import NO_CHOICE, choose, listed, values

#: Rows that are Python objects at a time.
_ROWS: Final = 1024

_KIND: Final = {"parquet": "Parquet", "arrow": "Arrow"}


@dataclass(frozen=True, slots=True)
class Table:
    """The columns that are read of a file, and the names of its classes.

    Args:
        names: Columns of the text, the second text, the label; the label is empty where there
            is none.
        classes: By code, where the file states them.
        missing: Why there is no label, as the error for whoever needs one.
    """

    names: Names
    classes: tuple[str, ...] = ()
    missing: str = ""

    @property
    def pair(self) -> bool:
        """Whether rows have two texts."""
        return self.names.pair is not None


def look(path: Path, kind: str, options: TaskOptions) -> Table:
    """Find the columns of a file.

    Raises:
        UsageError: They are not there, or hold something else.
        InputError: The file is damaged.
    """
    with columns.readable(path, _KIND[kind]):
        if kind == "arrow":
            arrow.parts(path)  # a stream that was cut off is found by its missing end alone
        with _batches(path, kind) as (schema, _):
            pass
    chosen = choose(options, lambda name: columns.type_of(schema, name) is not None)
    if chosen is None:
        do = NO_CHOICE
        found = f"the columns {listed(schema.names)}"
        raise UsageError(sentence(_wanted(options.known_layout), found, str(path), do))
    names, missing = chosen
    for name in (names.text, names.pair):
        if name is not None and not _is_text(columns.type_of(schema, name)):
            found = f"{columns.type_of(schema, name)}"
            raise UsageError(sentence(f"strings in the column {name}", found, str(path)))
    return Table(names, _classes(schema, names.label), missing)


def _wanted(layout: Layout | None) -> str:
    if layout is None:
        return "the columns that --text and --text-pair name"
    known = " or ".join(listed([n for n in names if n]) for names in layout.names)
    return f"the columns {known} of the layout {layout.name}"


def _is_text(kind: pa.DataType) -> bool:
    return columns.is_string(kind) or columns.is_bytes(kind)


def _classes(schema: pa.Schema, label: str) -> tuple[str, ...]:
    """Names of a ClassLabel, as `datasets` writes them into the schema's metadata."""
    if label not in schema.names or not pa.types.is_integer(schema.field(label).type):
        return ()
    try:
        feature = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"][label]
        names = feature["names"] if feature["_type"] == "ClassLabel" else []
    except (KeyError, TypeError, ValueError, RecursionError):
        return ()
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        return ()
    return tuple(names) if len(set(names)) == len(names) else ()


def rows(path: Path, kind: str, table: Table, *, labelled: bool, whole: bool) -> Iterator[Row]:
    """Read the rows of a file.

    Args:
        path: The file.
        kind: `parquet` or `arrow`.
        table: From `look`.
        labelled: Whether labels are read.
        whole: Whether a label like 1.0 is a whole number, as of classes.

    Raises:
        InputError: The file is damaged.
    """
    names = table.names
    wanted = [names.text, names.pair, names.label if labelled else ""]
    number = 0
    with columns.readable(path, _KIND[kind]), _batches(path, kind) as (_, batches):
        for batch in batches:
            picked = [_column(batch, name) if name else None for name in wanted]
            for start in range(0, batch.num_rows, _ROWS):
                count = min(_ROWS, batch.num_rows - start)
                lists = [_python(column, start, count) for column in picked]
                for row in zip(*lists, strict=True):
                    number += 1
                    yield number, _row(row, table, whole)


def _row(row: tuple[Any, Any, Any], table: Table, whole: bool) -> Any:
    text, pair, label = row
    if table.classes and isinstance(label, int):
        if not -1 <= label < len(table.classes):
            expected = f"a label from 0 to {len(table.classes) - 1}"
            return Flaw(expected, str(label))
        label = table.classes[label] if label >= 0 else None
    return values(text, pair, label, paired=table.pair, whole=whole)


def _column(batch: pa.RecordBatch, name: str) -> pa.Array:
    first, *inner = columns.path_of(batch.schema, name)
    column = batch.column(first)
    column.validate()
    if inner:
        column = pc.struct_field(column, inner)
    if pa.types.is_dictionary(column.type):
        column.validate(full=True)  # before anything follows an index
        column = column.dictionary_decode()
    # strings as bytes: what is no UTF-8 is then found row by row
    column = column.cast(_bytes(column.type), safe=False)
    column.validate(full=True)
    return column


def _bytes(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_string_view(kind):
        return pa.binary_view()
    if pa.types.is_large_string(kind):
        return pa.large_binary()
    return pa.binary() if pa.types.is_string(kind) else kind


def _python(column: pa.Array | None, start: int, count: int) -> list[Any]:
    return [None] * count if column is None else column.slice(start, count).to_pylist()


@contextmanager
def _batches(path: Path, kind: str) -> Iterator[tuple[pa.Schema, Iterator[pa.RecordBatch]]]:
    if kind == "parquet":
        with pq.ParquetFile(path, pre_buffer=False, page_checksum_verification=True) as file:
            yield file.schema_arrow, file.iter_batches(_ROWS, use_threads=False)
        return
    with pa.memory_map(str(path)) as source:
        is_file = source.read(6) == b"ARROW1"
        source.seek(0)
        if is_file:
            opened = pa.ipc.open_file(source)
            batches = (opened.get_batch(i) for i in range(opened.num_record_batches))
            yield opened.schema, batches
        else:
            stream = pa.ipc.open_stream(source)
            yield stream.schema, iter(stream)
