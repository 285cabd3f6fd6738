"""A uniform random choice of rows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from transferset.errors import TransfersetError, UsageError, sentence
from transferset.ledger import Ledger, Reason
from transferset.manifest import Json
from transferset.philox import as_words
from transferset.steps import Sample
from transferset.steps.amounts import parse_amount, resolve_amount
from transferset.transforms.bootstrap import BootstrapRows, draw_rows
from transferset.transforms.buffers import addresses, flat, keep
from transferset.transforms.keys import consecutive_keys, row_keys
from transferset.transforms.protocol import Position, Setting, Surveyed, Transformer
from transferset.transforms.threshold import Columns, Edge, edges

#: Rows whose keys are made at once.
_BLOCK: Final = 1 << 16


class SampleRows:
    """The rows of the smallest keys, or rows drawn with replacement; see `steps.Sample`.

    Without replacement the rows are ordered by (key, address), see `keys`, and the first of them
    are kept. The size is not in the key: a larger sample of the same seed contains a smaller one.
    """

    def __init__(self, step: Sample, setting: Setting) -> None:
        self._step = step
        self._amount = parse_amount(step.size, "--sample")

    def needs_survey(self, *, intact: bool) -> bool:
        """Rows that are intact have known addresses, but not known lengths."""
        return not intact or self._step.by == "tokens"

    def survey(self, at: Position) -> AddressSurvey:
        """Write down addresses and lengths."""
        return AddressSurvey()

    def conclude(self, found: Surveyed, at: Position, folder: Path, *, intact: bool) -> Json:
        """Find the first row, in order of the keys, that is not kept; or draw.

        Args:
            found: The surveys; needless for a number of intact rows.
            at: Seed and step.
            folder: Where drawn rows are written down.
            intact: Row i has the address (i, 0).

        Returns:
            `rows` (exact), `tokens` (exact if they were counted, else in proportion); `stop`: key,
            row and copy of the first row that is not kept, None if all are.

        Raises:
            TransfersetError: No row would be left.
            UsageError: More rows or tokens are wanted than there are.
        """
        of_tokens = self._step.by == "tokens"
        whole = found.tokens if of_tokens else found.rows
        wanted = resolve_amount(self._amount, whole)
        self._check(wanted, whole)
        if self._step.with_replacement:
            return draw_rows(found, wanted, at.key, folder, intact=intact)
        unseen = not self.needs_survey(intact=intact)

        def entries() -> Iterator[Columns]:
            return _intact(found.rows, at) if unseen else _surveyed(found, at, lengths=of_tokens)

        choice = _choose(edges(entries, [wanted])[0], wanted)
        if not choice["rows"]:
            do = "take a larger budget, or another --seed"
            raise TransfersetError(sentence("at least one row", f"none of {wanted} ids", do=do))
        if not of_tokens:
            choice["tokens"] = round(found.tokens * choice["rows"] / found.rows)
        return choice

    def _check(self, wanted: int, whole: int) -> None:
        unit = self._step.by
        if wanted == 0 or whole == 0:
            found = f"{self._step.size} of {whole:,} {unit}"
            raise TransfersetError(sentence("at least one row", found, "--sample", "take more"))
        if wanted > whole and not self._step.with_replacement:
            do = "take fewer" + (", or draw with_replacement" if unit == "rows" else "")
            expected = f"--sample of at most the {whole:,} {unit} that there are"
            raise UsageError(sentence(expected, f"{wanted:,}", do=do))

    def fitted(self, model: Json, folder: Path) -> Transformer:
        """The step, ready to keep rows."""
        if self._step.with_replacement:
            return BootstrapRows(folder)
        return _KeepBefore(model["stop"])


class AddressSurvey:
    """Writes down the address and the number of ids of every row, 16 bytes a row."""

    def add(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """See `Survey.add`."""
        _, offsets = flat(batch)
        lengths = pa.array(np.diff(offsets).astype(np.uint32))
        columns = [batch.column("parent_row"), batch.column("copy"), lengths]
        return pa.RecordBatch.from_arrays(columns, names=["parent_row", "copy", "length"])

    def finish(self) -> None:
        """See `Survey.finish`."""


class _KeepBefore:
    """Keeps the rows that come before one row in the order of the keys."""

    def __init__(self, stop: list[int] | None) -> None:
        self._stop = stop

    def apply(self, batch: pa.RecordBatch, at: Position, ledger: Ledger) -> pa.RecordBatch:
        """See `Transformer.apply`."""
        if self._stop is None:
            return batch
        key, stop_row, stop_copy = self._stop
        rows, copies = addresses(batch)
        keys = row_keys(rows, copies, *as_words(at.key))
        wanted = keys < np.uint64(key)
        equal = np.flatnonzero(keys == np.uint64(key))
        for i in equal.tolist():  # at most the one row, but for a chance of 2**-64
            wanted[i] = (int(rows[i]), int(copies[i])) < (stop_row, stop_copy)
        kept = keep(batch, wanted)
        ledger[Reason.NOT_SAMPLED] += batch.num_rows - kept.num_rows
        return kept


def _choose(edge: Edge, wanted: int) -> Json:
    """The most rows, in order of the keys, whose sizes, as `tokens`, add up to at most `wanted`."""
    keys, sizes, rows, copies = edge.columns
    totals = edge.below + np.cumsum(sizes)
    kept = int(np.searchsorted(totals, wanted, "right"))
    return {
        "rows": edge.entries + kept,
        "tokens": int(totals[kept - 1]) if kept else edge.below,
        "stop": [int(c[kept]) for c in (keys, rows, copies)] if len(keys) else None,
    }


def _intact(count: int, at: Position) -> Iterator[Columns]:
    """Keys, sizes (1) and addresses of the rows (0, 0), (1, 0), …."""
    ones, zeros = np.ones(_BLOCK, np.int64), np.zeros(_BLOCK, np.uint32)
    for first in range(0, count, _BLOCK):
        some = min(_BLOCK, count - first)
        keys: Any = consecutive_keys(np.uint64(first), some, *as_words(at.key))
        rows = np.arange(first, first + some, dtype=np.uint64)
        yield keys, ones[:some], rows, zeros[:some]


def _surveyed(found: Surveyed, at: Position, *, lengths: bool) -> Iterator[Columns]:
    """Keys, sizes (numbers of ids, or 1) and addresses of the rows that were seen."""
    for batch in found.batches():
        rows, copies, length = (column.to_numpy() for column in batch.columns)
        sizes = length.astype(np.int64) if lengths else np.ones(len(rows), np.int64)
        yield row_keys(rows, copies, *as_words(at.key)), sizes, rows, copies
