"""Running a recipe: one function of the API after the other."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from transferset.errors import RESUMABLE, SetError, TransfersetError, printable
from transferset.pipeline.places import require_apart
from transferset.pipeline.recipes.commands import Functions
from transferset.pipeline.recipes.graph import Job, Plan, make_plan
from transferset.pipeline.recipes.kinds import Kind
from transferset.pipeline.recipes.recipe import Report, read_recipe
from transferset.pipeline.recipes.references import Reference
from transferset.pipeline.recipes.reporting import Page
from transferset.shards import ShardSet
from transferset.stage import Progress
from transferset.steps import ReplaceLm

if TYPE_CHECKING:
    from transferset.exported import Exported
    from transferset.models import Model

#: What the tables of a recipe make.
Made: TypeAlias = "ShardSet | Model | Exported"

#: Told of each set and model, and the report, when it is there: its place below OUT, and `made` or
#: `kept`.
Told = Callable[[str, str], None]

MADE: Final = "made"
KEPT: Final = "kept"


def run_recipe(
    path: Path,
    out: Path | None,
    settings: Sequence[str],
    functions: Functions,
    *,
    workers: int | None = None,
    executor: str = "processes",
    address: str | None = None,
    force: bool = False,
    progress: Progress | None = None,
    told: Told | None = None,
) -> dict[str, Made]:
    """Make the sets and models of a recipe, each after those that it needs, and its report.

    What is there with the same recipe is kept, what is unfinished is finished: the functions do
    that themselves.

    Args:
        path: The recipe.
        out: Folder below which they go; None is the recipe's name without its ending.
        settings: See `settings.apply_settings`.
        functions: Of the API, by command, and `report`.
        workers: Worker processes; None is the number of processors.
        executor: Where commands that have workers run: `processes` or `ray`.
        address: Of the Ray cluster.
        force: Replace what another recipe made; what the same recipe made is kept.
        progress: Told of finished work.
        told: Told of each set and model, and of the report.

    Returns:
        Sets and models by their place below `out`: `small`, `seed=1/small`, `split/train`.

    Raises:
        UsageError: The recipe or a setting is wrong, or a place is, holds or lies inside a set or
            model elsewhere that the recipe reads; nothing was made.
        SetError: A place holds what another recipe made, or something else.
        TransfersetError: What the functions raise, with the table's name.
    """
    plan = make_plan(read_recipe(path, settings, functions))
    root = Path(path.stem) if out is None else out
    with _naming(str(path)):
        _require_apart(plan, root)
    tell = told or _nobody
    of_the_run = {
        "workers": workers,
        "executor": executor,
        "address": address,
        "progress": progress,
    }
    made: dict[str, Made] = {}
    for job in plan.jobs:
        kind = job.command.makes
        before = _records(root / job.place, kind)
        with _naming(f"{path}, {job.header}", resumable=bool(made)):
            made |= _make(job, root, made, functions, force, **of_the_run)
        kept = bool(before) and _records(root / job.place, kind) == before
        tell(job.place, KEPT if kept else MADE)
    if plan.report is not None:
        page = _page(plan.report, root, made)
        kept = page.is_there()
        if not kept:
            with _naming(f"{path}, [report]", resumable=True):
                page.write(functions["report"])
        tell(page.file, KEPT if kept else MADE)
    return made


def _nobody(place: str, state: str) -> None:
    """Is told."""


def _require_apart(plan: Plan, root: Path) -> None:
    """Refuse to write over what is read elsewhere, before anything is made: a job may need it."""
    places = [root / job.place / part for job in plan.jobs for part in (job.parts or ("",))]
    read = [path for job in plan.jobs for value in job.params.values() for path in _paths(value)]
    require_apart(places, dict.fromkeys(read))


def _paths(value: Any) -> Iterator[Path]:
    """The sets and models elsewhere that a parameter names."""
    for one in value if isinstance(value, tuple) else (value,):
        if isinstance(one, Reference) and one.path is not None:
            yield one.path
        elif isinstance(one, ReplaceLm):
            yield Path(one.model)


def _make(
    job: Job,
    root: Path,
    made: Mapping[str, Made],
    functions: Functions,
    force: bool,
    **of_the_run: Any,
) -> dict[str, Made]:
    function = functions[job.command.name]
    taken = inspect.signature(function).parameters  # one process trains a model: no `workers`
    params = {key: _given(value, made) for key, value in job.params.items()}
    params[job.command.parameter] = params.pop(job.command.key)
    params |= {key: value for key, value in of_the_run.items() if key in taken}
    place = root / job.place
    try:
        found = function(out=place, force=False, **params)
    except SetError:
        if not force:
            raise
        # only now: what is there with the same recipe need not be made again
        found = function(out=place, force=True, **params)
    if isinstance(found, Mapping):
        return {f"{job.place}/{part}": one for part, one in found.items()}
    return {job.place: found}


def _given(value: Any, made: Mapping[str, Made]) -> Any:
    """A parameter with paths for references; (path, weight) where one has a weight."""
    if isinstance(value, Reference):
        path = _root(value, made)
        return path if value.weight is None else (path, value.weight)
    if isinstance(value, tuple):
        return [_given(one, made) for one in value]
    return value


def _root(reference: Reference, made: Mapping[str, Made]) -> Path:
    return reference.path if reference.path is not None else made[reference.name].root


def _page(report: Report, root: Path, made: Mapping[str, Made]) -> Page:
    sets = tuple(_root(reference, made) for reference in report.sets)
    parent = _root(report.parent, made) if report.parent is not None else None
    return Page(root, report.file, sets, parent, report.figures)


def _records(place: Path, kind: Kind) -> dict[Path, tuple[int, int]]:
    """Which records stand there: a new file has another number or time."""
    found = {}
    for path in (place / kind.record, *place.glob(f"*/{kind.record}")):
        if path.is_file():
            status = path.stat()
            found[path] = (status.st_ino, status.st_mtime_ns)
    return found


@contextmanager
def _naming(at: str, *, resumable: bool = False) -> Iterator[None]:
    """Say in an error which table it was about; its class, and so the exit code, stays."""
    try:
        yield
    except TransfersetError as error:
        raise type(error)(f"{error} ({printable(at)})") from error
    except KeyboardInterrupt as error:
        if resumable:  # what was made before stays
            error.add_note(RESUMABLE)
        raise
