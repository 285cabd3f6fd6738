"""`mix`: rows of several sets in exact proportions, brought into one random order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transferset import rng, schema
from transferset.documents import licences
from transferset.errors import SetError, sentence
from transferset.executor import Executor
from transferset.files import HashingFile, write_atomic, writing
from transferset.holding import building, finished
from transferset.ledger import Ledger, Reason
from transferset.manifest import MANIFEST, Json, Manifest, ShardEntry, fingerprint, shard_entry
from transferset.pipeline import order, ranges
from transferset.pipeline.cards import write_cards
from transferset.pipeline.chain import Chain
from transferset.pipeline.interchange import write_datasets_files
from transferset.pipeline.lineage import ancestors, copy_tokenizer, ledger_json, licence_of
from transferset.pipeline.mix_plan import MixPlan, make_mix_plan
from transferset.pipeline.setting import setting_of
from transferset.pipeline.survey import Found
from transferset.pipeline.traces import Heritage, carry_documents
from transferset.shards import REMEDY, ShardSet
from transferset.stage import Done, Output, Progress, receipts_digest, run_stage
from transferset.steps import Sample
from transferset.transforms import Setting, implement
from transferset.transforms.buffers import addresses, count_content, flat, with_column
from transferset.version import __version__

Codes = npt.NDArray[np.uint16]

__all__ = ["make_mix_plan", "mix_sets"]

STAGE = "mix"

#: Batches that are sorted together: fewer, longer runs make the second pass quicker.
_TOGETHER = 8


@dataclass(frozen=True, slots=True)
class MixContext:
    """What all tasks of the first pass share.

    Attributes:
        chains: For each parent the rows that are taken of it.
        codes: New part code by old one, for each parent.
        source_codes: New source code by old one, for each parent.
        columns: Of the mix.
        scores: Labels are numbers, not classes.
    """

    chains: tuple[Chain, ...]
    codes: tuple[tuple[int, ...], ...]
    source_codes: tuple[dict[int, int], ...]
    columns: tuple[str, ...]
    scores: bool = False


def mix_sets(
    plan: MixPlan, root: Path, executor: Executor, progress: Progress, *, force: bool
) -> ShardSet:
    """Carry out a plan.

    Args:
        plan: What to do.
        root: Where; an unfinished mix of the same plan is resumed.
        executor: Where the tasks run.
        progress: Told of finished tasks.
        force: Replace what is there.

    Returns:
        The finished set.

    Raises:
        SetError: A parent is damaged, or `root` holds something else.
        TransfersetError: Disk or memory.
    """
    recipe = fingerprint(plan.recipe)
    if not force and finished(root, recipe):
        return ShardSet.open(root)
    with building(root, plan.recipe, force=force) as todo:
        if todo:
            _mix(plan, root, recipe, executor, progress)
    return ShardSet.open(root)


def _mix(plan: MixPlan, root: Path, recipe: str, executor: Executor, progress: Progress) -> None:
    chains = tuple(_chain(plan, i, root) for i in range(len(plan.sets)))
    context = MixContext(
        chains, plan.codes, plan.source_codes, plan.columns, plan.label is not None
    )
    shared: dict[str, Any] = {
        "root": root,
        "recipe": recipe,
        "executor": executor,
        "progress": progress,
        "weight": "rows",
    }
    taken = run_stage(STAGE, take_range, _tasks(plan), context=context, **shared)
    tasks = order.plan(
        [result["rows"] for result in taken],
        _data_bytes(plan, taken),
        plan.shards,
        receipts_digest(root, STAGE, len(taken)),
    )
    spills = order.OrderContext(
        plan.schema.serialize().to_pybytes(), STAGE, len(taken), len(tasks), shuffled=True
    )
    written = run_stage("order", order.write_shard, tasks, context=spills, **shared)
    shards = [shard_entry(entry) for entry in written]
    with writing(root):
        files = [
            *copy_tokenizer(plan.sets[0], root),
            *write_datasets_files(root, recipe, plan.schema, shards, split="train"),
            *carry_documents(root, plan.schema, shards, _heritages(plan)),
        ]
        manifest = replace(_manifest(plan, recipe, taken, shards), files=tuple(files))
        manifest = replace(manifest, licence=licences(root, manifest, manifest.licence))
        write_cards(root, manifest, plan.schema)
        write_atomic(root / MANIFEST, manifest.to_bytes())
        for i in range(len(taken)):  # only now: until the commit they are needed to resume
            order.spill_path(root, STAGE, i).unlink(missing_ok=True)


def _statistics(plan: MixPlan) -> list[Json]:
    """Those of the parts, if the mix is all of them: nobody has counted the words of a sample."""
    known = all(one.manifest.statistics for one in plan.sets)
    if not known or any(n != len(one) for n, one in zip(plan.counts, plan.sets, strict=True)):
        return []
    return [
        {
            **entry,
            "part": plan.codes[i][entry.get("part", 0)],
            "source": plan.source_codes[i][entry["source"]],
        }
        for i, one in enumerate(plan.sets)
        for entry in one.manifest.statistics
    ]


def _heritages(plan: MixPlan) -> list[Heritage]:
    return [
        Heritage(one, plan.codes[i], plan.source_codes[i], whole=plan.counts[i] == len(one))
        for i, one in enumerate(plan.sets)
        if plan.counts[i]
    ]


def _chain(plan: MixPlan, i: int, root: Path) -> Chain:
    """The rows that are taken of one parent; each parent has random numbers of its own."""
    src, count = plan.sets[i], plan.counts[i]
    read = tuple(c for c in src.manifest.schema if c in plan.columns)
    first = plan.first + i
    whole = Chain(src.root, src.manifest.digest, root, (), plan.seed, (), read, first)
    if count in (0, len(src)):
        return whole
    step = Sample(str(count))
    found = Found(len(src), src.manifest.totals["tokens"], [0, len(src)])
    made = implement(step, setting_of(src, (step,)))
    model = made.conclude(found, whole.position(0), whole.folder(0), intact=True)
    return replace(whole, steps=(step,), models=(model,))


def _tasks(plan: MixPlan) -> list[Json]:
    tasks: list[Json] = []
    for i, src in enumerate(plan.sets):
        if not plan.counts[i]:
            continue
        count = max(1, -(-2 * src.manifest.totals["tokens"] // ranges.SURVEY_BYTES))
        cuts = ranges.even(len(src), count)
        for start, stop in pairwise(cuts):
            tasks.append(
                {
                    "ordinal": len(tasks),
                    "part": i,
                    "start": start,
                    "stop": stop,
                    "rows": stop - start,
                }
            )
    return tasks


def take_range(root: Path, context: MixContext, task: Json) -> Done:
    """Write the rows taken of one range, sorted by their place in the mix.

    Args:
        root: The directory of the mix.
        context: Shared configuration.
        task: `part`, `start`, `stop`, `ordinal`.

    Returns:
        The spill as output; rows, tokens, content tokens and ledger as result.
    """
    chain = context.chains[task["part"]]
    setting = setting_of(ShardSet.open(chain.src), ())
    ledger = Ledger()
    counts = dict.fromkeys(("rows", "tokens", "content_tokens", "text_bytes"), 0)
    with HashingFile(order.spill_path(root, STAGE, task["ordinal"])) as sink:
        writer: pa.ipc.RecordBatchFileWriter | None = None
        flow = chain.batches(task["start"], task["stop"], ledger)
        for batch in _sorted(flow, context, task["part"]):
            _count(counts, batch, setting)
            writer = writer or pa.ipc.new_file(sink, batch.schema)
            writer.write_batch(batch)
        if writer is None:
            names = [*context.columns, "key"]
            writer = pa.ipc.new_file(sink, pa.schema([(name, pa.null()) for name in names]))
        writer.close()
        digest = sink.commit()
    path = str(sink.path.relative_to(root))
    result = {**counts, "ledger": {str(k): v for k, v in ledger.items()}}
    return Done([Output(path, sink.size, digest)], result)


def _count(counts: dict[str, int], batch: pa.RecordBatch, of: Setting) -> None:
    ids, _ = flat(batch)
    counts["rows"] += batch.num_rows
    counts["tokens"] += len(ids)
    counts["content_tokens"] += count_content(ids, of.cls, of.sep, of.pad, of.mask)
    if "text" in batch.schema.names:
        counts["text_bytes"] += int(pc.sum(pc.binary_length(batch.column("text"))).as_py())


def _sorted(
    flow: Iterator[pa.RecordBatch], context: MixContext, part: int
) -> Iterator[pa.RecordBatch]:
    held: list[pa.RecordBatch] = []
    for batch in flow:
        held.append(_coded(batch, context, part))
        if len(held) == _TOGETHER:
            yield _sort(held)
            held = []
    if held:
        yield _sort(held)


def _sort(held: Sequence[pa.RecordBatch]) -> pa.RecordBatch:
    table = pa.Table.from_batches(held).combine_chunks()
    # stable: rows with equal keys stay in source order
    placed = np.argsort(table.column("key").to_numpy(), kind="stable")
    return table.take(pa.array(placed)).combine_chunks().to_batches()[0]


def _coded(batch: pa.RecordBatch, context: MixContext, part: int) -> pa.RecordBatch:
    chain = context.chains[part]
    key = _order_keys(batch, chain.seed, chain.first)
    old = (
        batch.column("part").to_numpy()
        if "part" in batch.schema.names
        else np.zeros(batch.num_rows, np.uint16)
    )
    new = dict(enumerate(context.codes[part]))
    batch = with_column(batch, "part", _recoded(old, new, "part", chain.src))
    if "source" in context.columns:
        old = batch.column("source").to_numpy()
        new = context.source_codes[part]
        batch = with_column(batch, "source", _recoded(old, new, "source", chain.src))
    if "label" in context.columns and "label" not in batch.schema.names:
        kind = schema.SCORE if context.scores else pa.int64()
        batch = with_column(batch, "label", pa.nulls(batch.num_rows, kind))
    return with_column(batch.select(list(context.columns)), "key", pa.array(key))


def _recoded(old: Codes, new: Mapping[int, int], what: str, src: Path) -> pa.Array:
    table = np.full(1 << 16, -1, np.int32)
    table[list(new.keys())] = list(new.values())
    codes = table[old]
    if len(codes) and codes.min() < 0:
        found = f"the code {old[int(np.argmin(codes))]}"
        raise SetError(sentence(f"a {what} that the manifest names", found, str(src), REMEDY))
    return pa.array(codes.astype(np.uint16))


def _order_keys(batch: pa.RecordBatch, seed: int, step: int) -> npt.NDArray[np.uint64]:
    # words 2 and 3 of the row's block; a sample chooses by words 0 and 1
    row, copy = addresses(batch)
    low, high = (
        (row & np.uint64(0xFFFFFFFF)).astype(np.uint32),
        (row >> np.uint64(32)).astype(np.uint32),
    )
    words = rng.philox((low, high, copy, np.zeros_like(low)), rng.step_key(seed, step))
    return (words[2].astype(np.uint64) << np.uint64(32)) | words[3].astype(np.uint64)


def _data_bytes(plan: MixPlan, taken: Sequence[Json]) -> int:
    if plan.teacher is not None:  # rows as they were: as many bytes as their sets have for each
        each = zip(plan.counts, plan.sets, strict=True)
        return sum(n * one.manifest.totals["bytes"] // max(1, len(one)) for n, one in each)
    rows, tokens, text = (sum(t[k] for t in taken) for k in ("rows", "tokens", "text_bytes"))
    fixed = sum(f.type.bit_width // 8 for f in plan.schema if f.name in schema.FIXED_WIDTH)
    ids = plan.schema.field("input_ids").type.value_type.bit_width // 8
    return int(rows * (fixed + 4) + tokens * ids + text + (4 * rows if text else 0))


def _manifest(
    plan: MixPlan, recipe: str, taken: Sequence[Json], shards: Sequence[ShardEntry]
) -> Manifest:
    ledger = Ledger()
    for result in taken:
        ledger.update({Reason(reason): count for reason, count in result["ledger"].items()})
    for one, count in zip(plan.sets, plan.counts, strict=True):
        ledger[Reason.NOT_SAMPLED] += 0 if count else len(one)
    return Manifest(
        format=schema.FORMAT_VERSION,
        name=plan.name,
        op="mix",
        params=plan.params,
        seed=plan.seed,
        generator=rng.GENERATOR,
        recipe=recipe,
        code={"transferset": __version__},
        tokenizer=plan.sets[0].manifest.tokenizer,
        parents=ancestors([(one.manifest, "part") for one in plan.sets]),
        sources=list(plan.sources),
        licence=licence_of(plan.sets),
        schema=schema.describe(plan.schema),
        totals={
            "rows": sum(s.rows for s in shards),
            "tokens": sum(s.tokens for s in shards),
            "content_tokens": sum(t["content_tokens"] for t in taken),
            "bytes": sum(s.bytes for s in shards),
        },
        statistics=_statistics(plan),
        ledger=ledger_json(ledger),
        shards=tuple(shards),
        names=plan.names,
        teacher=plan.teacher,
    )
