"""Fitting causal language models to sets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from transferset.api.sets import only_set
from transferset.shards import ShardSet

if TYPE_CHECKING:
    from transferset.models import Model
    from transferset.pipeline.lm_fit_plan import FitPlan
    from transferset.stage import Progress

#: Where models go when no directory is named.
MODELS: Final = Path("models")


def lm_fit(
    src: str | Path | None = None,
    out: str | Path | None = None,
    *,
    model: str | Path | None = None,
    config: str | Path | None = None,
    tokenizer: str | Path | None = None,
    validation: str | Path | None = None,
    epochs: int = 1,
    lr: float = 5e-5,
    batch: int = 48,
    length: int = 128,
    weight_decay: float = 1e-3,
    warmup: float = 0.1,
    evaluate_every: int | None = None,
    seed: int = 0,
    device: str | None = None,
    force: bool = False,
    progress: Progress | None = None,
) -> Model:
    """Fit a causal language model to the texts of a set.

    The defaults are those of Sučík 2020, § 3.2, after Tang & Lin 2019. On one machine, with one
    number of torch's threads, the same arguments give the same weights, however often it was
    interrupted.

    Args:
        src: A set with texts; None is the only one under `sets/`.
        out: Directory of the model; None is `models/NAME`.
        model: Directory of a causal language model to begin with, with its tokenizer.
        config: Instead of it a JSON file of a transformers config: the model is made from scratch.
        tokenizer: With a config: `set` is the set's own WordPiece; a directory or a file is that;
            None fits byte-level pieces, as many as the config says (else 8,192).
        validation: A set by whose perplexity the best weights are kept; None keeps the last.
        epochs: Times that each text is seen, ≥ 1.
        lr: Full learning rate, > 0; it falls linearly to 0.
        batch: Texts of a step, ≥ 1.
        length: Pieces at which a text is cut, without start and end.
        weight_decay: Of AdamW, ≥ 0; biases and norms have none.
        warmup: Share of the steps in which the rate rises, 0 to 1.
        evaluate_every: Steps between measurements; None measures after each epoch.
        seed: Of order, dropout and first weights, 0 ≤ seed < 2**64.
        device: As torch names it; None is the processor. On a GPU most sums are in bfloat16.
        force: Replace what is in `out`.
        progress: Told of finished work.

    Returns:
        The finished model.

    Raises:
        UsageError: An option is wrong, a set has no texts, the model is too small for `length`.
        InputError: A model, config or tokenizer is none, or they do not fit together.
        SetError: A set is damaged; `out` holds another model, or something else.
        TransfersetError: Disk, memory, no texts, a loss that is not finite.
    """
    from transferset.holding import MODEL
    from transferset.pipeline.lm_fit import fit_model
    from transferset.pipeline.places import folder_name, require_apart
    from transferset.pipeline.remote import output
    from transferset.stage import Quiet

    plan = plan_lm_fit(
        src,
        model=model,
        config=config,
        tokenizer=tokenizer,
        validation=validation,
        epochs=epochs,
        lr=lr,
        batch=batch,
        length=length,
        weight_decay=weight_decay,
        warmup=warmup,
        evaluate_every=evaluate_every,
        seed=seed,
        device=device,
    )
    place = out if out is not None else MODELS / folder_name(plan.name)
    root = output(place, MODEL, force=force)
    require_apart([root], plan.read)
    return fit_model(plan, root, progress or Quiet(), force=force)


def plan_lm_fit(
    src: str | Path | None = None,
    *,
    model: str | Path | None = None,
    config: str | Path | None = None,
    tokenizer: str | Path | None = None,
    validation: str | Path | None = None,
    epochs: int = 1,
    lr: float = 5e-5,
    batch: int = 48,
    length: int = 128,
    weight_decay: float = 1e-3,
    warmup: float = 0.1,
    evaluate_every: int | None = None,
    seed: int = 0,
    device: str | None = None,
) -> FitPlan:
    """Check a fit without writing anything (`--dry-run`).

    Args and errors are those of `lm_fit`.

    Returns:
        The plan; `pipeline.lm_fit_probe.fit_plan_json` shows it, with the time it may take.
    """
    from transferset.pipeline.lm_fit_plan import FitParams, make_fit_plan
    from transferset.pipeline.remote import local

    return make_fit_plan(
        ShardSet.open(only_set(src)),
        FitParams(epochs, lr, batch, length, weight_decay, warmup, evaluate_every),
        model=local(model),
        config=local(config),
        tokenizer=local(tokenizer),
        validation=ShardSet.open(validation) if validation is not None else None,
        seed=seed,
        device=device,
    )
