"""`label`: ask the teachers one after the other, write the shards, commit the set."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Final

import pyarrow as pa

from transferset.errors import InputError, UsageError
from transferset.executor import Executor
from transferset.holding import building, clear, finished
from transferset.manifest import Json, fingerprint
from transferset.pipeline.corpus import Run
from transferset.pipeline.label.answers import AskContext, ask
from transferset.pipeline.label.commit import commit_labelled
from transferset.pipeline.label.plan import LabelPlan
from transferset.pipeline.label.shards import ShardContext, write_shard
from transferset.pipeline.order import count_shards, spill_path
from transferset.shards import ShardSet
from transferset.stage import ALL, Progress, receipts_digest
from transferset.training.room import with_memory

#: Ids that one task sends through a teacher, copies counted: some ten seconds of a processor, and
#: of an accelerator, where starting a task costs more.
_TASK: Final = 1 << 16
_LARGE_TASK: Final = 1 << 20

#: What may help where memory ends.
MEMORY: Final = "lower --batch-tokens, --length or --workers, or run it where there is more"

#: Of few rows there are some tasks all the same, so that workers have something to do.
_TASKS: Final = 8
_LEAST: Final = 256

#: Of text to an id, about, where a set has no ids.
_BYTES: Final = 4


def label(
    plan: LabelPlan, root: Path, executor: Executor, progress: Progress, *, force: bool
) -> ShardSet:
    """Carry out a plan.

    Args:
        plan: What to do.
        root: Where; an unfinished labelling of the same plan is resumed.
        executor: Where the tasks run.
        progress: Told of finished tasks.
        force: Replace what is there.

    Returns:
        The finished set.

    Raises:
        InputError: A teacher says what is no number.
        SetError: The set is damaged, or `root` holds something else.
        TransfersetError: Disk or memory.
    """
    recipe = fingerprint(plan.recipe)
    if not force and finished(root, recipe):
        progress.resumed(ALL)
        return ShardSet.open(root)
    with building(root, plan.recipe, force=force) as todo:
        if todo:
            try:
                with with_memory(MEMORY):
                    _label(plan, Run(root, recipe, executor, progress))
            except (UsageError, InputError):
                clear(root)  # only another recipe helps, and it may want the place
                raise
    return ShardSet.open(root)


def _label(plan: LabelPlan, run: Run) -> None:
    bounds = cuts(plan)
    tasks: list[Json] = [
        {"ordinal": i, "start": start, "stop": stop, "rows": stop - start}
        for i, (start, stop) in enumerate(pairwise(bounds))
    ]
    asked = [
        run.stage(_stage(number), ask, tasks, ask_context(plan, number), "rows")
        for number in range(len(plan.teachers))
    ]
    written = _write(plan, run, bounds, asked)
    commit_labelled(plan, run, asked, written)
    for number in range(len(asked)):  # only now: until the commit they are needed to resume
        for i in range(len(tasks)):
            spill_path(run.root, _stage(number), i).unlink(missing_ok=True)


def _stage(number: int) -> str:
    return f"answers-{number:02d}"


def cuts(plan: LabelPlan) -> list[int]:
    """Where the rows are cut into tasks: a function of the set and the options alone."""
    rows, totals = len(plan.src), plan.src.manifest.totals
    tokens = totals["tokens"] or totals["bytes"] // _BYTES
    mean = max(1.0, tokens / max(1, rows)) * plan.params.multiple
    if (plan.device or "cpu") == "cpu":
        size = min(int(_TASK / mean), max(_LEAST, -(-rows // _TASKS)))
    else:
        size = int(_LARGE_TASK / mean)
    return [*range(0, rows, max(1, size)), rows]


def ask_context(plan: LabelPlan, number: int) -> AskContext:
    """What the tasks that ask a teacher share."""
    tokenizer = plan.src.manifest.tokenizer or {"special_ids": {}, "vocab_size": 0}
    special = tokenizer["special_ids"]
    return AskContext(
        plan.src.root,
        plan.src.manifest.digest,
        _stage(number),
        plan.teachers[number],
        plan.params,
        plan.pair,
        plan.device,
        plan.seed,
        tuple(sorted(special.values())),
        special.get("mask", 0),
        tokenizer["vocab_size"],
    )


def _write(
    plan: LabelPlan, run: Run, bounds: Sequence[int], asked: Sequence[Sequence[Json]]
) -> list[Json]:
    rows = len(plan.src)
    count = plan.params.shards or count_shards(data_bytes(plan, asked[0]))
    digests = [receipts_digest(run.root, _stage(i), len(one)) for i, one in enumerate(asked)]
    tasks: list[Json] = [
        {
            "shard": i,
            "start": rows * i // count,
            "stop": rows * (i + 1) // count,
            "rows": rows * (i + 1) // count - rows * i // count,
            "from": digests,
        }
        for i in range(count)
    ]
    tokenizer = plan.src.manifest.tokenizer
    special = None if tokenizer is None else tokenizer["special_ids"]
    context = ShardContext(
        plan.src.root,
        plan.src.manifest.digest,
        plan.schema.serialize().to_pybytes(),
        count,
        tuple(_stage(i) for i in range(len(asked))),
        tuple(bounds),
        plan.params.multiple if plan.params.mlm else None,
        special and (special["cls"], special["sep"], special["pad"], special["mask"]),
    )
    return run.stage("write", write_shard, tasks, context, "rows")


def data_bytes(plan: LabelPlan, asked: Sequence[Json]) -> int:
    """About how many bytes the rows have, from counts alone.

    Args:
        plan: What is done.
        asked: Results of the tasks that asked one teacher: rows and ids, and masked positions.
    """
    rows, tokens = (sum(one[name] for one in asked) for name in ("rows", "tokens"))
    if not plan.params.mlm:
        width = len(plan.classes or ("score",)) * plan.params.number.bit_width // 8
        return int(plan.src.manifest.totals["bytes"] + rows * width)
    masked = sum(one["masked"] for one in asked)
    ids = plan.schema.field("input_ids").type.value_type.bit_width // 8
    fixed = sum(f.type.bit_width // 8 for f in plan.schema if not _is_list(f.type))
    lists = sum(4 for f in plan.schema if _is_list(f.type))
    top = (plan.params.top_k or 1) * (ids + 2) + 2
    return int(rows * (fixed + lists) + tokens * (ids + 4) + masked * top)


def _is_list(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list(kind))
