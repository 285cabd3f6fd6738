"""`export`: write the parts, join them, commit the export."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from transferset.errors import UsageError
from transferset.executor import Executor
from transferset.exported import Exported
from transferset.exports.joining import PARTS
from transferset.exports.protocol import Written
from transferset.holding import EXPORTED, RUN, building, clear, finished
from transferset.manifest import Json, fingerprint
from transferset.pipeline.corpus import Run
from transferset.pipeline.export.commit import commit_export
from transferset.pipeline.export.plan import ExportPlan
from transferset.stage import ALL, Progress


def export(
    plan: ExportPlan, root: Path, executor: Executor, progress: Progress, *, force: bool
) -> Exported:
    """Carry out a plan.

    Args:
        plan: What to do.
        root: Where; an unfinished export of the same plan is resumed.
        executor: Where the tasks run.
        progress: Told of finished tasks.
        force: Replace what is there.

    Returns:
        The finished export.

    Raises:
        UsageError: The format cannot hold a row.
        SetError: A set is damaged, or `root` holds something else.
        TransfersetError: Disk or memory.
    """
    recipe = fingerprint(plan.recipe)
    if not force and finished(root, recipe, EXPORTED):
        progress.resumed(ALL)
        return Exported.open(root)
    with building(root, plan.recipe, force=force, kind=EXPORTED) as todo:
        if todo:
            try:
                _export(plan, Run(root, recipe, executor, progress))
            except UsageError:
                clear(root, EXPORTED)  # only other options help, and they may want the place
                raise
    return Exported.open(root)


def _export(plan: ExportPlan, run: Run) -> None:
    results = run.stage("rows", plan.format.write, plan.draft.tasks, plan.context, "rows")
    commit_export(plan, run, _finish(plan, run, results), results)
    # only now: until the commit they are needed to resume
    shutil.rmtree(run.root / RUN / PARTS, ignore_errors=True)


def _finish(plan: ExportPlan, run: Run, results: Sequence[Json]) -> Written:
    parts = run.root / RUN / PARTS
    copied = sum(path.stat().st_size for path in parts.glob("*")) if parts.is_dir() else 0
    if copied:
        run.progress.start("join", copied, "bytes")
    return Written(
        run.root,
        plan.context,
        plan.draft.tasks,
        results,
        lambda size: run.progress.advance(size, 0),
    )
