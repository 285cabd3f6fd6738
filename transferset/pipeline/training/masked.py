"""Training as a masked language model: by itself, or with a teacher, asked now or before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from transferset.errors import UsageError, sentence
from transferset.manifest import Json
from transferset.pipeline.training.plan import TrainPlan
from transferset.pipeline.training.tokenizers import identity, tokenizer_file
from transferset.pipeline.training.work import (
    EXAMPLES,
    Begun,
    batches_of,
    optimizer_of,
    require_rows,
)
from transferset.shards import ShardSet

if TYPE_CHECKING:
    from transferset.distillation.choice.masked import MaskedMade
    from transferset.distillation.examples.reading import Reading
    from transferset.distillation.masked.batches import Masks
    from transferset.distillation.masked.model import MaskedModel
    from transferset.students.config import Vocabulary
    from transferset.students.objectives import MaskedObjective
    from transferset.training.batches import Batches

#: Padded ids that go through a model at a time; the head gives a number for each piece of the
#: vocabulary at one position in seven.
_AT_ONCE: Final = 1 << 13


@dataclass(slots=True)
class MaskedWork:
    """See `work.Work`.

    Attributes:
        rows: For a seed, what is trained on.
        held_out: None, or what is measured on.
    """

    plan: TrainPlan
    make: Callable[[int], MaskedMade]
    objective: MaskedObjective
    vocabulary: Vocabulary
    file: Path
    rows: Callable[[int], Masks]
    held_out: Masks | None
    teacher: MaskedModel | None
    counts: Json
    tokenizer: Json = field(init=False)

    def __post_init__(self) -> None:
        told = self.vocabulary
        self.tokenizer = {"kind": "pieces", "size": told.size, "sha256": told.sha256}

    def begin(self, seed: int) -> Begun:
        """See `work.Work`."""
        from transferset.distillation.choice.making import parameters
        from transferset.distillation.masked.learner import MaskedLearner
        from transferset.distillation.masked.model import MaskedModel
        from transferset.language_models.checkpoint import to_device

        made, training = self.make(seed), self.plan.training
        model = to_device(made.model, self.plan.device)
        student = MaskedModel(model, self.vocabulary, self.plan.student.kind)
        masks = self.rows(seed)
        learner = MaskedLearner(
            student,
            masks,
            self.objective,
            optimizer_of(model, training, self.vocabulary.size),
            teacher=self.teacher,
            held_out=self.held_out,
            seed=seed,
            clip=training.clip,
        )
        batches = batches_of([masks.lengths], training, seed)
        self._require_masks(masks, batches)
        return Begun(learner, batches, _AT_ONCE, made.about, parameters(model))

    def _require_masks(self, masks: Masks, batches: Batches) -> None:
        """Refuse a training, and a measurement, of losses at masked positions without any."""
        plan, objective = self.plan, self.objective
        if objective.hard or objective.soft:
            _require(masks, plan.sets[0], plan, batches.tokens)
        if self.held_out is not None:
            _require(self.held_out, plan.held_out[0], plan)

    def save(self, module: Any, out: Path, about: Sequence[str]) -> list[Path]:
        """See `work.Work`."""
        from transferset.teachers.masked import save_masked

        return save_masked(module.cpu(), out, self.file, about)


def prepare_masked(plan: TrainPlan, folder: Path) -> MaskedWork:
    """Models and rows of a plan.

    Args:
        plan: For a masked language model.
        folder: For what is made on the way.

    Raises:
        UsageError: Sets and models do not fit together.
        InputError: A model is not what it should be.
        SetError: A set is damaged.
    """
    from transferset.distillation.choice.making import tokenizer_vocabulary
    from transferset.distillation.choice.masked import make_masked_student
    from transferset.distillation.examples.reading import Reading
    from transferset.students.objectives import MaskedObjective

    (found,) = plan.sets
    require_rows((*plan.sets, *plan.held_out))
    tokenizer, file = tokenizer_file(plan.sets)
    if tokenizer is None or file is None:
        do = "build it with a tokenizer"
        raise UsageError(sentence("a set with ids", "none", str(found.root), do))

    def make(seed: int) -> MaskedMade:
        return make_masked_student(
            plan.student,
            teacher=plan.teacher,
            tokenizer=tokenizer,
            tokenizer_file=file,
            seed=seed,
        )

    vocabulary = tokenizer_vocabulary(tokenizer, file)
    losses = {"hard": 0.0, "soft": 0.0, "cosine": 0.0, **plan.objective}
    reading = Reading(vocabulary=vocabulary, tokenizer=file, length=plan.training.length)
    rows, counts = _rows(plan, found, reading, folder / EXAMPLES)
    held, held_counts = None, []
    for one in plan.held_out:
        masks, told = _rows(plan, one, reading, folder / EXAMPLES)
        held, held_counts = masks(plan.seed), [told]
    return MaskedWork(
        plan,
        make,
        MaskedObjective(**losses),
        vocabulary,
        file,
        rows,
        held,
        _teacher(plan, vocabulary),
        {"train": [counts], "validation": held_counts},
    )


def _teacher(plan: TrainPlan, vocabulary: Vocabulary) -> MaskedModel | None:
    """The model that is asked while training."""
    if not plan.online or plan.teacher is None:
        return None
    from transferset.distillation.masked.model import MaskedModel
    from transferset.teachers.masked import has_masked_head, new_masked_head, open_masked

    if plan.objective.get("soft") or has_masked_head(plan.teacher):
        model = open_masked(plan.teacher, plan.device)
    else:  # its hidden states alone are looked at, whatever a head would make of them
        model = new_masked_head(plan.teacher, plan.seed, plan.device)
    if identity(plan.teacher / "tokenizer.json") != vocabulary.sha256:
        expected = "a teacher that reads the student's pieces"
        raise UsageError(sentence(expected, "another tokenizer", str(plan.teacher)))
    return MaskedModel(model, vocabulary, str(plan.teacher))


def _require(masks: Masks, found: ShardSet, plan: TrainPlan, tokens: int | None = None) -> None:
    """Refuse rows of which nothing is masked.

    Args:
        masks: The rows.
        found: Their set.
        plan: With the share.
        tokens: Of a training whose masks change; None for masks that are the same each time.

    Raises:
        UsageError: Nothing is, or in so many tokens less than one is to be expected.
    """
    from transferset.distillation.masked.batches import any_masked
    from transferset.distillation.masked.learner import HELD_OUT_EPOCH

    share, fixed = (plan.masking or {})["mask"], "labels" in found.manifest.schema
    if not fixed and tokens is not None:
        enough = share * tokens >= 1
    else:
        enough = any_masked(masks, HELD_OUT_EPOCH)
    if not enough:
        do = "label more rows" if fixed else "raise --mask, or take more rows"
        raise UsageError(sentence("masked positions", "none", str(found.root), do))


def _rows(
    plan: TrainPlan, found: ShardSet, reading: Reading, folder: Path
) -> tuple[Callable[[int], Masks], Json]:
    """For a seed, a set's rows, masked; and their counts."""
    if "labels" in found.manifest.schema:
        from transferset.distillation.masked.labelled_rows import FixedMasks

        fixed = FixedMasks(found)
        told = {
            "name": found.manifest.name,
            "rows": len(fixed.lengths),
            "tokens": int(fixed.lengths.sum(dtype="int64")),
            "masked": fixed.masked,
        }
        return lambda seed: fixed, told
    from transferset.distillation.examples.examples import open_examples
    from transferset.distillation.masked.batches import DynamicMasks, piece_counts
    from transferset.distillation.masked.reading import rows_task, special_ids
    from transferset.masking import Masking, rates_of

    examples = open_examples(found, rows_task(found), reading, folder)
    asked = plan.masking or {}
    smooth = {"smoothing": asked["smoothing"]} if asked["smoothing"] else {}
    counts = piece_counts(examples, reading.vocabulary.size) if smooth else None
    special = sorted(special_ids(reading).values())
    rates = rates_of(reading.vocabulary.size, special, share=asked["mask"], counts=counts, **smooth)
    mask = special_ids(reading)["mask"]

    def masks(seed: int) -> Masks:
        return DynamicMasks(examples, Masking(rates, mask, seed))

    told = {
        "name": found.manifest.name,
        "rows": len(examples),
        "tokens": int(examples.lengths.sum(dtype="int64")),
        "cut_rows": examples.cut_rows,
        "read": examples.how,
    }
    return masks, told
