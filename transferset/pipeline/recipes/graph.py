"""From the tables of a recipe to jobs in order: each after those that it needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from graphlib import CycleError, TopologicalSorter
from itertools import product
from math import prod
from typing import Any, Final

from transferset.errors import UsageError, sentence
from transferset.pipeline.recipes.commands import Command
from transferset.pipeline.recipes.matrix import MOST_JOBS
from transferset.pipeline.recipes.recipe import Recipe, Report, Variant
from transferset.pipeline.recipes.references import Reference
from transferset.pipeline.recipes.settings import unknown
from transferset.steps import Split

#: Characters of a folder that tells the values of a variant.
_LONGEST: Final = 200

#: For each axis (by name) the label of a value.
Choice = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Job:
    """One set or model to be made.

    Attributes:
        place: Its folder below OUT: `small`, or `seed=1/small` for a variant.
        name: Its table.
        command: What makes it.
        params: For the command's function; the `name` of a reference is a place.
        parts: Names of the sibling sets, if it splits.
    """

    place: str
    name: str
    command: Command
    params: Mapping[str, Any]
    parts: tuple[str, ...] = ()

    @property
    def header(self) -> str:
        """Of its table: `[set.NAME]`."""
        return self.command.makes.header(self.name)


@dataclass(frozen=True, slots=True)
class Plan:
    """All jobs in an order in which they can be done, and the report with places for names."""

    jobs: tuple[Job, ...]
    report: Report | None


def make_plan(recipe: Recipe) -> Plan:
    """Bring the tables of a recipe into order, and fan out the matrix.

    A set or model is made once for each choice of the values that it, or what it is made from,
    depends on.

    Args:
        recipe: A checked one.

    Returns:
        Jobs, and the report.

    Raises:
        UsageError: Sets or models are made from each other, or are too many; a part is named
            that a split does not have.
    """
    order = _order(recipe)
    axes = _axes_by_table(recipe, order)
    _check_count(recipe, axes)
    jobs: dict[str, Job] = {}
    for name in order:
        for choice in _choices(recipe, axes[name]):
            job = _job(recipe, name, choice, axes, jobs)
            jobs[job.place] = job
    return Plan(tuple(jobs.values()), _report(recipe, axes, jobs))


def _order(recipe: Recipe) -> list[str]:
    """Names such that each comes after those that it is made from, else as in the file."""
    graph = {name: _parents(recipe, name) for name in recipe.tables}
    sorter = TopologicalSorter(graph)
    try:
        sorter.prepare()
    except CycleError as error:
        found = " → ".join(error.args[1])
        expected = "sets and models that are not made from each other"
        raise UsageError(sentence(expected, found, str(recipe.path))) from None
    ordinal = {name: i for i, name in enumerate(recipe.tables)}
    names: list[str] = []
    while ready := sorted(sorter.get_ready(), key=ordinal.__getitem__):
        sorter.done(*ready)
        names += ready
    return names


def _parents(recipe: Recipe, name: str) -> list[str]:
    variants = recipe.tables[name].variants.values()
    return list(dict.fromkeys(r.name for v in variants for r in v.references() if r.name))


def _axes_by_table(recipe: Recipe, order: list[str]) -> dict[str, tuple[str, ...]]:
    """For each table the axes that it or an ancestor depends on, as the matrix orders them."""
    found: dict[str, tuple[str, ...]] = {}
    for name in order:
        mine = {*recipe.tables[name].axes}.union(*(found[p] for p in _parents(recipe, name)))
        found[name] = tuple(axis.name for axis in recipe.axes if axis.name in mine)
    return found


def _check_count(recipe: Recipe, axes: Mapping[str, tuple[str, ...]]) -> None:
    size = {axis.name: len(axis.choices) for axis in recipe.axes}
    count = sum(prod(size[axis] for axis in mine) for mine in axes.values())
    if count > MOST_JOBS:
        expected = f"at most {MOST_JOBS:,} sets and models"
        raise UsageError(sentence(expected, f"{count:,}", str(recipe.path)))


def _choices(recipe: Recipe, axes: tuple[str, ...]) -> list[Choice]:
    labels = [axis.choices for axis in recipe.axes if axis.name in axes]
    return [dict(zip(axes, one, strict=True)) for one in product(*labels)]


def _place(name: str, choice: Choice, axes: tuple[str, ...]) -> str:
    folder = ",".join(f"{axis}={choice[axis]}" for axis in axes)
    if len(folder) > _LONGEST:
        do = "give the values short labels: a table [matrix.KEY] with LABEL = value"
        raise UsageError(sentence(f"folders of up to {_LONGEST} characters", folder, do=do))
    return f"{folder}/{name}" if folder else name


def _job(
    recipe: Recipe,
    name: str,
    choice: Choice,
    axes: Mapping[str, tuple[str, ...]],
    jobs: Mapping[str, Job],
) -> Job:
    table = recipe.tables[name]
    variant = table.variants[tuple(choice[axis] for axis in table.axes)]

    def placed(reference: Reference) -> Reference:
        if reference.path is not None:
            return reference
        parent = jobs[_place(reference.name, choice, axes[reference.name])]
        _check_part(reference, parent, f"{recipe.path}, {table.header}")
        part = f"/{reference.part}" if reference.part else ""
        return replace(reference, name=parent.place + part)

    params = {key: _mapped(value, placed) for key, value in variant.params.items()}
    place = _place(name, choice, axes[name])
    return Job(place, name, table.command, params, _parts(variant))


def _mapped(value: Any, placed: Callable[[Reference], Reference]) -> Any:
    if isinstance(value, Reference):
        return placed(value)
    if isinstance(value, tuple):
        return tuple(placed(one) if isinstance(one, Reference) else one for one in value)
    return value


def _parts(variant: Variant) -> tuple[str, ...]:
    steps = variant.params.get("steps")
    last = steps[-1] if isinstance(steps, tuple) and steps else None
    if not isinstance(last, Split):
        return ()
    return tuple(item.partition("=")[0] for item in last.shares.split(","))


def _check_part(reference: Reference, parent: Job, at: str) -> None:
    if parent.parts and not reference.part:
        names = " or ".join(f"{parent.name}/{part}" for part in parent.parts)
        raise UsageError(sentence(f"one part of the split, {names}", reference.written, at))
    if reference.part and reference.part not in parent.parts:
        if not parent.parts:
            found = f"{reference.written}, and {parent.name} does not split"
            raise UsageError(sentence(f"a {parent.command.makes.name}", found, at))
        raise unknown("a part", reference.part, parent.parts, at)


def _report(
    recipe: Recipe, axes: Mapping[str, tuple[str, ...]], jobs: Mapping[str, Job]
) -> Report | None:
    report = recipe.report
    if report is None:
        return None
    at = f"{recipe.path}, [report]"

    def everywhere(reference: Reference) -> list[Reference]:
        """All variants, and all parts if none is named."""
        if reference.path is not None:
            return [reference]
        found = []
        for choice in _choices(recipe, axes[reference.name]):
            job = jobs[_place(reference.name, choice, axes[reference.name])]
            parts = [reference.part] if reference.part else list(job.parts) or [""]
            for part in parts:
                _check_part(replace(reference, part=part), job, at)
                found.append(replace(reference, name=f"{job.place}/{part}".rstrip("/")))
        return found

    sets = tuple(one for reference in report.sets for one in everywhere(reference))
    parents = everywhere(report.parent) if report.parent else [None]
    if len(parents) > 1:
        found = f"{len(parents)} variants of {report.parent.written if report.parent else ''}"
        raise UsageError(sentence("one parent", found, at))
    return replace(report, sets=sets, parent=parents[0])
