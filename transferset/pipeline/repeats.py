"""Rows of a task that repeat an earlier one, or contradict one: counted, never dropped."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transferset.manifest import Json
from transferset.pipeline.leaks import digest
from transferset.transforms.buffers import flat

#: Where a task set tells of them.
REPEATS: Final = "_tables/repeats.json"

#: Stands for a row without a label.
_NONE: Final = -np.inf


def count_repeats(batches: Iterable[pa.RecordBatch]) -> Json:
    """Count equal rows of a task.

    Holds 24 bytes a row.

    Args:
        batches: Rows with `input_ids` and perhaps `label`.

    Returns:
        `repeated`: rows whose ids an earlier row has; `contradicting`: different rows of ids that
        come with several labels.
    """
    digests, labels = [np.empty((0, 2), np.uint64)], [np.empty(0)]
    for batch in batches:
        digests.append(digest(*flat(batch)))
        labels.append(_labels(batch))
    _, row = np.unique(np.concatenate(digests), axis=0, return_inverse=True)
    pairs = np.unique(np.column_stack([row.ravel(), np.concatenate(labels)]), axis=0)
    stated = pairs[pairs[:, 1] != _NONE, 0]
    several = np.unique(stated[1:][np.diff(stated) == 0])
    distinct = int(row.max()) + 1 if len(row) else 0
    return {"repeated": len(row) - distinct, "contradicting": len(several)}


def _labels(batch: pa.RecordBatch) -> npt.NDArray[Any]:
    if "label" not in batch.schema.names:
        return np.full(batch.num_rows, _NONE)
    column = batch.column("label").cast(pa.float64())
    found: npt.NDArray[Any] = column.fill_null(_NONE).to_numpy(zero_copy_only=False)
    return found
