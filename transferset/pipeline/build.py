"""A build: the corpus is read, its rows are brought into order, the set is committed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from transferset import documents, rng, schema
from transferset.documents import licences
from transferset.errors import InputError, TransfersetError, printable, sentence
from transferset.executor import Executor
from transferset.files import write_atomic, writing
from transferset.holding import building, clear, finished
from transferset.ledger import Ledger, Reason
from transferset.manifest import (
    MANIFEST,
    FileEntry,
    Json,
    Manifest,
    ShardEntry,
    fingerprint,
    shard_entry,
)
from transferset.pipeline import order
from transferset.pipeline.cards import write_cards
from transferset.pipeline.corpus import READ, Corpus, Reading, Run
from transferset.pipeline.interchange import write_datasets_files, write_json, write_tokenizer
from transferset.pipeline.lineage import ledger_json
from transferset.pipeline.options import tokenizer_json
from transferset.pipeline.spill import documents_path, spilled_documents
from transferset.pipeline.traces import require_one_account
from transferset.shards import ShardSet
from transferset.stage import Progress, receipts_digest
from transferset.version import __version__


def build(
    corpus: Corpus, root: Path, executor: Executor, progress: Progress, *, force: bool
) -> ShardSet:
    """Carry out a plan.

    Args:
        corpus: What to build.
        root: Where; an unfinished build of the same plan is resumed.
        executor: Where the tasks run.
        progress: Told of finished tasks.
        force: Replace what is there.

    Returns:
        The finished set.

    Raises:
        InputError: An input is damaged or not what it should be.
        SetError: `root` holds something else.
        TransfersetError: Disk, memory, or no rows at all.
    """
    recipe = fingerprint(corpus.recipe)
    if not force and finished(root, recipe):
        return ShardSet.open(root)  # nothing is written, so a read-only place will do
    with building(root, corpus.recipe, force=force) as todo:
        if todo:
            _build(corpus, Run(root, recipe, executor, progress))
    return ShardSet.open(root)


def _build(corpus: Corpus, run: Run) -> None:
    root = run.root
    with writing(root):
        tokenizer = write_tokenizer(root, corpus.tokenizer)
    reading = corpus.read(run)
    ledger = _ledger(reading)
    _require_rows(corpus, reading, ledger, root)
    _require_one_account(corpus, reading, root)
    context, tasks = _order_tasks(corpus, reading, root)
    written = run.stage("order", order.write_shard, tasks, context, "rows")
    shards = [shard_entry(entry) for entry in written]
    with writing(root):
        files = [
            *tokenizer,
            *write_datasets_files(root, run.recipe, corpus.schema, shards, split="train"),
            *_documents(corpus, reading, root),
            *(write_json(root, name, body) for name, body in sorted(reading.tables.items())),
            *reading.files,
        ]
        manifest = _manifest(corpus, reading, ledger, run.recipe, shards, files)
        manifest = replace(manifest, licence=licences(root, manifest, manifest.licence))
        write_cards(root, manifest, corpus.schema)
        write_atomic(root / MANIFEST, manifest.to_bytes())
        _remove_spent(root, reading)


def _require_one_account(corpus: Corpus, reading: Reading, root: Path) -> None:
    if "doc_id" not in corpus.schema.names:
        return
    try:
        require_one_account(corpus.inputs, lambda: spilled_documents(root, len(reading.results)))
    except InputError:
        clear(root)  # with other inputs it is another recipe
        raise


def _documents(corpus: Corpus, reading: Reading, root: Path) -> list[FileEntry]:
    if "doc_id" not in corpus.schema.names:
        return []
    found = spilled_documents(root, len(reading.results))
    return [documents.write_documents(root, found, documents.SCHEMA)]


def _remove_spent(root: Path, reading: Reading) -> None:
    """Remove spills: only after the commit, for until then they are needed to resume."""
    spills = [order.spill_path(root, READ, i) for i in range(len(reading.results))]
    tables = [documents_path(root, i) for i in range(len(reading.results))]
    for path in (*spills, *tables, *reading.spent):
        path.unlink(missing_ok=True)


def _ledger(reading: Reading) -> Ledger:
    total = Ledger(reading.ledger)
    for result in reading.results:
        total.update({Reason(reason): count for reason, count in result["ledger"].items()})
    return total


def _require_rows(corpus: Corpus, reading: Reading, ledger: Ledger, root: Path) -> None:
    if any(result["rows"] for result in reading.results):
        return
    dropped = ", ".join(f"{count} {reason}" for reason, count in ledger.items() if count)
    pages = sum(result["pages"] for result in reading.results)
    found = f"none in {pages} documents (dropped: {dropped or 'nothing'})"
    if reading.reason:
        found += f", the first because {printable(reading.reason, 200)}"
    clear(root)  # nothing worth resuming, and another recipe may want the place
    raise TransfersetError(sentence("at least one row", found, corpus.inputs))


def _order_tasks(
    corpus: Corpus, reading: Reading, root: Path
) -> tuple[order.OrderContext, list[Json]]:
    read = reading.results
    tasks = order.plan(
        [result["rows"] for result in read],
        reading.data_bytes or _data_bytes(corpus, read),
        corpus.params.shards,
        receipts_digest(root, READ, len(read)),
    )
    context = order.OrderContext(
        schema_bytes=corpus.schema.serialize().to_pybytes(),
        stage=READ,
        spills=len(read),
        shards=len(tasks),
        shuffled=corpus.params.shuffle,
    )
    return context, tasks


def _data_bytes(corpus: Corpus, read: Sequence[Json]) -> int:
    # from counts, not from buffers: must not depend on how the rows came in
    fixed = [f.type.bit_width // 8 for f in corpus.schema if f.name in schema.FIXED_WIDTH]
    widths = [4 + sum(fixed), schema.ids_type(corpus.tokenizer.info.vocab_size).bit_width // 8]
    size = sum(int(r["rows"]) * widths[0] + int(r["tokens"]) * widths[1] for r in read)
    if corpus.params.keep_text:
        size += sum(4 * int(r["rows"]) + int(r["statistics"]["text_bytes"]) for r in read)
    return int(size)


def _licence(sources: Sequence[Json]) -> str:
    """The licences of sources, each once."""
    found = {one for s in sources for one in (s["licence"] or "unknown").split(" AND ")}
    return " AND ".join(sorted(found))


def _manifest(
    corpus: Corpus,
    reading: Reading,
    ledger: Ledger,
    recipe: str,
    shards: Sequence[ShardEntry],
    files: Sequence[FileEntry],
) -> Manifest:
    tokens, rows = sum(s.tokens for s in shards), sum(s.rows for s in shards)
    preset = {"preset": corpus.preset} if corpus.preset is not None else {}
    engines = sorted({result["engine"] for result in reading.results})
    return Manifest(
        format=schema.FORMAT_VERSION,
        name=corpus.name,
        op=corpus.op,
        params={**corpus.params.to_json(), **preset},
        seed=corpus.seed,
        generator=rng.GENERATOR,
        recipe=recipe,
        code={"transferset": __version__, "engine": "+".join(engines), **reading.code},
        tokenizer=tokenizer_json(corpus.tokenizer),
        parents=list(reading.parents),
        sources=reading.sources,
        licence=_licence(reading.sources),
        schema=schema.describe(corpus.schema),
        totals={
            "documents": sum(s["documents"] for s in reading.statistics),
            "rows": rows,
            "tokens": tokens,
            "content_tokens": tokens - 2 * rows
            if reading.content_tokens is None
            else reading.content_tokens,
            "bytes": sum(s.bytes for s in shards),
        },
        statistics=reading.statistics,
        ledger=ledger_json(ledger),
        shards=tuple(shards),
        files=tuple(files),
        names=corpus.names,
    )
