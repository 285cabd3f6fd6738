"""Markdown tables of the figures that `books.py` collects."""

from __future__ import annotations

from typing import Any

from books_jobs import OURS, RECIPE
from tables import limits, table

Json = dict[str, Any]


def whole(rows: list[Json]) -> str:
    """Every tool's rate, and by how much it is faster than the replica's recipe."""
    recipe = next((row for row in rows if row["tool"] == RECIPE), None)
    mb = max(row["mb"] for row in rows)
    head = ["from files to rows", "MB / CPU-s", "without start-up", f"recipe's CPU for {mb:.0f} MB"]
    head += ["without start-up", "start-up CPU-s", "CPU-s (all runs)", "of its commands"]
    head += ["MB / s", "peak MB", "MB read", "rows"]
    return table(head, [_row(row, recipe, mb) for row in rows])


def _row(row: Json, recipe: Json | None, mb: float) -> list[object]:
    net = "mb_per_cpu_s_without_startup"
    return [
        f"`{row['tool']}`" if row["tool"] not in OURS else row["tool"],
        _number(row["mb_per_cpu_s"]),
        _number(row[net]),
        ratio(cpu_for(recipe, mb), cpu_for(row, mb)),
        ratio(row[net], recipe and recipe[net]),
        f"{row['startup_cpu_s']:.2f}",
        " ".join(f"{cpu:.1f}" for cpu in row["cpu_s_runs"]),
        " + ".join(f"{cpu:.1f}" for cpu in row["cpu_s_of_steps"]),
        _number(row["mb_per_s"]),
        f"{row['peak_mb']:.0f}",
        f"{row['mb']:.1f}",
        f"{row['rows']:,}",
    ]


def cpu_for(row: Json | None, mb: float) -> float | None:
    """CPU-seconds for so many MB: as measured, or from a run on fewer, which starts up as long."""
    if row is None or row["mb"] == mb:
        return row and float(row["cpu_s"])
    rate = row["mb_per_cpu_s_without_startup"]
    return None if rate is None else float(row["startup_cpu_s"] + mb / rate)


def ratio(one: float | None, other: float | None) -> str:
    """How many times the other; a dash where there is nothing to compare."""
    return "–" if one is None or other is None else f"{one / other:.2f}×"


def _number(rate: float | None) -> str:
    return "–" if rate is None else f"{rate:.2f}"


def quality(found: dict[str, Json]) -> str:
    """How well rows are the sentences of the made books."""
    head = ["rows of", "F1 of boundaries", "precision", "recall", "sentences cut at a line's end"]
    head += ["cut elsewhere", "headings joined"]
    keys = ("f1", "precision", "recall", "cut_at_lines", "cut_inside", "headings_joined")
    rows = [(tool, *(f"{100 * one[key]:.2f} %" for key in keys)) for tool, one in found.items()]
    return table(head, rows)


def render(report: Json) -> str:
    """The whole report."""
    about = report["machine"] | report["versions"] | report["books"]
    parts = [", ".join(f"{name} {_short(value)}" for name, value in about.items())]
    parts += ["## Whole", whole(report["whole"])]
    if report["quality"]:
        parts += ["## Quality", quality(report["quality"])]
    return "\n\n".join([*parts, "## Limits and stages", limits(report["stages"])])


def _short(value: object) -> str:
    return f"{value:.1f}" if isinstance(value, float) else str(value)
