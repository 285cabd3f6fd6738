"""`lm sample --dry-run`: how long it would take, from a short probe."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import numpy as np

from transferset.manifest import Json, fingerprint
from transferset.pipeline.lm_sample.attempts import identity_of, open_sampler, pieces_of
from transferset.pipeline.lm_sample.passes import task_size, writing_context
from transferset.pipeline.lm_sample.survey import texts_of

if TYPE_CHECKING:
    from transferset.pipeline.lm_sample.plan import SamplePlan

#: Rows that are sampled, unless time runs out.
_ROWS: Final = 192
_SECONDS: Final = 10.0

#: Rows of the set whose first pieces stand for all.
_LOOK: Final = 10_000


def sample_plan_json(plan: SamplePlan, workers: int) -> Json:
    """What `--dry-run` shows: what would be made, and about how long it takes.

    Args:
        plan: The plan.
        workers: Worker processes.

    Returns:
        Parent, options and recipe, exact; attempts, pieces and seconds, estimated.
    """
    probed = _probe(plan)
    wanted = plan.params.rows
    share = probed["usable"] or 1 / _ROWS
    attempts = min(plan.params.most, round(wanted / share))
    pieces = round(attempts * probed["pieces_per_row"])
    busy = min(workers, -(-attempts // task_size(attempts, plan.device)))
    return {
        "name": plan.name,
        "recipe": fingerprint(plan.recipe),
        "params": plan.params.to_json(),
        "seed": plan.seed,
        "parent": {"name": plan.src.manifest.name, **plan.src.manifest.totals},
        "model": plan.about,
        "preset": plan.preset,
        "columns": plan.schema.names,
        "probe": probed,
        "estimated": {
            "attempts": attempts,
            "pieces": pieces,
            "seconds": round(pieces / probed["pieces_per_second"] / busy),
            "not_foreseen": ["copied", "repeated", "undecodable"],
        },
    }


def _probe(plan: SamplePlan) -> Json:
    from transferset.language_models.causal import Prefixes

    prefixes = None
    if plan.params.prefix == "empirical":
        texts, _ = texts_of(plan.src.rows(range(min(_LOOK, len(plan.src)))))
        ids, offsets = pieces_of(plan.model, identity_of(plan.about)).encode(texts)
        found, counts = np.unique(ids[offsets[:-1][np.diff(offsets) > 0]], return_counts=True)
        prefixes = Prefixes(found.astype(np.int32), counts.astype(np.int64))
    context = writing_context(plan, prefixes)
    sampler = open_sampler(context)
    rows, usable, before, began = 0, 0, 0, 0.0
    for _, _, finished in sampler.sample(range(_ROWS)):
        if not rows:  # until the first row, kernels are compiled
            before, began = sampler.pieces, time.monotonic()
        rows += 1
        usable += finished or context.unfinished
        if time.monotonic() - began > _SECONDS:
            break
    seconds = max(time.monotonic() - began, 1e-3)
    # of rows in flight too, or the short ones, which end first, would stand for all
    length = min(sampler.pieces / rows, context.sampling.max_length)
    return {
        "rows": rows,
        "pieces_per_row": round(length, 1),
        "usable": round(usable / rows, 3),
        "pieces_per_second": round(max(sampler.pieces - before, 1) / seconds, 1),
        "batch": sampler.batch,
    }
