"""Rows as tables of a stated schema, cut by number: what the columnar formats write and read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import pyarrow as pa

from transferset import schema as schemas
from transferset.errors import SetError, TransfersetError, sentence
from transferset.exported import EXPORT, REMEDY, ExportRecord
from transferset.exports.protocol import Context, Part
from transferset.manifest import Json, canonical
from transferset.shards import ShardSet, compact


def schema_of(found: ShardSet, columns: Sequence[str]) -> pa.Schema:
    """The schema of some columns of a set, as the set has them.

    Args:
        found: An open set.
        columns: Of its own, or texts that are decoded from its ids.
    """
    kinds, names = found.manifest.schema, found.manifest.names
    stated = {name: kinds.get(name, "string") for name in columns}
    return _schema(stated, names, str(found.root))


def stated_schema(root: Path, record: ExportRecord, split: str) -> pa.Schema:
    """The schema of a split of an export, by its record.

    Raises:
        SetError: The record names columns that no set has.
    """
    part = record.part(split)
    return _schema(part["columns"], part["names"], str(root / EXPORT))


def _schema(kinds: Mapping[str, str], names: Mapping[str, Sequence[str]], at: str) -> pa.Schema:
    ids = (
        pa.uint16() if "uint16" in kinds.get("input_ids", kinds.get("top_ids", "")) else pa.int32()
    )
    label = schemas.SCORE if kinds.get("label") == str(schemas.SCORE) else None
    # of other columns than those of a whole set there may be none to train on
    more = () if {"input_ids", "text"} & set(kinds) else ("text",)
    try:
        logits = schemas.stated_logits(kinds)
        whole = schemas.make_schema([*kinds, *more], ids, label, names, logits)
    except TransfersetError as error:
        raise SetError(f"{error} ({at})") from None
    found = pa.schema([field for field in whole if field.name in kinds])
    if schemas.describe(found) != dict(kinds):
        raise SetError(sentence("columns of a set", str(dict(kinds)), at, REMEDY))
    told = {"huggingface": _features(found, names)}
    return found.with_metadata(told)


def _features(schema: pa.Schema, names: Mapping[str, Sequence[str]]) -> bytes:
    return canonical({"info": {"features": schemas.features(schema, names)}})


def task_schema(context: Context, task: Json) -> pa.Schema:
    """The schema of what a task writes."""
    part: Part = context.parts[task["split"]]
    return schema_of(ShardSet.open(part.root), context.columns[part.split])


def groups(
    batches: Iterable[pa.RecordBatch], schema: pa.Schema, size: int
) -> Iterator[pa.RecordBatch]:
    """The same rows in batches of `size` rows, the last one of fewer.

    Equal rows give equal batches, in buffers that hold nothing else.
    """
    held: list[pa.Table] = []
    rows = 0
    for batch in batches:
        held.append(pa.Table.from_batches([batch]).cast(schema))
        rows += batch.num_rows
        while rows >= size:
            table = pa.concat_tables(held)
            yield _one(table.slice(0, size), schema)
            held, rows = [table.slice(size)], rows - size
    if rows:
        yield _one(pa.concat_tables(held), schema)


def _one(table: pa.Table, schema: pa.Schema) -> pa.RecordBatch:
    return compact(table.combine_chunks().to_batches()[0], schema)
