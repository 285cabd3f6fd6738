"""Small sets with what teachers said of their rows; made without the pipeline."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from label_sets import SENTIMENT, ids, make_labelled

from transferset import schema
from transferset.manifest import MANIFEST
from transferset.shards import ShardSet, ShardWriter, shard_name

CLASSIFIER = {
    "kind": "classifier",
    "classes": ["negative", "positive"],
    "temperature": None,
    "top_k": None,
    "models": [{"name": "teacher", "weights": "ab" * 32}],
}
MASKED = {**CLASSIFIER, "kind": "masked", "classes": None, "temperature": 2.0, "top_k": 3}

HALF = schema.logits_type(2, pa.float16())

#: Of a label at which nothing is asked.
NONE = -100


def make_logits(
    root: Path,
    rows: int = 40,
    *,
    logits: pa.DataType = HALF,
    teacher: Any = CLASSIFIER,
    **more: Any,
) -> ShardSet:
    """A set of texts, their ids and classes, and logits that tell each row from all others.

    Args:
        root: Its directory.
        rows: How many.
        logits: Type of the column.
        teacher: The manifest's member.
        more: Columns, and members of the manifest.
    """
    each = np.arange(rows)[:, None] / 8 - np.arange(logits.list_size)
    columns = {
        "input_ids": ids(rows),
        "text": [f"text {i}" for i in range(rows)],
        "label": [i % 2 for i in range(rows)],
        "logits": list(each.astype(logits.value_type.to_pandas_dtype())),
        **{name: more.pop(name) for name in list(more) if name in schema.COLUMNS},
    }
    members = {"names": SENTIMENT, "teacher": teacher, **more}
    return make_labelled(root, columns, logits=logits, **members)


def top_columns(rows: int = 40, k: int = 3) -> dict[str, list[Any]]:
    """What a masked-language teacher says of every other id of `label_sets.ids`."""
    found: dict[str, list[Any]] = {
        name: [] for name in ("input_ids", "labels", "top_ids", "top_logits", "tail")
    }
    for number, row in enumerate(ids(rows)):
        masked = range(1, len(row) - 1, 2) if number % 7 else range(0)
        labels = [row[i] if i in masked else NONE for i in range(len(row))]
        found["input_ids"].append(row)
        found["labels"].append(labels)
        found["top_ids"].append([(10 * i + number + j) % 1000 for i in masked for j in range(k)])
        found["top_logits"].append(
            [np.float16(number / 4 - j // 2) for _ in masked for j in range(k)]
        )
        found["tail"].append([np.float16(-i) for i in masked])
    return found


def make_top(root: Path, rows: int = 40, *, teacher: Any = MASKED, **members: Any) -> ShardSet:
    """A set of masked rows and what the teacher says of them."""
    return make_labelled(root, top_columns(rows), teacher=teacher, **members)


def add_logits(found: ShardSet, root: Path) -> ShardSet:
    """A set with the files and rows of another, and logits."""
    shutil.copytree(found.root, root)
    parent = found.manifest
    label = schema.SCORE if parent.schema.get("label") == "float" else None
    of_set = schema.make_schema(
        [*parent.schema, "logits"], found.schema.field("input_ids").type.value_type, label,
        parent.names, HALF,
    )  # fmt: skip
    rows = pa.Table.from_batches(found.batches())
    flat = np.arange(2 * len(found)).astype(np.float16)
    logits = pa.FixedSizeListArray.from_arrays(pa.array(flat), type=HALF)
    rows = rows.append_column("logits", logits).select(of_set.names).cast(of_set)
    for one in parent.shards:
        (root / one.file).unlink()
    with ShardWriter(root / shard_name(0, 1), of_set) as writer:
        writer.write(rows)
        entry = writer.commit()
    changed = {
        "schema": schema.describe(of_set), "shards": (entry,), "teacher": CLASSIFIER,
        "totals": {**parent.totals, "bytes": entry.bytes},
    }  # fmt: skip
    (root / MANIFEST).write_bytes(replace(parent, **changed).to_bytes())
    return ShardSet.open(root)
