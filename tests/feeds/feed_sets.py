"""Sets for tests of feeds: a column of every kind, shards of uneven sizes, some of them short."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from sets import commit_set

from transferset import schema as schemas

#: Rows of the shards: batches of 10,000 end inside of a shard and with it, and one has no row.
SHARDS = [12_345, 1, 20_000, 0, 4_001]
ROWS = sum(SHARDS)


def lists(random, rows, most, kind, below):
    lengths = random.integers(0, most + 1, rows)
    offsets = np.append(0, np.cumsum(lengths)).astype(np.int32)
    values = random.integers(0, below, offsets[-1]).astype(kind)
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(values))


def all_kinds(rows, seed=0):
    """Rows with a column of each kind; one label in three is missing."""
    random = np.random.default_rng(seed)
    words = [[f"w{i}", "ü" * (i % 4)][: i % 3] for i in range(rows)]
    missing = random.random(rows) < 1 / 3
    logits = pa.array(random.standard_normal(3 * rows).astype(np.float32))
    return {
        "input_ids": lists(random, rows, 12, np.uint16, 1000),
        "labels": lists(random, rows, 12, np.int32, 1000),
        "top_ids": lists(random, rows, 6, np.uint16, 1000),
        "top_logits": lists(random, rows, 6, np.float16, 99),
        "text": pa.array([f"row {i} " + "é" * (i % 5) for i in range(rows)]),
        "label": pa.array(random.integers(0, 3, rows), pa.int64(), mask=missing),
        "logits": pa.FixedSizeListArray.from_arrays(logits, 3),
        "words": pa.array(words, pa.list_(pa.string())),
        "space": pa.array([[True, False][: i % 3] for i in range(rows)], pa.list_(pa.bool_())),
        "doc_id": pa.array(np.arange(rows, dtype=np.uint64) << np.uint64(40)),
        "source": pa.array((np.arange(rows) % 7).astype(np.uint16)),
        "finished": pa.array(np.arange(rows) % 3 == 0),
    }


def set_of(root, columns, shards):
    """A set with these columns of all rows, cut into shards."""
    types = {name: columns[name].type for name in ("label", "logits") if name in columns}
    of_set = schemas.make_schema(list(columns), pa.uint16(), **types)
    table = pa.table([columns[name] for name in of_set.names], schema=of_set)
    starts = np.cumsum([0, *shards])
    tables = [table.slice(int(a), n) for a, n in zip(starts, shards, strict=False)]
    return commit_set(root, of_set, tables, 1)


def ids_set(root, shards, *, longest=40, seed=0):
    """A set of ids alone."""
    ids = lists(np.random.default_rng(seed), sum(shards), longest, np.uint16, 1000)
    return set_of(root, {"input_ids": ids}, shards)
