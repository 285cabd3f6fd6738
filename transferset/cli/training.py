"""`teacher fit` and `finetune`: models trained on gold labels; and what `distill` shares."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from transferset.cli.group import Commands, example, named_set, say, say_earlier, transferset
from transferset.cli.models import echo_model
from transferset.cli.training_options import out_option, training_options
from transferset.errors import printable

if TYPE_CHECKING:
    from transferset.models import Model

_SETS = click.Path(path_type=Path)


@transferset.group(cls=Commands)
def teacher() -> None:
    """Make the teachers whose logits transfer sets carry."""


@teacher.command(
    "fit",
    epilog=example(
        "transferset teacher fit sets/sst2 --model bert-base --validation sets/dev",
        "transferset teacher fit sets/sst2 sets/cola --model bert-base --epochs 3",
        "transferset teacher fit sets/wiki --model bert-base --mlm --steps 2000",
    ),
)
@click.argument("src", metavar="[SET]...", nargs=-1, type=_SETS)
@click.option(
    "--model",
    metavar="DIR",
    required=True,
    help="Encoder to begin with, as save_pretrained wrote it, with its tokenizer.",
)
@out_option
@click.option(
    "--mlm", is_flag=True, help="Adapt the masked-LM head to unlabelled text; add one if needed."
)
@training_options(masking=True)
def teacher_fit(src: tuple[Path, ...], dry_run: bool, out: Path | None, **options: Any) -> None:
    """Fine-tune a teacher on task sets.

    Several SETs share one encoder with a head each. Unless stated otherwise all is as in the
    fine-tuning of van de Graaf 2021 (Adam 2e-5, 3 epochs, batches of 8 rows of up to 128 ids).

    When it was interrupted, the same command resumes, and ends in the same weights.
    """
    carry_out("teacher_fit", src, dry_run, out, options)


@transferset.command(
    epilog=example(
        "transferset finetune models/student sets/sst2 --validation sets/dev --out models/tuned",
        "transferset finetune models/student sets/sst2 --validation sets/dev --seeds 5",
    ),
)
@click.argument("model", metavar="MODEL", type=_SETS)
@click.argument("src", metavar="[SET]...", nargs=-1, type=_SETS)
@out_option
@training_options(masking=False)
def finetune(src: tuple[Path, ...], dry_run: bool, out: Path | None, **options: Any) -> None:
    """Fine-tune a student or an encoder on gold labels.

    MODEL is what distill or save_pretrained wrote; a masked language model gets a new head.
    With --seeds the model of the median score on --validation is kept, and all scores recorded.

    When it was interrupted, the same command resumes, and ends in the same weights.
    """
    carry_out("finetune", src, dry_run, out, options)


def carry_out(
    command: str, src: tuple[Path, ...], dry_run: bool, out: Path | None, options: dict[str, Any]
) -> None:
    """Plan or train, and say what came of it.

    Args:
        command: Name of the function of the API.
        src: Sets; none is the only one there is.
        dry_run: Whether to plan alone.
        out: Where the model goes.
        options: The others.
    """
    from transferset import api
    from transferset.report.progress import Bar

    # before torch is loaded: its threads wait for each other by spinning, which on a machine that
    # does other work too makes steps several times as long
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    options["src"] = list(src) or [named_set(None)]
    if dry_run:
        from transferset.pipeline.training.probe import train_plan_json

        options.pop("force")
        plan = getattr(api, f"plan_{command}")(**options)
        # escaped, for names may steer a terminal
        click.echo(json.dumps(train_plan_json(plan), indent=1))
        return
    with Bar() as bar:
        found = getattr(api, command)(out=out, progress=bar, **options)
    say_earlier(bar.earlier)
    _say_notes(found)
    echo_model(found)


def _say_notes(found: Model) -> None:
    params, examples, metrics = (
        getattr(found.record, n) for n in ("params", "examples", "metrics")
    )
    preset = params.get("preset")
    if preset:
        say(f"As in {preset['name']}, except that:")
        for deviation in preset["deviations"]:
            say(f"- {deviation}")
    if found.record.op == "distill":
        say(f"Learnt from {_losses(params)}.")
    for new in params["student"].get("new_heads", ()):
        left = "; ".join(params["student"]["left_heads"]) or "others"
        say(printable(f"NOTE: a new head for {new}; that of the model was for {left}", _LINE))
    digests = [parent["digest"] for parent in found.record.parents]
    if len(digests) > len(set(digests)):
        say("NOTE: a set is named twice; a model that is measured on what it learnt looks too good")
    cut = sum(one.get("cut_rows", 0) for one in examples["train"])
    if cut:
        say(f"{cut:,} rows were cut at --length {params['length']}")
    if metrics["ids_at_once"]:
        say(
            f"NOTE: memory was short, so {metrics['ids_at_once']:,} ids went through the model at "
            "a time; the batches stayed as they were"
        )


#: Longest line that names of tasks and classes are told in.
_LINE = 2000

#: What a student learns from, by the name of the loss.
_SAID = {
    "mse": "logits (squared error)",
    "soft": "softened logits",
    "cosine": "hidden states",
}


def _losses(params: dict[str, Any]) -> str:
    said = {**_SAID, "hard": "masked pieces" if params["mlm"] else "gold labels"}
    return " + ".join(f"{params[n]:g} · {text}" for n, text in said.items() if params.get(n))
