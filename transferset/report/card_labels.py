"""Sections of a data card on labels, tags, and the attempts that variants came from."""

from __future__ import annotations

from transferset.manifest import Json
from transferset.report.card_sections import section
from transferset.report.label_grids import label_grids
from transferset.report.markdown import md, table


def labels(facts: Json | None) -> list[str]:
    """A section for each table of a set.

    Args:
        facts: From `inspect.row_facts`; None gives nothing.
    """
    if facts is None:
        return []
    sections = []
    for grid in label_grids(facts):
        shown = table(grid.heads, [(md(row[0], 80), *row[1:]) for row in grid.rows])
        sections.append(section(grid.title, shown, *([md(grid.note, 300)] if grid.note else [])))
    return sections
