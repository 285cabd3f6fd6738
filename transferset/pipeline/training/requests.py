"""From the options of a command to the plan of a training."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

from transferset.distillation.choice.params import (
    BIATTENTIVE,
    BILSTM,
    StudentParams,
    check_student,
    describe_student,
)
from transferset.distillation.choice.tasks import checked_names
from transferset.errors import UsageError, sentence
from transferset.language_models.model_files import CONFIG, read_json
from transferset.manifest import Json
from transferset.pipeline.options import check_device, check_seed
from transferset.pipeline.training import defaults
from transferset.pipeline.training.objectives import masked_objective, task_objective
from transferset.pipeline.training.options import ADADELTA, Training, option
from transferset.pipeline.training.origins import describe_directory, origin
from transferset.pipeline.training.plan import DISTILL, TrainPlan, check_sets
from transferset.shards import ShardSet
from transferset.students.modes import PREFIX

#: Kinds of students whose word tables are most of them.
RECURRENT: Final = (BILSTM, BIATTENTIVE)

#: Share of the positions that are masked, and no smoothing, as Devlin et al. 2019, § 3.1.
_MASKING: Final = {"mask": 0.15, "smoothing": 0.0}

_HARD: Final = {"hard": 1.0}

#: Options of optimisers that others do not have.
_OF_ADAM: Final = ("beta1", "beta2")
_OF_ADADELTA: Final = ("rho",)

#: Options of a vocabulary of words that a default hides.
_OF_WORDS: Final = ("lowercase", "least", "most")

#: Members of `StudentParams` that options state, with the option where it has another name.
_STUDENT: Final = {field.name: field.name for field in fields(StudentParams)} | {"kind": "student"}


def fit_plan(
    op: str,
    model: str | Path,
    sets: Sequence[ShardSet],
    held_out: Sequence[ShardSet],
    given: Mapping[str, Any],
) -> TrainPlan:
    """Fitting a model that is there to gold labels, or to masked pieces.

    Args:
        op: `teacher fit` or `finetune`.
        model: Its directory.
        sets: One a task.
        held_out: None, or one for each set.
        given: The other options by name; None is not stated.

    Raises:
        UsageError: Options and sets do not fit together.
        InputError: There is no such model.
    """
    about = describe_directory(model)
    params = StudentParams(kind=str(model))
    masked = bool(given.get("mlm"))
    kind = defaults.ADAPTING if masked else defaults.FINE_TUNING
    if not masked and _is_recurrent(model):
        kind = defaults.DISTILLING
    objective: Json = dict(_HARD)
    _check_optimizer(given, {"optimizer": kind["optimizer"], **_stated_of(given)})
    return _plan(
        op, params, sets, held_out, given, kind,
        masked=masked, about=about, base=origin(model, about), teacher=None, objective=objective,
    )  # fmt: skip


def distill_plan(
    sets: Sequence[ShardSet],
    held_out: Sequence[ShardSet],
    teacher: str | Path | None,
    preset: str | None,
    given: Mapping[str, Any],
) -> TrainPlan:
    """Training a student to do as a teacher does.

    Args:
        sets: One a task.
        held_out: None, or one for each set.
        teacher: A model's directory, or None.
        preset: A publication, see `distillation.presets`, or None.
        given: The other options by name; None is not stated.

    Raises:
        UsageError: Options and sets do not fit together.
        InputError: There is no such model or file.
    """
    from transferset.language_models.checkpoint import releases

    releases()  # first of all: the losses are torch's
    merged, told = _preset(preset, given)
    masked = bool(merged.get("mlm")) or any("top_ids" in s.manifest.schema for s in sets)
    params = student_params(merged, teacher if masked else None)
    _check_words(given, params)
    check_student(params, mlm=masked, teacher=teacher is not None)
    objective, online = (
        masked_objective(merged, _only(sets), teacher=teacher is not None)
        if masked
        else task_objective(merged, sets, teacher=teacher is not None)
    )
    about = describe_student(params)
    base = None
    if Path(params.kind).is_dir():
        base = origin(params.kind, describe_directory(params.kind))
    _check_optimizer(given, merged)
    return _plan(
        DISTILL, params, sets, held_out, merged,
        defaults.PRE_TRAINING if masked else defaults.DISTILLING,
        masked=masked, about=about, base=base, teacher=teacher, objective=objective,
        online=online, preset=told,
    )  # fmt: skip


def student_params(given: Mapping[str, Any], teacher: str | Path | None) -> StudentParams:
    """The student that options name.

    Args:
        given: Options by name; None is not stated.
        teacher: What a student is made of that is named by the choice of its layers alone.

    Raises:
        UsageError: None is named, or its options are impossible.
    """
    stated = {m: given[name] for m, name in _STUDENT.items() if given.get(name) is not None}
    if "kind" not in stated and teacher is not None and "init_layers" in stated:
        stated["kind"] = str(teacher)
    if not str(stated.get("kind", "")):  # which as a path would be this very directory
        do = "name a kind, a directory or a file with --student"
        raise UsageError(sentence("a student", "none", do=do))
    return StudentParams(**{**stated, "kind": str(stated["kind"])})


def _preset(name: str | None, given: Mapping[str, Any]) -> tuple[Mapping[str, Any], Json | None]:
    """The options with those of a publication for what is not stated."""
    if name is None:
        return given, None
    from transferset.distillation.choice.presets import distill_preset

    stated = {key: value for key, value in given.items() if value is not None}
    found, told = distill_preset(name, stated)
    betas = found.pop("betas", None)
    if betas is not None:
        found = {"beta1": betas[0], "beta2": betas[1], **found}
    return {**given, **found}, told


def _plan(
    op: str,
    params: StudentParams,
    sets: Sequence[ShardSet],
    held_out: Sequence[ShardSet],
    given: Mapping[str, Any],
    kind: Mapping[str, Any],
    *,
    masked: bool,
    about: Json,
    base: Json | None,
    teacher: str | Path | None,
    objective: Json,
    online: bool = False,
    preset: Json | None = None,
) -> TrainPlan:
    from transferset.language_models.checkpoint import releases

    usual = defaults.defaults(kind, given.get("optimizer"), sparse=not masked and _tables(params))
    training = Training.of(given, usual)
    check_sets(sets, held_out, training)
    if masked:
        _only(sets)
    masking = {name: _share(given, name, usual) for name, usual in _MASKING.items()}
    if not masked:
        _refuse(given, _MASKING, "--mlm", "tasks")
    elif _named(given):
        do = "leave --task out"
        raise UsageError(sentence("tasks for --task", "--mlm, which has none", do=do))
    return TrainPlan(
        op=op,
        masked=masked,
        sets=tuple(sets),
        held_out=tuple(held_out),
        tasks=checked_names(_named(given), sets),
        student=params,
        about=about,
        base=base,
        teacher=None if teacher is None else Path(teacher),
        teacher_about=None if teacher is None else origin(teacher, describe_directory(teacher)),
        online=online,
        training=training,
        objective=objective,
        masking=masking if masked else None,
        preset=preset,
        seed=check_seed(given.get("seed") or 0),
        device=check_device(given.get("device")),
        code=releases(),
    )


def _named(given: Mapping[str, Any]) -> list[str]:
    """The names of tasks that are stated."""
    names = given.get("task") or ()
    return [names] if isinstance(names, str) else [str(name) for name in names]


def _stated_of(given: Mapping[str, Any]) -> Json:
    return {name: value for name, value in given.items() if value is not None}


def _check_optimizer(given: Mapping[str, Any], merged: Mapping[str, Any]) -> None:
    """Refuse options of another optimiser; those of a publication's own go with it."""
    kind = merged.get("optimizer") or defaults.DISTILLING["optimizer"]
    if kind == ADADELTA:
        _refuse(given, _OF_ADAM, "--optimizer adam or adamw", str(kind))
    else:
        _refuse(given, _OF_ADADELTA, f"--optimizer {ADADELTA}", str(kind))


