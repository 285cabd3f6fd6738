"""The plan of an export, for people and programs."""

from __future__ import annotations

from transferset.manifest import Json
from transferset.pipeline.export.plan import ExportPlan
from transferset.pipeline.planning import export_work


def export_plan_json(plan: ExportPlan, workers: int | None = None) -> Json:
    """What would be done; what it comes to is estimated.

    Args:
        plan: From `make_export_plan`.
        workers: Worker processes; None is the number of processors.
    """
    return {
        "to": plan.format.name,
        "holds": plan.format.summary,
        "params": plan.params,
        "splits": {
            part.split: {
                "rows": len(found),
                "tokens": found.manifest.totals["tokens"],
                "columns": list(plan.draft.columns[part.split]),
            }
            for part, found in zip(plan.parts, plan.sets, strict=True)
        },
        "left_out": list(plan.draft.left_out),
        "files": plan.draft.files,
        "tasks": len(plan.draft.tasks),
        "estimated": export_work(plan).estimate(workers),
        "verified_by": plan.format.reader(),
    }
