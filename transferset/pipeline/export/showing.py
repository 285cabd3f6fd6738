"""The plan of an export, for people and programs."""

from __future__ import annotations

from transferset.manifest import Json
from transferset.pipeline.export.plan import ExportPlan


def export_plan_json(plan: ExportPlan) -> Json:
    """What would be done; bytes are estimated from those of the sets.

    Args:
        plan: From `make_export_plan`.
    """
    held = sum(found.manifest.totals["bytes"] for found in plan.sets)
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
        "bytes": round(held * plan.format.share),
        "verified_by": plan.format.reader(),
    }
