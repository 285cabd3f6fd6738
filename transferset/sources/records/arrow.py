"""Arrow IPC files and streams: parts are record batches.

A stream that was cut off between two batches reads as whole, so its end must be marked. Only
uncompressed batches are mapped; those of a part alone are looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pyarrow as pa

from transferset.sources.records import columns
from transferset.sources.records.reading import PART_BYTES, Found, RecordPart

#: What the file format begins with (Arrow columnar format, "IPC File Format").
_MAGIC: Final = b"ARROW1"

#: The mark at the end of a stream: a continuation mark and a length of nothing.
_END: Final = b"\xff\xff\xff\xff\0\0\0\0"

_KIND: Final = "Arrow"


def field_of(path: Path, field: str | None) -> str:
    """The column of the text.

    Raises:
        InputError: The file is no Arrow file.
        UsageError: See `columns.field_of`.
    """
    with columns.readable(path, _KIND), _opened(path) as (source, is_file):
        opened = pa.ipc.open_file(source) if is_file else pa.ipc.open_stream(source)
        return columns.field_of(opened.schema, field, str(path))


def parts(path: Path, target: int = PART_BYTES) -> list[RecordPart]:
    """Cut a file into ranges of record batches.

    Args:
        path: The file.
        target: Bytes of a part, about.

    Raises:
        InputError: The file was cut off.
    """
    with columns.readable(path, _KIND), _opened(path) as (source, is_file):
        sizes = _file_sizes(source) if is_file else [m.body.size for m in _messages(source)]
    bounds, held = [0], 0
    for number, size in enumerate(sizes):
        if held and held + size > target:
            bounds.append(number)
            held = 0
        held += size
    cuts = zip(bounds, [*bounds[1:], len(sizes)], strict=True)
    return [RecordPart(i, start, stop) for i, (start, stop) in enumerate(cuts) if start < stop]


def _file_sizes(source: pa.NativeFile) -> list[int]:
    count = pa.ipc.open_file(source).num_record_batches
    return [source.size() // max(1, count)] * count  # the footer's own sizes are out of reach


def read(path: Path, field: str, part: RecordPart) -> Iterator[Found]:
    """Read the record batches of a part.

    Raises:
        InputError: The file is damaged.
    """
    with columns.readable(path, _KIND), _opened(path) as (source, is_file):
        batches = _of_file(source, part) if is_file else _of_stream(source, part)
        for batch in batches:
            known = columns.known_columns(batch.schema)
            first = columns.path_of(batch.schema, field)[0]
            yield from columns.records(batch.select([first, *known]), field, known)


def _of_file(source: pa.NativeFile, part: RecordPart) -> Iterator[pa.RecordBatch]:
    reader = pa.ipc.open_file(source)
    for number in range(part.start, part.stop):
        yield reader.get_batch(number)


def _of_stream(source: pa.NativeFile, part: RecordPart) -> Iterator[pa.RecordBatch]:
    """Batches of a stream; those before the part are not decoded unless there are dictionaries."""
    schema = pa.ipc.open_stream(source).schema
    source.seek(0)
    if any(_has_dictionary(field.type) for field in schema):
        for number, batch in enumerate(pa.ipc.open_stream(source)):
            if part.start <= number < part.stop:
                yield batch
        return
    for number, message in enumerate(_messages(source)):
        if number == part.stop:
            return
        if number >= part.start:
            yield pa.ipc.read_record_batch(message, schema)


def _has_dictionary(kind: pa.DataType) -> bool:
    inner = [kind.field(i).type for i in range(kind.num_fields)]
    return bool(pa.types.is_dictionary(kind) or any(_has_dictionary(k) for k in inner))


def _messages(source: pa.NativeFile) -> Iterator[pa.Message]:
    """The record batches of a stream, not decoded."""
    reader = pa.ipc.MessageReader.open_stream(source)
    while True:
        at = source.tell()
        try:
            message = reader.read_next_message()
        except StopIteration:
            break
        if message.type == "record batch":
            yield message
    source.seek(at)
    if source.read(len(_END)) != _END:
        raise ValueError(f"no mark of the stream's end at byte {at}")


@contextmanager
def _opened(path: Path) -> Iterator[tuple[pa.NativeFile, bool]]:
    with pa.memory_map(str(path)) as source:
        is_file = source.read(len(_MAGIC)) == _MAGIC
        source.seek(0)
        yield source, is_file
