"""`distill`: students."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import click

from transferset.cli.group import example, say, transferset
from transferset.cli.training import carry_out
from transferset.cli.training_options import out_option, together, training_options
from transferset.distillation.choice.preset_works import names_told, variants

_OBJECTIVE: Final = (
    click.option(
        "--mse",
        type=float,
        metavar="WEIGHT",
        help="Squared error of logits. [1, if there are some]",
    ),
    click.option("--soft", type=float, metavar="WEIGHT", help="T² · KL of softmaxes."),
    click.option("--hard", type=float, metavar="WEIGHT", help="Gold labels, or masked pieces."),
    click.option("--cosine", type=float, metavar="WEIGHT", help="Of --mlm: last hidden states."),
    click.option("--temperature", type=float, metavar="T", help="Of --soft. [3; --mlm: 2]"),
    click.option(
        "--direction",
        type=click.Choice(["teacher‖student", "student‖teacher"]),
        help="Of the KL. [teacher‖student]",
    ),
)

_STUDENT: Final = (
    click.option("--layers", type=int, metavar="N", help="Layers."),
    click.option("--hidden", type=int, metavar="N", help="Units of a layer."),
    click.option("--heads", type=int, metavar="N", help="Attention heads."),
    click.option("--feed", type=int, metavar="N", help="Units of the feed-forward layers."),
    click.option("--head", type=int, metavar="N", help="Units before the logits; 0: none."),
    click.option("--head-dropout", type=float, metavar="P", help="Before the logits."),
    click.option(
        "--embeddings",
        metavar="SOURCE",
        help="random, teacher, or vectors:FILE of word vectors. [random]",
    ),
    click.option("--width", type=int, metavar="N", help="Numbers of a vector. [300]"),
    click.option(
        "--channels",
        type=click.Choice(["static", "non-static", "multichannel"]),
        help="Whether vectors are trained. [non-static]",
    ),
    click.option("--projection", is_flag=True, default=None, help="A map behind given vectors."),
    click.option("--words", is_flag=True, default=None, help="Read words, not pieces."),
    click.option("--lowercase/--no-lowercase", default=None, help="Of --words. [lower-cased]"),
    click.option("--least", type=int, metavar="N", help="Of --words: rarer ones are unknown. [1]"),
    click.option("--most", type=int, metavar="N", help="Of --words: keep the N most frequent."),
    click.option(
        "--init-layers",
        metavar="spread|first|LIST",
        help="Begin with layers of the teacher: 0,2,4 or by rule.",
    ),
    click.option("--freeze-positions", is_flag=True, default=None, help="Not trained."),
)


@transferset.command(
    epilog=example(
        "transferset distill sets/sst2-labelled --student bilstm --out models/small",
        "transferset distill sets/sst2 --student bilstm --teacher teachers/a --validation sets/dev",
        "transferset distill sets/wiki --mlm --teacher bert-base --init-layers spread --layers 6",
        "transferset distill sets/sst2-labelled --as liu2020:bilstm --validation sets/dev",
    ),
)
@click.argument("src", metavar="[SET]...", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--student",
    metavar="KIND|DIR|CONFIG",
    help="bilstm, biattentive, transformer, transformer-cls-mean; a model; or a file of JSON.",
)
@click.option(
    "--teacher",
    metavar="DIR",
    help="Asked where SET has no logits, and with --mlm for hidden states; its embeddings and "
    "layers can be taken.",
)
@out_option
@click.option("--mlm", is_flag=True, help="Pre-training: a masked language model.")
@click.option(
    "--as",
    "preset",
    metavar="NAME",
    help=f"As in a publication: {names_told()}. A bare name is the first.",
)
@together(_OBJECTIVE)
@together(_STUDENT)
@training_options(masking=True)
def distill(src: tuple[Path, ...], dry_run: bool, out: Path | None, **options: Any) -> None:
    """Train a student to do as its teacher does.

    A SET with logits teaches by these, one without by --teacher, else by its gold labels. Several
    SETs are tasks of one student, with a head each. With --mlm, or from a SET that label --mlm
    wrote, the student becomes a masked language model.

    Unless stated otherwise: Adam 5e-4, batches of 50 rows, 16 epochs (Liu 2020); with --mlm the
    losses of DistilBERT, Adam 5e-4, 3 epochs (van de Graaf 2021).

    When it was interrupted, the same command resumes, and ends in the same weights.
    """
    options["mlm"] = options["mlm"] or None
    others = variants(options["preset"] or "")
    if others:
        first, *rest = (f"{options['preset']}:{one}" for one in others)
        say(f"Taking {first}; there are {', '.join(rest)} too.")
    carry_out("distill", src, dry_run, out, options)
