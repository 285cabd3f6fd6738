"""The Markdown table of the figures that `exports.py` collects."""

from __future__ import annotations

from typing import Any

from tables import table

HEAD = ["format", "tool", "workers", "CPU-s", "start-up", "wall s", "rows / CPU-s", "CPU of ours"]
HEAD += ["peak MB", "without mapped files", "size MB", "B / row", "files"]


def line(row: dict[str, Any], rows: int) -> tuple[object, ...]:
    """One line; rates and ratios are without start-up."""
    work, ratio = row["work_cpu_s"], row["times_ours"]
    return (
        row["format"],
        row["tool"],
        row["workers"],
        f"{row['cpu_s']:.2f}",
        f"{row['startup_cpu_s']:.2f}",
        f"{row['wall_s']:.2f}",
        f"{rows / work:,.0f}" if work else "–",
        f"{ratio:.1f}×" if ratio else "–",
        f"{row['peak_mb']:.0f}",
        f"{row['own_peak_mb']:.0f}",
        f"{row['bytes'] / 1e6:.1f}",
        f"{row['bytes'] / rows:.1f}",
        row["files"],
    )


def render(report: dict[str, Any]) -> str:
    """The whole report."""
    made = report["set"]
    packages = {k: v for found in report["versions"].values() for k, v in found.items()}
    about = ", ".join(f"{name} {value}" for name, value in (report["machine"] | packages).items())
    of_set = f"{made['rows']:,} rows, {made['tokens']:,} tokens, {made['mb']:.1f} MB of Arrow: "
    lines = [line(row, made["rows"]) for row in report["rows"]]
    return "\n\n".join([about, of_set + ", ".join(made["columns"]), table(HEAD, lines)])
