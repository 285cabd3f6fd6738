"""The last pass of `label`: the parent's rows and what was said of them become shards."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transferset.errors import InputError, SetError, sentence
from transferset.manifest import Json
from transferset.pipeline.label.answers import ROW
from transferset.pipeline.lm_sample.survey import open_same
from transferset.pipeline.order import spill_path
from transferset.reading import read_rows
from transferset.shards import ShardWriter, shard_name
from transferset.stage import Done, Output
from transferset.storage.mounts import present
from transferset.transforms.buffers import count_content, flat

#: Rows that are put together at once: those of masked copies are large.
_TOGETHER: Final = 1024


@dataclass(frozen=True, slots=True)
class ShardContext:
    """What all tasks that write shards share.

    Attributes:
        src: The parent.
        digest: Of its manifest.
        schema_bytes: Of the new set.
        shards: How many.
        stages: Where each teacher's answers are spilled.
        starts: The first row of each spill, and after the last the number of rows.
        copies: Rows that come of one of the parent's; None where rows are as they were.
        special: Ids that are no content: [CLS], [SEP], [PAD], [MASK].
    """

    src: Path
    digest: str
    schema_bytes: bytes
    shards: int
    stages: tuple[str, ...]
    starts: tuple[int, ...]
    copies: int | None
    special: tuple[int, int, int, int] | None


def write_shard(root: Path, context: ShardContext, task: Json) -> Done:
    """Write the shard of rows `start` to `stop` of the parent.

    Args:
        root: The new set's directory.
        context: Shared configuration.
        task: `shard`, `start`, `stop`, and what the rows are a function of.

    Returns:
        The shard as output; its manifest entry, and what `Said` counts, as result.
    """
    schema = pa.ipc.read_schema(pa.py_buffer(context.schema_bytes))
    said = Said()
    with ShardWriter(root / shard_name(task["shard"], context.shards), schema) as writer:
        for batch in labelled(root, context, task["start"], task["stop"], schema):
            said.add(batch, context)
            writer.write(batch)
        entry = writer.commit()
    result = {"shard": asdict(entry), "rows": entry.rows, **said.to_json()}
    return Done([Output(entry.file, entry.bytes, entry.blake3)], result)


def labelled(
    root: Path, context: ShardContext, start: int, stop: int, schema: pa.Schema
) -> Iterator[pa.RecordBatch]:
    """The new set's rows that come of rows `start` to `stop` of the parent."""
    src = open_same(context.src, context.digest)
    wanted = [name for name in schema.names if name in src.manifest.schema]
    for row, whole in read_rows(src, start, stop, wanted):
        for first in range(0, whole.num_rows, _TOGETHER):
            batch = whole.slice(first, _TOGETHER)
            if context.copies is None:
                yield _with_logits(root, context, batch, row + first, schema)
            else:
                yield _with_copies(root, context, batch, row + first, schema)


def _with_logits(
    root: Path, context: ShardContext, batch: pa.RecordBatch, row: int, schema: pa.Schema
) -> pa.RecordBatch:
    kind = schema.field("logits").type
    mean = np.zeros((batch.num_rows, kind.list_size))
    for stage in context.stages:
        rows = spilled(root, context, stage, row, row + batch.num_rows, 1)
        mean += rows["logits"].combine_chunks().flatten().to_numpy().reshape(mean.shape)
    mean /= len(context.stages)
    with np.errstate(over="ignore"):  # it is told of with the row
        numbers = mean.astype(kind.value_type.to_pandas_dtype())
    _require_room(numbers, mean, row, context.src)
    logits = pa.FixedSizeListArray.from_arrays(pa.array(numbers.ravel()), type=kind)
    columns = [logits if name == "logits" else batch.column(name) for name in schema.names]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _require_room(
    numbers: npt.NDArray[Any], mean: npt.NDArray[np.float64], row: int, src: Path
) -> None:
    wrong = ~np.isfinite(numbers).all(axis=1)
    if wrong.any():
        at = int(np.argmax(wrong))
        expected = f"logits up to ±{np.finfo(numbers.dtype).max:,.0f} for {numbers.dtype}"
        found = f"{mean[at][~np.isfinite(numbers[at])][0]:g}"
        where = f"row {row + at:,} of {src}"
        raise InputError(sentence(expected, found, where, "take --dtype float32"))


