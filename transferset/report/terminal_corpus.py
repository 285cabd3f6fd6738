"""The table of corpus statistics on a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.markup import escape
from rich.table import Table

from transferset.errors import printable
from transferset.manifest import Json
from transferset.report.corpus_table import HEADS, CorpusRow, cells


def corpus_grid(title: str, rows: Sequence[Json]) -> Table:
    """A table of sources or parts and the whole.

    Args:
        title: What stands above it; not yet escaped.
        rows: From `CorpusRow.to_json`, at least one.

    Returns:
        What `rich` prints.
    """
    table = Table(
        title=escape(printable(title)), title_justify="left", title_style="bold", box=None,
        pad_edge=False,
    )  # fmt: skip
    table.add_column("", overflow="fold", header_style="dim")
    for head in HEADS:
        table.add_column(head, justify="right", no_wrap=True, header_style="dim")
    for one in rows:
        row = CorpusRow(**one)
        style = "bold" if row.whole and len(rows) > 1 else ""
        table.add_row(escape(printable(row.name, 120)), *cells(row), style=style)
    return table
