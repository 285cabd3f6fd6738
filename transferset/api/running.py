"""Running recipes of sets and models."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transferset.api.executors import one_session
from transferset.shards import ShardSet

if TYPE_CHECKING:
    from transferset.exported import Exported
    from transferset.models import Model
    from transferset.stage import Progress


def run(
    recipe: str | Path,
    out: str | Path | None = None,
    *,
    settings: Sequence[str] = (),
    workers: int | None = None,
    executor: str = "processes",
    address: str | None = None,
    force: bool = False,
    progress: Progress | None = None,
    told: Callable[[str, str], None] | None = None,
) -> dict[str, ShardSet | Model | Exported]:
    """Make the sets and models of a recipe, each after those that it needs.

    Args:
        recipe: A TOML file, see `docs/pipelines.md`.
        out: Directory below which they go; None is the recipe's name without its ending.
        settings: Overrides, `NAME.key=value`, or `key=value` for all that take the key.
        workers: Worker processes; None is the number of processors.
        executor: `processes` of this machine, or `ray`: the nodes of a Ray cluster.
        address: Of the cluster: `local` starts one here, `auto` joins the one that this machine is
            a node of, `HOST:PORT` joins that one.
        force: Replace what is there.
        progress: Told of finished work.
        told: Told of each set, each model and the report: its place, and `made` or `kept`.

    Returns:
        Sets and models by their place below `out`: `small`, `seed=1/small`, `split/train`.

    Raises:
        UsageError: The recipe, or a setting, is wrong.
        TransfersetError: What the functions raise that make sets and models.
    """
    from transferset.pipeline.recipes import run_recipe
    from transferset.pipeline.remote import folder_of

    with one_session(executor, address, workers):
        return run_recipe(
            Path(recipe),
            folder_of(out) if out is not None else None,
            settings,
            recipe_functions(),
            workers=workers,
            executor=executor,
            address=address,
            force=force,
            progress=progress,
            told=told,
        )


def recipe_functions() -> dict[str, Callable[..., Any]]:
    """The functions of the API by the name that their command has in a recipe; and `report`."""
    from transferset.api.books import build_books
    from transferset.api.building import build_wiki
    from transferset.api.deriving import derive, mix
    from transferset.api.distilling import distill
    from transferset.api.exporting import export
    from transferset.api.label import label
    from transferset.api.lm_fit import lm_fit
    from transferset.api.lm_sample import lm_sample
    from transferset.api.showing import report
    from transferset.api.tasks import build_task
    from transferset.api.texts import build_text
    from transferset.api.training import finetune, teacher_fit

    return {
        "build wiki": build_wiki,
        "build books": build_books,
        "build text": build_text,
        "build task": build_task,
        "derive": derive,
        "mix": mix,
        "lm fit": lm_fit,
        "lm sample": lm_sample,
        "label": label,
        "teacher fit": teacher_fit,
        "finetune": finetune,
        "distill": distill,
        "export": export,
        "report": report,
    }
