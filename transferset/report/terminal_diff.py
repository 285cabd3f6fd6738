"""The look of `diff` on a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from transferset.errors import printable
from transferset.manifest import Json
from transferset.report.wording import listed, number, percent, share, size


def show_diff(facts: Json, file: IO[str] | None = None, width: int | None = None) -> None:
    """Print what `diff` found: the verdict, then what it rests on.

    Args:
        facts: From `report.comparing.diff`.
        file: Where; standard output by default.
        width: Columns of the terminal; as it says by default.
    """
    console = Console(file=file, width=width, highlight=False, soft_wrap=False)
    console.print(f"[bold]{escape(facts['verdict'])}[/bold]")
    for table in (_sides(facts), _shared(facts), _proofs(facts)):
        console.print()
        console.print(table)
    console.print()
    for line in _columns(facts["columns"]):
        console.print(line)


def _grid(title: str, *headers: str) -> Table:
    table = Table(
        title=title, title_justify="left", title_style="bold", box=None, pad_edge=False,
        padding=(0, 2, 0, 0),
    )  # fmt: skip
    for i, header in enumerate(headers):
        table.add_column(
            header, justify="right" if i else "left", header_style="dim", overflow="fold"
        )
    return table


def _sides(facts: Json) -> Table:
    table = _grid("what is compared", "", "A", "B")
    sides = (facts["a"], facts["b"])
    for label, member in (("name", "name"), ("folder", "root"), ("made by", "op")):
        table.add_row(label, *(escape(printable(str(side[member]))) for side in sides))
    counts = ("rows", "tokens", "content_tokens", "types")
    for member in counts:
        table.add_row(member.replace("_", " "), *(number(side[member]) for side in sides))
    if any(side["generated"] for side in sides):
        label = "written by a model"
        table.add_row(label, *(number(side["generated"] or 0) for side in sides))
    table.add_row("bytes", *(size(side["bytes"]) for side in sides))
    return table


def _shared(facts: Json) -> Table:
    table = _grid("what both have", "", "count", "of A", "of B")
    a, b, tokens = facts["a"], facts["b"], facts["tokens"]
    for label, key in (("rows", "rows"), ("rows, tokens in any order", "bags")):
        count = facts[key]["shared"]
        table.add_row(label, number(count), share(count, a["rows"]), share(count, b["rows"]))
    table.add_row(
        "content tokens", number(tokens["shared"]),
        share(tokens["shared"], a["content_tokens"]), share(tokens["shared"], b["content_tokens"]),
    )  # fmt: skip
    types = tokens["types_shared"]
    table.add_row("types", number(types), share(types, a["types"]), share(types, b["types"]))
    return table


def _proofs(facts: Json) -> Table:
    table = _grid("what holds", "", "", "")
    table.show_header = False
    table.columns[2].justify = "left"
    for label, holds, detail in _claims(facts):
        table.add_row(label, "[green]yes[/green]" if holds else "[dim]no[/dim]", detail)
    return table


def _claims(facts: Json) -> Iterator[tuple[str, bool, str]]:
    order, lengths = facts["order"], facts["lengths"]
    row = facts["row_by_row"] or {"same": 0, "permuted": 0, "same_length": 0, "ids": 0}
    yield "same rows, same order", order["same_rows"], _counted(row["same"], "equal")
    permuted = _counted(row["permuted"], "with tokens in another order")
    yield "each row permuted", order["row_permutation"], permuted
    yield "same rows, another order", order["reordered"], ""
    yield "rows of B in A, in order", order["b_in_a"], ""
    yield "rows of A in B, in order", order["a_in_b"], ""
    yield "same tokens", facts["tokens"]["same"], ""
    of_length = _counted(row["same_length"], "equally long")
    if row["ids"]:
        of_length += f", {percent(row['ids_in_place'] / row['ids'])} of ids in place"
    yield "same lengths, row by row", lengths["same_row_by_row"], of_length
    yield "same lengths, any order", lengths["same_histogram"], ""
    if (labels := row.get("labels")) is not None:
        yield "same labels, row by row", not labels["changed"], _labels(labels)


def _labels(labels: Json) -> str:
    counts = {
        "has another class or score": labels["changed"] - labels["lost"] - labels["gained"],
        "has no label in B": labels["lost"],
        "has no label in A": labels["gained"],
    }
    return ", ".join(_counted_have(count, what) for what, count in counts.items() if count)


def _counted_have(rows: int, what: str) -> str:
    return f"{rows:,} {'row' if rows == 1 else 'rows'} {what if rows == 1 else 'have' + what[3:]}"


def _counted(pairs: int, what: str) -> str:
    return f"{pairs:,} {'row' if pairs == 1 else 'rows'} {what}" if pairs else ""


def _columns(columns: Json) -> Iterator[str]:
    labels = {"shared": "in both", "only_a": "only in A", "only_b": "only in B"}
    for key, label in labels.items():
        if columns[key]:
            yield f"[dim]columns {label}:[/dim] {escape(printable(listed(columns[key])))}"
    if columns["equal"]:
        yield f"[dim]equal in every row:[/dim] {escape(printable(listed(columns['equal'])))}"
