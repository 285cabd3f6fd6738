"""Deletion noise."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from transferset.ledger import Ledger, Reason
from transferset.steps import Delete
from transferset.transforms.buffers import flat, keep, with_ids
from transferset.transforms.choice import choose, delete, threshold
from transferset.transforms.draws import draws
from transferset.transforms.pieces import specials, word_table
from transferset.transforms.protocol import Position, Setting


class DeleteTokens:
    """Deletes content tokens, or whole words, independently (Lample et al. 2018, § 2.3).

    A row is dropped when no content token is left in it, or in one segment of a pair that had one;
    [CLS], [SEP], [PAD] and [MASK] are never deleted.
    """

    def __init__(self, step: Delete, setting: Setting) -> None:
        """Prepare the tables.

        Args:
            step: How many are deleted.
            setting: The set's tokenizer.

        Raises:
            UsageError: Words are wanted of a tokenizer without them.
        """
        self._below = threshold(step.p)
        self._specials = specials(setting)
        self._table = word_table(setting, words=step.words)

    def apply(self, batch: pa.RecordBatch, at: Position, ledger: Ledger) -> pa.RecordBatch:
        """Delete from each row of a batch; rows that are emptied are dropped and counted."""
        ids, offsets = flat(batch)
        chosen = np.empty(len(ids), np.bool_)
        for found in draws(batch, offsets, at):
            choose(ids, offsets, found, self._specials, self._table, self._below, chosen)
        out, ends = np.empty_like(ids), np.zeros(len(offsets), np.int32)
        alive = np.empty(batch.num_rows, np.bool_)
        rows = int(delete(ids, offsets, chosen, self._specials, out, ends, alive))
        if rows < batch.num_rows:
            ledger[Reason.EMPTIED] += batch.num_rows - rows
        # the ids are dropped already; empty lists stand in, so that they are not gathered again
        others = keep(with_ids(batch, ids[:0], np.zeros_like(offsets)), alive)
        return with_ids(others, out[: ends[rows]], ends[: rows + 1])
