"""Keeping rows by their length."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from transferset.ledger import Ledger, Reason
from transferset.steps import Lengths
from transferset.steps.amounts import parse_range
from transferset.transforms.buffers import flat, keep
from transferset.transforms.protocol import Position, Setting


class KeepLengths:
    """Rows of `a:b` ids, specials included, both ends included."""

    def __init__(self, step: Lengths, setting: Setting) -> None:
        self._low, self._high = parse_range(step.range, "--lengths")

    def apply(self, batch: pa.RecordBatch, at: Position, ledger: Ledger) -> pa.RecordBatch:
        """See `Transformer.apply`."""
        _, offsets = flat(batch)
        lengths = np.diff(offsets)
        short = lengths < self._low
        long = np.zeros_like(short) if self._high is None else lengths > self._high
        ledger[Reason.TOO_SHORT] += int(short.sum())
        ledger[Reason.TOO_LONG] += int(long.sum())
        return keep(batch, ~(short | long))
