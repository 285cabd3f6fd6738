"""`--generate`: rows of drawn lengths and drawn tokens (van de Graaf 2021, § 5.2.2, Algorithm 2).

A row's length is its number of content tokens; a pair's middle [SEP] and [MASK] do not count.
Row i is a function of the key, of i and of the fit: its first two random words choose its length,
and each of its tokens takes the next two.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numba import uint32, uint64

from transferset.compiled import kernel
from transferset.errors import TransfersetError, sentence
from transferset.manifest import Json
from transferset.philox import as_words, block
from transferset.schema import ids_type
from transferset.steps import Generate
from transferset.steps.amounts import parse_amount, resolve_amount
from transferset.transforms.buffers import addressed, lists
from transferset.transforms.fit import FIT_FILE, Fit, fit_surveyed, read_fit
from transferset.transforms.protocol import Position, Setting, Surveyed
from transferset.transforms.unigram import (
    LENGTHS,
    TOKENS,
    alias_table,
    count_rows,
    draw_token,
    tallied,
)

#: Blocks of random words made at a time, so that the compiler makes them side by side.
_LANES = 8


class GenerateRows:
    """Fits the rows that come in, then makes others in their place."""

    def __init__(self, step: Generate, setting: Setting) -> None:
        """Prepare.

        Args:
            step: What to do.
            setting: The set's tokenizer.
        """
        self._size = parse_amount(step.size, "--generate")
        self._setting = setting

    def needs_survey(self, *, intact: bool) -> bool:
        """Always: no count of tokens by id stands in a manifest."""
        return True

    def survey(self, at: Position) -> FitSurvey:
        """Count lengths and tokens of one range."""
        return FitSurvey(self._setting)

    def conclude(self, found: Surveyed, at: Position, folder: Path, *, intact: bool) -> Json:
        """Sum the counts up and write the fit, see `conclude_with`.

        Args:
            found: The surveys; their rows may be another set's than those that `found.rows` counts.
            at: Seed and step.
            folder: Where `fit-generate.json` is written.
            intact: Does not matter.

        Returns:
            Number of rows, and the expected number of their ids.

        Raises:
            TransfersetError: There was no row to fit.
        """
        fit = fit_surveyed(found.batches(), self._setting.vocab_size)
        return self.conclude_with(fit, found.rows, folder)

    def conclude_with(self, fit: Fit, rows: int, folder: Path) -> Json:
        """Write a fit that is there already.

        Args:
            fit: What to draw from.
            rows: What a share of the rows is a share of.
            folder: Where `fit-generate.json` is written.

        Returns:
            Number of rows, and the expected number of their ids.

        Raises:
            TransfersetError: The fit is of no rows.
        """
        if not len(fit.lengths):
            raise TransfersetError(sentence("rows to fit --generate on", "none"))
        fit.write(folder)
        size = resolve_amount(self._size, rows)
        return {"rows": size, "tokens": round(size * (2 + fit.mean_length))}

    def fitted(self, model: Json, folder: Path) -> MadeRows:
        """The rows, ready to be made."""
        return MadeRows(read_fit(folder / FIT_FILE, self._setting), self._setting)


class FitSurvey:
    """Counts the lengths and content tokens of a range of rows."""

    def __init__(self, setting: Setting) -> None:
        """Begin with none.

        Args:
            setting: The set's tokenizer.
        """
        self._setting = setting
        self._tokens = np.zeros(setting.vocab_size, np.int64)
        self._lengths: Counter[int] = Counter()

    def add(self, batch: pa.RecordBatch) -> None:
        """Count a batch."""
        lengths = count_rows(batch, self._setting, self._tokens)
        rows = np.bincount(lengths)
        found = np.flatnonzero(rows)
        self._lengths.update(dict(zip(found.tolist(), rows[found].tolist(), strict=True)))

    def finish(self) -> pa.RecordBatch:
        """All counts, see `unigram.tallied`."""
        lengths = np.array(sorted(self._lengths.items()), np.int64).reshape(-1, 2)
        ids = np.flatnonzero(self._tokens)
        of_tokens = tallied(TOKENS, ids, self._tokens[ids])
        return pa.concat_batches([tallied(LENGTHS, lengths[:, 0], lengths[:, 1]), of_tokens])


class MadeRows:
    """Rows [CLS] t … [SEP], any range of them."""

    def __init__(self, fit: Fit, setting: Setting) -> None:
        """Make the tables that are drawn from.

        Args:
            fit: What to draw from.
            setting: The set's tokenizer.
        """
        self._lengths = alias_table(fit.lengths[:, 1])
        self._sizes = np.ascontiguousarray(fit.lengths[:, 0])
        self._tokens = alias_table(fit.counts())
        self._type: Any = ids_type(setting.vocab_size).to_pandas_dtype()
        self._frame = (setting.cls, setting.sep)

    def make(self, start: int, stop: int, at: Position) -> pa.RecordBatch:
        """Rows `start` to `stop`.

        Args:
            start: Ordinal of the first row.
            stop: Of the row after the last.
            at: Seed and step.

        Returns:
            `input_ids`, `parent_row` (the ordinal) and `copy` (0).

        Raises:
            TransfersetError: They have more ids than a record batch may have.
        """
        key = as_words(at.key)
        lengths = np.empty(stop - start, np.int64)
        _draw_lengths(np.uint64(start), key, self._lengths, self._sizes, lengths)
        offsets = np.append(0, np.cumsum(lengths + 2))
        if offsets[-1] >= 1 << 31:
            found = f"{offsets[-1]:,} in rows {start} to {stop - 1}"
            raise TransfersetError(sentence("fewer than 2**31 ids at a time", found))
        ids = np.empty(int(offsets[-1]), self._type)
        _draw_rows(np.uint64(start), key, self._tokens, offsets, self._frame, ids)
        made = pa.RecordBatch.from_arrays([lists(ids, offsets)], names=["input_ids"])
        return addressed(made, start)


@kernel
def _draw_lengths(first: Any, key: Any, table: Any, sizes: Any, lengths: Any) -> None:
    for i in range(len(lengths)):
        w0, w1, _, _ = block(first + uint64(i), uint32(0), uint32(0), key[0], key[1])
        lengths[i] = sizes[draw_token(w0, w1, table.columns, table.bits)]


@kernel
def _draw_rows(first: Any, key: Any, table: Any, offsets: Any, frame: Any, ids: Any) -> None:
    """Algorithm 2, lines 4 to 10.

    Block b of a row's words holds those of its tokens 2b − 1 and 2b, and block 0 those of the
    length and of token 0.
    """
    longest = 0
    for i in range(len(offsets) - 1):
        longest = max(longest, offsets[i + 1] - offsets[i])
    words = np.empty((4, longest // 2 + _LANES), np.uint32)
    for i in range(len(offsets) - 1):
        start, stop = offsets[i], offsets[i + 1]
        blocks = (stop - start) // 2
        for b in range((blocks + _LANES - 1) // _LANES * _LANES):
            w0, w1, w2, w3 = block(first + uint64(i), uint32(0), uint32(b), key[0], key[1])
            words[0, b], words[1, b], words[2, b], words[3, b] = w0, w1, w2, w3
        ids[start] = frame[0]
        ids[start + 1] = draw_token(words[2, 0], words[3, 0], table.columns, table.bits)
        for b in range(1, blocks):  # the last may draw one token too many, where [SEP] comes
            place = start + 2 * b
            ids[place] = draw_token(words[0, b], words[1, b], table.columns, table.bits)
            ids[place + 1] = draw_token(words[2, b], words[3, b], table.columns, table.bits)
        ids[stop - 1] = frame[1]
