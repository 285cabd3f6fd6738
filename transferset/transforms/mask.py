"""Static masking, with labels for masked language models."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transferset.errors import SetError, sentence
from transferset.ledger import Ledger
from transferset.steps import Mask
from transferset.transforms.buffers import Ids, Offsets, flat, lists, with_column, with_ids
from transferset.transforms.choice import CHOOSE, CHOOSE_AND_DRAW, bert_rule, choose, threshold
from transferset.transforms.draws import draws
from transferset.transforms.pieces import specials, word_table
from transferset.transforms.protocol import Position, Setting

#: The label of a place that is not to be predicted, as PyTorch's cross-entropy ignores it.
NO_LABEL: Final = -100


class MaskTokens:
    """Chooses content tokens, or whole words, independently; what becomes of them is the rule's.

    Rule `mask`: all of the chosen become [MASK]. Rule `bert` (Devlin et al. 2019, § 3.1): of the
    chosen tokens 80 % become [MASK], 10 % a piece drawn uniformly from the vocabulary, 10 % stay.
    As in the code that was published with that paper, each piece of a chosen word has its own
    draw; unlike there, a random piece is never [PAD], [UNK], [CLS], [SEP] or [MASK]. Both rules
    choose the same tokens under one seed.
    """

    def __init__(self, step: Mask, setting: Setting) -> None:
        """Prepare the tables.

        Args:
            step: How many are chosen, and the rule.
            setting: The set's tokenizer.

        Raises:
            UsageError: Words are wanted of a tokenizer without them.
        """
        self._step = step
        self._below = threshold(step.p)
        self._specials = specials(setting)
        self._table = word_table(setting, words=step.words)
        self._pieces = np.setdiff1d(
            np.arange(setting.vocab_size, dtype=np.int32), [*self._specials, setting.unk]
        )

    def apply(self, batch: pa.RecordBatch, at: Position, ledger: Ledger) -> pa.RecordBatch:
        """Mask a batch and add or complete its column `labels`; no row is dropped.

        A label that was there stays: it is what stood there first.

        Raises:
            SetError: A row's labels are not as many as its ids.
        """
        ids, offsets = flat(batch)
        out, chosen = self._masked(batch, ids, offsets, at)
        masked = with_ids(batch, out, offsets)
        if not self._step.labels:
            return masked
        labels = np.where(chosen, ids, np.int32(NO_LABEL)).astype(np.int32, copy=False)
        if "labels" in batch.schema.names:
            before = _labels(batch, offsets)
            labels = np.where(before == NO_LABEL, labels, before)
        return with_column(masked, "labels", lists(labels, offsets))

    def _masked(
        self, batch: pa.RecordBatch, ids: Ids, offsets: Offsets, at: Position
    ) -> tuple[Ids, npt.NDArray[np.bool_]]:
        bert, mask = self._step.rule == "bert", self._specials.mask
        chosen, out = np.empty(len(ids), np.bool_), np.empty_like(ids)
        for found in draws(batch, offsets, at, CHOOSE_AND_DRAW if bert else CHOOSE):
            choose(ids, offsets, found, self._specials, self._table, self._below, chosen)
            if bert:
                bert_rule(ids, offsets, found, chosen, mask, self._pieces, out)
        return (out if bert else np.where(chosen, ids.dtype.type(mask), ids)), chosen


def _labels(batch: pa.RecordBatch, offsets: Offsets) -> npt.NDArray[Any]:
    values, ends = flat(batch, "labels")
    if not np.array_equal(ends, offsets):
        row = int(np.flatnonzero(ends != offsets)[0]) - 1
        where = f"row {batch.column('parent_row')[row]}"
        counts = [int(o[row + 1] - o[row]) for o in (offsets, ends)]
        raise SetError(sentence(f"{counts[0]} labels", str(counts[1]), where))
    return values
