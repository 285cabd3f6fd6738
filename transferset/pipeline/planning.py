"""What the commands are going to do, in the terms of `scale`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pyarrow as pa

from transferset.documents import has_documents
from transferset.manifest import Manifest
from transferset.pipeline.scale import SLOPES, Part, Work, data_bytes, survey_tasks
from transferset.schema import FIXED_WIDTH
from transferset.steps import Delete, Generate, Pack, Sample, Split, Step, Vary, step_name
from transferset.steps.amounts import parse_amount, parse_shares, resolve_amount

if TYPE_CHECKING:
    from transferset.pipeline.derive_plan import DerivePlan
    from transferset.pipeline.export.plan import ExportPlan
    from transferset.pipeline.mix_plan import MixPlan

#: Steps by the line of the table that they are like; others are like `derive shuffle`.
_LIKE: Final = {
    "filter": "filter",
    "sample": "sample",
    "split": "split",
    "dedupe": "dedupe",
    "pack": "pack",
    "mask": "mask",
    "generate": "generate",
    "replace": "generate",
    "augment": "augment",
}

#: Ids of exports that hold nothing else: bytes of each row beside them.
_INDEXED: Final = {"megatron": 20, "nanogpt": 0}


def build_work(
    job: str,
    schema: pa.Schema,
    rows: float,
    ids: float,
    *,
    tasks: int,
    shards: int | None = None,
    shuffled: bool = True,
    documents: float = 0,
) -> Work:
    """A build.

    Args:
        job: `build wiki`, `build books`, `build text` or `build task`.
        schema: Of the set.
        rows: Estimated.
        ids: Estimated.
        tasks: That read.
        shards: Asked for.
        shuffled: Rows are brought into random order.
        documents: Estimated.
    """
    return Work(
        (Part(job, rows, ids),),
        rows,
        ids,
        data_bytes(schema, rows, ids),
        tasks=tasks,
        shards=shards,
        spills=tasks if shuffled else 0,
        documents=documents,
    )


def derive_work(plan: DerivePlan) -> Work:
    """A derivation; rows and ids are upper estimates where a step's are not known."""
    totals = plan.src.manifest.totals
    rows, ids = float(totals["rows"]), float(totals["tokens"])
    parts, tasks = [], 0
    most = ids
    for step in plan.steps:
        name = _line_of(step)
        before = rows, ids
        rows, ids = after(step, rows, ids)
        parts.append(Part(name, max(before[0], rows), max(before[1], ids)))
        tasks += survey_tasks(before[1]) if SLOPES[name].surveys else 0
        most = max(most, ids)
    last = plan.steps[-1]
    several = len(parse_shares(last.shares, "--split")) if isinstance(last, Split) else 1
    return Work(
        (Part("derive", max(rows, totals["rows"]), most * several), *parts),
        rows,
        ids,
        _derived_bytes(plan, rows, ids),
        tasks=tasks,
        shards=plan.shards,
        opened=len(plan.src.manifest.shards),
    )


def _line_of(step: Step) -> str:
    name = step_name(step)
    if isinstance(step, Sample) and step.with_replacement:
        name = "draw"
    else:
        name = _LIKE.get(name, "augment" if isinstance(step, Vary) else "shuffle")
    return f"derive {name}"


def after(step: Step, rows: float, ids: float) -> tuple[float, float]:
    """Rows and ids after a step, of so many before it; the most where it depends on the rows."""
    if isinstance(step, Sample | Generate):
        amount = parse_amount(step.size, f"--{step.name}")
        if isinstance(step, Sample) and step.by == "tokens":
            budget = resolve_amount(amount, round(ids))
            return rows * budget / max(1, ids), budget
        count = resolve_amount(amount, round(rows))
        return count, ids * count / max(1, rows)
    if isinstance(step, Pack):
        return -(-ids // step.length), ids
    if isinstance(step, Delete):
        return rows, ids * (1 - step.p)
    if isinstance(step, Vary):
        most = step.multiple or step.attempts + (step.originals == "first")
        return rows * most, ids * most
    return rows, ids


def _derived_bytes(plan: DerivePlan, rows: float, ids: float) -> float:
    """By counts where rows are ids and numbers; other columns have what they have in SRC."""
    schema, totals = plan.schema, plan.src.manifest.totals
    counted = ("input_ids", "labels", *FIXED_WIDTH)
    if all(name in counted for name in schema.names):
        return data_bytes(schema, rows, ids)
    if set(schema.names) <= set(plan.src.manifest.schema):
        return totals["bytes"] * rows / max(1, totals["rows"])
    return data_bytes(schema, rows, ids)


def mix_work(plan: MixPlan) -> Work:
    """A mix; rows are exact, ids in proportion."""
    taken = list(zip(plan.counts, plan.sets, strict=True))
    shares = [count / max(1, len(one)) for count, one in taken]
    rows = sum(plan.counts)
    totals = [one.manifest.totals for one in plan.sets]
    ids = sum(share * of["tokens"] for share, of in zip(shares, totals, strict=True))
    read = sum(of["tokens"] for share, of in zip(shares, totals, strict=True) if share)
    known = all(name in ("input_ids", "labels", *FIXED_WIDTH) for name in plan.schema.names)
    size = sum(share * of["bytes"] for share, of in zip(shares, totals, strict=True))
    tasks = sum(survey_tasks(of["tokens"]) for s, of in zip(shares, totals, strict=True) if s)
    return Work(
        (Part("mix", rows, max(ids, read)),),
        rows,
        ids,
        data_bytes(plan.schema, rows, ids) if known else size,
        tasks=tasks,
        shards=plan.shards,
        opened=sum(len(one.manifest.shards) for one in plan.sets),
        spills=tasks,
        documents=sum(_documents(one.manifest) for count, one in taken if count),
    )


def _documents(found: Manifest) -> int:
    return found.totals.get("documents", 0) if has_documents(found) else 0


def export_work(plan: ExportPlan) -> Work:
    """An export; rows and ids are exact."""
    totals = [one.manifest.totals for one in plan.sets]
    rows, ids = (sum(of[name] for of in totals) for name in ("rows", "tokens"))
    name = plan.format.name
    size = sum(of["bytes"] for of in totals) * plan.format.share
    if name in _INDEXED:
        kinds = {task["ids"] for task in plan.draft.tasks}
        size = ids * (2 if kinds == {"uint16"} else 4) + rows * _INDEXED[name]
    opened = sum(len(one.manifest.shards) for one in plan.sets)
    return Work(
        (Part(f"export {name}", rows, ids),),
        rows,
        ids,
        size,
        tasks=max(0, len(plan.draft.tasks) - 1),
        shards=1,
        opened=opened,
        files=plan.draft.files + 5,
    )
