"""Static masking, with labels for masked language models."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transferset.errors import SetError, UsageError, sentence
from transferset.ledger import Ledger
from transferset.steps import Mask
from transferset.transforms.buffers import (
    Offsets,
    addresses,
    flat,
    lists,
    with_column,
    with_ids,
)
from transferset.transforms.choice import (
    CHOOSE,
    CHOOSE_AND_DRAW,
    NO_LABEL,
    bert_rule,
    choose,
    label,
    mask_rule,
    threshold,
)
from transferset.transforms.draws import draws
from transferset.transforms.pieces import specials, word_table
from transferset.transforms.protocol import Position, Setting


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
            UsageError: Words are wanted of a tokenizer without them, or random pieces of one that
                has none beside the special ones.
        """
        self._step = step
        self._below = threshold(step.p)
        self._specials = specials(setting)
        self._table = word_table(setting, words=step.words)
        self._pieces = np.setdiff1d(
            np.arange(setting.vocab_size, dtype=np.int32), [*self._specials, setting.unk]
        )
        if step.rule == "bert" and not len(self._pieces):
            expected = "a vocabulary with pieces beside the special ones"
            raise UsageError(sentence(expected, f"{setting.vocab_size} pieces"))

    def apply(self, batch: pa.RecordBatch, at: Position, ledger: Ledger) -> pa.RecordBatch:
        """Mask a batch and add or complete its column `labels`; no row is dropped.

        A label that was there stays: it is what stood there first.

        Raises:
            SetError: A row's labels are not as many as its ids.
        """
        ids, offsets = flat(batch)
        chosen, out = np.empty(len(ids), np.bool_), np.empty_like(ids)
        bert, mask = self._step.rule == "bert", self._specials.mask
        for found in draws(batch, offsets, at, CHOOSE_AND_DRAW if bert else CHOOSE):
            choose(ids, offsets, found, self._specials, self._table, self._below, chosen)
            if bert:
                bert_rule(ids, offsets, found, chosen, mask, self._pieces, out)
        if not bert:
            mask_rule(ids, chosen, mask, out)
        masked = with_ids(batch, out, offsets)
        if not self._step.labels:
            return masked
        labels = _labels(batch, offsets)
        label(ids, chosen, labels)
        return with_column(masked, "labels", lists(labels, offsets))


def _labels(batch: pa.RecordBatch, offsets: Offsets) -> npt.NDArray[np.int32]:
    """A copy of the labels that are there, or as many that say nothing."""
    if "labels" not in batch.schema.names:
        return np.full(offsets[-1], NO_LABEL, np.int32)
    values, ends = flat(batch, "labels")
    if not np.array_equal(ends, offsets):
        row = int(np.flatnonzero(ends != offsets)[0]) - 1
        ids, labels = (int(o[row + 1] - o[row]) for o in (offsets, ends))
        where = f"row {addresses(batch)[0][row]}"
        raise SetError(sentence(f"{ids} labels", str(labels), where))
    return values.astype(np.int32)
