"""A directory for the Hugging Face hub: Parquet files by split, and a data card that names them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

import pyarrow as pa

from transferset.errors import SetError, UsageError, sentence
from transferset.exported import REMEDY, ExportRecord
from transferset.exports import parquet_files
from transferset.exports.protocol import Draft, Format, Options, Part
from transferset.exports.tables import schema_of, stated_schema
from transferset.schema import BATCH_ROWS
from transferset.shards import ShardSet


def plan(sets: Sequence[ShardSet], parts: Sequence[Part], options: Options) -> Draft:
    """See `Format.plan`."""
    parquet_files.check_compression(options, parquet_files.COMPRESSIONS, "hf")
    found = parquet_files.draft(sets, parts, options, "hf", _name)
    _require_alike(sets, [found.columns[part.split] for part in parts])
    return found


def _require_alike(sets: Sequence[ShardSet], columns: Sequence[Sequence[str]]) -> None:
    """Refuse splits that `datasets` cannot open as splits of one.

    Raises:
        UsageError: Their columns or classes differ.
    """
    schemas = [schema_of(one, held) for one, held in zip(sets, columns, strict=True)]
    for one, schema in zip(sets[1:], schemas[1:], strict=True):
        if not schema.equals(schemas[0], check_metadata=True):
            told = ", ".join(schema.names)
            if schema.equals(schemas[0]):
                told += ", with other classes"
            expected = f"the columns of {sets[0].label}, {', '.join(schemas[0].names)}"
            do = "name those that all splits have with --columns"
            raise UsageError(sentence(expected, told, str(one.root), do))


def _name(split: str, index: int, count: int) -> str:
    return f"data/{split}-{index:05d}-of-{count:05d}.parquet"


def read(root: Path, record: ExportRecord, split: str) -> Iterator[pa.RecordBatch]:
    """See `Format.read`: the files of the record, for the card may be anybody's and name others."""
    schema = stated_schema(root, record, split)
    ours = re.compile(re.escape(f"data/{split}-") + r"\d{5}-of-\d{5}\.parquet")
    paths = sorted(root / entry.file for entry in record.files if ours.fullmatch(entry.file))
    # the card says `data/train-*`: all that is called so is read as part of the split
    strange = sorted(set((root / "data").glob(f"{split}-*")) - set(paths))
    if strange:
        raise SetError(sentence("files of the export", "another", str(strange[0]), "remove it"))
    return (
        _by_datasets(paths, schema) if find_spec("datasets") else parquet_files.read(paths, schema)
    )


def _by_datasets(paths: Sequence[Path], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    import datasets

    files = [str(path) for path in paths]
    # streamed: otherwise a copy of it all would go into the user's cache
    found = datasets.load_dataset("parquet", data_files=files, split="train", streaming=True)
    expected = datasets.Features.from_arrow_schema(schema)
    if found.features != expected:
        where = str(paths[0].parent)
        raise SetError(sentence(f"features {expected}", str(found.features), where, REMEDY))
    for table in found.with_format("arrow").iter(BATCH_ROWS):
        yield from table.combine_chunks().to_batches()


def reader() -> str:
    """See `Format.reader`."""
    return "datasets.load_dataset" if find_spec("datasets") else "pyarrow.parquet"


FORMAT = Format(
    "hf",
    1,
    "Parquet files and a data card, for the Hugging Face hub",
    takes=("columns", "shards", "compression"),
    plan=plan,
    write=parquet_files.write,
    finish=parquet_files.finished,
    read=read,
    reader=reader,
    share=0.5,
    card=True,
    packages=("pyarrow",),
)
