"""Small sets of given rows, in given shards, for tests of measuring and comparing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
from sets import TOKENIZER

from transferset import schema
from transferset.files import write_atomic
from transferset.manifest import MANIFEST, Manifest
from transferset.shards import ShardSet, ShardWriter, shard_name

PAD, UNK, CLS, SEP, MASK = 0, 1, 2, 3, 4

Row = Sequence[int]


def row(*content: int) -> list[int]:
    """[CLS] … [SEP]."""
    return [CLS, *content, SEP]


def make_rows(
    root: Path,
    rows: Sequence[Row],
    *,
    shards: Sequence[int] = (),
    columns: dict[str, list] | None = None,
    ids: pa.DataType | None = None,
    parents: Sequence[dict] = (),
    sha256: str = "0" * 64,
    vocab_size: int = 1000,
) -> ShardSet:
    """A committed set of these rows; `shards` are the rows of all shards but the last."""
    ids = ids or pa.uint16()
    of_set = schema.make_schema(["input_ids", *(columns or {})], ids)
    table = pa.table({"input_ids": pa.array(map(list, rows), pa.list_(ids)), **(columns or {})})
    table = table.select(of_set.names).cast(of_set)
    bounds = [0, *np.cumsum(shards, dtype=int).tolist(), len(rows)]
    root.mkdir(parents=True)
    entries = []
    for i, (start, stop) in enumerate(pairwise(bounds)):
        with ShardWriter(root / shard_name(i, len(bounds) - 1), of_set) as writer:
            writer.write(table.slice(start, stop - start))
            entries.append(writer.commit())
    tokens = sum(e.tokens for e in entries)
    manifest = Manifest(
        format=1,
        name=root.name,
        op="test",
        params={"max_len": None},
        seed=0,
        generator="none",
        recipe="0" * 64,
        code={},
        tokenizer={**TOKENIZER, "sha256": sha256, "vocab_size": vocab_size},
        parents=list(parents),
        sources=[],
        licence="CC0-1.0",
        schema=schema.describe(of_set),
        totals={
            "rows": len(rows),
            "tokens": tokens,
            "content_tokens": tokens - 2 * len(rows),
            "bytes": sum(e.bytes for e in entries),
        },
        statistics=[],
        ledger=[],
        shards=tuple(entries),
    )
    return commit(root, manifest)


def commit(root: Path, manifest: Manifest) -> ShardSet:
    """The set with another manifest."""
    write_atomic(root / MANIFEST, manifest.to_bytes())
    return ShardSet.open(root)


def child_of(parent: ShardSet) -> dict:
    """What the manifest of a set that was derived from another says of that."""
    return {"role": "source", "name": parent.manifest.name, "digest": parent.manifest.digest}


def without_ids(found: ShardSet) -> ShardSet:
    """The set as one of texts, by its manifest."""
    return commit(found.root, replace(found.manifest, schema={"text": "string"}))
