"""Markdown tables of the figures that `generate.py` collects."""

from __future__ import annotations

from typing import Any

from generate_limits import share
from tables import table

Json = dict[str, Any]


def rates(report: Json) -> str:
    """Every tool's pieces a second, and how many times as many ours makes."""
    unit = "CPU-s" if report["device"] == "cpu" else "s"
    head = ["model", "drawn", "tool", "batch", "rows", "pieces", f"pieces / {unit}", "ours"]
    head += ["ours in each run", f"{unit} (all runs)"]
    seconds = "cpu_s" if report["device"] == "cpu" else "wall_s"
    lines = [
        (
            row["model"],
            row["way"],
            row["tool"],
            row["batch"],
            row["rows"],
            f"{row['pieces']:,.0f}",
            f"{row['pieces_per_s']:,.0f}",
            f"{row['ours']:.2f}×",
            " ".join(f"{one:.2f}" for one in row["ours_runs"]),
            " ".join(f"{one:.2f}" for one in row[seconds]),
        )
        for row in report["rows"]
    ]
    return table(head, lines)


def limits(report: Json) -> str:
    """What the model allows, and which share of it the best of ours has."""
    head = ["model", "batch", "matrix products alone", "without drawing", "ours, best"]
    head += ["of products", "of memory's bandwidth"]
    lines = []
    for limit in report["limits"]:
        known = ("model", "batch")
        ours = [
            row
            for row in report["rows"]
            if row["tool"] == "transferset" and all(row[key] == limit[key] for key in known)
        ]
        best = max(ours, key=lambda row: float(row["pieces_per_s"]))
        length = best["pieces"] / best["rows"]
        lines.append(
            (
                limit["model"],
                limit["batch"],
                f"{limit['products_per_s']:,.0f}",
                f"{limit['without_drawing_per_s']:,.0f}",
                f"{best['pieces_per_s']:,.0f} ({best['way']})",
                f"{best['pieces_per_s'] / limit['products_per_s']:.0%}",
                f"{share(best, limit, report['bandwidth'], length):.0%}",
            )
        )
    return table(head, lines)


def render(report: Json) -> str:
    """The whole report."""
    facts = {**report["machine"], **report["versions"], "device": report["device"]}
    told = ", ".join(f"{key} {value}" for key, value in facts.items())
    speed = f"memory is copied at {report['bandwidth'] / 1e9:,.1f} GB/s, read and written"
    return "\n\n".join([told, rates(report), limits(report), speed])
