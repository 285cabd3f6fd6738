"""Markdown tables of the figures that `distill.py` collects."""

from __future__ import annotations

from typing import Any

from tables import table

Json = dict[str, Any]

_JOBS = {
    "masked": "pre-training, triple loss, half of the layers",
    "bert": "small BERT on logits",
    "bilstm": "BiLSTM on logits",
    "label": "labelling",
}


def rates(report: Json) -> str:
    """Every tool's rows and ids a CPU-second, and how many times as many ours makes."""
    head = ["job", "tool", "rows", "ids", "rows / CPU-s", "ids / CPU-s", "ours"]
    head += ["ours in each run", "CPU-s (all runs)", "s (all runs)"]
    lines = [
        (
            _JOBS[row["job"]],
            row["tool"],
            f"{row['rows']:,}",
            f"{row['tokens']:,}",
            f"{row['rows_per_cpu_s']:,.1f}",
            f"{row['tokens_per_cpu_s']:,.0f}",
            f"{row['ours']:.2f}×",
            " ".join(f"{one:.2f}" for one in row["ours_runs"]),
            " ".join(f"{one:.2f}" for one in row["cpu_s"]),
            " ".join(f"{one:.2f}" for one in row["wall_s"]),
        )
        for row in report["rows"]
    ]
    return table(head, lines)


def render(report: Json) -> str:
    """The whole report."""
    facts = {**report["machine"], **report["versions"], "device": report["device"]}
    told = ", ".join(f"{key} {value}" for key, value in facts.items())
    limit = report["products"]
    best = [
        row["tokens_per_cpu_s"]
        for row in report["rows"]
        if row["tool"] == "transferset" and row["job"] == "label"
    ]
    speed = (
        f"The teacher's matrix products alone: {limit['tokens_per_s']:,.0f} ids a second, "
        f"{limit['flops_per_s'] / 1e9:,.1f} GFLOP/s"
    )
    if best:
        speed += f"; labelling as a whole has {best[0] / limit['tokens_per_s']:.0%} of that"
    return "\n\n".join([told, rates(report), speed])
