"""`derive`, `mix` and `run`: sets from sets."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from transferset.cli.group import (
    example,
    named_set,
    say,
    say_deviations,
    say_repeats,
    shown,
    transferset,
)
from transferset.cli.step_options import DeriveCommand, read_steps, step_options
from transferset.cli.workers import echo_plan, planned_workers, worker_options
from transferset.errors import UsageError, sentence
from transferset.steps import Dedupe

if TYPE_CHECKING:
    from transferset.shards import ShardSet

_OUT = click.option(
    "--out", type=click.Path(path_type=Path), help="Directory of the set. [sets/NAME]"
)
_SEED = click.option(
    "--seed", type=int, default=0, show_default=True, help="Seed of all random choices."
)
_SHARDS = click.option("--shards", type=int, help="Number of shards. [one per 256 MB]")
_DRY_RUN = click.option("--dry-run", is_flag=True, help="Print the plan and write nothing.")
_FORCE = click.option("--force", is_flag=True, help="Replace what is in --out.")


@transferset.command(
    cls=DeriveCommand,
    epilog=example(
        "transferset derive sets/wiki --out sets/small --sample 1% --seed 7",
        "transferset derive sets/wiki --out sets/random --sample 10% --shuffle",
        "transferset derive sets/wiki --out sets/generated --sample 10% --generate 100%",
        "transferset derive sets/wiki --out sets/clean --filter 'unknown < 0.1' --dedupe exact",
        "transferset derive sets/wiki --out sets/paper --as vandegraaf2021:randomised",
        "transferset derive sets/task --out sets/augmented --augment mask=0.1,pos=0.1,target=10x",
    ),
)
@click.argument("src", metavar="[SRC]", required=False, type=click.Path(path_type=Path))
@_OUT
@click.option(
    "--as",
    "preset",
    metavar="NAME",
    help="Steps exactly as a publication had them: vandegraaf2021:10%, :1%, :0.1%, :randomised "
    "or :generated; liu2020:sst2, tang2019:sst2, jiao2019:sst2 or another task.",
)
@click.option(
    "--fit",
    type=click.Path(path_type=Path),
    metavar="SET",
    help="Where --generate, --replace and --augment take their distributions from. [SRC]",
)
@click.option(
    "--lineage", is_flag=True, help="Keep each row's origin as columns parent_row and copy."
)
@click.option(
    "--keep-label", is_flag=True, help="Rows that a step changes keep their label. [they have none]"
)
@_SEED
@_SHARDS
@worker_options
@_DRY_RUN
@_FORCE
@click.pass_context
def derive(
    ctx: click.Context, /, src: Path | None, dry_run: bool, out: Path | None, **options: Any
) -> None:
    """Derive a transfer set from a set, step by step.

    SRC is a set's directory; without it the only one under sets/ is taken. A step with parameters
    is one value: --mask 0.15,rule=bert. With --split the sibling sets go below --out.

    The same command gives the same bytes at any number of workers. When it was interrupted, the
    same command resumes.
    """
    from transferset import api
    from transferset.report.progress import Bar

    steps = read_steps(ctx.meta["steps"])
    root = named_set(src)
    if dry_run:
        from transferset.pipeline.derive_plan import plan_json

        workers = planned_workers(options)
        plan = api.plan_derive(root, steps=steps, **options)
        echo_plan(plan_json(plan, workers), out)
        return
    with Bar() as bar:
        found = api.derive(root, out, steps=steps, progress=bar, **options)
    sets = list(found.values()) if isinstance(found, dict) else [found]
    say_deviations(sets[0])
    _say_attempts(sets[0])
    if isinstance(found, dict) and not any(isinstance(step, Dedupe) for step in steps):
        say_repeats(api.open(root), " and may stand in several splits")
    for one in sets:
        _echo(one)


def _say_attempts(found: ShardSet) -> None:
    """What came of the attempts of steps that vary rows."""
    from transferset.report.attempts import attempts_of

    for told in attempts_of(found):
        sums = told["totals"]
        names = [name for name in told["columns"] if name not in ("made", "accepted")]
        left_out = ", ".join(f"{sums[name]:,} {name}" for name in names if sums[name])
        say(
            f"{sums['accepted']:,} of {sums['made']:,} attempts gave new rows"
            f"{f' ({left_out})' if left_out else ''}: {told['multiple']:.2f} times the rows"
        )
        if not told["reached"]:
            say("NOTE: the target was not reached; raise max_iterations, or change more words")


derive.params += step_options()


def _echo(found: ShardSet) -> None:
    totals = found.manifest.totals
    click.echo(f"{shown(found.root)}: {totals['rows']:,} rows, {totals['tokens']:,} tokens")


@transferset.command(
    epilog=example(
        "transferset mix sets/natural:0.7 sets/generated:0.3 --rows 1M --out sets/hybrid",
        "transferset mix sets/books sets/wiki --out sets/corpus",
    )
)
@click.argument("sources", metavar="SRC[:WEIGHT]...", nargs=-1)
@_OUT
@click.option("--rows", metavar="N", help="Rows of the mix. [as many as the weights allow]")
@_SEED
@_SHARDS
@worker_options
@_DRY_RUN
@_FORCE
def mix(sources: tuple[str, ...], dry_run: bool, out: Path | None, **options: Any) -> None:
    """Mix sets in exact proportions, globally shuffled.

    Without weights everything of all sets is taken. The column `part` says which set a row is of.
    """
    from transferset import api
    from transferset.report.progress import Bar

    if not sources:
        do = "write transferset mix SRC[:WEIGHT]... --out DIR"
        raise UsageError(sentence("sets to mix", "none", do=do))
    if dry_run:
        from transferset.pipeline.mix_plan import mix_plan_json

        workers = planned_workers(options)
        echo_plan(mix_plan_json(api.plan_mix(sources, **options), workers), out)
        return
    with Bar() as bar:
        found = api.mix(sources, out, progress=bar, **options)
    params = found.manifest.params
    if params["left_out"]:
        say(
            f"NOTE: columns that only some sets have were left out: {', '.join(params['left_out'])}"
        )
    _echo(found)


@transferset.command(
    epilog=example(
        "transferset run pipelines/thesis-size.toml --out experiments/size",
        "transferset run pipelines/hybrid.toml --set corpus.source=simplewiki@latest --set seed=1",
    )
)
@click.argument("recipe", metavar="RECIPE.toml", type=click.Path(path_type=Path))
@click.option(
    "--out", type=click.Path(path_type=Path), help="Directory for all. [the recipe's name]"
)
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="Override a parameter: NAME.key=value, or key=value for all that take it.",
)
@worker_options
@_FORCE
def run(recipe: Path, out: Path | None, **options: Any) -> None:
    """Make the sets and models of a recipe, each after those that it is made from.

    What is there with the same recipe is skipped. When it was interrupted, the same command
    resumes.
    """
    from transferset import api
    from transferset.cli.models import echo_export, echo_model
    from transferset.exported import Exported
    from transferset.models import Model
    from transferset.report.progress import Bar

    # before torch is loaded, for models of the recipe: its threads wait for each other by spinning
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    states: dict[str, str] = {}
    with Bar() as bar:
        found = api.run(recipe, out, progress=bar, told=states.__setitem__, **options)
    root = out or Path(recipe.stem)
    for place, one in found.items():
        state = states.get(place) or states.get(place.rpartition("/")[0], "")
        click.echo(f"{state} ", nl=False)
        if isinstance(one, Model):
            echo_model(one)
        elif isinstance(one, Exported):
            echo_export(one)
        else:
            _echo(one)
    for place in states.keys() - found.keys():
        if (root / place).is_file():
            click.echo(f"{states[place]} {shown(root / place)}")
