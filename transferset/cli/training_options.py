"""Options that all trainings share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

_PATH: Final = click.Path(path_type=Path)

out_option = click.option("--out", type=_PATH, help="Directory. [models/NAME]")

_VALIDATION: Final = click.option(
    "--validation",
    metavar="SET",
    multiple=True,
    help="Keep the weights that are best on it; once for each SET, in their order. [the last ones]",
)

_TASK: Final = click.option(
    "--task",
    metavar="NAME",
    multiple=True,
    help="A short name for the task of each SET, in their order. [as they were built]",
)

_AMOUNT: Final = (
    click.option("--epochs", type=int, metavar="N", help="Times that each row is seen."),
    click.option("--steps", type=int, metavar="N", help="Instead of --epochs: steps in all."),
    click.option("--batch", type=int, metavar="ROWS", help="Rows of a step."),
    click.option(
        "--batch-tokens",
        type=int,
        metavar="IDS",
        help="Instead of --batch: most ids of a step, padding included.",
    ),
    click.option("--length", type=int, metavar="IDS", help="Where a row is cut."),
)

_OPTIMIZER: Final = (
    click.option(
        "--optimizer", type=click.Choice(["adam", "adamw", "adadelta"]), help="[by the command]"
    ),
    click.option("--lr", type=float, help="Full learning rate."),
    click.option(
        "--schedule",
        type=click.Choice(["linear", "constant"]),
        help="The learning rate after the warm-up. [linear; AdaDelta: constant]",
    ),
    click.option("--warmup", type=float, metavar="SHARE", help="Of the steps. [0.05]"),
    click.option("--clip", type=float, metavar="NORM", help="Longest gradient."),
    click.option("--weight-decay", type=float, help="Of all but biases and norms."),
    click.option("--beta1", type=float, help="Of Adam. [0.9]"),
    click.option("--beta2", type=float, help="Of Adam."),
    click.option("--eps", type=float, help="Of the optimizer."),
    click.option("--rho", type=float, help="Of AdaDelta. [0.95]"),
    click.option(
        "--sparse/--no-sparse",
        default=None,
        help="Move only the vectors of ids that a batch has. [for recurrent students]",
    ),
)

_MASKING: Final = (
    click.option("--mask", type=float, metavar="SHARE", help="Of --mlm: of positions. [0.15]"),
    click.option(
        "--smoothing",
        type=float,
        metavar="POWER",
        help="Of --mlm: mask rare pieces more, by count^-POWER; DistilBERT has 0.7. [0]",
    ),
)

_RUN: Final = (
    click.option(
        "--evaluate-every", type=int, metavar="STEPS", help="Measure so often. [after each epoch]"
    ),
    click.option(
        "--seeds",
        type=int,
        metavar="N",
        help="Train N times, with seed, seed + 1, …; the median is kept.",
    ),
    click.option(
        "--seed", type=int, default=0, show_default=True, help="Seed of all random choices."
    ),
    click.option("--device", metavar="cpu|cuda", help="Where it is trained. [cpu]"),
    click.option(
        "--dry-run",
        is_flag=True,
        help="Print the plan, with the time of a few steps; write nothing.",
    ),
    click.option("--force", is_flag=True, help="Replace what is in --out."),
)


def training_options(*, masking: bool) -> Callable[[F], F]:
    """The options of every training, in the order of the help.

    Args:
        masking: Whether those of masked language models are among them.
    """
    given = [_VALIDATION, _TASK, *_AMOUNT, *_OPTIMIZER, *(_MASKING if masking else ()), *_RUN]
    return together(given)


def together(options: Sequence[Callable[[F], F]]) -> Callable[[F], F]:
    """Several options as one decorator."""

    def decorate(function: F) -> F:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate
