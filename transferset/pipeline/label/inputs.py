"""What a teacher reads: the ids of a set's rows, or ids made anew from their texts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa

from transferset.distillation.examples.cutting import cut
from transferset.distillation.examples.reading import IDS, Reading, columns_read, how_read
from transferset.reading import read_rows
from transferset.shards import ShardSet
from transferset.students.rows import Rows
from transferset.transforms.buffers import flat

#: Ids and offsets of the rows of a batch, uncut.
Encode = Callable[[pa.RecordBatch], tuple[Any, Any]]


def read_inputs(found: ShardSet, reading: Reading, start: int, stop: int) -> tuple[Rows, int]:
    """Rows `start` to `stop` of a set as a teacher reads them.

    Args:
        found: An open set.
        reading: How the teacher reads.
        start: First row.
        stop: The row after the last.

    Returns:
        The rows, none longer than `reading.length`, and how many were.

    Raises:
        SetError: The set is damaged.
    """
    encode = _encoder(found, reading)
    parts = [encode(batch) for _, batch in read_rows(found, start, stop, _columns(found, reading))]
    lengths = np.concatenate([np.diff(offsets) for _, offsets in parts]).astype(np.int64)
    ids = np.concatenate([ids for ids, _ in parts]).astype(np.int64)
    rows = Rows(ids, np.append(0, np.cumsum(lengths)))
    longer = int((lengths > reading.length).sum())
    return cut(rows, reading.length, reading.vocabulary.separator), longer


def _columns(found: ShardSet, reading: Reading) -> list[str]:
    """Those that are needed: a set may have much else."""
    wanted = columns_read(found, reading)
    if "input_ids" in found.manifest.schema and "input_ids" not in wanted:
        wanted.append("input_ids")  # they tell which rows are masked, so that texts are read right
    return wanted


def _encoder(found: ShardSet, reading: Reading) -> Encode:
    if how_read(found, reading) == IDS:
        return flat
    from transferset.distillation.examples.spill import encoder

    return encoder(found, reading)
