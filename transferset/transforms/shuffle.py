"""Order noise: the tokens or words of each row are permuted."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from transferset.ledger import Ledger
from transferset.steps import Shuffle
from transferset.transforms.buffers import flat, with_ids
from transferset.transforms.draws import draws
from transferset.transforms.permute import permute_tokens, permute_units
from transferset.transforms.pieces import specials, word_table
from transferset.transforms.protocol import Position, Setting


class ShuffleTokens:
    """Permutes tokens or words within each segment; [CLS], [PAD] and every [SEP] stay.

    Without a window every order is equally likely (van de Graaf 2021, Algorithm 1).

    With a window of k, unit i is sorted by i + U(0, k + 1), the noise of Lample et al. 2018,
    "Unsupervised machine translation using monolingual corpora only", § 2.3: no unit moves farther
    than k places. The orders that this permits are *not* equally likely, near ones are likelier: of
    three units in a window of 1 the order stays in 6 of 8 cases, either pair swaps in 1 of 8.
    """

    def __init__(self, step: Shuffle, setting: Setting) -> None:
        """Prepare the tables.

        Args:
            step: What is to be moved, and how far.
            setting: The set's tokenizer.

        Raises:
            UsageError: Words are wanted of a tokenizer without them.
        """
        self._plain = not step.words and step.window is None
        self._window = step.window or 0
        self._specials = specials(setting)
        self._table = word_table(setting, words=step.words)

    def apply(self, batch: pa.RecordBatch, at: Position, ledger: Ledger) -> pa.RecordBatch:
        """Permute each row of a batch; no row is dropped."""
        ids, offsets = flat(batch)
        out = np.empty_like(ids)
        for found in draws(batch, offsets, at):
            if self._plain:
                permute_tokens(ids, offsets, found, self._specials, out)
            else:
                permute_units(ids, offsets, found, self._specials, self._table, self._window, out)
        return with_ids(batch, out, offsets)
