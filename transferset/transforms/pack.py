"""`--pack`: whole rows, in order, into rows of up to a given length.

These are the inputs FULL-SENTENCES (`by="set"`) and DOC-SENTENCES (`by="document"`) of Liu et al.
2019 (RoBERTa, § 4.1). Packing is greedy: a row joins the packed row before it if it fits. A packed
row has the address of its first row; as its `copy`, the packed rows of one `parent_row` are
numbered.

The books: rows in + parts that rows were cut into, less one a row = rows out + rows joined.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from transferset.ledger import Ledger, Reason
from transferset.manifest import Json
from transferset.schema import ADDRESS
from transferset.steps import Pack
from transferset.transforms.buffers import addresses, flat, take, with_column, with_ids
from transferset.transforms.pack_documents import IDENTITY, document_starts
from transferset.transforms.pack_kernels import NONE, fill_packs, join_rows, packed_lengths
from transferset.transforms.pack_survey import PackSurvey, conclude_packs
from transferset.transforms.protocol import Position, Setting, Surveyed


class PackRows:
    """Finds out where packed rows begin, so that ranges can be cut there."""

    def __init__(self, step: Pack, setting: Setting) -> None:
        """Prepare.

        Args:
            step: What to do.
            setting: The set's tokenizer.
        """
        self._step = step
        self._setting = setting

    def needs_survey(self, *, intact: bool) -> bool:
        """Always: where a packed row begins depends on all lengths before it."""
        return True

    def survey(self, at: Position) -> PackSurvey:
        """Write down the lengths and documents of one range."""
        return PackSurvey(self._step, self._setting)

    def conclude(self, found: Surveyed, at: Position, folder: Path, *, intact: bool) -> Json:
        """Pack the lengths of all rows.

        Args:
            found: The surveys.
            at: Does not matter.
            folder: Nothing is written.
            intact: Does not matter.

        Returns:
            `rows` and `tokens`, exact; `bounds`: for each old one the first place from there on
            where a packed row begins with the first row of its `parent_row`.

        Raises:
            UsageError: By document: a document's rows do not stand together.
        """
        return conclude_packs(self._step, found)

    def fitted(self, model: Json, folder: Path) -> PackedRows:
        """A transformer for one range; it holds a row back, so that each range needs its own."""
        return PackedRows(self._step, self._setting)


class PackedRows:
    """Packs the rows of one range, which begins where a packed row does."""

    def __init__(self, step: Pack, setting: Setting) -> None:
        """Begin with no open row.

        Args:
            step: What to do.
            setting: The set's tokenizer.
        """
        self._step = step
        self._room = step.length - 2
        self._by_document = step.by == "document"
        self._frame = (setting.cls, setting.sep)
        #: The packed row that the next batch may add to; its document is that of its last row.
        self._open: pa.RecordBatch | None = None
        self._last = (-1, 0)  # the address that was given out last

    def apply(self, batch: pa.RecordBatch, at: Position, ledger: Ledger) -> pa.RecordBatch:
        """Pack a batch; the last packed row is held back.

        Args:
            batch: Rows.
            at: Does not matter.
            ledger: Joined rows are counted.

        Returns:
            The packed rows that nothing can join any more.
        """
        if not batch.num_rows:
            return self._shown(batch)
        rows = self._selected(batch)
        if self._open is not None:
            rows = pa.concat_batches([self._open, rows])
        ids, offsets = flat(rows)
        lengths = np.diff(offsets).astype(np.int64) - 2
        joins = np.empty(len(lengths), np.uint8)
        held = join_rows(lengths, document_starts(rows), self._room, self._by_document, NONE, joins)
        ledger[Reason.JOINED] += int(np.count_nonzero(joins))
        firsts, sizes = packed_lengths(lengths, joins, self._room)
        ends = np.append(0, np.cumsum(sizes + 2))
        packed = np.empty(int(ends[-1]), ids.dtype)
        fill_packs(ids, offsets, joins, self._frame, packed, ends)
        others = rows.select(rows.schema.names[:-1])
        made = self._numbered(with_ids(take(others, firsts), packed, ends))
        return self._shown(self._hold_back(made, rows, open_=held != NONE))

    def _selected(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Identities and addresses, and the ids last."""
        names = [name for name in (*IDENTITY, "rev_id") if name in batch.schema.names]
        names += [*ADDRESS, "input_ids"]
        return pa.RecordBatch.from_arrays([batch.column(name) for name in names], names=names)

    def _numbered(self, made: pa.RecordBatch) -> pa.RecordBatch:
        """Number the packed rows that begin with the same `parent_row`."""
        parents, _ = addresses(made)
        runs = np.flatnonzero(np.append(True, parents[1:] != parents[:-1]))
        copies = np.arange(len(parents)) - np.repeat(runs, np.diff([*runs, len(parents)]))
        if int(parents[0]) == self._last[0]:
            before = self._last[1] + (1 if self._open is None else 0)
            copies[parents == parents[0]] += before
        self._last = (int(parents[-1]), int(copies[-1]))
        return with_column(made, "copy", pa.array(copies.astype(np.uint32)))

    def _hold_back(
        self, made: pa.RecordBatch, rows: pa.RecordBatch, *, open_: bool
    ) -> pa.RecordBatch:
        """Keep the last packed row if more may join it."""
        self._open = None
        if not open_:
            return made
        last = made.num_rows - 1
        self._open = made.slice(last)
        if not self._by_document:
            for name in set(IDENTITY) & set(rows.schema.names):
                newest = rows.column(name).slice(rows.num_rows - 1)
                self._open = with_column(self._open, name, newest)
        return made.slice(0, last)

    def finish(self, at: Position, ledger: Ledger) -> pa.RecordBatch | None:
        """The end of the range.

        Returns:
            The packed row that was held back, if there is one.
        """
        last, self._open = self._open, None
        return None if last is None else self._shown(last)

    def _shown(self, made: pa.RecordBatch) -> pa.RecordBatch:
        """The columns that a packed row has."""
        return made.select([*self._step.columns(tuple(made.schema.names)), *ADDRESS])