def _with_copies(
    root: Path, context: ShardContext, batch: pa.RecordBatch, row: int, schema: pa.Schema
) -> pa.RecordBatch:
    copies = context.copies or 1
    (stage,) = context.stages
    rows = spilled(root, context, stage, row, row + batch.num_rows, copies)
    rows = rows.rename_columns(["parent_row" if n == ROW else n for n in rows.column_names])
    # what the parent says of a row holds of each of its copies
    of = pa.array(np.repeat(np.arange(batch.num_rows), copies))
    parent = batch.take(of)
    columns = [
        rows[name].combine_chunks() if name in rows.column_names else parent.column(name)
        for name in schema.names
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def spilled(
    root: Path, context: ShardContext, stage: str, start: int, stop: int, copies: int
) -> pa.Table:
    """What was spilled of rows `start` to `stop` of the parent.

    Raises:
        SetError: The spill has other rows.
    """
    found = []
    first = int(np.searchsorted(context.starts, start, "right")) - 1
    for number in range(first, int(np.searchsorted(context.starts, stop, "left"))):
        low = max(start, context.starts[number]) - context.starts[number]
        high = min(stop, context.starts[number + 1]) - context.starts[number]
        path = present(spill_path(root, stage, number))
        with pa.memory_map(str(path)) as source:
            batch = pa.ipc.open_file(source).get_batch(0)
            found.append(batch.slice(low * copies, (high - low) * copies))
    table = pa.Table.from_batches(found)
    expected = np.repeat(np.arange(start, stop, dtype=np.uint64), copies)
    if not np.array_equal(table[ROW].to_numpy(), expected):
        do = "run the command again with --force"
        found_rows = f"{table.num_rows:,} others"
        raise SetError(sentence(f"rows {start:,} to {stop - 1:,}", found_rows, str(root), do))
    return table


class Said:
    """Counts of what teachers said of rows.

    Attributes:
        content: Content tokens.
        best: Rows by the class of their highest logit.
        known: Rows with a label.
        agreeing: Those whose highest logit is that of their label.
        masked: Masked positions.
        scores: The lowest and the highest, or None.
    """

    def __init__(self) -> None:
        self.content = self.known = self.agreeing = self.masked = 0
        self.best: Sequence[int] = ()
        self.scores: tuple[float, float] | None = None

    def add(self, batch: pa.RecordBatch, context: ShardContext) -> None:
        """Count some rows of the new set."""
        if context.special is not None and "input_ids" in batch.schema.names:
            self.content += count_content(flat(batch)[0], *context.special)
        if context.copies is not None:
            self.masked += len(batch.column("tail").flatten())
            return
        column = batch.column("logits")
        logits = column.flatten().to_numpy().reshape(len(column), -1)
        if logits.shape[1] == 1:
            low, high = self.scores or (np.inf, -np.inf)
            self.scores = (min(low, float(logits.min())), max(high, float(logits.max())))
            return
        best = logits.argmax(axis=1)
        before = self.best or [0] * logits.shape[1]
        counts = np.bincount(best, minlength=logits.shape[1])
        self.best = [int(a) + int(b) for a, b in zip(before, counts, strict=True)]
        self._compare(batch, best)

    def _compare(self, batch: pa.RecordBatch, best: npt.NDArray[np.int64]) -> None:
        if "label" in batch.schema.names:
            label = batch.column("label").fill_null(-1).to_numpy()
            self.known += int((label >= 0).sum())
            self.agreeing += int((label == best).sum())

    def to_json(self) -> Json:
        """The counts as they stand in a receipt."""
        names = ("content", "best", "known", "agreeing", "masked", "scores")
        return {name: getattr(self, name) for name in names}
