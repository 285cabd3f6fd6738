"""Training students to do as their teachers do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transferset.api.training import given, opened, sources, train

if TYPE_CHECKING:
    from transferset.models import Model
    from transferset.pipeline.training.plan import TrainPlan
    from transferset.stage import Progress


def distill(
    src: str | Path | Sequence[str | Path] = (),
    out: str | Path | None = None,
    *,
    student: str | Path | None = None,
    teacher: str | Path | None = None,
    mlm: bool = False,
    preset: str | None = None,
    validation: str | Path | Sequence[str | Path] = (),
    task: str | Sequence[str] = (),
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
        teacher: A model's directory: asked where a set has no logits of its own, with `mlm` for
            hidden states too, and what embeddings and layers are taken from.
        mlm: Pre-training instead of tasks.
        preset: Everything as in a publication, like `liu2020:bilstm`; what is stated beside wins.
        validation: A set for each of `src`, by whose scores the best weights are kept.
        task: A short name for the task of each of `src`; of none, as the sets were built.
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
    return train(plan_distill(**given(locals())), out, force, progress)


def plan_distill(
    src: Any = (),
    *,
    teacher: str | Path | None = None,
    preset: str | None = None,
    validation: Any = (),
    **options: Any,
) -> TrainPlan:
    """Check `distill` without writing anything (`--dry-run`); see `plan_teacher_fit`."""
    from transferset.distillation.choice.params import VECTORS
    from transferset.pipeline.remote import local
    from transferset.pipeline.training.requests import distill_plan

    teacher, options = local(teacher), {**options, "student": local(options.get("student"))}
    if str(options.get("embeddings")).startswith(VECTORS):
        vectors = str(options["embeddings"]).removeprefix(VECTORS)
        options["embeddings"] = f"{VECTORS}{local(vectors)}"
    return distill_plan(sources(src), opened(validation), teacher, preset, options)
