"""Running recipes of several sets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transferset.shards import ShardSet

if TYPE_CHECKING:
    from transferset.stage import Progress


def run(
    recipe: str | Path,
    out: str | Path | None = None,
    *,
    settings: Sequence[str] = (),
    workers: int | None = None,
    force: bool = False,
    progress: Progress | None = None,
    told: Callable[[str, str], None] | None = None,
) -> dict[str, ShardSet]:
    """Make the sets of a recipe, each after those that it is made from.

    Args:
        recipe: A TOML file, see `docs/pipelines.md`.
        out: Directory below which the sets go; None is the recipe's name without its ending.
        settings: Overrides, `NAME.key=value`, or `key=value` for all sets that take the key.
        workers: Worker processes; None is the number of processors.
        force: Replace what is there.
        progress: Told of finished work.
        told: Told of each set and the report: its place, and `made` or `kept`.

    Returns:
        The sets by name.

    Raises:
        UsageError: The recipe, or a setting, is wrong.
        TransfersetError: What the functions raise that make the sets.
    """
    from transferset.api.books import build_books
    from transferset.api.building import build_wiki
    from transferset.api.deriving import derive, mix
    from transferset.api.showing import report
    from transferset.api.tasks import build_task
    from transferset.api.texts import build_text
    from transferset.pipeline.recipes import run_recipe

    functions: dict[str, Callable[..., Any]] = {
        "build wiki": build_wiki,
        "build books": build_books,
        "build text": build_text,
        "build task": build_task,
        "derive": derive,
        "mix": mix,
        "report": report,
    }
    return run_recipe(
        Path(recipe),
        Path(out) if out is not None else None,
        settings,
        functions,
        workers=workers,
        force=force,
        progress=progress,
        told=told,
    )
