"""Replacement noise: draws from the set's own unigram distribution."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa

from transferset.errors import TransfersetError, sentence
from transferset.ledger import Ledger
from transferset.manifest import Json
from transferset.steps import Replace
from transferset.transforms.buffers import flat, with_ids
from transferset.transforms.choice import CHOOSE_AND_DRAW, choose, replace, threshold
from transferset.transforms.draws import draws
from transferset.transforms.pieces import specials, word_table
from transferset.transforms.protocol import Position, Setting, Surveyed
from transferset.transforms.unigram import AliasTable, UnigramSurvey, alias_table, merge_counts

_COUNTS: Final = "counts.npy"


class ReplaceTokens:
    """Replaces content tokens, or all pieces of words, by draws from the unigram distribution.

    The distribution is that of the content tokens of the set as it comes into the step; a token may
    be replaced by itself. It keeps the unigram statistics in expectation, as the unigram noising of
    Xie et al. 2017, "Data noising as smoothing in neural network language models", § 3.
    """

    def __init__(self, step: Replace, setting: Setting) -> None:
        """Keep what the phases need.

        Args:
            step: How many are replaced.
            setting: The set's tokenizer.
        """
        self._step, self._setting = step, setting

    def needs_survey(self, *, intact: bool) -> bool:
        """Tokens must be counted in any case."""
        return True

    def survey(self, at: Position) -> UnigramSurvey:
        """Counts the tokens of a range."""
        return UnigramSurvey(self._setting)

    def conclude(self, found: Surveyed, at: Position, folder: Path, *, intact: bool) -> Json:
        """Add the counts up, and keep them in a file; rows and tokens are as many as before.

        Raises:
            TransfersetError: There is nothing to draw from.
        """
        counts = merge_counts(found.batches(), self._setting.vocab_size)
        if not counts.any():
            raise TransfersetError(sentence("content tokens for --replace to draw from", "none"))
        np.save(folder / _COUNTS, counts)
        return {"rows": found.rows, "tokens": found.tokens}

    def fitted(self, model: Json, folder: Path) -> ReplaceFitted:
        """The step, ready to replace.

        Raises:
            UsageError: Words are wanted of a tokenizer without them.
        """
        counts = np.load(folder / _COUNTS, allow_pickle=False)
        return ReplaceFitted(self._step, self._setting, alias_table(counts))


class ReplaceFitted:
    """Replaces by draws from a table."""

    def __init__(self, step: Replace, setting: Setting, unigram: AliasTable) -> None:
        """Prepare the tables.

        Args:
            step: How many are replaced.
            setting: The set's tokenizer.
            unigram: What is drawn.

        Raises:
            UsageError: Words are wanted of a tokenizer without them.
        """
        self._below = threshold(step.p)
        self._specials = specials(setting)
        self._table = word_table(setting, words=step.words)
        self._unigram = unigram

    def apply(self, batch: pa.RecordBatch, at: Position, ledger: Ledger) -> pa.RecordBatch:
        """Replace in each row of a batch; no row is dropped."""
        ids, offsets = flat(batch)
        chosen, out = np.empty(len(ids), np.bool_), np.empty_like(ids)
        for found in draws(batch, offsets, at, CHOOSE_AND_DRAW):
            choose(ids, offsets, found, self._specials, self._table, self._below, chosen)
            replace(ids, offsets, found, chosen, *self._unigram, out)
        return with_ids(batch, out, offsets)
