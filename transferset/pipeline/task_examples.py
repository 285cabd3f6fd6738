"""Files of a task become examples, and examples ids: what all passes of `build task` share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transferset import schema
from transferset.files import HashingFile
from transferset.ledger import Ledger, Reason
from transferset.manifest import Json
from transferset.pipeline import leaks
from transferset.pipeline.order import spill_path
from transferset.sources.tasks import LabelKind, TaskFile
from transferset.stage import Done, Output
from transferset.storage.mounts import present
from transferset.tagging import normal_text
from transferset.tokens import WordPiece, load_tokenizer
from transferset.transforms.framing import frame_rows

EXAMPLES: Final = "examples"
EVAL: Final = "eval"

#: Examples that are held while a file is read.
_BATCH: Final = 10_000

NO_LABELS: Final = LabelKind("none")


@dataclass(frozen=True, slots=True)
class TaskContext:
    """What all tasks share.

    Attributes:
        files: The files, then those of evaluation.
        first_eval: The first of these.
        labels: What their labels are.
        tagger: Its spec, language and word rule, for `load_tagger`; None tags nothing.
        engine: Which engine encodes.
        max_len: Most ids of a row.
        limit: Most examples of a file that is no evaluation file.
        schema_bytes: Of the set.
    """

    files: tuple[TaskFile, ...]
    first_eval: int
    labels: LabelKind
    tagger: tuple[str, str, str] | None
    engine: str
    max_len: int | None
    limit: int | None
    schema_bytes: bytes


def read_examples(root: Path, context: TaskContext, task: Json) -> Done:
    """Parse one file into examples with codes as labels and white space made plain.

    Args:
        root: The set's directory.
        context: Shared configuration.
        task: `file` is its number.

    Returns:
        The examples as output; rows, ledger and notes as result.
    """
    file = context.files[task["file"]]
    wanted = task["file"] < context.first_eval
    # all rows of evaluation are looked for, however few are read
    labels, limit = (context.labels, context.limit) if wanted else (NO_LABELS, None)
    ledger = Ledger()
    reader = file.read(ledger, labelled=labels.kind != "none")
    kind = _example_schema(file.pair, labels)
    path = spill_path(root, EXAMPLES, task["file"])
    rows = 0
    with HashingFile(path) as sink:
        with pa.ipc.new_file(sink, kind) as writer:
            for batch in _batches(reader, kind, labels, ledger, limit):
                writer.write_batch(batch)
                rows += batch.num_rows
        output = Output(str(path.relative_to(root)), sink.size, sink.commit())
    result = {
        "rows": rows,
        "blake3": output.blake3,
        "ledger": {str(reason): n for reason, n in sorted(ledger.items())},
        "notes": list(reader.notes),
    }
    return Done([output], result)


def _example_schema(pair: bool, labels: LabelKind) -> pa.Schema:
    columns = [("row", pa.uint32()), ("text", pa.string())]
    columns += [("text_pair", pa.string())] if pair else []
    if labels.kind != "none":
        columns.append(("label", pa.int64() if labels.kind == "class" else schema.SCORE))
    return pa.schema(columns)


def _batches(
    reader: Any, kind: pa.Schema, labels: LabelKind, ledger: Ledger, limit: int | None
) -> Iterator[pa.RecordBatch]:
    held: list[tuple[Any, ...]] = []
    left = -1 if limit is None else limit
    for example in reader:
        if left == 0:
            break
        values = [example.row, normal_text(example.text)]
        if "text_pair" in kind.names:
            values.append(normal_text(example.text_pair))
        if not all(values[1:]):  # only what has no width was in it
            ledger[Reason.EMPTY_ROW] += 1
            continue
        left -= 1
        held.append((*values, *([labels.code(example.label)] if "label" in kind.names else ())))
        if len(held) == _BATCH:
            yield _batch(held, kind)
            held = []
    if held:
        yield _batch(held, kind)


def _batch(held: list[tuple[Any, ...]], kind: pa.Schema) -> pa.RecordBatch:
    columns = zip(*held, strict=True)
    arrays = [pa.array(c, f.type) for c, f in zip(columns, kind, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=kind)


def digest_examples(root: Path, context: TaskContext, task: Json) -> Done:
    """Digest the rows of one evaluation file; of pairs in both orders."""
    path = spill_path(root, EVAL, task["evaluation"])
    tokenizer = tokenizer_of(str(root), context.engine)
    with HashingFile(path) as sink:
        with pa.ipc.new_stream(sink, leaks.SCHEMA) as stream:
            for batch in read_back(root, task["file"], 0, task["rows"]):
                both = encoded(batch, tokenizer)
                for sides in [both, *([both[::-1]] if len(both) > 1 else [])]:
                    stream.write_batch(_digested(batch, sides, tokenizer, context, task))
        output = Output(str(path.relative_to(root)), sink.size, sink.commit())
    return Done([output], {"rows": task["rows"]})


def _digested(
    batch: pa.RecordBatch, sides: Any, tokenizer: WordPiece, context: TaskContext, task: Json
) -> pa.RecordBatch:
    ids, offsets, _ = framed(sides, tokenizer, context)
    found = leaks.digest(ids, offsets)
    file = np.full(len(found), task["evaluation"], np.uint16)
    columns = [pa.array(found[:, 0]), pa.array(found[:, 1]), pa.array(file), batch.column("row")]
    return pa.RecordBatch.from_arrays(columns, schema=leaks.SCHEMA)


def read_back(root: Path, file: int, start: int, stop: int) -> Iterator[pa.RecordBatch]:
    """Examples `start` to `stop` of a file; batches begin at multiples of `_BATCH`."""
    with pa.memory_map(str(present(spill_path(root, EXAMPLES, file)))) as source:
        reader = pa.ipc.open_file(source)
        for number in range(start // _BATCH, -(-stop // _BATCH)):
            first = number * _BATCH
            low = max(start - first, 0)
            yield reader.get_batch(number).slice(low, min(stop - first, _BATCH) - low)


def encoded(batch: pa.RecordBatch, tokenizer: WordPiece) -> list[tuple[Any, Any]]:
    """The content ids of each side of some examples, and where each text's begin."""
    names = [name for name in ("text", "text_pair") if name in batch.schema.names]
    return [_content(*tokenizer.encode(batch.column(name).to_pylist())) for name in names]


def _content(ids: npt.NDArray[Any], offsets: npt.NDArray[Any]) -> tuple[Any, Any]:
    """Ids without the [CLS] and [SEP] around each text."""
    inner = np.ones(len(ids), np.bool_)
    inner[offsets[:-1]] = inner[offsets[1:] - 1] = False
    return ids[inner], offsets - 2 * np.arange(len(offsets))


def framed(sides: Any, tokenizer: WordPiece, context: TaskContext) -> Any:
    """Ids and offsets of rows, and how many ids were cut; see `frame_rows`."""
    info = tokenizer.info
    kind = schema.ids_type(info.vocab_size).to_pandas_dtype()
    return frame_rows(sides, info.cls_id, info.sep_id, context.max_len, kind)


@lru_cache(maxsize=1)
def tokenizer_of(path: str, engine: str) -> WordPiece:
    """The tokenizer of a set, loaded once a process."""
    return load_tokenizer(path, engine=engine)
