"""`lm sample`: transfer sets that a language model writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from transferset.cli.building import engine_option
from transferset.cli.group import example, named_set, say, shown
from transferset.cli.lm import lm
from transferset.cli.workers import planned_workers, worker_options

if TYPE_CHECKING:
    from transferset.shards import ShardSet

_DROP_OR_KEEP = click.Choice(["drop", "keep"])


@lm.command(
    "sample",
    epilog=example(
        "transferset lm sample sets/task --model models/writer --rows 20k --out sets/written",
        "transferset lm sample sets/sst2 --model models/gpt2-sst2 --as sucik2020",
        "transferset lm sample sets/sst2 --model models/gpt2-sst2 --rows 1000% --top-p 0.95",
        "transferset lm sample sets/sst2 --model models/gpt2-sst2 --rows 800k --dry-run",
    ),
)
@click.argument("src", metavar="[SET]", type=click.Path(path_type=Path), required=False)
@click.option(
    "--model",
    required=True,
    metavar="DIR",
    help="A causal language model, from lm fit or save_pretrained.",
)
@click.option(
    "--rows", metavar="N", help="Rows that it writes and that are kept: 20000, 800k, 1000%."
)
@click.option("--out", type=click.Path(path_type=Path), help="Directory of the set. [sets/NAME]")
@click.option(
    "--prefix",
    type=click.Choice(["empirical", "bos"]),
    default="empirical",
    show_default=True,
    help="First pieces as in SET, or the model's own.",
)
@click.option(
    "--temperature", type=float, default=1.0, show_default=True, help="Divides the logits."
)
@click.option(
    "--top-k", type=int, default=0, show_default=True, help="Only the K likeliest pieces; 0: all."
)
@click.option(
    "--top-p",
    type=float,
    default=1.0,
    show_default=True,
    help="Only the likeliest pieces of this probability together; 1: all.",
)
@click.option(
    "--max-length", type=int, default=128, show_default=True, help="Most pieces of a row."
)
@click.option(
    "--originals",
    type=click.Choice(["first", "none"]),
    default="first",
    show_default=True,
    help="Whether SET's rows stand before the written ones.",
)
@click.option(
    "--unfinished",
    type=_DROP_OR_KEEP,
    default="drop",
    show_default=True,
    help="Rows not ended at --max-length.",
)
@click.option(
    "--duplicates",
    type=_DROP_OR_KEEP,
    default="drop",
    show_default=True,
    help="Rows written before.",
)
@click.option(
    "--copies",
    type=_DROP_OR_KEEP,
    default="drop",
    show_default=True,
    help="Rows of SET, and of its evaluation files.",
)
@click.option("--max-attempts", metavar="N", help="Give up after so many. [ten times the rows]")
@click.option(
    "--as",
    "preset",
    metavar="NAME",
    help="Options exactly as in a publication: sucik2020.",
)
@click.option("--base", metavar="DIR", help="The model before it was fitted, to tell perplexities.")
@click.option(
    "--batch", type=int, help="Rows in flight; on a CPU any number costs as 64 do. [64; GPU: 1024]"
)
@click.option("--device", metavar="NAME", help="As torch names it: cpu, cuda. [cpu]")
@click.option("--shards", type=int, help="Number of shards. [one per 256 MB]")
@click.option("--seed", type=int, default=0, show_default=True, help="Of all random choices.")
@worker_options
@click.option("--dry-run", is_flag=True, help="Print the plan, with a probe's time; write nothing.")
@click.option("--force", is_flag=True, help="Replace what is in --out.")
@engine_option
def lm_sample(src: Path | None, dry_run: bool, out: Path | None, **options: Any) -> None:
    """Let a language model write more rows like those of SET.

    SET needs texts, single ones or pairs; without it the only one under sets/ is taken. The model's
    rows come after SET's own, without labels. Unfinished, empty and repeated rows and copies of SET
    are left out, counted by reason.

    When it was interrupted, the same command resumes, and gives the same bytes.
    """
    from transferset import api
    from transferset.report.progress import Bar

    src = named_set(src)
    if options["preset"] is not None:
        _say_preset(options)
    options = _without_unset(options)
    if dry_run:
        _show(src, options)
        return
    with Bar() as bar:
        found = api.lm_sample(src, out, progress=bar, **options)
    _say_outcomes(found)
    totals = found.manifest.totals
    click.echo(
        f"{shown(found.root)}: {totals['rows']:,} rows, {totals['tokens']:,} tokens{_told(found)}"
    )


def _say_preset(options: dict[str, Any]) -> None:
    """Tell what is not as published before hours are spent, and refuse what is fixed."""
    from transferset.pipeline.lm_sample.presets import require_free, sample_preset

    context = click.get_current_context()
    given = [
        name
        for name in options
        if context.get_parameter_source(name) is not click.core.ParameterSource.DEFAULT
    ]
    require_free(options["preset"], {name: options[name] for name in given})
    _, record = sample_preset(options["preset"], {})
    say(f"As in {record['name']}, except that:")
    for deviation in record["deviations"]:
        say(f"- {deviation}")


def _without_unset(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


def _show(src: Path, options: dict[str, Any]) -> None:
    from transferset import api
    from transferset.executor import default_workers
    from transferset.pipeline.lm_sample.probe import sample_plan_json

    workers = planned_workers(options) or default_workers()
    plan = api.plan_lm_sample(src, **options)
    click.echo(json.dumps(sample_plan_json(plan, workers), indent=1, ensure_ascii=False))


def _facts(found: ShardSet) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads((found.root / "_tables" / "sampling.json").read_bytes())
    return facts


def _say_outcomes(found: ShardSet) -> None:
    facts = _facts(found)
    attempts, finished = facts["attempts"], facts["finished"]
    counts = ", ".join(f"{n:,} {name}" for name, n in facts["outcomes"].items())
    say(f"{attempts:,} attempts, {finished / attempts:.1%} finished: {counts}")
    if facts["kept"] < facts["wanted"]:
        say(
            f"NOTE: {facts['kept']:,} of {facts['wanted']:,} rows when --max-attempts "
            f"{facts['most']:,} was reached"
            if attempts >= facts["most"]
            else f"NOTE: {facts['kept']:,} of {facts['wanted']:,} rows"
        )


def _told(found: ShardSet) -> str:
    facts = _facts(found)
    return f", {facts['kept']:,} written, {facts['multiple']:g}x"
