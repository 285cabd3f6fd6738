"""Small task sets: labels of classes or scores, pairs, words, tags; made without the pipeline."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from sets import TOKENIZER

from transferset import schema
from transferset.files import write_atomic
from transferset.manifest import MANIFEST, FileEntry, Manifest
from transferset.shards import ShardSet, ShardWriter, shard_name

SENTIMENT = {"label": ["negative", "positive"]}
TAGS = {"pos": [",", "JJ", "NN"]}


def make_labelled(
    root: Path,
    columns: Mapping[str, Sequence[Any]],
    *,
    names: Mapping[str, Sequence[str]] | None = None,
    score: bool = False,
    logits: pa.DataType | None = None,
    shards: Sequence[int] = (),
    tables: Mapping[str, object] | None = None,
    **members: Any,
) -> ShardSet:
    """A committed set of these columns.

    Args:
        root: Its directory.
        columns: Values by column; `shards` are the rows of all shards but the last.
        names: Names of the codes.
        score: `label` is a number, not a class.
        logits: Type of the column `logits`.
        shards: See columns.
        tables: JSON by name of a file in `_tables`.
        members: Replace members of the manifest.
    """
    label = schema.SCORE if score else None
    of_set = schema.make_schema(list(columns), pa.uint16(), label, names, logits)
    table = pa.table([pa.array(columns[f.name], f.type) for f in of_set], schema=of_set)
    bounds = [0, *np.cumsum(shards, dtype=int).tolist(), table.num_rows]
    root.mkdir(parents=True)
    entries = []
    for i, (start, stop) in enumerate(pairwise(bounds)):
        with ShardWriter(root / shard_name(i, len(bounds) - 1), of_set) as writer:
            writer.write(table.slice(start, stop - start))
            entries.append(writer.commit())
    rows, tokens = table.num_rows, sum(e.tokens for e in entries)
    with_ids = "input_ids" in of_set.names
    standard: dict[str, Any] = {
        "format": 1, "name": root.name, "op": "build task", "params": {"max_len": None}, "seed": 0,
        "generator": "none", "recipe": "0" * 64, "code": {},
        "tokenizer": TOKENIZER if with_ids else None, "parents": [], "sources": [],
        "licence": "CC0-1.0", "schema": schema.describe(of_set),
        "totals": {
            "rows": rows, "tokens": tokens,
            "content_tokens": tokens - 2 * rows if with_ids else 0,
            "bytes": sum(e.bytes for e in entries),
        },
        "statistics": [], "ledger": [], "shards": tuple(entries),
        "files": tuple(write_table(root, *one) for one in (tables or {}).items()),
        "names": names or {},
    }  # fmt: skip
    write_atomic(root / MANIFEST, Manifest(**{**standard, **members}).to_bytes())
    return ShardSet.open(root)


def write_table(root: Path, name: str, body: object) -> FileEntry:
    """A table of a set, and its entry in the manifest."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    (root / "_tables").mkdir(exist_ok=True)
    return FileEntry(f"_tables/{name}", len(raw), write_atomic(root / "_tables" / name, raw))


def ids(rows: int) -> list[list[int]]:
    """Rows [CLS] … [SEP] that are all different, of 3 to 7 ids."""
    return [[2, *(5 + (i * 7 + j) % 900 for j in range(1 + i % 5)), 3] for i in range(rows)]


def words_of(texts: Sequence[str]) -> dict[str, list[list[Any]]]:
    """Columns words, space and pos of texts: cut at spaces and before commas."""
    found: dict[str, list[list[Any]]] = {"words": [], "space": [], "pos": []}
    for text in texts:
        words = text.replace(",", " ,").split()
        after = [i + 1 < len(words) and words[i + 1] != "," for i in range(len(words))]
        found["words"].append(words)
        found["space"].append(after)
        found["pos"].append([0 if w == "," else 1 if w.endswith("y") else 2 for w in words])
    return found
