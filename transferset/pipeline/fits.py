"""Distributions that come from another set (`--fit OTHER`)."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

from transferset.manifest import Json
from transferset.pipeline import ranges
from transferset.pipeline.chain import Chain
from transferset.pipeline.survey import SurveyContext, spill_path, survey_range
from transferset.shards import ShardSet
from transferset.stage import Done
from transferset.steps import Step

Run = Callable[[str, Callable[[Path, Any, Json], Done], list[Json], Any], list[Json]]


def fit_batches(fit: ShardSet, step: Step, ordinal: int, run: Run, root: Path) -> tuple[Path, ...]:
    """Survey the rows of another set for a step.

    Args:
        fit: The set.
        step: `generate` or `replace`.
        ordinal: The step's place in the recipe.
        run: Runs the tasks of a stage.
        root: The set that is made.

    Returns:
        Files with what was found.
    """
    chain = Chain(fit.root, fit.manifest.digest, root, (), 0, (), ("input_ids",))
    stage = f"fit-{ordinal:02d}"
    tokens = fit.manifest.totals["tokens"]
    cuts = ranges.even(len(fit), max(1, -(-2 * tokens // ranges.SURVEY_BYTES)))
    tasks = [
        {"ordinal": k, "start": a, "stop": b, "rows": b - a}
        for k, (a, b) in enumerate(pairwise(cuts))
    ]
    run(stage, survey_range, tasks, SurveyContext(chain, stage, step, ordinal))
    paths = [spill_path(root, stage, k) for k in range(len(tasks))]
    return tuple(path for path in paths if path.exists())