def _check_words(given: Mapping[str, Any], params: StudentParams) -> None:
    if not params.words:
        _refuse(given, _OF_WORDS, "--words", "a vocabulary that is there already")


def _refuse(given: Mapping[str, Any], names: Iterable[str], wanted: str, found: str) -> None:
    for name in names:
        if given.get(name) is not None:
            do = f"leave {option(name)} out"
            raise UsageError(sentence(f"{wanted} for {option(name)}", found, do=do))


def _share(given: Mapping[str, Any], name: str, default: float) -> float:
    value = given.get(name)
    if value is None:
        return default
    if not 0 <= value <= 1 or (name == "mask" and not value):
        allowed = "above 0, up to 1" if name == "mask" else "from 0 to 1"
        raise UsageError(sentence(f"--{name} {allowed}", str(value)))
    return float(value)


def _only(sets: Sequence[ShardSet]) -> ShardSet:
    if len(sets) != 1:
        do = "mix them into one with `transferset mix`"
        raise UsageError(sentence("one set for --mlm", f"{len(sets)}", do=do))
    return sets[0]


def _tables(params: StudentParams) -> bool:
    """Whether a student is small beside its word tables: any recurrent one."""
    if params.form == "folder":
        return _is_recurrent(params.kind)
    return params.kind in RECURRENT


def _is_recurrent(model: str | Path) -> bool:
    found = read_json(Path(model) / CONFIG).get("model_type")
    return found in tuple(f"{PREFIX}{kind}" for kind in RECURRENT)
