"""Markdown tables of the figures that `augment.py` collects."""

from __future__ import annotations

from typing import Any

from augment_jobs import cpu_for
from tables import limits, table

Json = dict[str, Any]


def rates(rows: list[Json]) -> str:
    """Every tool's new rows per CPU-second, and how many times as many ours makes."""
    head = ["from tagged rows", "sentences", "new rows", "rows / CPU-s", "without start-up"]
    head += ["ours", "without start-up", "start-up CPU-s", "CPU-s (all runs)", "peak MB"]
    lines = [
        (
            row["tool"],
            f"{row['sentences']:,}",
            f"{row['new']:,}",
            f"{row['rows_per_cpu_s']:,.0f}",
            number(row["rows_per_cpu_s_without_startup"], ",.0f"),
            f"{row['times']:.1f}×",
            number(row["times_without_startup"], ".1f", "×"),
            f"{row['startup_cpu_s']:.2f}",
            " ".join(f"{cpu:.2f}" for cpu in sorted(row["cpu_s_runs"])),
            f"{row['peak_mb']:.0f}",
        )
        for row in rows
    ]
    return table(head, lines)


def number(value: float | None, form: str, unit: str = "") -> str:
    """A number, or a dash where there is none."""
    return "–" if value is None else f"{value:{form}}{unit}"


def tagging(rows: list[Json]) -> str:
    """Taggers alone."""
    head = ["tagger", "words", "CPU-s", "words / CPU-s", "`build task`, CPU-s", "of which start-up"]
    lines = [
        (
            row["tagger"],
            f"{row['words']:,}",
            f"{row['cpu_s']:.2f}",
            f"{row['words_per_cpu_s']:,.0f}",
            f"{row['build_cpu_s']:.2f}",
            f"{row['build_startup_cpu_s']:.2f}",
        )
        for row in rows
    ]
    return table(
        [*head, "peak MB"],
        [(*line, f"{row['build_peak_mb']:.0f}") for line, row in zip(lines, rows, strict=True)],
    )


def whole(tagged: list[Json], rows: list[Json]) -> str:
    """From the file to the varied set, with tags to be made and with tags at hand."""
    ours = rows[0]
    head = ["from the file to variants", "CPU-s", "new rows / CPU-s"]
    jobs = [
        (f"transferset, tagged by {row['tagger']}", row["build_cpu_s"] + ours["cpu_s"])
        for row in tagged
    ]
    jobs.append(("transferset, tags cached", ours["cpu_s"]))
    lines = [(name, f"{cpu:.2f}", f"{ours['new'] / cpu:,.0f}") for name, cpu in jobs]
    lines += [
        (
            f"`{row['tool']}`, for as many rows",
            f"{cpu_for(row, ours['new']):.0f}",
            f"{ours['new'] / cpu_for(row, ours['new']):,.0f}",
        )
        for row in rows
        if row["tool"].startswith("reference: tagging")
    ]
    return table(head, lines)


def large(row: Json) -> str:
    """The large run beside what its bytes alone take."""
    beside, made = row["beside"], row["made"]
    head = ["rows", "of sentences", "MB written", "CPU-s", "wall s", "rows / CPU-s"]
    head += [
        "bytes alone, CPU-s",
        "bytes moved: of memcpy",
        "peak MB of a process",
        "less mapped files",
    ]
    line = (
        f"{row['rows']:,}",
        f"{row['parent_rows']:,}",
        f"{made['mb']:,.0f}",
        f"{row['cpu_s']:.1f}",
        f"{row['wall_s']:.1f}",
        f"{row['rows_per_cpu_s']:,.0f}",
        f"{beside['floor_cpu_s']:.2f}",
        f"{beside['share_of_memcpy']:.1%}",
        f"{row['peak_mb']:.0f}",
        f"{row['own_peak_mb']:.0f}",
    )
    said = (
        f"All {row['checked']:,} rows have the tokenizer's ids; {row['new']:,} are new and differ."
    )
    return "\n\n".join([table(head, [line]), said, limits(row["limits"])])


def render(report: Json) -> str:
    """The whole report."""
    about = report["machine"] | report["versions"]
    told = report["sentences"]
    rows, ours = report["rows"], report["rows"][0]
    parts = [
        ", ".join(f"{name} {value}" for name, value in about.items()),
        f"{told['rows']:,} sentences ({told['kind']}), {told['mean']:.1f} words each, tags by"
        f" {told['tagger']}; {told['iterations']} attempts on each",
        "## Rates",
        rates(rows),
        f"All {ours['checked']:,} rows of our set have the tokenizer's ids; the {ours['new']:,} new"
        " ones differ from all others.",
        "## Tagging, and the whole job",
        tagging(report["tagging"]),
        whole(report["tagging"], rows),
    ]
    if report["large"]:
        parts += ["## A large set", large(report["large"])]
    return "\n\n".join(parts)
