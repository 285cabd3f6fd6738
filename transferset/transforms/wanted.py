"""How many variants are wanted, and what came of the attempts to make them."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Final

import numpy as np

from transferset.manifest import Json
from transferset.steps.augmenting import Vary
from transferset.transforms.attempt_kernels import ACCEPTED, IDS, LEAKED, REPEATED, SURPLUS
from transferset.transforms.attempts import Counts
from transferset.transforms.left_out import Surplus

#: What is told of each number of attempts.
TABLE: Final = ("made", "unchanged", "repeated", "leaked", "surplus", "accepted")


class Wanted:
    """What a step asks for of so many rows; counts are those of `attempts.judge`."""

    def __init__(self, step: Vary, rows: int) -> None:
        """Work it out.

        Args:
            step: What is asked for.
            rows: That come into the step.
        """
        self._step, self._rows, multiple = step, rows, step.multiple
        #: Rows of the target, half to even; None is all.
        self.goal = None if multiple is None else round(multiple * rows)

    @property
    def most(self) -> int:
        """Most different rows that there can be with what is asked for."""
        return self._rows * (self._step.attempts + 1) if self.goal is None else self.goal

    def _totals(self, counts: Counts) -> Counts:
        """Rows after each number of attempts."""
        accepted = counts[:, ACCEPTED].copy()
        if self._step.originals == "none":
            accepted[:1] = 0
        totals: Counts = np.cumsum(accepted)
        return totals

    def enough(self, counts: Counts) -> int | None:
        """The first number of attempts with which the target is reached; None if none is."""
        totals = self._totals(counts)
        if self.goal is None or totals[-1] < self.goal:
            return None
        return int(np.searchsorted(totals, self.goal))

    def of_last(self, counts: Counts) -> int:
        """How many are kept of the last number of attempts, which reaches the target."""
        beyond = int(self._totals(counts)[-1]) - (self.goal or 0)
        return int(counts[-1, ACCEPTED]) - beyond

    def guess(self, counts: Counts) -> int:
        """How many attempts might still be needed: it matters only for speed."""
        if self.goal is None:
            return self._step.attempts
        if not len(counts):
            return math.ceil(self._step.multiple or Fraction(1))
        missing = self.goal - int(self._totals(counts)[-1])
        return -(-missing // max(1, int(counts[-1, ACCEPTED])))

    def told(self, counts: Counts, surplus: Surplus | None, *, reached: bool) -> Json:
        """What came of it: the model of the step.

        Args:
            counts: For all numbers of attempts that are made.
            surplus: What of the last one is beyond the target, after it was written down.
            reached: Whether the target is.
        """
        unchanged = self._rows - counts[:, [ACCEPTED, REPEATED, LEAKED]].sum(axis=1)
        if surplus is not None:
            counts[-1, SURPLUS] = surplus.count
            counts[-1, ACCEPTED] -= surplus.count
            counts[-1, IDS] -= surplus.ids
        kept = counts[1 if self._step.originals == "none" else 0 :]
        rows, tokens = (int(kept[:, column].sum()) for column in (ACCEPTED, IDS))
        made = np.full_like(unchanged, self._rows)
        columns = [made, unchanged, counts[:, [REPEATED, LEAKED, SURPLUS, ACCEPTED]]]
        return {
            "rows": rows,
            "tokens": tokens,
            "rows_before": self._rows,
            "attempts": len(counts) - 1,
            "multiple": round(rows / self._rows, 6) if self._rows else 0.0,
            "target": self._step.target,
            "reached": reached or self.goal is None,
            "columns": list(TABLE),
            "table": np.column_stack(columns)[1:].tolist(),
        }
