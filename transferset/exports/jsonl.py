"""JSON lines: an object a row, one file a split."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Final

import pyarrow as pa

from transferset.errors import SetError, sentence
from transferset.exported import REMEDY, ExportRecord
from transferset.exports import texts
from transferset.exports.joining import output_of, part_path
from transferset.exports.json_text import lines, quoted, values
from transferset.exports.protocol import Context, Draft, Format, Options, Part, Written
from transferset.exports.rows import Rows
from transferset.exports.tables import stated_schema
from transferset.files import HashingFile
from transferset.manifest import FileEntry, Json
from transferset.shards import ShardSet
from transferset.stage import Done

_ENDING: Final = ".jsonl"


def plan(sets: Sequence[ShardSet], parts: Sequence[Part], options: Options) -> Draft:
    """See `Format.plan`."""
    return texts.draft(sets, parts, options, "jsonl")


def write(root: Path, context: Context, task: Json) -> Done:
    """See `Format.write`: a part of a file."""
    found = ShardSet.open(context.parts[task["split"]].root)
    rows = Rows(context, task)
    with HashingFile(part_path(root, task, _ENDING)) as sink:
        for batch in rows:
            sink.write(_lines(batch, found.manifest.names))
        output = output_of(root, sink)
    return Done([output], rows.result())


def _lines(batch: pa.RecordBatch, names: Mapping[str, Sequence[str]]) -> pa.Buffer:
    cells = [
        (f'{", " if i else "{"}"{field.name}": ', _values(batch.column(i), field, names))
        for i, field in enumerate(batch.schema)
    ]
    return lines([*chain.from_iterable(cells), "}\n"])


def _values(column: pa.Array, field: pa.Field, names: Mapping[str, Sequence[str]]) -> pa.Array:
    if texts.has_names(field, names):
        return quoted(texts.named(column, names["label"]))
    return values(column, field.name)


def finish(written: Written) -> list[FileEntry]:
    """See `Format.finish`."""
    return texts.joined(written, _ENDING, {})


def read(root: Path, record: ExportRecord, split: str) -> Iterator[pa.RecordBatch]:
    """See `Format.read`."""
    from pyarrow import json

    path = root / f"{split}{_ENDING}"
    expected = stated_schema(root, record, split)
    names = record.part(split)["names"]
    kinds = pa.schema([(field.name, _kind(field, names)) for field in expected])
    parsing = json.ParseOptions(explicit_schema=kinds, unexpected_field_behavior="error")
    with path.open("rb") as file:
        for block in texts.blocks(file):
            reading = json.ReadOptions(use_threads=False, block_size=len(block) + 1)
            try:
                table = json.read_json(pa.BufferReader(block), reading, parsing)
                columns = [_column(table, field, names) for field in expected]
            except (pa.ArrowException, KeyError) as error:
                told = str(error).splitlines()[0]
                raise SetError(sentence("lines of JSON", told, str(path), REMEDY)) from error
            yield pa.RecordBatch.from_arrays(columns, schema=expected)


def _kind(field: pa.Field, names: Mapping[str, Sequence[str]]) -> pa.DataType:
    """What is read: the parser knows no fixed lengths and no numbers of 16 bits with a point."""
    if texts.has_names(field, names):
        return pa.string()
    kind = field.type
    if not (pa.types.is_list(kind) or pa.types.is_fixed_size_list(kind)):
        return kind
    inner = pa.float32() if pa.types.is_float16(kind.value_type) else kind.value_type
    return pa.list_(inner)


def _column(table: pa.Table, field: pa.Field, names: Mapping[str, Sequence[str]]) -> pa.Array:
    column = table.column(field.name).combine_chunks()
    if texts.has_names(field, names):
        return texts.coded(column, names["label"])
    return column.cast(field.type)


def reader() -> str:
    """See `Format.reader`."""
    return "pyarrow.json"


FORMAT = Format(
    "jsonl",
    1,
    "lines of JSON with texts and labels, a file a split",
    takes=("columns",),
    plan=plan,
    write=write,
    finish=finish,
    read=read,
    reader=reader,
    share=0.65,
    ids=False,
)
