"""`label --dry-run`: how large the set would be and how long it would take, from a short probe."""

from __future__ import annotations

import time
from typing import Final

from transferset.language_models.scoring import one_thread
from transferset.manifest import Json, fingerprint
from transferset.pipeline.label.answers import answers
from transferset.pipeline.label.passes import MEMORY, ask_context, cuts, data_bytes
from transferset.pipeline.label.plan import LabelPlan
from transferset.training.room import with_memory

#: Places of the set that are looked at, and rows at each; rows of a file may be sorted by length.
_PLACES: Final = 4
_ROWS: Final = 64

#: Seconds after which no other place is looked at.
_SECONDS: Final = 10.0


def label_plan_json(plan: LabelPlan, workers: int) -> Json:
    """What `--dry-run` shows: what would be made, and about how long it takes.

    Args:
        plan: The plan.
        workers: Worker processes.

    Returns:
        Parent, teachers, options, recipe and rows, exact; bytes and seconds, estimated.
    """
    with with_memory(MEMORY):
        probed = [_probe(plan, number) for number in range(len(plan.teachers))]
    rows = len(plan.src)
    busy = min(workers, len(cuts(plan)) - 1)
    seconds = sum(rows / probe["rows_per_second"] for probe in probed)
    first = probed[0]
    share = rows / first["rows"]
    told = {name: round(first[name] * share) for name in ("tokens", "masked")}
    told["rows"] = rows * plan.params.multiple
    return {
        "name": plan.name,
        "recipe": fingerprint(plan.recipe),
        "params": plan.params.to_json(),
        "seed": plan.seed,
        "parent": {"name": plan.src.manifest.name, **plan.src.manifest.totals},
        "teachers": [teacher.about for teacher in plan.teachers],
        "classes": None if plan.classes is None else list(plan.classes),
        "columns": plan.schema.names,
        "rows": told["rows"],
        "probe": probed,
        "estimated": {
            "bytes": data_bytes(plan, [told]),
            "seconds": round(seconds / max(1, busy)),
        },
    }


def _probe(plan: LabelPlan, number: int) -> Json:
    """Rows of some places of the set; the first ones are asked twice, for kernels are compiled."""
    context, total = ask_context(plan, number), len(plan.src)
    size = min(_ROWS, -(-total // _PLACES))
    starts = sorted({min(total - size, total * i // _PLACES) for i in range(_PLACES)})
    found = {"rows": 0, "tokens": 0, "masked": 0, "cut": 0}
    with one_thread():
        answers(context, starts[0], starts[0] + 1)
        began = time.monotonic()
        for start in starts:
            _, counts = answers(context, start, start + size)
            found["rows"] += size
            for name in ("tokens", "masked", "cut"):
                found[name] += counts.get(name, 0)
            if time.monotonic() - began > _SECONDS:
                break
    seconds = max(time.monotonic() - began, 1e-3)
    return {**found, "rows_per_second": round(max(found["rows"] / seconds, 1e-3), 3)}
