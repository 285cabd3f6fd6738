"""The sets that `derive.py` measures on, and whether what was made of them is right."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from measure import measure

from transferset.reading import read_rows
from transferset.shards import ShardSet

OURS = [sys.executable, "-m", "transferset"]
_TOLERANCE = 0.01  # of generated tokens, in the whole set: far above what sampling does to it


@dataclass(frozen=True, slots=True)
class Made:
    """A set on disk and its totals."""

    root: Path
    rows: int
    tokens: int
    mb: float

    @classmethod
    def open(cls, root: Path) -> Made:
        """Read the totals from the manifest."""
        totals = ShardSet.open(root).manifest.totals
        return cls(root, totals["rows"], totals["tokens"], totals["bytes"] / 1e6)

    def as_json(self) -> dict[str, Any]:
        """For the report."""
        return {"rows": self.rows, "tokens": self.tokens, "mb": self.mb}


def grow(source: Path, out: Path, tokens: int, seed: int) -> Made:
    """A set of about so many tokens: rows of `source`, drawn with replacement; kept for later runs.

    Args:
        source: Any built set.
        out: Where; the same command finds it finished the next time.
        tokens: How many, within sampling error.
        seed: Of the draw.

    Returns:
        The set.
    """
    parent = Made.open(source)
    rows = max(1, round(tokens * parent.rows / parent.tokens))
    step = ["--sample", f"{rows},with_replacement=true", "--seed", str(seed)]
    measure([*OURS, "derive", source, "--out", out, *step])
    return Made.open(out)


def check(job: str, parent: Made, out: Path) -> Made:
    """End the benchmark unless the set at `out` is whole and is what the job makes of `parent`.

    Args:
        job: `shuffle`, `generate`, or `sample 10%`.
        parent: What it was made of.
        out: A derived set.

    Returns:
        Its totals.
    """
    measure([*OURS, "verify", out])
    made = Made.open(out)
    right = {"shuffle": _is_shuffled, "generate": _is_generated}.get(job, _is_sampled)
    if not right(parent, made, job):
        raise SystemExit(f"{out} is not what {job} should make of {parent.root}")
    return made


def _is_shuffled(parent: Made, made: Made, job: str) -> bool:
    """1,000 rows in every 100,000 are permuted row by row, with both ends of each row in place."""
    if (parent.rows, parent.tokens) != (made.rows, made.tokens):
        return False
    starts = range(0, parent.rows, 100_000)
    return all(_permuted(_between(parent, at), _between(made, at)) for at in starts)


def _between(made: Made, start: int, count: int = 1000) -> Any:
    """`count` rows of ids, whichever shards and batches they stand in."""
    stop = min(made.rows, start + count)
    parts = read_rows(ShardSet.open(made.root), start, stop, ["input_ids"])
    return pa.concat_arrays([batch.column("input_ids") for _, batch in parts])


def _permuted(before: Any, after: Any) -> bool:
    lengths = before.value_lengths().to_numpy()
    if not np.array_equal(lengths, after.value_lengths().to_numpy()):
        return False
    old, new = before.flatten().to_numpy(), after.flatten().to_numpy()
    rows = np.repeat(np.arange(len(lengths), dtype=np.int64), lengths) << 32
    ends = np.cumsum(lengths)
    fixed = np.concatenate([ends - lengths, ends - 1])
    return bool(
        np.array_equal(np.sort(rows + old), np.sort(rows + new))
        and np.array_equal(old[fixed], new[fixed])
        and (old != new).mean() > 0.5
    )


def _is_generated(parent: Made, made: Made, job: str) -> bool:
    """As many rows, and about as many tokens."""
    share = abs(made.tokens / parent.tokens - 1)
    return made.rows == parent.rows and share < max(_TOLERANCE, 5 / made.rows**0.5)


def _is_sampled(parent: Made, made: Made, job: str) -> bool:
    """Exactly the rows asked for; the first thousand stand in the parent in this order."""
    share = Fraction(job.split()[1].rstrip("%")) / 100
    rest = _rows(parent)
    first = islice(_rows(made), 1000)
    return made.rows == round(share * parent.rows) and all(row in rest for row in first)


def _rows(made: Made) -> Iterator[list[int]]:
    batches = ShardSet.open(made.root).batches()
    return (row for batch in batches for row in batch.column("input_ids").to_pylist())
