"""The second pass of a build: spilled rows become shards in their final order.

Shuffled rows carry a 64-bit key. Shard i of S takes the i-th of S equal ranges of keys, sub-range
by sub-range, so memory is bounded by a sub-range and the result depends on the keys alone.
Unshuffled rows are cut by number.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from transferset.errors import TransfersetError, sentence
from transferset.holding import RUN
from transferset.manifest import Json
from transferset.shards import ShardWriter, shard_name
from transferset.stage import Done, Output
from transferset.storage.mounts import present

#: Data bytes that a shard should have.
SHARD_BYTES = 256 << 20

#: Data bytes that are sorted at once.
SORT_BYTES = 24 << 20

#: Shards of one set: with more, its manifest would be larger than what `Manifest.read` reads.
_MOST_SHARDS = 160_000

#: Spills that are mapped at once; Linux maps 65,530 files into a process.
_MAPPED = 1000

_KEYS = 1 << 64


@dataclass(frozen=True, slots=True)
class OrderContext:
    """What all tasks of the second pass share."""

    schema_bytes: bytes
    stage: str
    spills: int
    shards: int
    shuffled: bool


def plan(rows: Sequence[int], data_bytes: int, shards: int | None, digest: str) -> list[Json]:
    """Tasks of the second pass.

    Args:
        rows: Rows in each spill, in source order.
        data_bytes: Bytes of all rows; decides the number of shards unless it is given.
        shards: Number of shards, or None.
        digest: Digest of all spills.

    Returns:
        One task a shard.
    """
    count = shards or count_shards(data_bytes)
    total = sum(rows)
    bounds = [total * i // count for i in range(count + 1)]
    ends = np.cumsum([0, *rows])
    tasks = []
    for i in range(count):
        spill = int(np.searchsorted(ends, bounds[i], "right")) - 1
        tasks.append(
            {
                "shard": i,
                "from": digest,
                "rows": bounds[i + 1] - bounds[i],
                "spill": min(spill, len(rows) - 1),
                "skip": bounds[i] - int(ends[min(spill, len(rows) - 1)]),
                "ranges": max(1, -(-data_bytes // count // SORT_BYTES)),
            }
        )
    return tasks


def count_shards(data_bytes: int) -> int:
    """One shard a `SHARD_BYTES`, at least one.

    Args:
        data_bytes: Bytes of all rows.

    Raises:
        TransfersetError: More than one set can have; better now than once they are written.
    """
    count = max(1, -(-data_bytes // SHARD_BYTES))
    if count > _MOST_SHARDS:
        do = "make several sets of it"
        raise TransfersetError(sentence(f"up to {_MOST_SHARDS:,} shards", f"{count:,}", do=do))
    return count


def spill_path(root: Path, stage: str, ordinal: int) -> Path:
    """Where task `ordinal` of a stage spills its rows."""
    return root / RUN / stage / f"{ordinal:05d}.arrow"


def write_shard(root: Path, context: OrderContext, task: Json) -> Done:
    """Write one shard.

    Args:
        root: The set's directory.
        context: Shared configuration.
        task: From `plan`.

    Returns:
        The shard as output, and its manifest entry as result.
    """
    schema = pa.ipc.read_schema(pa.py_buffer(context.schema_bytes))
    path = root / shard_name(task["shard"], context.shards)
    tables = _shuffled if context.shuffled else _sequential
    with ShardWriter(path, schema) as writer:
        for table in tables(root, context, task):
            writer.write(table.select(schema.names).cast(schema))
        entry = writer.commit()
    return Done([Output(entry.file, entry.bytes, entry.blake3)], asdict(entry))


def _shuffled(root: Path, context: OrderContext, task: Json) -> Iterator[pa.Table]:
    shard, ranges = task["shard"], task["ranges"]
    pieces = context.shards * ranges
    for piece in range(shard * ranges, (shard + 1) * ranges):
        low, high = (_KEYS * i // pieces for i in (piece, piece + 1))
        found = list(_released(_key_range(root, context, low, high)))
        if found:
            table = pa.concat_tables(found).combine_chunks()
            # stable: rows with equal keys stay in source order
            order = np.argsort(table.column("key").to_numpy(), kind="stable")
            yield table.take(pa.array(order))


def _released(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """The same rows, copied in groups: a slice keeps its spill mapped."""
    held: list[pa.Table] = []
    for table in tables:
        held.append(table)
        if len(held) == _MAPPED:
            yield pa.concat_tables(held).combine_chunks()
            held = []
    yield from held


def _key_range(root: Path, context: OrderContext, low: int, high: int) -> Iterator[pa.Table]:
    """Rows with low ≤ key < high from every spill, in source order."""
    for ordinal in range(context.spills):
        for batch in _spill(root, context, ordinal):
            keys = batch.column("key").to_numpy()
            start = int(np.searchsorted(keys, np.uint64(low)))
            stop = len(keys) if high == _KEYS else int(np.searchsorted(keys, np.uint64(high)))
            if stop > start:
                yield pa.Table.from_batches([batch.slice(start, stop - start)])


def _sequential(root: Path, context: OrderContext, task: Json) -> Iterator[pa.Table]:
    skip, left = task["skip"], task["rows"]
    for ordinal in range(task["spill"], context.spills):
        for batch in _spill(root, context, ordinal):
            if left <= 0:
                return
            taken = batch.slice(skip, left)  # an empty slice when all of the batch is skipped
            skip, left = max(0, skip - batch.num_rows), left - taken.num_rows
            if taken.num_rows:
                yield pa.Table.from_batches([taken])


def _spill(root: Path, context: OrderContext, ordinal: int) -> Iterator[pa.RecordBatch]:
    with pa.memory_map(str(present(spill_path(root, context.stage, ordinal)))) as source:
        reader = pa.ipc.open_file(source)
        for i in range(reader.num_record_batches):
            yield reader.get_batch(i)
