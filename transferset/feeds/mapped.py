"""Rows of a set by their numbers, out of mapped shards: what is asked for is copied, nothing else.

A shard is mapped when a row of it is first asked for. Its record batches are checked one by one
when they are: from there on their offsets are followed without looking.
"""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transferset.errors import SetError, UsageError, sentence
from transferset.feeds.columns import Column, column_of, lengths
from transferset.feeds.gather import locate
from transferset.feeds.ragged import Ragged
from transferset.schema import BATCH_ROWS, NULLABLE, holds_lists
from transferset.shards import REMEDY, ShardSet, check_size, damage_named, stated_schema

Int64 = npt.NDArray[np.int64]

#: What models learn from; those of them that a set has are read unless others are asked for.
TRAINED: Final = ("input_ids", "labels", "label", "logits", "top_ids", "top_logits", "tail")

#: Shards that are mapped at a time, unless a single batch needs more.
_MOST_MAPPED: Final = 256


class MappedRows:
    """Rows of some columns; safe to pickle, to fork, and to use from several threads.

    Attributes:
        found: The set.
        columns: In the order of the format.
    """

    def __init__(self, found: ShardSet, columns: Sequence[str] | None = None) -> None:
        """Lay out the tables; no shard is read.

        Args:
            found: An open set.
            columns: Names; None is those of `TRAINED` that the set has.

        Raises:
            UsageError: The set lacks a column, or none is left.
            SetError: The manifest's columns are not those of the format.
        """
        schema = stated_schema(found).remove_metadata()
        wanted = [name for name in TRAINED if name in schema.names] if columns is None else columns
        lacking = [name for name in wanted if name not in schema.names]
        if lacking or not wanted:
            has = f"columns out of {', '.join(schema.names)}"
            raise UsageError(sentence(has, ", ".join(lacking) or "none", found.label))
        self.found = found
        self.columns = tuple(name for name in schema.names if name in wanted)
        shard_rows = np.array([entry.rows for entry in found.manifest.shards])
        self._schema = pa.schema([schema.field(name) for name in self.columns])
        self._starts = np.append(0, np.cumsum(shard_rows))
        self._firsts = np.append(0, np.cumsum(-(-shard_rows // BATCH_ROWS)))
        self._vocabulary = (found.manifest.tokenizer or {}).get("vocab_size")
        self._lock = Lock()
        self.close()

    def close(self) -> None:
        """Unmap everything; what is asked for next is mapped again."""
        self._mapped: dict[int, list[pa.RecordBatch]] = {}
        self._ready = np.zeros(self._firsts[-1], np.bool_)
        self._known: dict[str, Column] = {
            field.name: column_of(field.type, len(self._ready)) for field in self._schema
        }

    def __getstate__(self) -> tuple[ShardSet, tuple[str, ...]]:
        return self.found, self.columns  # another process maps for itself

    def __setstate__(self, state: tuple[ShardSet, tuple[str, ...]]) -> None:
        self.__init__(*state)  # type: ignore[misc]

    def gather(self, rows: Int64) -> dict[str, Ragged | npt.NDArray[Any]]:
        """Rows as numpy arrays.

        Args:
            rows: int64[n], 0 ≤ row < rows of the set, in any order, repeated or not.

        Returns:
            By column: lists of numbers as `Ragged`, numbers as an array of shape [n], logits as
            [n, C], texts as an array of str. A missing label is −100, or NaN where it is a score.

        Raises:
            UsageError: A row that the set does not have, or a column that numpy cannot hold.
            SetError: The shards are not as the manifest says.
        """
        with self._lock:
            batch, place = self._located(rows)
            got = {name: column.arrays(batch, place) for name, column in self._known.items()}
        ids = got.get("input_ids")
        if isinstance(ids, Ragged):
            self._check_ids(ids, rows)
        return got

    def arrow(self, rows: Int64) -> pa.RecordBatch:
        """As `gather`, but as Arrow has them, and of any columns; a missing label is null."""
        with self._lock:
            batch, place = self._located(rows)
            arrays = [column.arrow(batch, place) for column in self._known.values()]
        return pa.RecordBatch.from_arrays(arrays, schema=self._schema)

    def lengths(self, rows: Int64) -> npt.NDArray[np.int32]:
        """Ids of each row, int32[n]."""
        with self._lock:
            batch, place = self._located(rows)
            return lengths(self._known.get("input_ids"), batch, place)

    def _check_ids(self, ids: Ragged, rows: Int64) -> None:
        """Who wrote the set may have written ids that no table of vectors has."""
        values = ids.values.view(np.uint32) if ids.values.dtype == np.int32 else ids.values
        size = self._vocabulary
        if size is None or values.max(initial=0) < size:
            return
        at = int(np.argmax(values >= size))
        row = int(rows[np.searchsorted(ids.offsets, at, "right") - 1])
        where = f"{self.found.root}, row {row}"
        raise SetError(sentence(f"ids from 0 to {size - 1}", str(ids.values[at]), where, REMEDY))

    def _located(self, rows: Int64) -> tuple[Int64, Int64]:
        """Record batch and place of each row; these batches are ready."""
        rows = np.ascontiguousarray(rows, np.int64)
        batch, place = np.empty((2, len(rows)), np.int64)
        at = (self._starts, self._firsts, BATCH_ROWS, self._ready)
        missing = locate(rows, *at, batch, place)
        if missing < 0:
            found = f"{rows.min():,} to {rows.max():,}"
            raise UsageError(sentence(f"rows from 0 to {self._starts[-1] - 1:,}", found))
        if missing:
            self._prepare(np.unique(batch))
        return batch, place

    def _prepare(self, batches: Int64) -> None:
        """Map the shards of record batches, and check those that are new."""
        shards = np.searchsorted(self._firsts, batches, "right") - 1
        self._make_room(set(np.unique(shards).tolist()))
        for batch, shard in zip(batches.tolist(), shards.tolist(), strict=True):
            if self._ready[batch]:
                continue
            with damage_named(self.found.root / self.found.manifest.shards[shard].file):
                if shard not in self._mapped:
                    self._mapped[shard] = self._map(shard)
                self._know(batch, self._mapped[shard][batch - int(self._firsts[shard])])
            self._ready[batch] = True

    def _map(self, shard: int) -> list[pa.RecordBatch]:
        """All record batches of a shard; their data stays on disk until it is looked at."""
        entry = self.found.manifest.shards[shard]
        path = self.found.shard_path(entry)
        check_size(self.found.root, entry.file, entry.bytes)
        with pa.memory_map(str(path)) as source, pa.ipc.open_stream(source) as stream:
            stated = stated_schema(self.found)
            if not stream.schema.equals(stated):
                columns = " ".join(str(stream.schema.remove_metadata()).split())
                raise SetError(sentence("the manifest's columns", columns, str(path), REMEDY))
            batches = [batch.select(list(self.columns)) for batch in stream]
        rows = [batch.num_rows for batch in batches]
        whole, rest = divmod(entry.rows, BATCH_ROWS)
        if rows != [BATCH_ROWS] * whole + [rest] * bool(rest):
            raise ValueError(f"record batches of {sum(rows):,} rows in all")
        return batches

    def _know(self, batch: int, found: pa.RecordBatch) -> None:
        for name, array in zip(self.columns, found.columns, strict=True):
            array.validate(full=True)
            inner = array.values if holds_lists(array.type) else None
            if name not in NULLABLE and (array.null_count or (inner and inner.null_count)):
                raise ValueError(f"null in {name}")
            self._known[name].know(batch, array)

    def _make_room(self, needed: set[int]) -> None:
        """Unmap the shards that have been mapped longest, of those that are not needed now."""
        spare = [shard for shard in self._mapped if shard not in needed]
        most = _MOST_MAPPED - len(needed - self._mapped.keys())
        for shard in spare[: max(0, len(self._mapped) - most)]:
            first, stop = self._firsts[shard : shard + 2].tolist()
            self._ready[first:stop] = False
            for column in self._known.values():
                column.forget(first, stop)
            del self._mapped[shard]
