"""Rows and their variants, once it is known which attempts are left out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transferset.ledger import Ledger, Reason
from transferset.steps.augmenting import Vary
from transferset.transforms.attempt_kernels import LEAKED, REPEATED, SURPLUS
from transferset.transforms.buffers import addresses, flat, take
from transferset.transforms.interleave import Picks, interleave_lists, interleave_texts
from transferset.transforms.marks import Marks
from transferset.transforms.protocol import Position
from transferset.transforms.variants import Attempts, Maker, cut_batch

_REASONS = {REPEATED: Reason.REPEATED, LEAKED: Reason.LEAKED, SURPLUS: Reason.SURPLUS}

Fates = npt.NDArray[np.uint32]


class VariedRows:
    """Each row, and after it its variants."""

    def __init__(
        self, step: Vary, maker: Maker, attempts: int, folder: Path, *, keep_label: bool
    ) -> None:
        """Prepare.

        Args:
            step: What is wanted.
            maker: Makes the variants.
            attempts: How many are made on each row.
            folder: Where `left_out.write_left_out` has written.
            keep_label: Variants have the label of their row; else none.
        """
        self._step, self._maker, self._attempts = step, maker, attempts
        self._marks, self._keep_label = Marks(folder), keep_label

    def cut(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        """The batch in pieces that `apply` makes not too much of; see `variants.cut_batch`."""
        return cut_batch(batch, self._attempts + 1)

    def apply(self, batch: pa.RecordBatch, at: Position, ledger: Ledger) -> pa.RecordBatch:
        """See `Transformer.apply`."""
        fates = self._fates(batch)
        for fate, reason in _REASONS.items():
            ledger[reason] += int((fates == fate).sum())
        stays = fates == 0
        made = self._maker.make(batch, 1, self._attempts + 1, at, stays[:, 1:].ravel())
        ledger[Reason.UNCHANGED] += made.same
        ledger[Reason.TRUNCATED] += made.cut
        originals = stays[:, 0]
        if self._step.originals == "none":
            ledger[Reason.VARIED] += int(originals.sum())
            originals = np.zeros_like(originals)
        return self._assembled(batch, originals, made)

    def _fates(self, batch: pa.RecordBatch) -> Fates:
        """Of each row and its attempts: 0, or why they are left out; [rows, attempts + 1]."""
        rows, copies = addresses(batch)
        first = copies.astype(np.uint64) * np.uint64(self._step.attempts + 1)
        each = first[:, None] + np.arange(self._attempts + 1, dtype=np.uint64)
        fates, _ = self._marks.of(
            np.repeat(rows, self._attempts + 1), each.ravel().astype(np.uint32)
        )
        return fates.reshape(each.shape)

    def _assembled(
        self, batch: pa.RecordBatch, originals: npt.NDArray[np.bool_], made: Attempts
    ) -> pa.RecordBatch:
        picks, parent, copy = _order(originals, made.which, self._attempts)
        columns = self._step.columns(tuple(batch.schema.names))
        same = [n for n in columns if n not in ("input_ids", "text", "text_pair", "copy")]
        found = dict(zip(same, take(batch.select(same), parent).columns, strict=True))
        stride = self._step.attempts + 1
        found["copy"] = pa.array(addresses(batch)[1][parent] * np.uint32(stride) + copy)
        if "label" in found and not self._keep_label:
            nothing = pa.scalar(None, found["label"].type)
            found["label"] = pc.if_else(pa.array(copy == 0), found["label"], nothing)
        if "input_ids" in columns:
            found["input_ids"] = interleave_lists(flat(batch), (made.ids, made.offsets), picks)
        for name, side in zip(("text", "text_pair"), made.sides, strict=False):
            if name in columns:
                new = self._maker.speller.texts(side, made.which)
                found[name] = interleave_texts(batch.column(name), new, picks)
        return pa.RecordBatch.from_arrays([found[n] for n in columns], names=list(columns))


def _order(
    originals: npt.NDArray[np.bool_], which: npt.NDArray[np.int64], attempts: int
) -> tuple[Picks, npt.NDArray[np.int64], npt.NDArray[np.uint32]]:
    """Where each row of the output comes from: see `interleave.Picks`; its parent, its attempt."""
    there = np.zeros((len(originals), attempts + 1), np.bool_)
    there[:, 0] = originals
    if attempts:
        there[which // attempts, which % attempts + 1] = True
    parent, number = np.nonzero(there)
    varied = number > 0
    picks = np.where(varied, ~(np.cumsum(varied) - 1), parent)
    return picks, parent, number.astype(np.uint32)
