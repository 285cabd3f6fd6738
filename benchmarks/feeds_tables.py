"""Markdown tables of the figures that `feeds.py` collects."""

from __future__ import annotations

from typing import Any

from tables import table

Json = dict[str, Any]

_JOBS = {
    "fixed": "rows of one length",
    "padded": "rows of any length, padded",
    "tokens": "batches by ids, padded",
}


def rates(report: Json) -> str:
    """Every tool's batches a CPU-second, and how many times as many our tensors are."""
    head = ["job", "tool", "batches / CPU-s", "batches / s", "million ids / CPU-s"]
    head += ["transferset, tensors", "in each run"]
    lines = [
        (
            _JOBS[row["job"]],
            row["tool"],
            f"{row['batches_per_cpu_s']:,.0f}",
            f"{row['batches_per_s']:,.0f}",
            f"{row['tokens_per_cpu_s'] / 1e6:,.2f}",
            f"{row['ours']:.2f}×",
            " ".join(f"{one:.2f}" for one in row["ours_runs"]),
        )
        for row in report["rows"]
    ]
    return table(head, lines)


def render(report: Json) -> str:
    """The whole report."""
    facts = {**report["machine"], **report["versions"]}
    told = ", ".join(f"{key} {value}" for key, value in facts.items())
    return "\n\n".join([told, rates(report)])
