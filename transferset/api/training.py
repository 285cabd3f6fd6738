"""Training teachers and students on sets."""

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
    return _train(plan_teacher_fit(**_given(locals())), out, force, progress)


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
    return _train(plan_finetune(**_given(locals())), out, force, progress)


def plan_finetune(model: str | Path, src: Any = (), **options: Any) -> TrainPlan:
    """Check `finetune` without writing anything (`--dry-run`); see `plan_teacher_fit`."""
    from transferset.pipeline.training.plan import FINETUNE

    return _fit_plan(FINETUNE, src, model=model, **options)


def distill(
    src: str | Path | Sequence[str | Path] = (),
    out: str | Path | None = None,
    *,
    student: str | Path | None = None,
    teacher: str | Path | None = None,
    mlm: bool = False,
    preset: str | None = None,
    validation: str | Path | Sequence[str | Path] = (),
    mse: float | None = None,
    soft: float | None = None,
    hard: float | None = None,
    cosine: float | None = None,
    temperature: float | None = None,
    direction: str | None = None,
    layers: int | None = None,
    hidden: int | None = None,
    heads: int | None = None,
    feed: int | None = None,
    head: int | None = None,
    head_dropout: float | None = None,
    embeddings: str | None = None,
    width: int | None = None,
    channels: str | None = None,
    projection: bool | None = None,
    words: bool | None = None,
    lowercase: bool | None = None,
    least: int | None = None,
    most: int | None = None,
    init_layers: str | None = None,
    freeze_positions: bool | None = None,
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
    """Train a student to do as a teacher does.

    For tasks it learns from the logits of its sets, or of a teacher that is asked while it is
    trained, else from gold labels. With `mlm`, or from a set that `label` wrote with it, it becomes
    a masked language model by the triple loss of DistilBERT. None is the usual value: for tasks
    that of Liu 2020, for pre-training that of van de Graaf 2021, table 4.3. Options that are not
    described here are those of `teacher_fit`.

    Args:
        src: A set, or several, a task each; of none, the only one under `sets/`.
        out: Directory of the model; None is `models/NAME`.
        student: `bilstm`, `biattentive`, `transformer`, `transformer-cls-mean`; or a directory to
            go on with, or whose layers are picked; or a file of a configuration in JSON.
        teacher: A model's directory: asked where a set has no logits of its own, and what
            embeddings and layers are taken from.
        mlm: Pre-training instead of tasks.
        preset: Everything as in a publication, like `liu2020:bilstm`; what is stated beside wins.
        validation: A set for each of `src`, by whose scores the best weights are kept.
        mse: Weight of the squared error of logits; if no weight is stated it is 1 where there are
            logits.
        soft: Weight of T² · KL between teacher and student.
        hard: Weight of the loss with gold labels, or masked pieces.
        cosine: Weight of 1 − cos of last hidden states, with `mlm`.
        temperature: T of the soft loss, > 0.
        direction: Of the KL: `teacher‖student` or `student‖teacher`.
        layers: Of the student.
        hidden: Units of a layer.
        heads: Attention heads of a transformer.
        feed: Units of a transformer's feed-forward layers.
        head: Units of the layer before the logits; 0 for none.
        head_dropout: Before the logits, 0 ≤ p < 1.
        embeddings: `random`, `teacher`, or `vectors:PATH`.
        width: Numbers of a vector.
        channels: `static`, `non-static` or `multichannel`.
        projection: A trained map behind given vectors.
        words: Read words, not pieces.
        lowercase: Lower-case these.
        least: Count below which a word is unknown.
        most: Words that are kept.
        init_layers: A teacher's layers to begin with: `spread`, `first`, or a list like `0,2,4`.
        freeze_positions: Position embeddings stay as they are.
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
        mask: As there.
        smoothing: As there.
        evaluate_every: As there.
        seeds: As there.
        seed: As there.
        device: As there.
        force: As there.
        progress: As there.

    Returns:
        The finished model.

    Raises:
        UsageError: An option is wrong, or sets and models do not fit together.
        InputError: A model or file is none, or a class is none of the model's.
        SetError: A set is damaged; `out` holds another model, or something else.
        TransfersetError: Disk, memory, no rows, a loss that is not finite.
    """
    return _train(plan_distill(**_given(locals())), out, force, progress)


def plan_distill(
    src: Any = (),
    *,
    teacher: str | Path | None = None,
    preset: str | None = None,
    validation: Any = (),
    **options: Any,
) -> TrainPlan:
    """Check `distill` without writing anything (`--dry-run`); see `plan_teacher_fit`."""
    from transferset.pipeline.training.requests import distill_plan

    return distill_plan(_sets(src), _held_out(validation), teacher, preset, options)


def _fit_plan(
    op: str, src: Any, *, model: Any, validation: Any = (), **options: Any
) -> TrainPlan:
    from transferset.pipeline.training.requests import fit_plan

    return fit_plan(op, model, _sets(src), _held_out(validation), options)


def _train(
    plan: TrainPlan, out: str | Path | None, force: bool, progress: Progress | None
) -> Model:
    from transferset.pipeline.places import folder_name, require_apart
    from transferset.pipeline.training.train import train_model
    from transferset.stage import Quiet

    root = Path(out) if out is not None else MODELS / folder_name(plan.name)
    require_apart([root], plan.read)
    return train_model(plan, root, progress or Quiet(), force=force)


#: Arguments that are not the plan's.
_OF_THE_RUN = ("out", "force", "progress")


def _given(arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in arguments.items() if name not in _OF_THE_RUN}


def _sets(src: Any) -> list[ShardSet]:
    return [ShardSet.open(only_set(one)) for one in _named(src) or [None]]


def _held_out(validation: Any) -> list[ShardSet]:
    return [ShardSet.open(one) for one in _named(validation)]


def _named(sets: Any) -> list[Any]:
    if sets is None:
        return []
    return list(sets) if isinstance(sets, list | tuple) else [sets]
