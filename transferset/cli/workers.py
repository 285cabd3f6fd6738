"""Where a command's tasks run: the options that commands with workers share."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

#: `--workers`, `--executor` and `--address`.
WORKER_OPTIONS: Final = (
    click.option("--workers", type=int, help="Worker processes. [all processors]"),
    click.option(
        "--executor",
        type=click.Choice(["processes", "ray"]),
        default="processes",
        show_default=True,
        help="Run tasks on this machine, or on a Ray cluster.",
    ),
    click.option(
        "--address",
        metavar="ADDR",
        help="Of the Ray cluster: local (one started here), auto (this machine's), HOST:PORT.",
    ),
)


def worker_options(command: F) -> F:
    """Give a command the options."""
    for option in reversed(WORKER_OPTIONS):
        command = option(command)
    return command


def echo_plan(plan: dict[str, Any], out: Path | None, *, escaped: bool = False) -> None:
    """Print a plan as JSON, with whether the disk has room for what comes of it.

    Args:
        plan: Of a command; where its `estimated` has bytes, it gets a member `disk`.
        out: Where the command writes; None is below the working directory.
        escaped: Only ASCII, for names may steer a terminal.
    """
    from transferset.pipeline.scale import disk

    estimated = plan.get("estimated") or {}
    if "bytes" in estimated:
        plan = {**plan, "disk": disk(estimated, out)}
    click.echo(json.dumps(plan, indent=1, ensure_ascii=escaped))


def planned_workers(options: dict[str, Any]) -> int | None:
    """Take what a plan does not know out of a command's options (`--dry-run`).

    Args:
        options: Of the command; those of the run are removed.

    Returns:
        The number of workers, which some plans tell the time for.
    """
    for name in ("executor", "address", "force"):
        options.pop(name, None)
    workers: int | None = options.pop("workers", None)
    return workers
