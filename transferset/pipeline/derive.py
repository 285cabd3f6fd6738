"""`derive`: conclude the models of two-phase steps, write the shards, commit the set."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from transferset.executor import Executor
from transferset.holding import building, finished
from transferset.ledger import Ledger, Reason
from transferset.manifest import Json, digest_json, fingerprint
from transferset.pipeline import ranges
from transferset.pipeline.chain import Chain
from transferset.pipeline.commit import commit_derived
from transferset.pipeline.derive_plan import DerivePlan
from transferset.pipeline.fits import fit_batches, fit_words
from transferset.pipeline.order import count_shards
from transferset.pipeline.setting import setting_of
from transferset.pipeline.survey import Found, SurveyContext, spill_path, survey_range
from transferset.pipeline.write import WriteContext, write_range
from transferset.schema import FIXED_WIDTH
from transferset.shards import ShardSet
from transferset.stage import Done, Progress, run_stage
from transferset.steps import Augment, Delete, Generate, Replace, ReplaceLm, Split, Step, Vary
from transferset.storage.mounts import present
from transferset.transforms import implement

#: Rows of a survey's task: of which variants are made, and of which a model is asked.
_VARIED_ROWS: Final = 50_000
_MODEL_ROWS: Final = 2_000

#: Bytes of offsets that a row has, a list each.
_OFFSET: Final = 4


def derive(
    plan: DerivePlan, root: Path, executor: Executor, progress: Progress, *, force: bool
) -> ShardSet:
    """Carry out a plan.

    Args:
        plan: What to do.
        root: Where; an unfinished derivation of the same plan is resumed.
        executor: Where the tasks run.
        progress: Told of finished tasks.
        force: Replace what is there.

    Returns:
        The finished set.

    Raises:
        SetError: SRC is damaged, or `root` holds something else.
        UsageError: A step cannot be done with these rows.
        TransfersetError: Disk, memory, or no rows left.
    """
    recipe = fingerprint(plan.recipe)
    if not force and finished(root, recipe):
        return ShardSet.open(root)
    with building(root, plan.recipe, force=force) as todo:
        if todo:
            work = _Work(plan, root, recipe, executor, progress)
            work.conclude()
            work.write()
    return ShardSet.open(root)


@dataclass(slots=True)
class _Work:
    """A derivation in progress, in the driver.

    Attributes:
        models: Of the steps concluded so far; None for local steps.
        cuts: Where ranges may be cut; None is anywhere.
        before: What the rows before the origin lost, when the origin makes new ones.
    """

    plan: DerivePlan
    root: Path
    recipe: str
    executor: Executor
    progress: Progress
    models: list[Json | None] = field(default_factory=list)
    cuts: list[int] | None = None
    before: Ledger = field(default_factory=Ledger)

    def chain(self) -> Chain:
        """The steps that are concluded, for workers."""
        plan = self.plan
        return Chain(
            plan.src.root,
            plan.src.manifest.digest,
            self.root,
            plan.steps,
            plan.seed,
            tuple(self.models),
            plan.read,
            plan.first,
            plan.keep_label,
        )

    def origin_size(self) -> tuple[int, int]:
        """Rows and tokens at the origin."""
        chain, totals = self.chain(), self.plan.src.manifest.totals
        model = self.models[chain.origin] if chain.origin >= 0 else None
        made = model or totals
        return int(made["rows"]), int(made["tokens"])

    def run(
        self,
        stage: str,
        function: Callable[[Path, Any, Json], Done],
        tasks: list[Json],
        context: Any,
    ) -> list[Json]:
        """Run the tasks of one stage."""
        return run_stage(
            stage,
            function,
            tasks,
            root=self.root,
            recipe=self.recipe,
            context=context,
            executor=self.executor,
            progress=self.progress,
            weight="rows",
        )

    def conclude(self) -> None:
        """Make the models of all steps, in order."""
        for i, step in enumerate(self.plan.steps):
            self.models.append(self._model(i, step) if step.two_phase else None)

    def _model(self, i: int, step: Step) -> Json:
        plan = self.plan
        setting = setting_of(plan.src, plan.steps, keep_label=plan.keep_label)
        made = implement(step, setting)
        if plan.fit is not None and isinstance(step, Augment):
            from transferset.transforms.augment import AugmentRows

            words = fit_words(plan.fit, step, setting.tags, i, self.run, self.root)
            made = AugmentRows(step, setting, words)
        chain = self.chain()
        fit = self.plan.fit if isinstance(step, Generate | Replace) else None
        folder = chain.folder(i)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        found = self._survey(i, step, looks=fit is None and made.needs_survey(intact=chain.intact))
        if fit is not None:
            spill = fit_batches(fit, step, i, self.run, self.root)
            found = replace(found, spills=spill)
        model: Json = made.conclude(
            found, chain.position(i), folder, intact=chain.intact and fit is None
        )
        number = 0
        while "round" in model:
            number += 1
            found = self._survey(i, step, looks=True, number=number, model=model)
            model = made.conclude_round(found, model, chain.position(i), folder)
        if isinstance(step, Generate):
            self.before[Reason.REPLACED] += found.rows
            self.cuts = None
        elif "bounds" in model:
            self.cuts = list(model["bounds"])
        if isinstance(step, Split):
            model = {**model, **model["splits"][self.plan.take], "take": self.plan.take}
        return model

    def _survey(
        self, i: int, step: Step, *, looks: bool, number: int = 0, model: Json | None = None
    ) -> Found:
        chain = self.chain()
        rows, tokens = self.origin_size()
        # fewer places than shards would leave shards empty, and others too large
        shards = self.plan.shards or count_shards(self._bytes(rows, tokens))
        offered = self.cuts or ranges.candidates(rows, shards)
        if not looks and chain.intact:
            return Found(rows, tokens, offered)
        stage = f"survey-{i:02d}" + (f"-{number:02d}" if number else "")
        tasks = self._tasks(self._survey_tasks(step, rows, tokens))
        if model is not None:
            tasks = [{**task, "round": model["round"]} for task in tasks]
        context = SurveyContext(chain, stage, step if looks else None, i, model)
        results = self.run(stage, survey_range, tasks, context)
        if isinstance(step, Generate):
            for result in results:
                self.before.update({Reason(k): n for k, n in result["ledger"].items()})
        return Found(
            sum(r["rows"] for r in results),
            sum(r["tokens"] for r in results),
            offered,
            self._spills(stage, len(tasks)),
        )

    def _survey_tasks(self, step: Step, rows: int, tokens: int) -> int:
        if isinstance(step, Vary):  # small ones: each row is looked at many times, or by a model
            return -(-rows // (_MODEL_ROWS if isinstance(step, ReplaceLm) else _VARIED_ROWS))
        return -(-2 * tokens // ranges.SURVEY_BYTES)

    def _spills(self, stage: str, count: int) -> tuple[Path, ...]:
        paths = [spill_path(self.root, stage, k) for k in range(count)]
        return tuple(path for path in paths if present(path).exists())

    def _tasks(self, count: int) -> list[Json]:
        rows, _ = self.origin_size()
        cuts = ranges.bounds(rows, max(1, count), self.cuts)
        models = digest_json(self.models)
        return [
            {"ordinal": k, "start": a, "stop": b, "rows": b - a, "models": models}
            for k, (a, b) in enumerate(pairwise(cuts))
        ]

    def write(self) -> None:
        """Write the shards and commit the set."""
        chain = self.chain()
        tasks = self._tasks(self._shards())
        context = WriteContext(chain, self.plan.schema.serialize().to_pybytes(), len(tasks))
        results = self.run("write", write_range, tasks, context)
        bounds = [*(task["start"] for task in tasks), tasks[-1]["stop"]]
        commit_derived(self.plan, chain, bounds, self.recipe, self.before, results)
        for path in (self.root / "_run").glob("survey-*/*.arrow"):
            path.unlink()  # only now: until the commit they are needed to resume
        for i in range(len(self.models)):
            shutil.rmtree(chain.folder(i), ignore_errors=True)

    def _shards(self) -> int:
        """One a `order.SHARD_BYTES`, from the number of rows and tokens alone."""
        if self.plan.shards is not None:
            return self.plan.shards
        rows, tokens, exact = self._size()
        if count_shards(self._bytes(rows, tokens)) > 1 and not exact:
            tasks = self._tasks(-(-2 * self.origin_size()[1] // ranges.SURVEY_BYTES))
            counted = self.run(
                "count", survey_range, tasks, SurveyContext(self.chain(), "count", None, 0)
            )
            rows, tokens = (sum(c[name] for c in counted) for name in ("rows", "tokens"))
        return count_shards(self._bytes(rows, tokens))

    def _size(self) -> tuple[int, int, bool]:
        """Rows and tokens that come out, at most; and whether that is what comes out."""
        rows, tokens = self.origin_size()
        exact = True
        for i in range(self.chain().origin + 1, len(self.models)):
            model, step = self.models[i], self.plan.steps[i]
            if model is not None and not isinstance(step, Replace):
                rows, tokens, exact = int(model["rows"]), int(model["tokens"]), True
            elif not step.keeps_rows or isinstance(step, Delete):
                exact = False
        return rows, tokens, exact

    def _bytes(self, rows: int, tokens: int) -> int:
        schema, parent = self.plan.schema, self.plan.src
        if self.plan.teacher is not None:  # rows as they were: as many bytes as the parent has
            return rows * parent.manifest.totals["bytes"] // max(1, len(parent))
        size = 0
        for column in schema:
            if column.name in FIXED_WIDTH:
                size += rows * column.type.bit_width // 8
            elif column.name in ("input_ids", "labels"):
                size += rows * _OFFSET + tokens * column.type.value_type.bit_width // 8
            else:  # text: about four bytes a piece, as in English
                size += rows * _OFFSET + 4 * tokens
        return size


def splits(plan: DerivePlan) -> Sequence[DerivePlan]:
    """The plans of the sibling sets, if the last step splits; else the plan itself."""
    last = plan.steps[-1]
    if not isinstance(last, Split):
        return [plan]
    names = [item.partition("=")[0] for item in last.shares.split(",")]
    return [replace(plan, name=f"{plan.name}-{name}", take=name) for name in names]
