"""What a training is going to do: sets and models opened and checked, nothing written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from transferset import rng
from transferset.distillation.choice.params import StudentParams
from transferset.errors import UsageError, sentence
from transferset.manifest import Json
from transferset.models import RECORD_VERSION
from transferset.pipeline.training.options import Training
from transferset.pipeline.training.origins import licences, nameless
from transferset.shards import ShardSet

#: Raised whenever the same recipe gives other weights than before (CHANGELOG, "Data changes").
DATA_VERSION: Final = 1

#: Most sets of one training, a task each.
MOST_SETS: Final = 100

TEACHER_FIT, FINETUNE, DISTILL = "teacher fit", "finetune", "distill"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainPlan:
    """A model to be trained.

    Attributes:
        op: `TEACHER_FIT`, `FINETUNE` or `DISTILL`.
        masked: Whether it is trained as a masked language model; else for tasks, one a set.
        sets: What it is trained on.
        held_out: By which the weights are chosen: none, or one for each set.
        tasks: Names of the tasks, one a set, where they are not the usual ones; else none.
        student: What is trained.
        about: What recipe and record say of that.
        base: Of the model that is gone on with, with its lineage; None if from scratch.
        teacher: Directory of a model that is asked while training, or None.
        teacher_about: With its lineage.
        online: Whether that model is asked for logits while training.
        objective: Weights of losses, temperature, direction.
        masking: Share and smoothing; None for tasks.
        preset: Publication and deviations, or None.
        device: As torch names it.
        code: Releases of what computes.
    """

    op: str
    masked: bool
    sets: tuple[ShardSet, ...]
    held_out: tuple[ShardSet, ...]
    tasks: tuple[str, ...]
    student: StudentParams
    about: Json
    base: Json | None
    teacher: Path | None
    teacher_about: Json | None
    online: bool
    training: Training
    objective: Json
    masking: Json | None
    preset: Json | None
    seed: int
    device: str
    code: Json

    @property
    def name(self) -> str:
        """For people, and for the folder."""
        begun = Path(self.student.kind).name.removesuffix(".json")
        first, *others = (one.manifest.name for one in self.sets)
        return f"{begun}-{first}" + (f"-and-{len(others)}-more" if others else "")

    @property
    def recipe(self) -> Json:
        """Everything that determines the weights, but for the number of threads."""
        return {
            "op": self.op,
            "data_version": DATA_VERSION,
            "format": RECORD_VERSION,
            "params": self.params,
            "seed": self.seed,
            "generator": rng.GENERATOR,
            "parents": [one.manifest.digest for one in self.sets],
            "validation": [one.manifest.digest for one in self.held_out],
            "student": nameless(self.about),
            "base": nameless(self.base),
            "teacher": nameless(self.teacher_about),
            "arithmetic": self.arithmetic,
            "code": self.code,
        }

    @property
    def params(self) -> Json:
        """The options, as recipe and record have them."""
        objective = {name: value for name, value in self.objective.items() if value}
        preset = {} if self.preset is None else {"preset": self.preset}
        more = {**(self.masking or {}), **({"tasks": list(self.tasks)} if self.tasks else {})}
        return {**self.training.to_json(), **objective, **more, "mlm": self.masked, **preset}

    @property
    def arithmetic(self) -> str:
        """Where sums are made, and in which type."""
        kind = self.device.partition(":")[0]
        return f"{kind} {'bfloat16' if kind == 'cuda' else 'float32'}"

    @property
    def read(self) -> list[Path]:
        """Directories that are read, and must not be written."""
        named = Path(self.student.kind)
        folders = [named] if named.exists() else []
        folders += [] if self.teacher is None else [self.teacher]
        folders += [Path(one) for one in (self.student.vectors,) if one and Path(one).exists()]
        return [*(one.root for one in (*self.sets, *self.held_out)), *folders]

    @property
    def licence(self) -> str:
        """Of what the model was made from; measuring needs none."""
        models = [str(one["licence"]) for one in (self.base, self.teacher_about) if one]
        return licences(*(one.manifest.licence for one in self.sets), *models)


def check_sets(sets: Sequence[ShardSet], held_out: Sequence[ShardSet], training: Training) -> None:
    """Refuse sets that cannot be trained on together.

    Raises:
        UsageError: Too many or none, or not one held-out set for each.
    """
    if not 1 <= len(sets) <= MOST_SETS:
        raise UsageError(sentence(f"1 to {MOST_SETS} sets", str(len(sets))))
    if held_out and len(held_out) != len(sets):
        expected = f"one --validation for each set, in their order: {len(sets)}"
        raise UsageError(sentence(expected, str(len(held_out))))
    if training.seeds > 1 and not held_out:
        do = "name a set with --validation"
        raise UsageError(sentence("scores by which one of the seeds is kept", "none", do=do))
