"""What `label` is going to do: set and teachers opened and checked, nothing asked yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from transferset import rng, schema
from transferset.distillation.examples.classes import columns
from transferset.distillation.examples.reading import IDS, how_read
from transferset.distillation.examples.tasks import is_pair
from transferset.distillation.examples.word_rows import column_of
from transferset.errors import InputError, TransfersetError, UsageError, sentence
from transferset.manifest import Json, digest_json
from transferset.pipeline.derive_plan import label_type
from transferset.pipeline.label.params import CLASSIFIER, LOGITS, MASKED, MASKED_LM, LabelParams
from transferset.pipeline.label.teacher import (
    Open,
    Teacher,
    describe_teacher,
    kind_of,
    open_teacher,
    task_number,
)
from transferset.pipeline.options import check_device, check_seed
from transferset.pipeline.training.origins import licences, nameless, origin
from transferset.shards import ShardSet
from transferset.steps.step import TEXT

if TYPE_CHECKING:
    from transferset.students.config import Task

#: Raised whenever the same recipe gives other bytes than before (CHANGELOG, "Data changes").
DATA_VERSION: Final = 1

#: Columns that rows with other ids cannot keep; a label of the whole row says nothing of them.
_GONE: Final = (*TEXT, *schema.TEACHER, *schema.ADDRESS, "label")

#: Classes that a message lists.
_SHOWN: Final = 6


@dataclass(frozen=True, slots=True)
class LabelPlan:
    """A set to be labelled.

    Attributes:
        src: The set.
        params: Options that determine bytes, with defaults.
        teachers: At least one; a masked one is alone.
        classes: Of the logits, in order; None for a score, and of a masked teacher.
        pair: Rows are pairs.
        device: Where the teachers run, as torch names it; None is the processor.
        seed: Of the masks.
    """

    name: str
    src: ShardSet
    params: LabelParams
    teachers: tuple[Teacher, ...]
    classes: tuple[str, ...] | None
    pair: bool
    device: str | None
    seed: int

    @property
    def columns(self) -> tuple[str, ...]:
        """Of the new set."""
        parent = tuple(self.src.manifest.schema)
        if self.params.mlm:
            return (*(c for c in parent if c not in _GONE), *MASKED, *schema.ADDRESS)
        return (*(c for c in parent if c not in schema.TEACHER), LOGITS)

    @property
    def schema(self) -> pa.Schema:
        """Of the new set."""
        parent = self.src.manifest
        ids = schema.ids_type((parent.tokenizer or {"vocab_size": 0})["vocab_size"])
        width = None if self.params.mlm else len(self.classes or ("score",))
        logits = None if width is None else schema.logits_type(width, self.params.number)
        return schema.make_schema(self.columns, ids, label_type(parent), self.names, logits)

    @property
    def names(self) -> Mapping[str, Sequence[str]]:
        """Of the codes in the columns that are left."""
        return {k: v for k, v in self.src.manifest.names.items() if k in self.columns}

    @property
    def arithmetic(self) -> str:
        """Where sums are made, and in which type: elsewhere they are rounded otherwise."""
        kind = (self.device or "cpu").partition(":")[0]
        return f"{kind} {'bfloat16' if kind == 'cuda' else 'float32'}"

    @property
    def recipe(self) -> Json:
        """Everything that determines the bytes of the set."""
        return {
            "op": "label",
            "data_version": DATA_VERSION,
            "format": schema.FORMAT_VERSION,
            "params": self.params.to_json(),
            "seed": self.seed,
            "generator": rng.GENERATOR,
            "parent": self.src.manifest.digest,
            "teachers": [nameless(one.about) for one in self.teachers],
            "arithmetic": self.arithmetic,
        }

    @property
    def licence(self) -> str:
        """Of the teachers: what they say is made of their weights."""
        return licences(*(str(one.origin["licence"]) for one in self.teachers))

    @property
    def teacher(self) -> Json:
        """The manifest's member."""
        mlm = self.params.mlm
        return {
            "kind": kind_of(mlm=mlm),
            "classes": None if self.classes is None else list(self.classes),
            "temperature": self.params.temperature if mlm else None,
            "top_k": self.params.top_k if mlm else None,
            "models": [one.origin for one in self.teachers],
        }

    @property
    def read(self) -> list[Path]:
        """Directories that are read, and must not be written."""
        return [self.src.root, *(Path(one.path) for one in self.teachers)]


