"""Carrying out a training: rows are read, a model is trained, the model is committed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from transferset.errors import InputError, UsageError
from transferset.files import writing
from transferset.holding import MODEL, RUN, building, clear, finished
from transferset.manifest import fingerprint
from transferset.models import Model
from transferset.pipeline.training.commit import commit_model
from transferset.pipeline.training.plan import TrainPlan
from transferset.pipeline.training.work import EXAMPLES, SCRATCH
from transferset.stage import ALL, Progress
from transferset.training.room import with_memory

if TYPE_CHECKING:
    from transferset.pipeline.training.work import Work

#: Below `_run/`: what shows that a model can be made, before another one makes room for it.
_TRIAL: Final = "trial"

#: What may help where memory ends.
MEMORY: Final = "take a smaller model, lower --length, or run it where there is more"

#: Seconds of work that a killed run loses at most, where checkpoints are quick to write.
EVERY: Final = 60.0


def train_model(
    plan: TrainPlan, root: Path, progress: Progress, *, force: bool, every: float = EVERY
) -> Model:
    """Carry out a plan.

    Args:
        plan: What to do.
        root: Where; an unfinished training of the same plan is resumed.
        progress: Told of finished work.
        force: Replace what is there.
        every: Seconds of work between checkpoints.

    Returns:
        The finished model.

    Raises:
        UsageError: Options, sets and models do not fit together.
        InputError: A model or a row is not what it should be.
        SetError: A set is damaged, or `root` holds something else.
        TransfersetError: Disk, memory, or a loss that is not finite.
    """
    recipe = fingerprint(plan.recipe)
    if not force and finished(root, recipe, MODEL):
        progress.resumed(ALL)
        return Model.open(root)
    work = _Work(plan, root, recipe, progress, every)
    with building(root, plan.recipe, force=force, kind=MODEL, ready=work.try_out) as todo:
        if todo:
            work.run()
    return Model.open(root)


def prepare(plan: TrainPlan, folder: Path) -> Work:
    """Models and data of a plan.

    Args:
        plan: What to do.
        folder: For what is made on the way; what is there already is taken.
    """
    if plan.masked:
        from transferset.pipeline.training.masked import prepare_masked

        return prepare_masked(plan, folder)
    from transferset.pipeline.training.tasks import prepare_tasks

    return prepare_tasks(plan, folder)


@dataclass(slots=True)
class _Work:
    """A training in progress."""

    plan: TrainPlan
    root: Path
    recipe: str
    progress: Progress
    every: float

    def try_out(self) -> None:
        """Everything before the first step, so that no model goes for one that cannot be made."""
        folder = self.root / RUN / _TRIAL
        try:
            with _working(self.root):
                shutil.rmtree(folder, ignore_errors=True)  # of a run that was killed
                prepare(self.plan, folder).begin(self.plan.seed)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def run(self) -> None:
        """All of it."""
        from transferset.pipeline.training.seeds import FOLDER
        from transferset.training.learning import NotFinite

        begun = (self.root / RUN / FOLDER).exists()
        try:
            with _working(self.root):
                self._run()
        except NotFinite:
            clear(self.root, MODEL)  # only another recipe helps, and it may want the place
            raise
        except (UsageError, InputError):
            if not begun:  # else it may go on where the device or a file is there again
                clear(self.root, MODEL)
            raise

    def _run(self) -> None:
        from transferset.pipeline.training.seeds import FOLDER, Trainings

        plan = self.plan
        work = prepare(plan, self.root / RUN)
        trainings = Trainings(
            work, plan.training.settings(), self.root, self.recipe, self.progress, self.every
        )
        seeds = [(plan.seed + i) % (1 << 64) for i in range(plan.training.seeds)]
        begun, kept, trained = trainings.run(seeds)
        commit_model(plan, self.root, self.recipe, work, begun, kept, trained)
        for name in (EXAMPLES, SCRATCH, FOLDER, "result"):  # until then needed to resume
            shutil.rmtree(self.root / RUN / name, ignore_errors=True)


@contextmanager
def _working(root: Path) -> Iterator[None]:
    """Without what transformers has to say; where disk or memory ends, that is said."""
    from transferset.language_models.checkpoint import quiet

    with quiet(), with_memory(MEMORY), writing(root):
        yield
