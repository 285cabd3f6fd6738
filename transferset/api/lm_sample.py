"""Transfer sets that a language model writes."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transferset.api.executors import executing
from transferset.api.sets import SETS, only_set
from transferset.errors import UsageError, sentence
from transferset.manifest import Json
from transferset.shards import ShardSet

if TYPE_CHECKING:
    from transferset.pipeline.lm_sample.plan import SamplePlan
    from transferset.stage import Progress


def lm_sample(
    src: str | Path | None = None,
    out: str | Path | None = None,
    *,
    model: str | Path,
    rows: int | str | None = None,
    prefix: str = "empirical",
    temperature: float = 1.0,
    top_k: int = 0,
    top_p: float = 1.0,
    max_length: int = 128,
    originals: str = "first",
    unfinished: str = "drop",
    duplicates: str = "drop",
    copies: str = "drop",
    max_attempts: int | str | None = None,
    preset: str | None = None,
    base: str | Path | None = None,
    batch: int | None = None,
    device: str | None = None,
    shards: int | None = None,
    seed: int = 0,
    workers: int | None = None,
    executor: str = "processes",
    address: str | None = None,
    force: bool = False,
    engine: str = "auto",
    progress: Progress | None = None,
) -> ShardSet:
    """Make a transfer set of a set's rows and of rows that a language model writes.

    As Sučík 2020 (§ 3.2) and Tang and Lin 2019: a model that was fitted to the set's texts goes on
    from first pieces that are drawn as often as texts begin with them. The same arguments give the
    same bytes at any number of workers and any batch; elsewhere than on one and the same processor
    sums may be rounded otherwise, and now and then another piece is drawn.

    Args:
        src: A set with texts and ids; None is the only one under `sets/`.
        out: Directory of the new set; None is `sets/NAME`.
        model: Directory of a causal language model, from `lm_fit` or `save_pretrained`.
        rows: Rows that the model writes and that are kept, like 20000, `800k`, or a share of the
            set's rows like `1000%`; with a preset None is the publication's number.
        prefix: `empirical`: first pieces as in the set; `bos`: the model's own.
        temperature: Logits are divided by it, above 0.
        top_k: Only so many likeliest pieces; 0 is all.
        top_p: Only the likeliest pieces that have so much probability together; 1 is all.
        max_length: Most pieces of a row, the first one included, the end not.
        originals: `first`: the set's rows stand before the written ones; `none`: they do not.
        unfinished: `drop` or `keep` rows that the model had not ended by then.
        duplicates: `drop` or `keep` rows that were written before.
        copies: `drop` or `keep` rows that stand in the set or in its evaluation files.
        max_attempts: Give up after so many; None is ten times the rows.
        preset: Options exactly as in a publication: `sucik2020`.
        base: Directory of the model before it was fitted: perplexities under it are told.
        batch: Rows in flight; None is chosen for the device. Does not change the rows on a CPU.
        device: As torch names it: `cpu`, `cuda`; None is the processor.
        shards: Number of shards; None is one per 256 MB.
        seed: Of all random choices, 0 ≤ seed < 2**64.
        workers: Worker processes; None is the number of processors, on another device one.
        executor: `processes` of this machine, or `ray`: the nodes of a Ray cluster.
        address: Of the cluster: `local` starts one here, `auto` joins the one that this machine is
            a node of, `HOST:PORT` joins that one.
        force: Replace what is in `out`.
        engine: `auto`, `tokenizers` or `nanotoken`, for the set's ids; they are the same.
        progress: Told of finished work.

    Returns:
        The finished set; fewer rows than wanted only if `max_attempts` was reached.

    Raises:
        UsageError: An option is wrong; the set has no texts; torch is not installed.
        InputError: The model's directory is damaged, or none of a causal language model.
        SetError: `src` is damaged; `out` holds another set, or something else, or is being built.
        TransfersetError: Disk, memory, or no row that could be kept.
    """
    from transferset.pipeline.build import build
    from transferset.pipeline.places import folder_name, require_apart
    from transferset.pipeline.remote import output
    from transferset.stage import Quiet

    plan = plan_lm_sample(
        src,
        model=model,
        rows=rows,
        prefix=prefix,
        temperature=temperature,
        top_k=top_k,
        top_p=top_p,
        max_length=max_length,
        originals=originals,
        unfinished=unfinished,
        duplicates=duplicates,
        copies=copies,
        max_attempts=max_attempts,
        preset=preset,
        base=base,
        batch=batch,
        device=device,
        shards=shards,
        seed=seed,
        engine=engine,
    )
    root = output(out if out is not None else SETS / folder_name(plan.name), force=force)
    read = [plan.src.root, Path(plan.model), *([Path(plan.base)] if plan.base else [])]
    require_apart([root], read)
    with executing(executor, address, workers, device=device, models=True) as run:
        return build(plan, root, run, progress or Quiet(), force=force)


def plan_lm_sample(
    src: str | Path | None = None,
    *,
    model: str | Path,
    rows: int | str | None = None,
    max_attempts: int | str | None = None,
    preset: str | None = None,
    base: str | Path | None = None,
    batch: int | None = None,
    device: str | None = None,
    seed: int = 0,
    engine: str = "auto",
    **options: Any,
) -> SamplePlan:
    """Check a sampling without writing anything (`--dry-run`).

    Args and errors are those of `lm_sample`.

    Returns:
        The plan; `pipeline.lm_sample.probe.sample_plan_json` shows it.
    """
    from transferset.pipeline.lm_sample.plan import SampleParams, make_sample_plan
    from transferset.pipeline.lm_sample.presets import sample_preset
    from transferset.pipeline.remote import local
    from transferset.tokens import load_tokenizer

    model, base = local(model), local(base)
    found = ShardSet.open(only_set(src))
    usual = {field.name: field.default for field in fields(SampleParams)}
    given = {name: value for name, value in options.items() if value != usual[name]}
    if rows is not None:
        given["rows"] = _count(rows, len(found), "--rows")
    record = None
    if preset is not None:
        given, record = sample_preset(preset, given)
    elif rows is None:
        raise UsageError(sentence("--rows, like 20000, 800k or 1000%", "none"))
    if max_attempts is not None:
        given["max_attempts"] = _count(max_attempts, given["rows"], "--max-attempts")
    return make_sample_plan(
        found,
        load_tokenizer(str(found.root), engine=engine),
        SampleParams(**given),
        model,
        name=f"{found.manifest.name}-written",
        seed=seed,
        base=base,
        device=device,
        batch=batch,
        known=_known(Path(model)),
        preset=record,
        engine=engine,
    )


def _count(value: int | str, whole: int, option: str) -> int:
    from transferset.steps.amounts import parse_amount, resolve_amount

    return resolve_amount(parse_amount(str(value), option), whole)


def _known(model: Path) -> Json | None:
    """What the record of a model says, if it is one of ours."""
    from transferset.models import Model, is_model

    if not is_model(model):
        return None
    record = Model.open(model).record
    told = ("name", "op", "params", "seed", "recipe", "base", "parents", "metrics", "licence")
    return {"digest": record.digest, **{name: getattr(record, name) for name in told}}
