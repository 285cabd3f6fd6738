"""Some columns of a set, batch by batch: of the other columns nothing is read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa

from transferset.errors import SetError, sentence
from transferset.schema import NULLABLE
from transferset.shards import REMEDY, ShardSet, damage_named, stated_schema


def column_batches(found: ShardSet, names: Sequence[str]) -> Iterator[list[pa.Array]]:
    """Read some columns of all rows, in order.

    Args:
        found: An open set.
        names: Columns that its manifest has.

    Yields:
        These columns of each batch, each checked; only `label` may have nulls.

    Raises:
        SetError: A shard is damaged, or has other columns.
    """
    expected = stated_schema(found)
    for entry in found.manifest.shards:
        path, rows = found.shard_path(entry), 0
        with damage_named(path), pa.memory_map(str(path)) as source:
            reader = pa.ipc.open_stream(source)
            if not reader.schema.equals(expected):
                columns = ", ".join(reader.schema.names)
                raise SetError(sentence("the manifest's columns", columns, str(path), REMEDY))
            for batch in reader:
                yield [_checked(batch, name, f"{path}, row {rows} or later") for name in names]
                rows += batch.num_rows
        if rows != entry.rows:
            where = f"{path}, row {rows}"
            raise SetError(sentence(f"{entry.rows} rows", f"{rows}", where, REMEDY))


def _checked(batch: pa.RecordBatch, name: str, at: str) -> pa.Array:
    column = batch.column(name)
    column.validate(full=True)
    if column.null_count and name not in NULLABLE:
        raise SetError(sentence(f"a {name} in every row", "null", at, REMEDY))
    return column
