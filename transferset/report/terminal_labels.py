"""Labels, tags and attempts on a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from rich.markup import escape
from rich.table import Table

from transferset.errors import printable
from transferset.manifest import Json
from transferset.report.label_grids import Grid, label_grids
from transferset.report.labels import NO_LABEL
from transferset.report.wording import number, share

#: Most classes that stand beside each other for several sets.
MOST_COMPARED: Final = 20


def grids(facts: Json) -> Iterator[Table]:
    """The tables of a set's labels, tags and attempts.

    Args:
        facts: With what `inspect.row_facts` gives.
    """
    return map(_grid, label_grids(facts))


def _grid(grid: Grid) -> Table:
    table = Table(
        title=_text(grid.title.lower()), title_justify="left", title_style="bold", box=None,
        pad_edge=False, caption=_text(grid.note) or None, caption_justify="left",
    )  # fmt: skip
    for i, head in enumerate(grid.heads):
        justify = "left" if i == 0 or not head else "right"
        table.add_column(head, justify=justify, header_style="dim", overflow="fold")  # type: ignore[arg-type]
    for row in grid.rows:
        table.add_row(_text(row[0]), *row[1:])
    return table


def label_cells(sets: Sequence[Json]) -> dict[str, Callable[[Json], str]]:
    """Rows of a table of sets side by side: what to show of each set's labels, by row.

    Args:
        sets: From `stats.stats`; classes of one name are compared.
    """
    names = dict.fromkeys(name for one in sets for name in _by_class(one))
    rows = {printable(name, 40): _class(name) for name in list(names)[:MOST_COMPARED]}
    if more := list(names)[MOST_COMPARED:]:
        rows[f"{len(more):,} more classes"] = _class(*more)
    scores = {f"score, {member}": _score(member) for member in ("min", "mean", "max")}
    return {**rows, **scores, NO_LABEL: _missing}


def _by_class(one: Json) -> dict[str, int]:
    classes = (one["labels"] or {}).get("classes", ())
    return {
        c["name"] if c["name"] is not None else f"class {c['code']}": c["rows"] for c in classes
    }


def _class(*names: str) -> Callable[[Json], str]:
    def cell(one: Json) -> str:
        found = _by_class(one)
        if not found:
            return "–"
        return _counted(sum(found.get(name, 0) for name in names), one["labels"]["rows"])

    return cell


def _score(member: str) -> Callable[[Json], str]:
    def cell(one: Json) -> str:
        value: Any = (one["labels"] or {}).get(member)
        return "–" if value is None else f"{value:.4g}"

    return cell


def _missing(one: Json) -> str:
    labels = one["labels"]
    return "–" if labels is None else _counted(labels["missing"], labels["rows"])


def _counted(rows: int, of: int) -> str:
    return f"{number(rows)} ({share(rows, of)})" if of else number(rows)


def _text(value: str) -> str:
    return escape(printable(value, 120))
