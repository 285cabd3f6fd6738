"""`evaluate`: how good a model is, and what is left of its teacher."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import click

from transferset.cli.group import example, named_set, transferset


@transferset.command(
    epilog=example(
        "transferset evaluate models/student sets/sst2-dev --teacher models/teacher",
        "transferset evaluate models/several sst2=sets/dev-a cola=sets/dev-b --json",
        "transferset evaluate models/mlm sets/wiki-held-out --mlm --teacher bert-base",
        "transferset evaluate models/student sets/sst2-dev --out results/student.json",
    )
)
@click.argument("model", metavar="MODEL", type=click.Path(path_type=Path))
@click.argument("sets", metavar="[SET]...", nargs=-1)
@click.option(
    "--teacher", metavar="DIR", help="What it learnt from. [the logits that SET has, if any]"
)
@click.option("--mlm", is_flag=True, help="MODEL is a masked language model.")
@click.option("--mistakes", type=int, default=10, show_default=True, help="Rows to show.")
@click.option(
    "--resamples", type=int, default=1000, show_default=True, help="Of bootstrap intervals."
)
@click.option("--length", type=int, metavar="IDS", help="Where a row is cut. [by the model]")
@click.option("--device", metavar="NAME", help="As torch names it: cpu, cuda. [cpu]")
@click.option("--seed", type=int, default=0, show_default=True, help="Of resamples and masks.")
@click.option("--out", type=click.Path(path_type=Path), help="Also write the JSON to this file.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
def evaluate(
    model: Path, sets: tuple[str, ...], out: Path | None, as_json: bool, **options: Any
) -> None:
    """Judge a model on labelled rows, and beside its teacher.

    Scores of the task with 95 % intervals, classes, mistakes, calibration; how often the teacher
    decides alike, and what is left of its score; speed and size of both. Of a model with several
    tasks name one SET for each, in their order or as TASK=SET. Rows without a label are left out
    of scores; a SET without labels tells of agreement alone.
    """
    from transferset import api
    from transferset.report.progress import Bar

    # before torch is loaded: its threads wait for each other by spinning
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    with Bar() as bar:
        given = list(sets) or [str(named_set(None))]
        found = api.evaluate(model, given, out, progress=bar, **options)
    if as_json:
        # escaped, for texts may steer a terminal
        click.echo(json.dumps(found, indent=1, allow_nan=False))
    else:
        from transferset.report.evaluation import show_evaluation

        show_evaluation(found)
