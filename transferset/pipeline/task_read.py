"""The passes of `build task`: files become examples, examples become tagged rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transferset import schema
from transferset.files import HashingFile
from transferset.ledger import Ledger, Reason
from transferset.manifest import Json
from transferset.pipeline import leaks
from transferset.pipeline.corpus import READ, Reading, Run, statistics_of
from transferset.pipeline.order import spill_path
from transferset.pipeline.repeats import REPEATS, count_repeats
from transferset.pipeline.rows import Statistics
from transferset.pipeline.word_rules import WORDS
from transferset.sources.tasks import LabelKind, TaskFile
from transferset.stage import Done, Output
from transferset.tagging import Tagged, Tagger, load_tagger, normal_text
from transferset.tokens import WordPiece, load_tokenizer
from transferset.transforms.framing import frame_rows

if TYPE_CHECKING:
    from transferset.pipeline.task_plan import TaskPlan

EXAMPLES: Final = "examples"
EVAL: Final = "eval"

#: Examples of one task: some seconds of tagging, so that little is lost when it is killed.
RANGE: Final = 5_000

#: Examples that are held while a file is read.
_BATCH: Final = 10_000

#: Rows that are named in a set.
_NOTES: Final = 100

_SIDES: Final = ("", "_pair")

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
        limit: Most examples of a file.
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


def read_tasks(plan: TaskPlan, run: Run) -> Reading:
    """Turn the files of a plan into spilled rows; see `Corpus.read`."""
    params = plan.params
    tagged_by = (plan.spec, params.language or "", params.words) if plan.tagger else None
    context = TaskContext(
        (*plan.files, *plan.eval_files),
        len(plan.files),
        plan.labels,
        tagged_by,
        plan.engine,
        params.max_len,
        params.limit,
        plan.schema.serialize().to_pybytes(),
    )
    sources = [*plan.sources, *plan.evals]
    tasks = [
        {"file": i, "bytes": file.bytes, "name": file.name, "blake3": source["blake3"]}
        for i, (file, source) in enumerate(zip(context.files, sources, strict=True))
    ]
    parsed = run.stage(EXAMPLES, read_examples, tasks, context, "bytes")
    count = len(plan.files)
    files = []
    known = _evaluate(run, context, parsed, count) if plan.evals else None
    if known is not None:
        files.append(known)
    results = run.stage(
        READ, tag_examples, _ranges(parsed[:count], known and known.blake3), context, "rows"
    )
    ledger = Ledger()
    for one in parsed[:count]:
        ledger.update({Reason(reason): n for reason, n in one["ledger"].items()})
    return Reading(
        results,
        [{**s, "rows": one["rows"]} for s, one in zip(plan.sources, parsed, strict=False)],
        statistics_of(results, [result["source"] for result in results]),
        ledger,
        {**_tables(plan, parsed, results), **_repeats(run.root, len(results))},
        spent=[_path(run.root, EXAMPLES, i) for i in range(len(parsed))],
        files=files,
        data_bytes=sum(result["bytes"] for result in results),
        content_tokens=sum(result["content_tokens"] for result in results),
        code={"tagger": plan.recipe["tagger"]} if plan.tagger else {},
    )


def _ranges(parsed: Sequence[Json], evals: str | None) -> list[Json]:
    tasks: list[Json] = []
    for source, one in enumerate(parsed):
        for start in range(0, one["rows"], RANGE):
            stop = min(start + RANGE, one["rows"])
            what = {"source": source, "start": start, "stop": stop, "rows": stop - start}
            tasks.append({**what, "spill": len(tasks), "of": one["blake3"], "eval": evals})
    return tasks


def _tables(plan: TaskPlan, parsed: Sequence[Json], results: Sequence[Json]) -> dict[str, Json]:
    tables: dict[str, Json] = {}
    if notes := [note for one in parsed for note in one["notes"]]:
        tables["_tables/notes.json"] = {"rows": notes[:_NOTES]}
    if plan.evals:
        found = [
            {
                "file": plan.sources[result["source"]]["file"],
                "row": row,
                "eval": plan.evals[file]["file"],
                "eval_row": of,
            }
            for result in results
            for row, file, of in result["leaked"]
        ]
        count = sum(result["ledger"].get(Reason.LEAKED, 0) for result in results)
        tables["_tables/leaks.json"] = {"count": count, "rows": found[:_NOTES]}
    if plan.tagger:
        info = plan.tagger.info
        tables[WORDS] = {
            "tagger": info.name,
            "version": info.version,
            "language": info.language,
            "words": info.words,
            "stop_words": list(info.stop_words),
            "word_pattern": info.word_pattern,
        }
    return tables


def _repeats(root: Path, spills: int) -> dict[str, Json]:
    """What is said of equal rows, if there are any."""

    def batches() -> Iterator[pa.RecordBatch]:
        for ordinal in range(spills):
            with pa.memory_map(str(spill_path(root, READ, ordinal))) as source:
                reader = pa.ipc.open_file(source)
                yield from (reader.get_batch(i) for i in range(reader.num_record_batches))

    found = count_repeats(batches())
    return {REPEATS: found} if found["repeated"] else {}


def _path(root: Path, stage: str, ordinal: int) -> Path:
    return spill_path(root, stage, ordinal)


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
    labels = context.labels if task["file"] < context.first_eval else NO_LABELS
    ledger = Ledger()
    reader = file.read(ledger, labelled=labels.kind != "none")
    kind = _example_schema(file.pair, labels)
    path = _path(root, EXAMPLES, task["file"])
    rows = 0
    with HashingFile(path) as sink:
        with pa.ipc.new_file(sink, kind) as writer:
            for batch in _batches(reader, kind, labels, ledger, context.limit):
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


def _evaluate(run: Run, context: TaskContext, parsed: Sequence[Json], first: int) -> Any:
    """The digests of the evaluation rows, written into the set."""
    tasks = [
        {"file": i, "of": one["blake3"], "rows": one["rows"], "evaluation": i - first}
        for i, one in enumerate(parsed)
        if i >= first
    ]
    run.stage(EVAL, digest_examples, tasks, context, "rows")
    spills = [_path(run.root, EVAL, task["evaluation"]) for task in tasks]

    def batches() -> Iterator[pa.RecordBatch]:
        for spill in spills:
            with pa.memory_map(str(spill)) as source:
                yield from pa.ipc.open_stream(source)

    return leaks.write_leaks(run.root, list(batches()))


def digest_examples(root: Path, context: TaskContext, task: Json) -> Done:
    """Digest the rows of one evaluation file; of pairs in both orders."""
    path = _path(root, EVAL, task["evaluation"])
    tokenizer = _tokenizer(str(root), context.engine)
    with HashingFile(path) as sink:
        with pa.ipc.new_stream(sink, leaks.SCHEMA) as stream:
            for batch in _examples(root, task["file"], 0, task["rows"]):
                encoded = _encoded(batch, tokenizer)
                for sides in [encoded, *([encoded[::-1]] if len(encoded) > 1 else [])]:
                    stream.write_batch(_digested(batch, sides, tokenizer, context, task))
        output = Output(str(path.relative_to(root)), sink.size, sink.commit())
    return Done([output], {"rows": task["rows"]})


def _digested(
    batch: pa.RecordBatch, sides: Any, tokenizer: WordPiece, context: TaskContext, task: Json
) -> pa.RecordBatch:
    ids, offsets, _ = _framed(sides, tokenizer, context)
    found = leaks.digest(ids, offsets)
    file = np.full(len(found), task["evaluation"], np.uint16)
    columns = [pa.array(found[:, 0]), pa.array(found[:, 1]), pa.array(file), batch.column("row")]
    return pa.RecordBatch.from_arrays(columns, schema=leaks.SCHEMA)


def _examples(root: Path, file: int, start: int, stop: int) -> Iterator[pa.RecordBatch]:
    """Examples `start` to `stop` of a file; batches begin at multiples of `_BATCH`."""
    with pa.memory_map(str(_path(root, EXAMPLES, file))) as source:
        reader = pa.ipc.open_file(source)
        for number in range(start // _BATCH, -(-stop // _BATCH)):
            first = number * _BATCH
            low = max(start - first, 0)
            yield reader.get_batch(number).slice(low, min(stop - first, _BATCH) - low)


def _encoded(batch: pa.RecordBatch, tokenizer: WordPiece) -> list[tuple[Any, Any]]:
    names = [name for name in ("text", "text_pair") if name in batch.schema.names]
    return [_content(*tokenizer.encode(batch.column(name).to_pylist())) for name in names]


def _content(ids: npt.NDArray[Any], offsets: npt.NDArray[Any]) -> tuple[Any, Any]:
    """Ids without the [CLS] and [SEP] around each text."""
    inner = np.ones(len(ids), np.bool_)
    inner[offsets[:-1]] = inner[offsets[1:] - 1] = False
    return ids[inner], offsets - 2 * np.arange(len(offsets))


def _framed(sides: Any, tokenizer: WordPiece, context: TaskContext) -> Any:
    info = tokenizer.info
    kind = schema.ids_type(info.vocab_size).to_pandas_dtype()
    return frame_rows(sides, info.cls_id, info.sep_id, context.max_len, kind)


def tag_examples(root: Path, context: TaskContext, task: Json) -> Done:
    """Turn a range of examples into spilled rows.

    Args:
        root: The set's directory.
        context: Shared configuration.
        task: `source`, `start`, `stop`, `spill`, and the digest of the evaluation rows or None.

    Returns:
        The spill as output; counts, statistics, ledger and leaked rows as result.
    """
    tokenizer = _tokenizer(str(root), context.engine)
    of = pa.ipc.read_schema(pa.py_buffer(context.schema_bytes))
    ledger, statistics = Ledger(), Statistics()
    result: Json = {"rows": 0, "tokens": 0, "content_tokens": 0, "bytes": 0, "leaked": []}
    path = spill_path(root, READ, task["spill"])
    with HashingFile(path) as sink:
        with pa.ipc.new_file(sink, of) as writer:
            for batch in _examples(root, task["source"], task["start"], task["stop"]):
                kept, ids, offsets = _kept(root, batch, tokenizer, context, task, ledger, result)
                rows = _rows(kept, ids, offsets, context, task["source"], of)
                _count(kept, statistics)
                writer.write_batch(rows)
                result["rows"] += rows.num_rows
                result["tokens"] += len(ids)
                specials = 3 if "text_pair" in of.names else 2
                result["content_tokens"] += len(ids) - specials * rows.num_rows
                result["bytes"] += rows.nbytes
        output = Output(str(path.relative_to(root)), sink.size, sink.commit())
    told = {str(reason): n for reason, n in sorted(ledger.items())}
    pages = {"pages": task["rows"], "source": task["source"], "engine": tokenizer.engine}
    return Done([output], {**result, **pages, "ledger": told, "statistics": statistics.to_json()})


def _kept(
    root: Path,
    batch: pa.RecordBatch,
    tokenizer: WordPiece,
    context: TaskContext,
    task: Json,
    ledger: Ledger,
    result: Json,
) -> tuple[pa.RecordBatch, Any, Any]:
    """The examples that stand in no evaluation file, and their ids."""
    sides = _encoded(batch, tokenizer)
    ids, offsets, _ = _framed(sides, tokenizer, context)
    if task["eval"] is not None:
        known = _known(str(root), task["eval"])
        places = known.places(leaks.digest(ids, offsets))
        for i in np.flatnonzero(places >= 0).tolist():
            result["leaked"].append([batch.column("row")[i].as_py(), *known.origin(places[i])])
        ledger[Reason.LEAKED] += int((places >= 0).sum())
        batch = batch.filter(pa.array(places < 0))
        sides = _encoded(batch, tokenizer)
    ids, offsets, cut = _framed(sides, tokenizer, context)
    ledger[Reason.TRUNCATED] += cut
    return batch, ids, offsets


def _rows(
    batch: pa.RecordBatch, ids: Any, offsets: Any, context: TaskContext, source: int, of: pa.Schema
) -> pa.RecordBatch:
    columns = {name: batch.column(name) for name in batch.schema.names}
    columns["input_ids"] = pa.ListArray.from_arrays(pa.array(offsets), pa.array(ids))
    columns["source"] = pa.array(np.full(batch.num_rows, source, np.uint16))
    if context.tagger is not None:
        tagger = _tagger(*context.tagger)
        for side in _SIDES:
            if f"text{side}" in columns:
                tagged = tagger.tag(columns[f"text{side}"].to_pylist())
                columns.update(_tagged(tagged, side))
    return pa.RecordBatch.from_arrays([columns[name] for name in of.names], schema=of)


def _tagged(tagged: Tagged, side: str) -> dict[str, pa.Array]:
    offsets = pa.array(tagged.offsets.astype(np.int32))
    values = {
        "words": pa.array(tagged.words, pa.string()),
        "space": pa.array(tagged.space, pa.bool_()),
        "pos": pa.array(tagged.pos, pa.uint8()),
    }
    return {
        f"{name}{side}": pa.ListArray.from_arrays(offsets, array) for name, array in values.items()
    }


def _count(batch: pa.RecordBatch, statistics: Statistics) -> None:
    for name in ("text", "text_pair"):
        if name in batch.schema.names and batch.num_rows:
            statistics.add(batch.column(name).to_pylist())
    statistics.documents += batch.num_rows


# A worker does many ranges: what is slow to make is made once a process.


@lru_cache(maxsize=1)
def _tokenizer(path: str, engine: str) -> WordPiece:
    return load_tokenizer(path, engine=engine)


@lru_cache(maxsize=1)
def _tagger(spec: str, language: str, words: str) -> Tagger:
    return load_tagger(spec, language=language, words=words)


@lru_cache(maxsize=1)
def _known(root: str, digest: str) -> leaks.Known:
    return leaks.Known(leaks.read_table(Path(root) / leaks.LEAKS, digest))