def make_label_plan(
    src: ShardSet,
    teachers: Sequence[str | Path],
    params: LabelParams,
    *,
    name: str,
    seed: int,
    device: str | None,
) -> LabelPlan:
    """Put a plan together.

    Args:
        src: An open set.
        teachers: Their directories.
        params: Options that determine bytes.
        name: Of the new set, for people.
        seed: 0 ≤ seed < 2**64.
        device: As torch names it; None is the processor.

    Returns:
        The plan.

    Raises:
        UsageError: An option is out of range, or the set has not what the teachers read.
        InputError: A teacher is none, or means other classes.
        TransfersetError: The set has no rows.
    """
    check_device(device)
    params = params.checked(device)
    if not teachers:
        raise UsageError(sentence("a --teacher", "none"))
    if params.mlm and len(teachers) > 1:
        do = "name one, for the highest logits of a mean are not the mean of the highest"
        raise UsageError(sentence("one --teacher with --mlm", f"{len(teachers)}", do=do))
    if not len(src):
        raise TransfersetError(sentence("at least one row", "none", str(src.root)))
    _check_columns(src, params)
    pair = is_pair(src)
    found = [_teacher(src, str(path), params, pair, device) for path in teachers]
    _require_head(params.task, found)
    classes = None if params.mlm else _classes(src, found[0][1])
    return LabelPlan(
        name,
        src,
        params,
        tuple(_placed(teacher, task, classes) for teacher, task in found),
        classes,
        pair,
        device,
        check_seed(seed),
    )


def _check_columns(src: ShardSet, params: LabelParams) -> None:
    there = src.manifest.schema
    if params.mlm and "labels" in there:
        do = "name the set that it was made from"
        raise UsageError(sentence("a set that is not masked", "labels", str(src.root), do))
    taken = [name for name in schema.TEACHER if name in there]
    if taken and not params.mlm and not params.replace:
        do = "say --replace to have others instead"
        found = f"a column {taken[0]}"
        raise UsageError(sentence("a set without logits", found, str(src.root), do))
    if params.mlm and src.manifest.tokenizer is None:
        raise UsageError(sentence("a set of ids, to mask some", "none", str(src.root)))


def _teacher(
    src: ShardSet, path: str, params: LabelParams, pair: bool, device: str | None
) -> tuple[Teacher, Task | None]:
    kind = kind_of(mlm=params.mlm)
    about = describe_teacher(path, kind)
    opened = open_teacher(path, kind, digest_json(about), device)
    number = 0 if params.mlm else task_number(opened.tasks, params.task, path)
    task = None if params.mlm else opened.tasks[number]
    made = Teacher(
        path,
        kind,
        about,
        origin(path, about),
        number,
        (),
        column_of(path, [src]),
        _length(opened, params, path),
    )
    _check_reading(src, made, opened)
    if task is not None and getattr(opened.model, "states_layout", True) and task.pair != pair:
        told = ("single texts", "pairs")
        raise UsageError(sentence(f"{told[task.pair]} for {path}", told[pair], str(src.root)))
    if params.mlm:
        _check_masked(src, opened, params, path)
    return made, task


def _require_head(name: str | None, found: Sequence[tuple[Teacher, Task | None]]) -> None:
    """Refuse a --task that is no head's name; beside one that has it another may be nameless."""
    names = [task.name for _, task in found if task is not None]
    if name is not None and name not in names:
        expected = f"no --task, or {' or '.join(dict.fromkeys(names))}"
        raise UsageError(sentence(expected, name, found[0][0].path))


def _length(opened: Open, params: LabelParams, path: str) -> int:
    if params.length is not None and params.length > opened.positions:
        expected = f"--length up to the teacher's {opened.positions:,} positions"
        raise UsageError(sentence(expected, f"{params.length:,}", path))
    return params.length or opened.positions


def _check_reading(src: ShardSet, teacher: Teacher, opened: Open) -> None:
    how = how_read(src, opened.reading(teacher.column, teacher.length))
    if how != IDS and teacher.kind == MASKED_LM:
        do = "build the set with the teacher's tokenizer"
        found = "ids of another one"
        raise UsageError(sentence("ids of the teacher's tokenizer", found, str(src.root), do))


def _check_masked(src: ShardSet, opened: Open, params: LabelParams, path: str) -> None:
    size = (src.manifest.tokenizer or {})["vocab_size"]
    if opened.model.size != size:
        expected = f"logits of the set's {size:,} pieces"
        raise InputError(sentence(expected, f"{opened.model.size:,}", path))
    if (params.top_k or 1) > size:
        raise UsageError(sentence(f"--top-k up to {size:,}, all pieces", f"{params.top_k:,}"))


def _classes(src: ShardSet, task: Task | None) -> tuple[str, ...] | None:
    """In the order of the set's labels, if it has some: both are losses of one student."""
    kind = src.manifest.schema.get("label")
    names = src.manifest.names.get("label")
    if kind is not None and label_type(src.manifest) is not None:
        return None
    if names:
        return tuple(names)
    return None if task is None or task.classes is None else tuple(task.classes)


def _placed(teacher: Teacher, task: Task | None, classes: tuple[str, ...] | None) -> Teacher:
    if teacher.kind != CLASSIFIER or task is None:
        return teacher
    try:
        places: Any = columns(task.classes, classes, teacher.path)
    except InputError:  # it speaks of a student
        do = "if they mean the same, write the same names into id2label of its config.json"
        expected = f"a teacher of {_told(classes)}"
        raise InputError(sentence(expected, _told(task.classes), teacher.path, do)) from None
    return replace(teacher, places=tuple(int(place) for place in places))


def _told(classes: Sequence[str] | None) -> str:
    if classes is None:
        return "a score"
    more = ", …" if len(classes) > _SHOWN else ""
    return f"{len(classes):,} classes ({', '.join(classes[:_SHOWN])}{more})"
