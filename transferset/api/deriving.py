"""Deriving sets from sets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from transferset.api.executors import executing
from transferset.api.sets import SETS, only_set
from transferset.errors import SetError, sentence
from transferset.manifest import MANIFEST, Json
from transferset.shards import ShardSet
from transferset.steps import ReplaceLm, Step, step_json

if TYPE_CHECKING:
    from transferset.pipeline.derive_plan import DerivePlan
    from transferset.pipeline.mix_plan import MixPlan
    from transferset.stage import Progress

#: Longest name that a set gets by itself.
_LONGEST_NAME: Final = 100

#: A source of a mix: a directory, `DIR:WEIGHT`, or both apart.
Weighted = str | Path | tuple[str | Path, float | str]


def derive(
    src: str | Path | None = None,
    out: str | Path | None = None,
    *,
    steps: Sequence[Step] = (),
    seed: int = 0,
    preset: str | None = None,
    fit: str | Path | None = None,
    lineage: bool = False,
    keep_label: bool = False,
    shards: int | None = None,
    workers: int | None = None,
    executor: str = "processes",
    address: str | None = None,
    force: bool = False,
    progress: Progress | None = None,
) -> ShardSet | dict[str, ShardSet]:
    """Derive a transfer set from a set, step by step.

    The same arguments give the same bytes at any number of workers. A set that is there already is
    opened; an unfinished one is finished.

    Args:
        src: The parent's directory; None is the only set under `sets/`.
        out: Directory of the new set; None is `sets/NAME`. With a split as last step the sibling
            sets go below it, one folder each.
        steps: What is done to the rows, in order: `transferset.Sample("10%")`,
            `transferset.Shuffle()`, …
        seed: Of all random choices, 0 ≤ seed < 2**64.
        preset: Steps exactly as a publication did: `vandegraaf2021:generated`, `liu2020:sst2`, …;
            instead of steps. `jiao2019` takes its model from one `ReplaceLm` in `steps`.
        fit: A set whose distributions `generate` and `replace` take, instead of the parent's.
        lineage: Keep each row's address as columns `parent_row` and `copy`.
        keep_label: Rows that a step changes keep their label; else they have none.
        shards: Number of shards; None is one per 256 MB.
        workers: Worker processes; None is the number of processors.
        executor: `processes` of this machine, or `ray`: the nodes of a Ray cluster.
        address: Of the cluster: `local` starts one here, `auto` joins the one that this machine is
            a node of, `HOST:PORT` joins that one.
        force: Replace what is in `out`.
        progress: Told of finished work.

    Returns:
        The finished set; with a split, the sets by name.

    Raises:
        UsageError: An option or a step is wrong, or cannot be done with these rows; `out` is, holds
            or lies inside a set that is read.
        SetError: `src` is damaged; `out` holds another set, or something else, or is being built.
        TransfersetError: Disk, memory, or no rows left.
    """
    from transferset.pipeline.derive import derive as carry_out
    from transferset.pipeline.derive import splits
    from transferset.pipeline.interchange import SPLITS, write_splits
    from transferset.pipeline.places import require_apart
    from transferset.stage import Quiet
    from transferset.storage.mounts import ship

    plan = plan_derive(
        src,
        steps=steps,
        seed=seed,
        preset=preset,
        fit=fit,
        lineage=lineage,
        keep_label=keep_label,
        shards=shards,
    )
    plans = splits(plan)
    takes = [str(one.take) for one in plans if one.take is not None]
    root = _place(out, plan.name, takes, force=force)
    parts = [root / take for take in takes]
    parents = [plan.src, *([plan.fit] if plan.fit else [])]
    require_apart([root, *parts], [one.root for one in parents])
    quiet = progress or Quiet()
    if plans[0].take is not None and (root / MANIFEST).exists():
        do = "choose another --out for the splits"
        raise SetError(sentence("a directory without a set", "a set", str(root), do))
    tokens = plan.src.manifest.totals["tokens"]
    models = any(isinstance(step, ReplaceLm) for step in plan.steps)
    with executing(executor, address, workers, tokens=tokens, models=models) as run:
        if plans[0].take is None:
            return carry_out(plan, root, run, quiet, force=force)
        found = {
            str(one.take): carry_out(one, root / str(one.take), run, quiet, force=force)
            for one in plans
        }
    write_splits(root, takes)
    ship(root, [SPLITS])
    return found


def plan_derive(
    src: str | Path | None = None,
    *,
    steps: Sequence[Step] = (),
    seed: int = 0,
    preset: str | None = None,
    fit: str | Path | None = None,
    lineage: bool = False,
    keep_label: bool = False,
    shards: int | None = None,
) -> DerivePlan:
    """Check a derivation without writing anything (`--dry-run`).

    Args and errors are those of `derive`.

    Returns:
        The plan; `pipeline.derive.plan_json` shows it.
    """
    from transferset.pipeline.derive_plan import make_derive_plan
    from transferset.pipeline.presets import derive_preset

    record = None
    steps = _located(steps)
    parent = ShardSet.open(only_set(src))
    if preset is not None:
        steps, record = derive_preset(preset, parent.manifest, steps)
    return make_derive_plan(
        parent,
        tuple(steps),
        name=_derived_name(parent.manifest.name, steps),
        seed=seed,
        fit=ShardSet.open(fit) if fit is not None else None,
        lineage=lineage,
        keep_label=keep_label,
        shards=shards,
        preset=record,
        models=_models(steps),
    )


def _located(steps: Sequence[Step]) -> Sequence[Step]:
    """Steps whose models and vectors are on this machine."""
    if not any(isinstance(step, ReplaceLm) for step in steps):
        return steps
    from transferset.pipeline.remote import local

    return [
        replace(step, model=local(step.model), vectors=local(step.vectors))
        if isinstance(step, ReplaceLm)
        else step
        for step in steps
    ]


def _models(steps: Sequence[Step]) -> list[Json]:
    """What the language models of steps are, for the recipe."""
    found = [step for step in steps if isinstance(step, ReplaceLm)]
    if not found:
        return []
    from transferset.language_models import describe

    return [describe(step.model, step.vectors) for step in found]


def mix(
    sources: Sequence[Weighted],
    out: str | Path | None = None,
    *,
    rows: int | str | None = None,
    seed: int = 0,
    shards: int | None = None,
    workers: int | None = None,
    executor: str = "processes",
    address: str | None = None,
    force: bool = False,
    progress: Progress | None = None,
) -> ShardSet:
    """Mix sets in exact proportions, globally shuffled, with a column that says which row is whose.

    Args:
        sources: Directories, `DIR:WEIGHT`, or (directory, weight); without weights everything of
            all of them.
        out: Directory of the new set; None is `sets/NAME`.
        rows: Rows of the mix, like 100000 or `100k`; None is as many as the weights allow.
        seed: Of the choice and the order, 0 ≤ seed < 2**64.
        shards: Number of shards; None is one per 256 MB.
        workers: Worker processes; None is the number of processors.
        executor: `processes` of this machine, or `ray`: the nodes of a Ray cluster.
        address: Of the cluster: `local` starts one here, `auto` joins the one that this machine is
            a node of, `HOST:PORT` joins that one.
        force: Replace what is in `out`.
        progress: Told of finished work.

    Returns:
        The finished set.

    Raises:
        UsageError: An option is wrong, the sets have different tokenizers, or too few rows; `out`
            is, holds or lies inside one of them.
        SetError: A source is damaged; `out` holds another set, or something else.
        TransfersetError: Disk or memory.
    """
    from transferset.pipeline.mix import make_mix_plan, mix_sets
    from transferset.pipeline.places import require_apart
    from transferset.stage import Quiet

    plan = make_mix_plan(sources, rows=rows, seed=seed, shards=shards)
    root = _place(out, plan.name, force=force)
    require_apart([root], [one.root for one in plan.sets])
    tokens = sum(one.manifest.totals["tokens"] for one in plan.sets)
    with executing(executor, address, workers, tokens=tokens) as run:
        return mix_sets(plan, root, run, progress or Quiet(), force=force)


def plan_mix(
    sources: Sequence[Weighted],
    *,
    rows: int | str | None = None,
    seed: int = 0,
    shards: int | None = None,
) -> MixPlan:
    """Check a mix without writing anything (`--dry-run`).

    Args and errors are those of `mix`.

    Returns:
        The plan; `pipeline.mix_plan.mix_plan_json` shows it.
    """
    from transferset.pipeline.mix_plan import make_mix_plan

    return make_mix_plan(sources, rows=rows, seed=seed, shards=shards)


def _place(out: str | Path | None, name: str, parts: Sequence[str] = (), *, force: bool) -> Path:
    from transferset.pipeline.places import folder_name
    from transferset.pipeline.remote import output

    root = output(out if out is not None else SETS / folder_name(name), force=force)
    for part in parts:
        output(root / part, force=force)
    return root


def _derived_name(parent: str, steps: Sequence[Step]) -> str:
    """A telling name: `wiki-demo-sample10-shuffle`."""
    words = [parent]
    for step in steps:
        ((name, params),) = step_json(step).items()
        first = next(iter(params.values()), None)
        plain = str(first).replace("%", "pct")
        told = "".join(c for c in plain if c.isalnum() or c == ".")
        short = told if isinstance(first, str | int | float) and not isinstance(first, bool) else ""
        words.append(f"{name}{short[:16]}")
    return "-".join(words)[:_LONGEST_NAME]
