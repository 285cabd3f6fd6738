"""Small shard sets for tests, made without the pipeline."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from transferset import schema
from transferset.files import write_atomic
from transferset.manifest import MANIFEST, Manifest
from transferset.shards import ShardSet, ShardWriter, shard_name

TOKENIZER = {
    "name": "toy",
    "sha256": "0" * 64,
    "vocab_size": 1000,
    "special_ids": {"pad": 0, "unk": 1, "cls": 2, "sep": 3, "mask": 4},
    "lowercase": True,
}


def make_table(rows: int, start: int = 0) -> pa.Table:
    """Rows [CLS] x … [SEP] of 3 to 12 ids; `doc_id` counts from `start`."""
    number = np.arange(start, start + rows)
    lengths = 3 + (number * 7) % 10
    offsets = np.append(0, np.cumsum(lengths)).astype(np.int32)
    ids = (5 + (np.arange(offsets[-1]) + start) * 31 % 900).astype(np.uint16)
    ids[offsets[:-1]], ids[offsets[1:] - 1] = 2, 3
    return pa.table(
        {
            "input_ids": pa.ListArray.from_arrays(pa.array(offsets), pa.array(ids)),
            "text": pa.array([f"row {i}" for i in number.tolist()]),
            "doc_id": pa.array(number.astype(np.uint64)),
            "rev_id": pa.array(number.astype(np.uint64) + 7),
            "sentence": pa.array((number % 5).astype(np.uint32)),
            "source": pa.array(np.zeros(rows, np.uint16)),
        }
    )


def make_set(root: Path, rows: list[int], *, text: bool = False, format: int = 1):
    """A committed set with the given rows in each shard; its path if the format is unknown."""
    columns = ["input_ids", *(["text"] if text else []), "doc_id", "rev_id", "sentence", "source"]
    of_set = schema.make_schema(columns, pa.uint16())
    tables = [make_table(count, sum(rows[:i])) for i, count in enumerate(rows)]
    return commit_set(
        root, of_set, [table.select(columns).cast(of_set) for table in tables], format
    )


def reshard(found: ShardSet, root: Path, rows: list[int]) -> ShardSet:
    """The same rows in other shards."""
    table = pa.Table.from_batches(found.batches())
    starts = np.cumsum([0, *rows])
    tables = [table.slice(int(a), n) for a, n in zip(starts, rows, strict=False)]
    return commit_set(root, found.schema, tables, 1)


def commit_set(root: Path, of_set: pa.Schema, tables: list[pa.Table], format: int):
    """A committed set with one shard a table."""
    root.mkdir(parents=True)
    rows = [table.num_rows for table in tables]
    entries = []
    for i, table in enumerate(tables):
        with ShardWriter(root / shard_name(i, len(rows)), of_set) as writer:
            writer.write(table)
            entries.append(writer.commit())
    tokens = sum(e.tokens for e in entries)
    manifest = Manifest(
        format=format,
        name="toy",
        op="test",
        params={"max_len": 12},
        seed=0,
        generator="none",
        recipe="0" * 64,
        code={},
        tokenizer=TOKENIZER,
        parents=[],
        sources=[{"code": 0, "file": "toy.xml", "language": "en"}],
        licence="CC0-1.0",
        schema=schema.describe(of_set),
        totals={
            "documents": sum(rows),
            "rows": sum(rows),
            "tokens": tokens,
            "content_tokens": tokens - 2 * sum(rows),
            "bytes": sum(e.bytes for e in entries),
        },
        statistics=[],
        ledger=[],
        shards=tuple(entries),
    )
    write_atomic(root / MANIFEST, manifest.to_bytes())
    return ShardSet.open(root) if format == 1 else root
