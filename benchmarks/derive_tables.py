"""Markdown tables of the figures that `derive.py` collects."""

from __future__ import annotations

from typing import Any

from tables import limits as limits_table
from tables import table

Json = dict[str, Any]


def contest(rows: list[Json]) -> str:
    """The peers' ways beside each other."""
    head = ["job, way", "how", "Mtok / CPU-s"]
    return table(
        head, [(f"{r['job']}, {r['way']}", r["kind"], f"{r['mtok_per_cpu_s']:.2f}") for r in rows]
    )


def name_of(row: Json) -> str:
    """`transferset`, `transferset, from disk`, or the peer's way."""
    tool = row["tool"] if row["tool"] == "transferset" else f"datasets, {row['tool']}"
    return f"{tool}, from disk" if row["cold"] else str(tool)


def job(rows: list[Json]) -> str:
    """One job by all tools."""
    head = ["tool", "workers", "Mtok", "CPU-s (all runs)", "wall s", "start-up CPU-s"]
    head += [
        "Mtok / CPU-s",
        "without start-up",
        "Mtok / s",
        "peak MB of a process",
        "less mapped files",
        "of all",
    ]
    lines = [
        (
            name_of(row),
            row["workers"],
            f"{row['mtok']:.1f}",
            " ".join(f"{cpu:.2f}" for cpu in sorted(row["cpu_s_runs"])),
            f"{row['wall_s']:.2f}",
            f"{row['startup_cpu_s']:.2f}",
            f"{row['mtok_per_cpu_s']:.2f}",
            number(row["mtok_per_cpu_s_without_startup"], ".2f"),
            f"{row['mtok_per_s']:.2f}",
            f"{row['peak_mb']:.0f}",
            f"{row['own_peak_mb']:.0f}",
            f"{row['tree_peak_mb']:.0f}",
        )
        for row in rows
    ]
    return "\n\n".join([table(head, lines), *ratios(rows)])


def ratios(rows: list[Json]) -> list[str]:
    """Sentences on us against each peer with as many workers, and on more workers against one."""
    by_case = {(row["tool"], row["cold"], row["workers"]): row for row in rows}
    said = []
    for (tool, cold, workers), row in by_case.items():
        ours, alone = by_case["transferset", False, workers], by_case.get((tool, cold, 1))
        if tool != "transferset":
            said.append(f"- workers: {workers}: {against(ours, row)}")
        elif workers > 1 and alone:
            gain = alone["wall_s"] / row["wall_s"]
            said.append(f"- {name_of(row)}: {workers} workers are {gain:.2f}× as fast as one.")
    return ["\n".join(said)] if said else []


def against(ours: Json, peer: Json) -> str:
    """How we compare with one peer, per CPU-second and per second."""

    def times(unit: str) -> float | None:
        return ours[unit] / peer[unit] if ours[unit] and peer[unit] else None

    def said(unit: str) -> str:
        net = times(f"{unit}_without_startup")
        tail = "" if net is None else f" ({net:.1f}× without start-up on both sides)"
        return f"{times(unit):.1f}×{tail}"

    return (
        f"{said('mtok_per_cpu_s')} the tokens of `{peer['tool']}` per CPU-second,"
        f" {said('mtok_per_s')} per second."
    )


def number(value: float | None, form: str) -> str:
    """A number, or a dash where there is none."""
    return "–" if value is None else format(value, form)


def beside(rows: list[Json]) -> str:
    """Our jobs beside the limits."""
    head = ["job", "workers", "parent MB / CPU-s", "parent MB / s", "CPU-s", "of which start-up"]
    head += ["bytes alone, CPU-s", "wall s", "bytes alone, wall s", "bytes moved: of memcpy"]
    lines = [
        (
            f"{row['job']}{', from disk' if row['cold'] else ''}",
            row["workers"],
            f"{row['limits']['parent_mb_per_cpu_s']:,.0f}",
            f"{row['limits']['parent_mb_per_s']:,.0f}",
            f"{row['cpu_s']:.2f}",
            f"{row['startup_cpu_s']:.2f}",
            f"{row['limits']['floor_cpu_s']:.2f}",
            f"{row['wall_s']:.2f}",
            f"{row['limits']['floor_wall_s']:.2f}",
            f"{row['limits']['share_of_memcpy']:.1%}",
        )
        for row in rows
        if row["tool"] == "transferset"
    ]
    return table(head, lines)


def render(report: Json) -> str:
    """The whole report."""
    about = report["machine"] | report["versions"]
    sets = [
        f"- {name}: {made['rows']:,} rows, {made['tokens']:,} tokens, {made['mb']:,.0f} MB"
        for name, made in report["sets"].items()
    ]
    parts = [", ".join(f"{name} {value}" for name, value in about.items()), "\n".join(sets)]
    parts += ["## Limits", limits_table(report["limits"])]
    if report["contest"]:
        parts += ["## The peers' ways, on a small set", contest(report["contest"])]
    rows = report["jobs"]
    for name in dict.fromkeys(row["job"] for row in rows):
        parts += [f"## {name.capitalize()}", job([row for row in rows if row["job"] == name])]
    return "\n\n".join([*parts, "## Beside the limits", beside(rows)])
