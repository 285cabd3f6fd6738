"""The passes of `build task`: examples become tagged rows, without those of evaluation files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from transferset.files import HashingFile
from transferset.ledger import Ledger, Reason
from transferset.manifest import Json
from transferset.pipeline import leaks
from transferset.pipeline.corpus import READ, Reading, Run, statistics_of
from transferset.pipeline.order import spill_path
from transferset.pipeline.repeats import REPEATS, count_repeats
from transferset.pipeline.rows import Statistics
from transferset.pipeline.task_examples import (
    EVAL,
    EXAMPLES,
    TaskContext,
    digest_examples,
    encoded,
    framed,
    read_back,
    read_examples,
    tokenizer_of,
)
from transferset.pipeline.word_rules import WORDS
from transferset.stage import Done, Output
from transferset.storage.mounts import present
from transferset.tagging import Tagged, Tagger, load_tagger
from transferset.tokens import WordPiece

if TYPE_CHECKING:
    from transferset.pipeline.task_plan import TaskPlan

#: Examples of one task: some seconds of tagging, so that little is lost when it is killed.
RANGE: Final = 5_000

#: Rows that are named in a set.
_NOTES: Final = 100

_SIDES: Final = ("", "_pair")


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
        spent=[
            *(spill_path(run.root, EXAMPLES, i) for i in range(len(parsed))),
            *(spill_path(run.root, EVAL, i) for i in range(len(plan.evals))),
        ],
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
            with pa.memory_map(str(present(spill_path(root, READ, ordinal)))) as source:
                reader = pa.ipc.open_file(source)
                yield from (reader.get_batch(i) for i in range(reader.num_record_batches))

    found = count_repeats(batches())
    return {REPEATS: found} if found["repeated"] else {}


def _evaluate(run: Run, context: TaskContext, parsed: Sequence[Json], first: int) -> Any:
    """The digests of the evaluation rows, written into the set."""
    tasks = [
        {"file": i, "of": one["blake3"], "rows": one["rows"], "evaluation": i - first}
        for i, one in enumerate(parsed)
        if i >= first
    ]
    run.stage(EVAL, digest_examples, tasks, context, "rows")
    spills = [spill_path(run.root, EVAL, task["evaluation"]) for task in tasks]

    def batches() -> Iterator[pa.RecordBatch]:
        for spill in spills:
            with pa.memory_map(str(present(spill))) as source:
                yield from pa.ipc.open_stream(source)

    return leaks.write_leaks(run.root, list(batches()))


def tag_examples(root: Path, context: TaskContext, task: Json) -> Done:
    """Turn a range of examples into spilled rows.

    Args:
        root: The set's directory.
        context: Shared configuration.
        task: `source`, `start`, `stop`, `spill`, and the digest of the evaluation rows or None.

    Returns:
        The spill as output; counts, statistics, ledger and leaked rows as result.
    """
    tokenizer = tokenizer_of(str(root), context.engine)
    of = pa.ipc.read_schema(pa.py_buffer(context.schema_bytes))
    ledger, statistics = Ledger(), Statistics()
    result: Json = {"rows": 0, "tokens": 0, "content_tokens": 0, "bytes": 0, "leaked": []}
    path = spill_path(root, READ, task["spill"])
    with HashingFile(path) as sink:
        with pa.ipc.new_file(sink, of) as writer:
            for batch in read_back(root, task["source"], task["start"], task["stop"]):
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
    ids, offsets, cut = framed(encoded(batch, tokenizer), tokenizer, context)
    if task["eval"] is not None:
        known = _known(str(root), task["eval"])
        places = known.places(leaks.digest(ids, offsets))
        for i in np.flatnonzero(places >= 0).tolist():
            result["leaked"].append([batch.column("row")[i].as_py(), *known.origin(places[i])])
        ledger[Reason.LEAKED] += int((places >= 0).sum())
        if (places >= 0).any():
            batch = batch.filter(pa.array(places < 0))
            ids, offsets, cut = framed(encoded(batch, tokenizer), tokenizer, context)
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
def _tagger(spec: str, language: str, words: str) -> Tagger:
    return load_tagger(spec, language=language, words=words)


@lru_cache(maxsize=1)
def _known(root: str, digest: str) -> leaks.Known:
    return leaks.Known(leaks.read_table(Path(root) / leaks.LEAKS, digest))
