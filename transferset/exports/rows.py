"""The rows of a task: read with their digests checked, and digested while they go by."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import pyarrow as pa

from transferset.exports.contents import STREAM, Digest, digest
from transferset.exports.protocol import Context
from transferset.manifest import Json
from transferset.reading import read_rows
from transferset.shards import ShardSet

#: Columns that can be had of ids.
DECODED: Final = ("text", "text_pair")


class Rows:
    """Iterating gives record batches of up to 10,000 rows with the columns of the export.

    A column `text` (of pairs: `text_pair`) that the set does not have is decoded from its ids.
    """

    def __init__(
        self, context: Context, task: Json, *, ends: bool = True, also: Sequence[str] = ()
    ) -> None:
        """Take a task.

        Args:
            context: As the task's function was given it.
            task: With `split`, `start` and `stop`.
            ends: Whether the format keeps rows of ids apart; otherwise the digest is of the
                stream of all ids.
            also: Columns that the export does not hold and that are given behind the others, if
                the set has them.
        """
        self._context, self._task, self._ends, self._also = context, task, ends, also
        self._rows = self._tokens = 0
        self._digests: dict[str, Digest] = {}
        #: Number of the first row of the batch that was given last.
        self.first = 0

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        part = self._context.parts[self._task["split"]]
        columns = self._context.columns[part.split]
        found = ShardSet.open(part.root)
        stored = [name for name in columns if name in found.manifest.schema]
        missing = [name for name in columns if name not in stored]
        also = [name for name in self._also if name in found.manifest.schema]
        taken = list(dict.fromkeys([*stored, *(["input_ids"] if missing else []), *also]))
        for first, batch in read_rows(found, self._task["start"], self._task["stop"], taken):
            self.first = first
            if missing:
                batch = self._decoded(batch, columns)
            self._rows += batch.num_rows
            if "input_ids" in columns:
                offsets = batch.column("input_ids").offsets
                self._tokens += offsets[-1].as_py() - offsets[0].as_py()
            held = batch.select(list(columns))
            self._digests = added(self._digests, held, ends=self._ends)
            yield batch

    def _decoded(self, batch: pa.RecordBatch, columns: Sequence[str]) -> pa.RecordBatch:
        part = self._context.parts[self._task["split"]]
        texts = self._context.decode(part.root, batch.column("input_ids"), part.pair)
        made = dict(zip(DECODED, texts, strict=True))
        arrays = [made[c] if c in DECODED else batch.column(c) for c in columns]
        return pa.RecordBatch.from_arrays(arrays, names=list(columns))

    def result(self) -> Json:
        """What a task's result says of its rows, once all were read."""
        digests = {name: one.to_json() for name, one in self._digests.items()}
        return {"rows": self._rows, "tokens": self._tokens, "digests": digests}


def added(
    before: dict[str, Digest], batch: pa.RecordBatch, *, ends: bool = True
) -> dict[str, Digest]:
    """Digests by column, with those of a batch after those of the rows before it.

    Args:
        before: Of the rows before it; empty for none.
        batch: Rows.
        ends: Whether rows of ids are kept apart.
    """
    found = dict(before)
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        stream = name == "input_ids" and not ends
        key = STREAM if stream else name
        found[key] = found.get(key, Digest()) + digest(column, ends=not stream)
    return found
