"""Parquet: a folder a split, as pyarrow.dataset, polars and DuckDB read it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa

from transferset.exported import ExportRecord
from transferset.exports import parquet_files
from transferset.exports.protocol import Draft, Format, Options, Part
from transferset.exports.tables import stated_schema
from transferset.schema import BATCH_ROWS
from transferset.shards import ShardSet


def plan(sets: Sequence[ShardSet], parts: Sequence[Part], options: Options) -> Draft:
    """See `Format.plan`."""
    parquet_files.check_compression(options, parquet_files.COMPRESSIONS, "parquet")
    return parquet_files.draft(sets, parts, options, "parquet", _name)


def _name(split: str, index: int, count: int) -> str:
    return f"{split}/part-{index:05d}-of-{count:05d}.parquet"


def read(root: Path, record: ExportRecord, split: str) -> Iterator[pa.RecordBatch]:
    """See `Format.read`: the folder as a whole, as its users have it."""
    from pyarrow import dataset

    expected = stated_schema(root, record, split)
    folder = dataset.dataset(root / split, format="parquet")
    parquet_files.check_schema(folder.schema, expected, root / split)
    # in order, and no more in memory than is looked at
    yield from folder.to_batches(
        batch_size=BATCH_ROWS, batch_readahead=2, fragment_readahead=1, use_threads=False
    )


def reader() -> str:
    """See `Format.reader`."""
    return "pyarrow.dataset"


FORMAT = Format(
    "parquet",
    1,
    "Parquet files, a folder a split",
    takes=("columns", "shards", "compression"),
    plan=plan,
    write=parquet_files.write,
    finish=parquet_files.finished,
    read=read,
    reader=reader,
    share=0.5,
    packages=("pyarrow",),
)
