"""Markdown tables of the figures that `build_wiki.py` collects."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from quality import LEAKS


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table; the first column is text, the others are numbers."""
    lines = ["| " + " | ".join(head) + " |", "|---" + "|---:" * (len(head) - 1) + "|"]
    return "\n".join([*lines, *("| " + " | ".join(map(str, row)) + " |" for row in rows)])


def limits(found: dict[str, Any]) -> str:
    """What the machine allows at most."""
    head = ["limit", "MB / CPU-s", "MB / s"]
    return table(
        head,
        [(name, f"{x['mb_per_cpu_s']:,.1f}", f"{x['mb_per_s']:,.1f}") for name, x in found.items()],
    )


def cleaning(found: dict[str, Any]) -> str:
    """MB per CPU-second of each cleaner."""
    tools = {name: row for name, row in found.items() if isinstance(row, dict)}
    first = next(iter(tools.values()))["xml_mb_per_cpu_s"]
    head = [
        "cleaner",
        "MB of XML / CPU-s",
        "MB of wikitext / CPU-s",
        "CPU-s (all runs)",
        "slower by",
    ]
    rows = [
        (
            name,
            f"{row['xml_mb_per_cpu_s']:.2f}",
            f"{row['wikitext_mb_per_cpu_s']:.2f}",
            " ".join(f"{cpu:.2f}" for cpu in row["cpu_s"]),
            f"{first / row['xml_mb_per_cpu_s']:.1f}×",
        )
        for name, row in tools.items()
    ]
    about = f"{found['pages']} pages, {found['xml_mb']:.1f} MB of XML"
    return f"{about} ({found['wikitext_mb']:.1f} MB of wikitext)\n\n{table(head, rows)}"


def quality(found: dict[str, Any]) -> str:
    """Leftovers, prose kept, leaks."""
    head = ["cleaner", "leftovers / 1,000 words", "most frequent", "prose lines kept"]
    head += ["prose words kept", "values kept", "leaks: " + " / ".join(LEAKS)]
    rows = []
    for name, row in found.items():
        kinds = sorted(row["leftovers_by_kind"].items(), key=lambda kind: -kind[1])[:3]
        shown = ", ".join(f"`{kind}` {count}" for kind, count in kinds).replace("|", "\\|")
        leaked = " / ".join(f"{row['leaked_percent'][kind]:.1f}" for kind in LEAKS)
        kept = [
            f"{row[f'{kind}_kept_percent']:.2f} %" for kind in ("prose", "prose_words", "values")
        ]
        rows.append((name, f"{row['leftovers_per_1000_words']:.2f}", shown, *kept, f"{leaked} %"))
    one = next(iter(found.values()))
    about = f"{one['prose_lines']} prose lines, {one['values']} values; keys to look for leaks: "
    return about + f"{one['leak_keys']}\n\n{table(head, rows)}"


def whole(rows: list[dict[str, Any]]) -> str:
    """The whole job, and how two workers and the pipeline compare."""
    head = ["job", "workers", "MB of XML / CPU-s", "without start-up", "CPU-s", "wall s"]
    head += ["start-up CPU-s", "peak MB of a process", "CPU-s of its commands"]
    lines = [
        (
            f"{row['tool']}, {row['layout']}",
            row["workers"],
            f"{row['xml_mb_per_cpu_s']:.2f}",
            f"{row['xml_mb_per_cpu_s_without_startup']:.2f}",
            f"{row['cpu_s']:.1f}",
            f"{row['wall_s']:.1f}",
            f"{row['startup_cpu_s']:.2f}",
            f"{row['peak_mb']:.0f}",
            " + ".join(f"{cpu:.1f}" for cpu in row["cpu_s_of_steps"]),
        )
        for row in rows
    ]
    about = f"{rows[0]['xml_mb']:.1f} MB of XML"
    return "\n\n".join([about, table(head, lines), *ratios(rows)])


def ratios(rows: list[dict[str, Any]]) -> list[str]:
    """Sentences on one against more workers, and on us against the pipeline."""
    by_case = {(row["tool"], row["layout"], row["workers"]): row for row in rows}
    said = []
    for (tool, layout, workers), row in by_case.items():
        alone, peer = by_case.get((tool, layout, 1)), by_case.get(("pipeline", "single", workers))
        if workers > 1 and alone:
            gain = alone["wall_s"] / row["wall_s"]
            said.append(f"- {tool}, {layout}: {workers} workers are {gain:.2f}× as fast as one.")
        if tool == "transferset" and peer:
            cpu, wall = peer["cpu_s"] / row["cpu_s"], peer["wall_s"] / row["wall_s"]
            said.append(
                f"- {tool}, {layout}, workers: {workers}: {cpu:.1f}× less CPU, {wall:.1f}× less"
                " wall time than the pipeline."
            )
    return ["\n".join(said)] if said else []


def render(report: dict[str, Any]) -> str:
    """The whole report."""
    about = report["machine"] | {"dump": report["dump"]} | report["versions"]
    parts = [", ".join(f"{name} {value}" for name, value in about.items())]
    makers: dict[str, Callable[[Any], str]] = {
        "limits": limits,
        "cleaning": cleaning,
        "quality": quality,
        "whole": whole,
    }
    for name, maker in makers.items():
        if report.get(name):
            parts += [f"## {name.capitalize()}", maker(report[name])]
    return "\n\n".join(parts)
