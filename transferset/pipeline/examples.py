"""A few rows of a derived set before and after each step, kept for people to look at."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Final

import numpy as np
import pyarrow as pa

from transferset.ledger import Ledger
from transferset.manifest import Json
from transferset.pipeline.chain import Chain
from transferset.steps import step_name

#: Rows that are kept.
SHOWN: Final = 3

#: Batches that are remembered after each step; what is older cannot be the rows' past.
_REMEMBERED: Final = 4

Address = tuple[int, int]


def examples(chain: Chain, ranges: Sequence[tuple[int, int]]) -> Json:
    """Trace the first rows of the set through the chain.

    Args:
        chain: All steps, concluded.
        ranges: Ranges of addresses, in order.

    Returns:
        `{"rows": [{"parent_row", "copy", "steps": [{"step", "input_ids"}]}]}`; `input_ids` is
        null where the row was not there yet.
    """
    for start, stop in ranges:
        seen: dict[int, deque[pa.RecordBatch]] = {}

        def watch(
            step: int, batch: pa.RecordBatch, seen: dict[int, deque[pa.RecordBatch]] = seen
        ) -> None:
            seen.setdefault(step, deque(maxlen=_REMEMBERED)).append(batch)

        flow = chain.batches(start, stop, Ledger(), watch)
        last = next(flow, None)
        if last is not None:
            return {"rows": [_trace(chain, seen, a) for a in _first(last)]}
    return {"rows": []}


def _first(batch: pa.RecordBatch) -> list[Address]:
    shown = batch.slice(0, SHOWN).select(["parent_row", "copy"]).to_pydict()
    return list(zip(shown["parent_row"], shown["copy"], strict=True))


def _trace(chain: Chain, seen: dict[int, deque[pa.RecordBatch]], address: Address) -> Json:
    row, copy = address
    names = ["source", *map(step_name, chain.steps)]
    first = chain.origin
    steps = []
    for i, name in enumerate(names, start=-1):
        ids = _ids(seen.get(i, ()), (row, 0 if i < 0 else copy)) if i >= first else None
        if ids is None and i >= first and i >= 0:
            ids = _ids(seen.get(i, ()), (row, 0))  # copies are made by a later step
        steps.append({"step": name, "input_ids": ids})
    return {"parent_row": row, "copy": copy, "steps": steps}


def _ids(
    batches: Sequence[pa.RecordBatch] | deque[pa.RecordBatch], address: Address
) -> list[int] | None:
    for batch in batches:
        if "input_ids" not in batch.schema.names:
            continue
        rows, copies = (batch.column(name).to_numpy() for name in ("parent_row", "copy"))
        found = np.flatnonzero((rows == address[0]) & (copies == address[1]))
        if len(found):
            ids: list[int] = batch.column("input_ids")[int(found[0])].as_py()
            return ids
    return None
