"""`build wiki`: read the parts of dumps, bring the rows into order, commit the set."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from transferset import rng, schema
from transferset.errors import TransfersetError, sentence
from transferset.executor import Executor, default_workers
from transferset.files import write_atomic, writing
from transferset.ledger import UNIT, Ledger, Reason
from transferset.manifest import (
    MANIFEST,
    FileEntry,
    Json,
    Manifest,
    ShardEntry,
    fingerprint,
    shard_entry,
)
from transferset.pipeline import order, wiki
from transferset.pipeline.interchange import write_datasets_files, write_tokenizer
from transferset.pipeline.plan import WikiPlan, params_json, tokenizer_json
from transferset.pipeline.rows import merge_statistics
from transferset.shards import ShardSet
from transferset.stage import Progress, building, clear, receipts_digest, run_stage
from transferset.version import __version__


def build(
    plan: WikiPlan, root: Path, executor: Executor, progress: Progress, *, force: bool
) -> ShardSet:
    """Carry out a plan.

    Args:
        plan: What to build.
        root: Where; an unfinished build of the same plan is resumed.
        executor: Where the tasks run.
        progress: Told of finished tasks.
        force: Replace what is there.

    Returns:
        The finished set.

    Raises:
        InputError: A dump is damaged or not a dump.
        SetError: `root` holds something else.
        TransfersetError: Disk, memory, or no rows at all.
    """
    recipe = fingerprint(plan.recipe)
    if not force and (root / MANIFEST).is_file() and Manifest.read(root).recipe == recipe:
        return ShardSet.open(root)  # nothing is written, so a read-only place will do
    with building(root, plan.recipe, force=force) as todo:
        if todo:
            _build(plan, root, recipe, executor, progress)
    return ShardSet.open(root)


def _build(plan: WikiPlan, root: Path, recipe: str, executor: Executor, progress: Progress) -> None:
    with writing(root):
        tokenizer = write_tokenizer(root, plan.tokenizer)
    read = run_stage(
        wiki.STAGE,
        wiki.read_part,
        _read_tasks(plan),
        root=root,
        recipe=recipe,
        context=_read_context(plan),
        executor=executor,
        progress=progress,
        weight="bytes",
    )
    _check_read(plan, read, root)
    context, tasks = _order_tasks(plan, root, read)
    written = run_stage(
        "order",
        order.write_shard,
        tasks,
        root=root,
        recipe=recipe,
        context=context,
        executor=executor,
        progress=progress,
        weight="rows",
    )
    shards = [shard_entry(entry) for entry in written]
    with writing(root):
        files = [
            *tokenizer,
            *write_datasets_files(root, recipe, plan.schema, shards, split="train"),
        ]
        manifest = _manifest(plan, recipe, read, shards, files)
        write_atomic(root / MANIFEST, manifest.to_bytes())
        for i in range(len(read)):  # only now: until the commit they are needed to resume
            order.spill_path(root, wiki.STAGE, i).unlink(missing_ok=True)


def _read_tasks(plan: WikiPlan) -> list[Json]:
    return [
        {
            "spill": ordinal,
            "file": file,
            "ordinal": part.ordinal,
            "start": part.start,
            "stop": part.stop,
            "max_pages": part.max_pages,
            "bytes": part.stop - part.start,
        }
        for ordinal, (file, part) in enumerate(plan.parts)
    ]


def _read_context(plan: WikiPlan) -> wiki.ReadContext:
    params = plan.params
    return wiki.ReadContext(
        dumps=tuple(source.dump for source in plan.sources),
        sources=tuple(source.code for source in plan.sources),
        languages=tuple(source.origin["language"] for source in plan.sources),
        splitter=params.splitter,
        engine=plan.engine,
        unit=params.unit,
        min_len=params.min_len,
        max_len=params.max_len,
        keep_text=params.keep_text,
        shuffle_seed=plan.seed if params.shuffle else None,
        skip_damaged=params.skip_damaged,
    )


def _check_read(plan: WikiPlan, read: Sequence[Json], root: Path) -> None:
    """What no part can see alone: that the parts of each file make a whole file; and any rows."""
    for i, source in enumerate(plan.sources):
        mine = [r["summary"] for r, (file, _) in zip(read, plan.parts, strict=True) if file == i]
        source.dump.check(mine, skip_damaged=plan.params.skip_damaged)
    if not any(result["rows"] for result in read):
        names = ", ".join(source.dump.path.name for source in plan.sources)
        dropped = ", ".join(f"{count} {reason}" for reason, count in _ledger(read).items())
        pages = sum(result["pages"] for result in read)
        found = f"none in {pages} articles (dropped: {dropped or 'nothing'})"
        clear(root)  # nothing worth resuming, and another recipe may want the place
        raise TransfersetError(sentence("at least one row", found, names))


def _order_tasks(
    plan: WikiPlan, root: Path, read: Sequence[Json]
) -> tuple[order.OrderContext, list[Json]]:
    rows = [result["rows"] for result in read]
    tasks = order.plan(
        rows,
        _data_bytes(plan, read),
        plan.params.shards,
        receipts_digest(root, wiki.STAGE, len(read)),
    )
    context = order.OrderContext(
        schema_bytes=plan.schema.serialize().to_pybytes(),
        stage=wiki.STAGE,
        spills=len(read),
        shards=len(tasks),
        shuffled=plan.params.shuffle,
    )
    return context, tasks


def _data_bytes(plan: WikiPlan, read: Sequence[Json]) -> int:
    # from counts, not from buffers: must not depend on how the rows came in
    widths = [4 + sum(f.type.bit_width // 8 for f in plan.schema if f.name in schema.FIXED_WIDTH)]
    widths.append(schema.ids_type(plan.tokenizer.info.vocab_size).bit_width // 8)
    size = sum(int(r["rows"]) * widths[0] + int(r["tokens"]) * widths[1] for r in read)
    if plan.params.keep_text:
        size += sum(4 * int(r["rows"]) + int(r["statistics"]["text_bytes"]) for r in read)
    return int(size)


def _ledger(read: Sequence[Json]) -> Ledger:
    total = Ledger()
    for result in read:
        total.update({Reason(reason): count for reason, count in result["ledger"].items()})
    return total


def _manifest(
    plan: WikiPlan,
    recipe: str,
    read: Sequence[Json],
    shards: Sequence[ShardEntry],
    files: Sequence[FileEntry],
) -> Manifest:
    statistics = _statistics(plan, read)
    tokens, rows = sum(s.tokens for s in shards), sum(s.rows for s in shards)
    return Manifest(
        format=schema.FORMAT_VERSION,
        name=plan.name,
        op="build wiki",
        params={
            **params_json(plan.params),
            **({"preset": plan.preset} if plan.preset is not None else {}),
        },
        seed=plan.seed,
        generator=rng.GENERATOR,
        recipe=recipe,
        code={
            "transferset": __version__,
            "engine": "+".join(sorted({result["engine"] for result in read})),
        },
        tokenizer=tokenizer_json(plan.tokenizer),
        parents=[],
        sources=[
            {**s.origin, "damage": _damage(i, plan, read)} for i, s in enumerate(plan.sources)
        ],
        licence=" AND ".join(sorted({s.origin["licence"] or "unknown" for s in plan.sources})),
        schema=schema.describe(plan.schema),
        totals={
            "documents": sum(s["documents"] for s in statistics),
            "rows": rows,
            "tokens": tokens,
            "content_tokens": tokens - 2 * rows,
            "bytes": sum(s.bytes for s in shards),
        },
        statistics=statistics,
        ledger=[
            {"reason": str(reason), "unit": UNIT[reason], "count": count}
            for reason, count in sorted(_ledger(read).items())
        ],
        shards=tuple(shards),
        files=tuple(files),
    )


def _statistics(plan: WikiPlan, read: Sequence[Json]) -> list[Json]:
    found = []
    for code in sorted({source.code for source in plan.sources}):
        mine = [
            (file, result)
            for result, (file, _) in zip(read, plan.parts, strict=True)
            if plan.sources[file].code == code
        ]
        pages = sum(result["pages"] for _, result in mine)
        merged = merge_statistics([result["statistics"] for _, result in mine])
        found.append({"source": code, "pages": pages, **merged})
    return found


def _damage(file: int, plan: WikiPlan, read: Sequence[Json]) -> list[Json]:
    """Byte ranges that were skipped on request."""
    return [
        damage
        for result, (of, _) in zip(read, plan.parts, strict=True)
        if of == file
        for damage in result["summary"].get("damage", [])
    ]


def plan_json(plan: WikiPlan, workers: int | None = None) -> Json:
    """What `--dry-run` shows: what would be read, and about how much would come of it.

    Args:
        plan: The plan.
        workers: Worker processes; None is the number of processors.

    Returns:
        Sources, parts and recipe, exact; rows, tokens, bytes and minutes, estimated.
    """
    # measured on English Wikipedia: a byte of bzip2 gives 3.6 of XML, one of XML 0.4 of prose,
    # 4.4 bytes of prose are a piece, a sentence has 27 pieces; 8 MB of XML take a CPU-second
    xml = sum(
        (p.stop - p.start) * (3.6 if plan.sources[f].dump.bzip2 else 1) for f, p in plan.parts
    )
    tokens = xml * 0.4 / 4.4
    rows = tokens / (27 if plan.params.unit == "sentence" else 600)
    workers = min(workers or default_workers(), len(plan.parts))
    estimated = {
        "rows": round(rows),
        "tokens": round(tokens),
        "bytes": round(tokens * 2 + rows * 26),
        "minutes": round(xml / 8e6 / workers / 60, 1),
    }
    return {
        "name": plan.name,
        "recipe": fingerprint(plan.recipe),
        "params": params_json(plan.params),
        "seed": plan.seed,
        "tokenizer": tokenizer_json(plan.tokenizer),
        "sources": [source.origin for source in plan.sources],
        "parts": len(plan.parts),
        "workers": workers,
        "stored_bytes": sum(part.stop - part.start for _, part in plan.parts),
        # what --limit reads of its last part is not known before it is read
        "estimated": estimated if plan.params.limit is None else None,
    }
