"""How fast a model reads rows: with one thread, after a warm-up."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from transferset.manifest import Json

Int64 = npt.NDArray[np.int64]

#: Ids of the rows that are timed, about; and least seconds of all passes over them.
TOKENS: Final = 1 << 12
SECONDS: Final = 0.5


def timed_rows(lengths: npt.NDArray[np.integer[Any]], tokens: int = TOKENS) -> Int64:
    """Rows that are timed: evenly spaced, so that short and long ones are as frequent as in all.

    Args:
        lengths: Ids of each row, at least one row.
        tokens: About how many ids they are to have.

    Returns:
        Their numbers, rising.
    """
    mean = max(1.0, float(lengths.mean()))
    count = min(len(lengths), max(1, round(tokens / mean)))
    return np.unique(np.linspace(0, len(lengths) - 1, count).round().astype(np.int64))


def timed(
    run: Callable[[Int64], object], rows: Int64, lengths: npt.NDArray[np.integer[Any]]
) -> Json:
    """Time a model.

    Args:
        run: Reads rows of these numbers.
        rows: Their numbers.
        lengths: Ids of each row of the set, as the model reads it.

    Returns:
        `rows` and `tokens` of a pass, `rows_per_second` and `tokens_per_second` of the median
        pass, `passes`, `threads`.
    """
    with _one_thread():
        run(rows)
        passes: list[float] = []
        while sum(passes) < SECONDS:
            began = time.perf_counter()
            run(rows)
            passes.append(time.perf_counter() - began)
    seconds, tokens = statistics.median(passes), int(lengths[rows].sum(dtype=np.int64))
    return {
        "rows": len(rows),
        "tokens": tokens,
        "rows_per_second": len(rows) / seconds,
        "tokens_per_second": tokens / seconds,
        "passes": len(passes),
        "threads": 1,
    }


@contextmanager
def _one_thread() -> Iterator[None]:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
