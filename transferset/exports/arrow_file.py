"""Arrow IPC *files*, with a table of batches at the end, which sets (streams) do not have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import pyarrow as pa

from transferset.exported import ExportRecord
from transferset.exports import parquet_files
from transferset.exports.joining import output_of
from transferset.exports.protocol import Context, Draft, Format, Options, Part
from transferset.exports.rows import Rows
from transferset.exports.tables import groups, stated_schema, task_schema
from transferset.files import HashingFile
from transferset.manifest import Json
from transferset.schema import BATCH_ROWS
from transferset.shards import ShardSet
from transferset.stage import Done

_COMPRESSIONS: Final = ("none", "zstd", "lz4")


def plan(sets: Sequence[ShardSet], parts: Sequence[Part], options: Options) -> Draft:
    """See `Format.plan`."""
    parquet_files.check_compression(options, _COMPRESSIONS, "arrow-file")
    return parquet_files.draft(sets, parts, options, "arrow-file", _name)


def _name(split: str, index: int, count: int) -> str:
    return f"{split}/part-{index:05d}-of-{count:05d}.arrow"


def write(root: Path, context: Context, task: Json) -> Done:
    """See `Format.write`: one file."""
    path = root / task["file"]
    path.parent.mkdir(exist_ok=True)
    schema = task_schema(context, task)
    rows = Rows(context, task)
    named = context.options.compression
    options = pa.ipc.IpcWriteOptions(compression=None if named == "none" else named)
    with HashingFile(path) as sink:
        with pa.ipc.new_file(sink, schema, options=options) as writer:
            for batch in groups(rows, schema, BATCH_ROWS):
                writer.write_batch(batch)
        output = output_of(root, sink)
    return Done([output], rows.result() | {"entry": parquet_files.entry_json(output)})


def read(root: Path, record: ExportRecord, split: str) -> Iterator[pa.RecordBatch]:
    """See `Format.read`: the folder as a whole, as its users have it."""
    from pyarrow import dataset

    expected = stated_schema(root, record, split)
    folder = dataset.dataset(root / split, format="ipc")
    parquet_files.check_schema(folder.schema, expected, root / split)
    for batch in folder.to_batches(batch_readahead=2, fragment_readahead=1, use_threads=False):
        batch.validate(full=True)
        yield batch


def reader() -> str:
    """See `Format.reader`."""
    return "pyarrow.dataset"


FORMAT = Format(
    "arrow-file",
    1,
    "Arrow IPC files, a folder a split",
    takes=("columns", "shards", "compression"),
    plan=plan,
    write=write,
    finish=parquet_files.finished,
    read=read,
    reader=reader,
    share=1.0,
)
