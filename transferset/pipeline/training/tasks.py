"""Training for tasks: a student or an encoder, and the examples of its sets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from transferset.distillation.examples.word_rows import COLUMN, column_of, words_column
from transferset.manifest import Json
from transferset.pipeline.training.origins import taggers_of
from transferset.pipeline.training.plan import TrainPlan
from transferset.pipeline.training.tokenizers import identity, tokenizer_file
from transferset.pipeline.training.work import (
    EXAMPLES,
    SCRATCH,
    Begun,
    batches_of,
    optimizer_of,
    require_rows,
)
from transferset.shards import ShardSet

if TYPE_CHECKING:
    from transferset.distillation.choice.making import Made
    from transferset.distillation.examples.examples import Examples
    from transferset.distillation.examples.reading import Reading
    from transferset.distillation.task.learner import Online
    from transferset.students.config import Task, Vocabulary
    from transferset.students.objectives import TaskObjective
    from transferset.students.word_vocabulary import WordVocabulary

#: Padded ids that go through a model at a time.
_AT_ONCE: Final = 1 << 14


@dataclass(slots=True)
class TaskWork:
    """See `work.Work`."""

    plan: TrainPlan
    make: Callable[[int], Made]
    objective: TaskObjective
    examples: list[Examples]
    held_out: list[Examples]
    online: Online | None
    first: Made | None
    column: str
    counts: Json = field(init=False)
    tokenizer: Json = field(init=False)
    _vocabulary: Any = field(init=False)

    def __post_init__(self) -> None:
        self.counts = {
            "train": [_counts(one) for one in self.examples],
            "validation": [_counts(one) for one in self.held_out],
        }
        made = self.first
        assert made is not None
        self._vocabulary = made.vocabulary
        told = vocabulary_of(made.module)
        of_words = not isinstance(made.vocabulary, Path)
        taggers = taggers_of(self.plan.sets) if of_words and self.column == "words" else ()
        self.tokenizer = {
            "kind": "words" if of_words else "pieces",
            "size": told.size,
            "sha256": told.sha256,
            **({COLUMN: self.column} if of_words else {}),
            **({"taggers": list(taggers)} if taggers else {}),
        }

    def begin(self, seed: int) -> Begun:
        """See `work.Work`."""
        from transferset.distillation.choice.making import saved_parameters
        from transferset.distillation.task.learner import TaskLearner
        from transferset.language_models.checkpoint import to_device

        made, self.first = self.first if seed == self.plan.seed else None, None
        made = made or self.make(seed)
        module, training = to_device(made.module, self.plan.device), self.plan.training
        optimizer = optimizer_of(module, training, vocabulary_of(module).size)
        learner = TaskLearner(
            module,
            self.examples,
            self.objective,
            optimizer,
            seed=seed,
            clip=training.clip,
            teacher=self.online,
            held_out=self.held_out,
        )
        batches = batches_of([one.lengths for one in self.examples], training, seed)
        return Begun(learner, batches, _AT_ONCE, made.about, saved_parameters(module))

    def save(self, module: Any, out: Path, about: Sequence[str]) -> list[Path]:
        """See `work.Work`."""
        from transferset.students.reading_lines import ReadAs
        from transferset.students.saving import save_student
        from transferset.students.student import Student
        from transferset.teachers.saving import save_encoder

        taggers = tuple(self.tokenizer.get("taggers", ()))
        ranges = tuple(_range(one) for one in self.examples)
        read = ReadAs(column=self.column, taggers=taggers, ranges=ranges)
        if isinstance(module, Student):
            return save_student(module.cpu(), out, self._vocabulary, about, read)
        given = self._vocabulary
        path = given if isinstance(given, Path) else given.save(out)
        return save_encoder(module.cpu(), out, path, about, read)


def prepare_tasks(plan: TrainPlan, folder: Path) -> TaskWork:
    """Models and examples of a plan.

    Args:
        plan: For tasks.
        folder: For what is made on the way.

    Raises:
        UsageError: Sets and models do not fit together.
        InputError: A model is not what it should be.
        SetError: A set is damaged.
        TransfersetError: A set has no rows.
    """
    from transferset.students.objectives import TaskObjective

    require_rows((*plan.sets, *plan.held_out))
    opened = None
    if plan.online:
        from transferset.teachers.opening import open_classifier

        opened = open_classifier(str(plan.teacher), plan.device, identity=identity)
    tasks = _tasks(plan, opened.module.tasks if opened else ())
    sets = (*plan.sets, *plan.held_out)
    column = _column(plan, sets)
    make = _maker(plan, tasks, column, folder)
    made = make(plan.seed)
    words, path = _sides(made.vocabulary)
    reading = _reading(vocabulary_of(made.module), path, words, column, plan)
    objective = TaskObjective(**{"mse": 0.0, **plan.objective})
    place = folder / EXAMPLES
    logits = bool(objective.mse or objective.soft)
    tasks = made.module.tasks
    examples = open_all(plan.sets, tasks, reading, place, logits=logits)
    held_out = open_all(plan.held_out, tasks, reading, place)
    online = None
    if opened is not None:
        read = column_of(str(plan.teacher), sets)
        theirs = _reading(opened.vocabulary, opened.tokenizer, opened.words, read, plan)
        online = _online(opened.module, tasks, plan.sets, theirs, place, examples, reading)
        online = online._replace(at=str(plan.teacher))
    return TaskWork(plan, make, objective, examples, held_out, online, made, column)


def _tasks(plan: TrainPlan, teacher: Sequence[Task]) -> tuple[Task, ...]:
    from transferset.distillation.choice.tasks import tasks_of

    return tasks_of(plan.sets, teacher, plan.tasks)


def _column(plan: TrainPlan, sets: Sequence[ShardSet]) -> str:
    """Where a student of words reads them; one that is new has no record that says it."""
    if plan.student.form == "folder":
        return column_of(plan.student.kind, sets)
    return words_column(sets)


def _maker(
    plan: TrainPlan, tasks: tuple[Task, ...], column: str, folder: Path
) -> Callable[[int], Made]:
    """What makes the student of a seed."""
    from transferset.distillation.choice.student import make_student

    words = None
    if plan.student.words:
        from transferset.distillation.examples.word_rows import fit_words

        params = plan.student
        most = {} if params.most is None else {"most": params.most}
        words = fit_words(
            plan.sets, column=column, lowercase=params.lowercase, least=params.least, **most
        )
    scratch = folder / SCRATCH
    scratch.mkdir(parents=True, exist_ok=True)
    tokenizer, file = tokenizer_file(plan.sets)

    def make(seed: int) -> Made:
        return make_student(
            plan.student,
            tasks=tasks,
            tokenizer=tokenizer,
            tokenizer_file=file,
            teacher=plan.teacher,
            words=words,
            seed=seed,
            folder=scratch,
        )

    return make


def _sides(vocabulary: WordVocabulary | Path) -> tuple[WordVocabulary | None, Path | None]:
    return (None, vocabulary) if isinstance(vocabulary, Path) else (vocabulary, None)


def vocabulary_of(module: Any) -> Vocabulary:
    """The ids that a student or an encoder reads."""
    owner = module if hasattr(module, "vocabulary") else module.config
    found: Vocabulary = owner.vocabulary
    return found


def _reading(
    vocabulary: Vocabulary,
    tokenizer: Path | None,
    words: WordVocabulary | None,
    column: str,
    plan: TrainPlan,
) -> Reading:
    from transferset.distillation.examples.reading import Reading

    if tokenizer is not None:  # its file may be written otherwise than that of the same sets
        vocabulary = replace(vocabulary, sha256=identity(tokenizer))
    return Reading(
        vocabulary=vocabulary,
        tokenizer=tokenizer,
        words=words,
        length=plan.training.length,
        column=column,
    )


def open_all(
    sets: Sequence[ShardSet],
    tasks: Sequence[Task],
    reading: Reading,
    folder: Path,
    *,
    logits: bool = False,
) -> list[Examples]:
    """Sets as examples of their tasks, with the logits that they have if these are wanted."""
    from transferset.distillation.examples.examples import open_examples

    return [
        open_examples(one, task, reading, folder, logits=logits and _has_logits(one))
        for one, task in zip(sets, tasks, strict=bool(sets))
    ]


def _has_logits(one: ShardSet) -> bool:
    return "logits" in one.manifest.schema


def _online(
    module: Any,
    tasks: Sequence[Task],
    sets: Sequence[ShardSet],
    theirs: Reading,
    folder: Path,
    examples: list[Examples],
    reading: Reading,
) -> Online:
    """A teacher, with the sets as it reads them; it is asked where they have no logits."""
    from transferset.distillation.task.learner import Online, matched_tasks

    same = theirs.vocabulary.sha256 == reading.vocabulary.sha256 and theirs.column == reading.column
    asked = [i for i, one in enumerate(examples) if not one.has_logits]
    given: list[Examples | None] = [None] * len(sets)
    numbers: list[int | None] = [None] * len(sets)
    matched = matched_tasks(module.tasks, [tasks[i] for i in asked])
    for i, number in zip(asked, matched, strict=True):
        numbers[i] = number
        given[i] = examples[i] if same else open_all([sets[i]], [tasks[i]], theirs, folder)[0]
    return Online(module, given, numbers)


def _counts(one: Examples) -> Json:
    return {
        "task": one.task.name,
        "name": one.found.manifest.name,
        "rows": len(one),
        "labelled": one.labelled,
        "tokens": int(one.lengths.sum(dtype="int64")),
        "cut_rows": one.cut_rows,
        "read": one.how,
    }


def _range(one: Examples) -> tuple[float, float] | None:
    """The least and the greatest score of a set; None of classes, and where no row has one."""
    import numpy as np

    if one.task.classes is not None or not one.labelled:
        return None
    labels = one.labels(np.arange(len(one)))
    return float(np.nanmin(labels)), float(np.nanmax(labels))
