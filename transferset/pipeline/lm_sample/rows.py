"""Originals and kept attempts become rows of the new set."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from transferset.files import HashingFile
from transferset.manifest import Json
from transferset.pipeline.corpus import READ
from transferset.pipeline.lm_sample.survey import open_same, texts_of
from transferset.pipeline.lm_sample.verdicts import read_kept
from transferset.pipeline.order import spill_path
from transferset.pipeline.rows import Statistics
from transferset.reading import read_rows
from transferset.stage import Done, Output
from transferset.storage.mounts import present


@dataclass(frozen=True, slots=True)
class RowContext:
    """What all tasks share.

    Attributes:
        src: The set of the originals.
        digest: Of its manifest.
        code: Source code of written rows.
        engine: Which engine encoded them.
        schema_bytes: Of the new set.
    """

    src: Path
    digest: str
    code: int
    engine: str
    schema_bytes: bytes


def write_rows(root: Path, context: RowContext, task: Json) -> Done:
    """Spill rows `start` to `stop` of the set, or the kept ones of such attempts.

    Args:
        root: The new set's directory.
        context: Shared configuration.
        task: `of`: `set`, or the stage of the attempts with their `ordinal`; `start`, `stop`,
            `spill`.

    Returns:
        The spill as output; counts and statistics by source as result.
    """
    of = pa.ipc.read_schema(pa.py_buffer(context.schema_bytes))
    flow = _originals(context, task) if task["of"] == "set" else _written(root, context, task)
    specials = 3 if "text_pair" in of.names else 2
    result: Json = {"rows": 0, "tokens": 0, "content_tokens": 0, "bytes": 0, "cut": 0}
    counted: dict[int, Statistics] = {}
    path = spill_path(root, READ, task["spill"])
    with HashingFile(path) as sink:
        with pa.ipc.new_file(sink, of) as writer:
            for batch in flow:
                rows = pa.RecordBatch.from_arrays([_column(batch, f) for f in of], schema=of)
                tokens = len(rows.column("input_ids").flatten())
                writer.write_batch(rows)
                _count(rows, counted)
                result["rows"] += rows.num_rows
                result["tokens"] += tokens
                result["content_tokens"] += tokens - specials * rows.num_rows
                result["bytes"] += rows.get_total_buffer_size()
                if "cut" in batch.schema.names:
                    result["cut"] += int(batch.column("cut").to_numpy().sum())
        output = Output(str(path.relative_to(root)), sink.size, sink.commit())
    by_source = [[code, one.to_json()] for code, one in sorted(counted.items())]
    facts = {"pages": result["rows"], "engine": context.engine, "ledger": {}}
    return Done([output], {**result, **facts, "by_source": by_source})


def _originals(context: RowContext, task: Json) -> Iterator[pa.RecordBatch]:
    src = open_same(context.src, context.digest)
    for _, batch in read_rows(src, task["start"], task["stop"]):
        yield batch


def _written(root: Path, context: RowContext, task: Json) -> Iterator[pa.RecordBatch]:
    kept = read_kept(root, task["start"], task["stop"])
    at = 0
    with pa.memory_map(str(present(spill_path(root, task["of"], task["ordinal"])))) as source:
        reader = pa.ipc.open_file(source)
        for i in range(reader.num_record_batches):
            batch = reader.get_batch(i)
            rows = batch.filter(kept.slice(at, batch.num_rows))
            at += batch.num_rows
            code = pa.array(np.full(rows.num_rows, context.code, np.uint16))
            yield rows.append_column("source", code)


def _column(batch: pa.RecordBatch, field: pa.Field) -> pa.Array:
    if field.name in batch.schema.names:
        return batch.column(field.name)
    if field.name == "finished":  # people ended what they wrote
        return pa.array(np.ones(batch.num_rows, np.bool_))
    return pa.nulls(batch.num_rows, field.type)  # of labels: nobody has given any


def _count(rows: pa.RecordBatch, counted: dict[int, Statistics]) -> None:
    codes = rows.column("source").to_numpy()
    texts, pairs = texts_of(rows)
    for code in np.unique(codes).tolist():
        places = np.flatnonzero(codes == code).tolist()
        one = counted.setdefault(code, Statistics())
        one.documents += len(places)
        for side in (texts, pairs):
            if side is not None:
                one.add([side[i] for i in places])
