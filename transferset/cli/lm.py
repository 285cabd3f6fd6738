"""`lm`: language models that write transfer sets; and `lm fit`."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from transferset.cli.group import Commands, example, named_set, say, say_earlier, transferset
from transferset.cli.models import echo_model

if TYPE_CHECKING:
    from transferset.models import Model


@transferset.group(cls=Commands)
def lm() -> None:
    """Fit language models to sets, and let them write more rows."""


@lm.command(
    "fit",
    epilog=example(
        "transferset lm fit sets/sst2 --model models/gpt2 --out models/writer",
        "transferset lm fit sets/sst2 --model models/gpt2 --validation sets/sst2-dev --epochs 3",
        "transferset lm fit sets/wiki --config tiny.json --out models/base",
        "transferset lm fit sets/sst2 --model models/base --dry-run",
    ),
)
@click.argument("src", metavar="[SET]", required=False, type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="Directory. [models/NAME]")
@click.option(
    "--model",
    metavar="DIR",
    help="Causal language model to begin with, as save_pretrained wrote it, with its tokenizer.",
)
@click.option(
    "--config",
    metavar="FILE",
    help="Instead of it the config of a model from scratch, JSON as of transformers.",
)
@click.option(
    "--tokenizer",
    metavar="PATH|set",
    help="With --config: a directory or file, or the set's own. [fitted to the texts]",
)
@click.option("--epochs", type=int, default=1, show_default=True, help="Times each text is seen.")
@click.option("--lr", type=float, default=5e-5, show_default=True, help="Full learning rate.")
@click.option("--batch", type=int, default=48, show_default=True, help="Texts of a step.")
@click.option(
    "--length",
    type=int,
    default=128,
    show_default=True,
    help="Pieces at which a text is cut, without start and end.",
)
@click.option(
    "--weight-decay",
    type=float,
    default=1e-3,
    show_default=True,
    help="Of AdamW; biases and norms have none.",
)
@click.option(
    "--warmup",
    type=float,
    default=0.1,
    show_default=True,
    help="Share of the steps in which the learning rate rises; then it falls to 0.",
)
@click.option(
    "--validation",
    metavar="SET",
    help="Keep the weights that are best on this set. [the last weights]",
)
@click.option(
    "--evaluate-every", type=int, metavar="STEPS", help="Measure so often. [after each epoch]"
)
@click.option("--device", metavar="cpu|cuda", help="Where it is trained. [cpu]")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of all random choices.")
@click.option(
    "--dry-run", is_flag=True, help="Print the plan, with the time of a few steps; write nothing."
)
@click.option("--force", is_flag=True, help="Replace what is in --out.")
def lm_fit(src: Path | None, dry_run: bool, out: Path | None, **options: Any) -> None:
    """Fit a causal language model to the texts of a set.

    SET is a set with texts, single ones or pairs; without it the only one under sets/ is taken.
    A text is cut at --length pieces and followed by an end piece; the model learns to write texts
    like those.

    When it was interrupted, the same command resumes, and ends in the same weights.
    """
    from transferset import api
    from transferset.report.progress import Bar

    # before torch is loaded: its threads wait for each other by spinning, which on a machine that
    # does other work too makes steps several times as long
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    root = named_set(src)
    if dry_run:
        from transferset.pipeline.lm_fit_probe import fit_plan_json

        options.pop("force")
        plan = fit_plan_json(api.plan_lm_fit(root, **options))
        click.echo(json.dumps(plan, indent=1, ensure_ascii=False))
        return
    with Bar() as bar:
        found = api.lm_fit(root, out, progress=bar, **options)
    say_earlier(bar.earlier)
    _say_notes(found)
    echo_model(found)


def _say_notes(found: Model) -> None:
    digests = [parent["digest"] for parent in found.record.parents]
    if len(digests) > len(set(digests)):
        say("NOTE: the model was measured on the very set that it was fitted to")
    metrics, counts = found.record.metrics, found.record.examples["train"]
    if counts["truncated"] or counts["empty"]:
        say(
            f"{counts['truncated']:,} texts were cut at --length, "
            f"{counts['empty']:,} blank ones left out"
        )
    if metrics["rows_at_once"]:
        say(
            f"NOTE: memory was short, so {metrics['rows_at_once']} texts went through the model at "
            "a time; the batches stayed as they were"
        )
    measured = metrics["held_out"]
    kept = [one["piece"] for one in measured if one["step"] == metrics["kept_step"]]
    if kept and kept[0] > measured[0]["piece"]:
        say("NOTE: the held-out texts were likelier before; lower --lr, or name more fitting texts")
