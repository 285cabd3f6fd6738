"""Training teachers and students on gold labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transferset.api.lm_fit import MODELS
from transferset.api.sets import only_set
from transferset.shards import ShardSet

if TYPE_CHECKING:
    from transferset.models import Model
    from transferset.pipeline.training.plan import TrainPlan
    from transferset.stage import Progress


def teacher_fit(
    src: str | Path | Sequence[str | Path] = (),
    out: str | Path | None = None,
    *,
    model: str | Path,
    validation: str | Path | Sequence[str | Path] = (),
    task: str | Sequence[str] = (),
    mlm: bool = False,
    optimizer: str | None = None,
    lr: float | None = None,
    schedule: str | None = None,
    warmup: float | None = None,
    clip: float | None = None,
    weight_decay: float | None = None,
    beta1: float | None = None,
    beta2: float | None = None,
    eps: float | None = None,
    rho: float | None = None,
    sparse: bool | None = None,
    batch: int | None = None,
    batch_tokens: int | None = None,
    epochs: int | None = None,
    steps: int | None = None,
    length: int | None = None,
    mask: float | None = None,
    smoothing: float | None = None,
    evaluate_every: int | None = None,
    seeds: int | None = None,
    seed: int = 0,
    device: str | None = None,
    force: bool = False,
    progress: Progress | None = None,
) -> Model:
    """Fine-tune a teacher on task sets, or adapt it to a corpus as a masked language model.

    Several sets share one encoder, with a head each (Liu 2020, §§ 4.1 and 4.2). None is the usual
    value: that of van de Graaf 2021, table 4.5, for encoders; of Liu 2020 for recurrent students;
    with `mlm` that of Devlin et al. 2019, § A.2. On one machine, with one number of torch's
    threads, the same arguments give the same weights, however often it was interrupted.

    Args:
        src: A set, or several, a task each; of none, the only one under `sets/`.
        out: Directory of the model; None is `models/NAME`.
        model: Directory of an encoder of transformers, or of a student.
        validation: A set for each of `src`, by whose scores the best weights are kept; of none,
            the last ones are.
        task: A short name for the task of each of `src`; of none, as the sets were built.
        mlm: Train the masked-LM head instead; one that is lacking is added.
        optimizer: `adam`, `adamw` or `adadelta`.
        lr: Full learning rate, > 0.
        schedule: `linear` falls to 0; or `constant`; both after the warm-up.
        warmup: Share of the steps in which the rate rises, 0 to 1.
        clip: Longest gradient, > 0.
        weight_decay: Of all but biases and norms, ≥ 0.
        beta1: Of Adam, 0 ≤ β < 1.
        beta2: Of Adam, 0 ≤ β < 1.
        eps: Of the optimiser, > 0.
        rho: Of AdaDelta, 0 ≤ ρ < 1.
        sparse: Move only the vectors of ids that a batch has.
        batch: Rows of a step, ≥ 1; or
        batch_tokens: most ids of a step, padding included, ≥ 1.
        epochs: Times that each row is seen, ≥ 1; or
        steps: of the whole training, ≥ 1.
        length: Ids of a row at which it is cut, special ones included.
        mask: With `mlm`, the share of positions that are masked.
        smoothing: With `mlm`, the exponent by which rare pieces are masked more often; 0 is none.
        evaluate_every: Steps between measurements; None measures after each epoch.
        seeds: Trainings with `seed`, `seed` + 1, …; the one of the median score is kept.
        seed: Of order, dropout, masks and new weights, 0 ≤ seed < 2**64.
        device: As torch names it; None is the processor. On a GPU most sums are in bfloat16.
        force: Replace what is in `out`.
        progress: Told of finished work.

    Returns:
        The finished model.

    Raises:
        UsageError: An option is wrong, or sets and model do not fit together.
        InputError: The model is none, or a class is none of its.
        SetError: A set is damaged; `out` holds another model, or something else.
        TransfersetError: Disk, memory, no rows, a loss that is not finite.
    """
    return train(plan_teacher_fit(**given(locals())), out, force, progress)


def plan_teacher_fit(src: Any = (), **options: Any) -> TrainPlan:
    """Check `teacher_fit` without writing anything (`--dry-run`).

    Args and errors are those of `teacher_fit`.

    Returns:
        The plan; `pipeline.training.probe.train_plan_json` shows it, with the time it may take.
    """
    from transferset.pipeline.training.plan import TEACHER_FIT

    return _fit_plan(TEACHER_FIT, src, **options)


def finetune(
    model: str | Path,
    src: str | Path | Sequence[str | Path] = (),
    out: str | Path | None = None,
    *,
    validation: str | Path | Sequence[str | Path] = (),
    task: str | Sequence[str] = (),
    optimizer: str | None = None,
    lr: float | None = None,
    schedule: str | None = None,
    warmup: float | None = None,
    clip: float | None = None,
    weight_decay: float | None = None,
    beta1: float | None = None,
    beta2: float | None = None,
    eps: float | None = None,
    rho: float | None = None,
    sparse: bool | None = None,
    batch: int | None = None,
    batch_tokens: int | None = None,
    epochs: int | None = None,
    steps: int | None = None,
    length: int | None = None,
    evaluate_every: int | None = None,
    seeds: int | None = None,
    seed: int = 0,
    device: str | None = None,
    force: bool = False,
    progress: Progress | None = None,
) -> Model:
    """Fine-tune a student, or any encoder, on the gold labels of a task set.

    A masked language model gets a new head; a student of the same task goes on with its own. Args,
    errors and usual values are those of `teacher_fit`.

    Args:
        model: Directory of a student that transferset made, or of an encoder of transformers.
        src: As there.
        out: As there.
        validation: As there.
        task: As there.
        optimizer: As there.
        lr: As there.
        schedule: As there.
        warmup: As there.
        clip: As there.
        weight_decay: As there.
        beta1: As there.
        beta2: As there.
        eps: As there.
        rho: As there.
        sparse: As there.
        batch: As there.
        batch_tokens: As there.
        epochs: As there.
        steps: As there.
        length: As there.
        evaluate_every: As there.
        seeds: As there.
        seed: As there.
        device: As there.
        force: As there.
        progress: As there.

    Returns:
        The finished model.
    """
    return train(plan_finetune(**given(locals())), out, force, progress)


def plan_finetune(model: str | Path, src: Any = (), **options: Any) -> TrainPlan:
    """Check `finetune` without writing anything (`--dry-run`); see `plan_teacher_fit`."""
    from transferset.pipeline.training.plan import FINETUNE

    return _fit_plan(FINETUNE, src, model=model, **options)


def _fit_plan(op: str, src: Any, *, model: Any, validation: Any = (), **options: Any) -> TrainPlan:
    from transferset.pipeline.remote import local
    from transferset.pipeline.training.requests import fit_plan

    return fit_plan(op, local(model), sources(src), opened(validation), options)


def train(plan: TrainPlan, out: str | Path | None, force: bool, progress: Progress | None) -> Model:
    """Carry out a plan, in `out` or under `models/`."""
    from transferset.holding import MODEL
    from transferset.pipeline.places import folder_name, require_apart
    from transferset.pipeline.remote import output
    from transferset.pipeline.training.train import train_model
    from transferset.stage import Quiet

    place = out if out is not None else MODELS / folder_name(plan.name)
    root = output(place, MODEL, force=force)
    require_apart([root], plan.read)
    return train_model(plan, root, progress or Quiet(), force=force)


#: Arguments that are not the plan's.
_OF_THE_RUN = ("out", "force", "progress")


def given(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Of the arguments of a function those that its plan has too."""
    return {name: value for name, value in arguments.items() if name not in _OF_THE_RUN}


def sources(src: Any) -> list[ShardSet]:
    """The sets that are meant; the only one under `sets/` if none is named."""
    return [ShardSet.open(only_set(one)) for one in _named(src) or [None]]


def opened(validation: Any) -> list[ShardSet]:
    """The sets that are named, none or several."""
    return [ShardSet.open(one) for one in _named(validation)]


def _named(sets: Any) -> list[Any]:
    if sets is None:
        return []
    return list(sets) if isinstance(sets, list | tuple) else [sets]
