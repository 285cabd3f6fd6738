"""Parquet files of rows, for `parquet` and `hf`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import pyarrow as pa

from transferset.errors import SetError, UsageError, sentence
from transferset.exported import REMEDY
from transferset.exports.cutting import columns_of, files, left_out
from transferset.exports.joining import output_of
from transferset.exports.protocol import Context, Draft, Options, Part, Written
from transferset.exports.rows import Rows
from transferset.exports.tables import groups, task_schema
from transferset.files import HashingFile
from transferset.manifest import FileEntry, Json
from transferset.schema import BATCH_ROWS, COLUMNS
from transferset.shards import ShardSet
from transferset.stage import Done

COMPRESSIONS: Final = ("zstd", "snappy", "none")

#: Rows of a row group: what a reader has in memory at least.
GROUP_ROWS: Final = 10 * BATCH_ROWS

#: The name of a file: of a split, a number and a count.
Naming = Callable[[str, int, int], str]


def check_compression(options: Options, known: Sequence[str], name: str) -> None:
    """Refuse a compression that a format does not have.

    Raises:
        UsageError: It is none of those known.
    """
    if options.compression is not None and options.compression not in known:
        expected = f"--compression {', '.join(known)} with --to {name}"
        raise UsageError(sentence(expected, options.compression))


def draft(
    sets: Sequence[ShardSet], parts: Sequence[Part], options: Options, name: str, naming: Naming
) -> Draft:
    """A plan of files of which each task writes one.

    Args:
        sets: By split.
        parts: As many.
        options: Columns and number of files.
        name: Of the format.
        naming: Of the files.
    """
    tasks: list[Json] = []
    held = {}
    gone = []
    for split, (part, found) in enumerate(zip(parts, sets, strict=True)):
        held[part.split] = columns_of(found, options, COLUMNS)
        gone += left_out(found, held[part.split], name)
        ranges = files(found, options.shards)
        for i, (start, stop) in enumerate(ranges):
            file = naming(part.split, i, len(ranges))
            place = {"split": split, "start": start, "stop": stop, "rows": stop - start}
            tasks.append({**place, "file": file})
    return Draft(held, tasks, len(tasks), gone)


def write(root: Path, context: Context, task: Json) -> Done:
    """See `Format.write`: one Parquet file."""
    from pyarrow import parquet

    path = root / task["file"]
    path.parent.mkdir(exist_ok=True)
    schema = task_schema(context, task)
    rows = Rows(context, task)
    compression = context.options.compression or "zstd"
    with HashingFile(path) as sink:
        with parquet.ParquetWriter(sink, schema, compression=compression) as writer:
            for batch in groups(rows, schema, GROUP_ROWS):
                writer.write_table(pa.Table.from_batches([batch]), row_group_size=GROUP_ROWS)
        output = output_of(root, sink)
    return Done([output], rows.result() | {"entry": entry_json(output)})


def entry_json(output: FileEntry | object) -> Json:
    """A file that a task wrote, for `finished`."""
    return {name: getattr(output, name) for name in ("file", "bytes", "blake3")}


def finished(written: Written) -> list[FileEntry]:
    """See `Format.finish`, where each task wrote one file."""
    return [FileEntry(**result["entry"]) for result in written.results]


def read(paths: Sequence[Path], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Rows of Parquet files, batch by batch.

    Raises:
        SetError: A file has other columns.
        pa.ArrowException: It cannot be read.
    """
    from pyarrow import parquet

    for path in paths:
        with parquet.ParquetFile(path) as file:
            check_schema(file.schema_arrow, schema, path)
            yield from file.iter_batches(BATCH_ROWS, use_threads=False)


def check_schema(found: pa.Schema, expected: pa.Schema, path: Path) -> None:
    """Refuse a file with other columns than the record says.

    Raises:
        SetError: It has.
    """
    if not found.equals(expected):
        told = " ".join(str(found.remove_metadata()).split())
        raise SetError(sentence("the record's columns", told, str(path), REMEDY))
