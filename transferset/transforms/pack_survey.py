"""The survey of `--pack`: lengths and documents of all rows, and what comes of packing them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transferset.errors import InputError, UsageError, sentence
from transferset.manifest import Json
from transferset.steps import Pack
from transferset.transforms.buffers import addresses, flat
from transferset.transforms.pack_documents import IDENTITY, check_together, document_starts
from transferset.transforms.pack_kernels import AFTER_SEP, APART, NONE, join_rows
from transferset.transforms.protocol import Setting, Surveyed


class PackSurvey:
    """Writes down the lengths and documents of a range of rows, in 13 bytes a row."""

    def __init__(self, step: Pack, setting: Setting) -> None:
        """Prepare.

        Args:
            step: What is to be done.
            setting: The set's tokenizer.
        """
        self._by_document = step.by == "document"
        self._frame = (setting.cls, setting.sep)

    def add(self, batch: pa.RecordBatch) -> pa.RecordBatch | None:
        """Write down a batch.

        Args:
            batch: Rows.

        Returns:
            One row of lists: `length` (ids between [CLS] and the last [SEP]), `parent_row` and
            `starts` (is it of another document than the one before) of each row; `part`, `source`
            and `doc_id` of each row that starts, or only of the first and last of these, for that
            is enough unless packing is by document; of none, where rows have no documents.

        Raises:
            UsageError: By document, and there is no `doc_id`.
            InputError: A row is not [CLS] … [SEP].
        """
        names = batch.schema.names
        if self._by_document and "doc_id" not in names:
            raise UsageError(sentence("a column doc_id to --pack by=document", ", ".join(names)))
        if not batch.num_rows:
            return None
        starts = document_starts(batch)
        picked = np.flatnonzero(starts)
        if not self._by_document:
            picked = picked[[0, -1]] if "doc_id" in names else picked[:0]
        columns: dict[str, npt.NDArray[Any]] = {
            "length": self._lengths(batch).astype(np.uint32),
            "parent_row": addresses(batch)[0],
            "starts": starts.astype(np.uint8),
            **_identities(batch, picked),
        }
        arrays = [_one_list(values) for values in columns.values()]
        return pa.RecordBatch.from_arrays(arrays, names=list(columns))

    def _lengths(self, batch: pa.RecordBatch) -> npt.NDArray[np.int64]:
        ids, offsets = flat(batch)
        lengths = np.diff(offsets).astype(np.int64)
        framed = lengths >= 2
        first, last = offsets[:-1][framed], offsets[1:][framed] - 1
        framed[framed] = (ids[first] == self._frame[0]) & (ids[last] == self._frame[1])
        if not framed.all():
            row = addresses(batch)[0][np.flatnonzero(~framed)[0]]
            raise InputError(sentence("rows [CLS] … [SEP]", "another one", f"row {row}"))
        return lengths - 2

    def finish(self) -> None:
        """Nothing is left."""


def _one_list(values: npt.NDArray[Any]) -> pa.Array:
    return pa.ListArray.from_arrays(pa.array([0, len(values)], pa.int32()), pa.array(values))


def _identities(
    batch: pa.RecordBatch, picked: npt.NDArray[np.int64]
) -> dict[str, npt.NDArray[Any]]:
    """The identity of some rows' documents; 0 for what there is no column of."""
    kinds = dict(zip(IDENTITY, (np.uint16, np.uint16, np.uint64), strict=True))
    return {
        name: batch.column(name).to_numpy()[picked]
        if name in batch.schema.names
        else np.zeros(len(picked), kind)
        for name, kind in kinds.items()
    }


def conclude_packs(step: Pack, found: Surveyed) -> Json:
    """Pack all rows, by their lengths alone.

    Args:
        step: What is to be done.
        found: The surveys.

    Returns:
        `rows` and `tokens` that come out, and the `bounds` at which ranges may be cut.

    Raises:
        UsageError: By document: a document's rows do not stand together.
    """
    if step.by == "document":
        check_together(found)
    packing = _Packing(step, found.bounds)
    for batch in found.batches():
        packing.add(batch)
    return packing.model()


class _Packing:
    """Greedy packing of lengths, batch after batch."""

    def __init__(self, step: Pack, bounds: Sequence[int]) -> None:
        self._room = step.length - 2
        self._by_document = step.by == "document"
        self._held = NONE
        self._document: list[int] = []
        self._parent: int | None = None
        self._bounds = [0, bounds[-1]]
        self._wanted = np.array(bounds[1:-1], np.uint64)  # of which no cut is found yet
        self._rows = self._tokens = 0

    def add(self, batch: pa.RecordBatch) -> None:
        """Go on with what was written down of a batch."""
        parents = flat(batch, "parent_row")[0]
        lengths = flat(batch, "length")[0].astype(np.int64)
        starts = flat(batch, "starts")[0] == 1
        if self._goes_on([flat(batch, name)[0] for name in IDENTITY]):
            starts[0] = False
        joins = np.empty(len(lengths), np.uint8)
        self._held = join_rows(lengths, starts, self._room, self._by_document, self._held, joins)
        firsts = np.flatnonzero(joins == APART)
        packs = int(np.maximum(1, -(-lengths[firsts] // self._room)).sum())
        self._rows += packs
        self._tokens += int(lengths.sum() + np.count_nonzero(joins == AFTER_SEP)) + 2 * packs
        self._cut(parents, firsts)

    def _goes_on(self, identity: list[npt.NDArray[Any]]) -> bool:
        """Whether the batch begins with the document that the one before ended with."""
        first, last = ([int(values[i]) for values in identity if len(values)] for i in (0, -1))
        goes_on = bool(first) and first == self._document
        self._document = last
        return goes_on

    def _cut(self, parents: npt.NDArray[np.uint64], firsts: npt.NDArray[np.int64]) -> None:
        """Look for places where a packed row begins with the first row of its `parent_row`."""
        places = parents[firsts]
        new = places != parents[firsts - 1]
        if len(firsts) and firsts[0] == 0:
            new[0] = int(parents[0]) != self._parent
        self._parent = int(parents[-1])
        places = places[new]
        index = np.searchsorted(places, self._wanted)
        self._bounds += places[index[index < len(places)]].tolist()
        self._wanted = self._wanted[index == len(places)]

    def model(self) -> Json:
        """Sizes and bounds."""
        return {"rows": self._rows, "tokens": self._tokens, "bounds": sorted(set(self._bounds))}
