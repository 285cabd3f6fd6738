"""`label`: a set's rows with what teachers say of them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from transferset.cli.group import example, named_set, say, say_earlier, shown, transferset
from transferset.cli.workers import echo_plan, planned_workers, worker_options
from transferset.errors import printable

if TYPE_CHECKING:
    from transferset.shards import ShardSet


@transferset.command(
    epilog=example(
        "transferset label sets/sst2 --teacher models/teacher --out sets/sst2-logits",
        "transferset label sets/sst2 --teacher models/one --teacher models/two --dtype float16",
        "transferset label sets/corpus --teacher models/mlm --mlm --top-k 64 --copies 10",
        "transferset label sets/sst2 --teacher models/teacher --dry-run",
    )
)
@click.argument("src", metavar="[SET]", type=click.Path(path_type=Path), required=False)
@click.option(
    "--teacher",
    required=True,
    multiple=True,
    metavar="DIR",
    help="A classifier or a student; several, for their mean.",
)
@click.option("--out", type=click.Path(path_type=Path), help="Directory of the set. [sets/NAME]")
@click.option(
    "--mlm", is_flag=True, help="The teacher is a masked language model; rows are masked."
)
@click.option("--top-k", type=int, metavar="K", help="Logits kept of a masked position. [64]")
@click.option("--copies", type=int, metavar="M", help="Masked rows of each row. [1]")
@click.option("--temperature", type=float, metavar="T", help="Of the sum over pieces not kept. [2]")
@click.option("--dtype", type=click.Choice(["float32", "float16"]), help="Of logits. [float32]")
@click.option("--task", metavar="NAME", help="The head that is asked, of several.")
@click.option(
    "--length", type=int, help="Most ids of a row that the teacher reads. [its positions]"
)
@click.option(
    "--batch-tokens",
    type=int,
    metavar="N",
    help="Padded ids at once; changes rounding only. [1024; GPU: 65536]",
)
@click.option("--replace", is_flag=True, help="Replace the logits that SET has.")
@click.option("--device", metavar="NAME", help="As torch names it: cpu, cuda. [cpu]")
@click.option("--shards", type=int, help="Number of shards. [one per 256 MB]")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the masks.")
@worker_options
@click.option("--dry-run", is_flag=True, help="Print the plan, with a probe's time; write nothing.")
@click.option("--force", is_flag=True, help="Replace what is in --out.")
def label(src: Path | None, dry_run: bool, out: Path | None, **options: Any) -> None:
    """Add a teacher's logits to the rows of SET.

    The new set has SET's rows and columns, and a column `logits`. With --mlm it has masked copies
    of the rows, and the teacher's highest logits at each masked position. Without SET the only one
    under sets/ is taken.

    When it was interrupted, the same command resumes, and gives the same bytes.
    """
    from transferset import api
    from transferset.report.progress import Bar

    # before torch is loaded: its threads wait for each other by spinning
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    src = named_set(src)
    if dry_run:
        _show(src, out, options)
        return
    with Bar() as bar:
        found = api.label(src, out, progress=bar, **options)
    say_earlier(bar.earlier)
    _say_answers(found)
    totals = found.manifest.totals
    click.echo(f"{shown(found.root)}: {totals['rows']:,} rows, {totals['tokens']:,} tokens")


def _show(src: Path, out: Path | None, options: dict[str, Any]) -> None:
    from transferset import api
    from transferset.executor import default_workers
    from transferset.pipeline.label.probe import label_plan_json

    several = default_workers() if options["device"] in (None, "cpu") else 1
    workers = planned_workers(options) or several
    plan = api.plan_label(src, **options)
    echo_plan(label_plan_json(plan, workers), out, escaped=True)


def _say_answers(found: ShardSet) -> None:
    told = json.loads((found.root / "_tables" / "answers.json").read_bytes())
    for teacher in told["teachers"]:
        if teacher["cut_rows"]:
            say(
                f"NOTE: {printable(teacher['name'])} read the first {teacher['reads']:,} ids of "
                f"{teacher['cut_rows']:,} longer rows"
            )
        if teacher.get("memory_short"):
            say(
                f"NOTE: memory was short, so {printable(teacher['name'])} read smaller batches "
                "than --batch-tokens; the logits are the same but for rounding"
            )
    if "highest" in told:
        counts = ", ".join(f"{n:,} {printable(name)}" for name, n in told["highest"].items())
        say(f"Highest logit: {counts}")
    if told.get("labelled"):
        share = told["agreeing"] / told["labelled"]
        say(f"Agrees with {share:.1%} of {told['labelled']:,} labels")
    if "least" in told:
        say(f"Scores from {told['least']:g} to {told['most']:g}")
    if "masked" in told:
        say(f"{told['masked']:,} masked positions")
